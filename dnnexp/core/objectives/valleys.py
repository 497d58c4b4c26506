"""Functions with curved valleys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.objectives.base import Box, box, column
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.registry import register


@register("rosenbrock")
@dataclass(frozen=True)
class Rosenbrock(TestFunction):
    """Rosenbrock's banana: f = Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)². Minimum 0 at (1, …, 1).

    Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960, for
    d = 2; the sum over consecutive pairs for d > 2.
    """

    dimension: Annotated[int, Ge(2), Le(10**6)] = 2

    def value(self, x: Array) -> Array:
        """Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
        left, right = x[:-1, ...], x[1:, ...]
        return coordinate_sum(100 * (right - left**2) ** 2 + (1 - left) ** 2)[0, ...]

    def gradient(self, x: Array) -> Array:
        """∂/∂xᵢ = −400 xᵢ (xᵢ₊₁ − xᵢ²) − 2 (1 − xᵢ), for i < d−1, plus 200 (xᵢ − xᵢ₋₁²), for i > 0."""
        xp = namespace(x)
        left, right = x[:-1, ...], x[1:, ...]
        bend = right - left**2
        nothing = xp.zeros_like(x[:1, ...])
        by_left = -400 * left * bend - 2 * (1 - left)
        return xp.concat((by_left, nothing)) + xp.concat((nothing, 200 * bend))

    def minimizers(self) -> Floats:
        """(1, …, 1)."""
        return np.ones((self.dimension, 1))

    def domain(self) -> Box:
        """[-2.048, 2.048]ᵈ."""
        return box(self.dimension, 2.048)


@register("zakharov")
@dataclass(frozen=True)
class Zakharov(TestFunction):
    """Zakharov: f = Σ xᵢ² + s² + s⁴, s = ½ Σ i xᵢ, i from 1. Minimum 0 at the origin, and no other.

    Jamil and Yang, "A literature survey of benchmark functions for global optimisation problems", 2013.
    """

    dimension: Annotated[int, Ge(1), Le(10**6)] = 2

    def _halves(self, x: Array) -> Array:
        return column(namespace(x), tuple(i / 2 for i in range(1, self.dimension + 1)), x.dtype, x.ndim)

    def value(self, x: Array) -> Array:
        """Σ xᵢ² + s² + s⁴."""
        square = coordinate_sum(self._halves(x) * x) ** 2
        return (coordinate_sum(x**2) + square + square**2)[0, ...]

    def gradient(self, x: Array) -> Array:
        """2 xᵢ + i (s + 2 s³)."""
        halves = self._halves(x)
        s = coordinate_sum(halves * x)
        return 2 * x + 2 * halves * (s + 2 * s**3)

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-5, 10]ᵈ."""
        return np.full(self.dimension, -5.0), np.full(self.dimension, 10.0)


@register("dixon_price")
@dataclass(frozen=True)
class DixonPrice(TestFunction):
    """Dixon-Price: f = (x₁ − 1)² + Σ_{i≥2} i (2xᵢ² − xᵢ₋₁)². Minimum 0 at xᵢ = 2^(−(2^i − 2)/2^i).

    Dixon and Price, "The truncated Newton method for sparse unconstrained optimisation using automatic
    differentiation", 1989. The last coordinate may have either sign.
    """

    dimension: Annotated[int, Ge(2), Le(1000)] = 2

    def _weights(self, x: Array) -> Array:
        return column(namespace(x), tuple(map(float, range(2, self.dimension + 1))), x.dtype, x.ndim)

    def value(self, x: Array) -> Array:
        """(x₁ − 1)² + Σ_{i≥2} i (2xᵢ² − xᵢ₋₁)²."""
        bend = 2 * x[1:, ...] ** 2 - x[:-1, ...]
        return (x[0, ...] - 1) ** 2 + coordinate_sum(self._weights(x) * bend**2)[0, ...]

    def gradient(self, x: Array) -> Array:
        """8 i xᵢ (2xᵢ² − xᵢ₋₁), i ≥ 2, less 2 (i+1) (2xᵢ₊₁² − xᵢ); for the first 2 (x₁ − 1) more."""
        xp = namespace(x)
        right = x[1:, ...]
        weighted = 2 * self._weights(x) * (2 * right**2 - x[:-1, ...])
        first = 2 * (x[:1, ...] - 1)
        return xp.concat((first, 4 * right * weighted)) - xp.concat((weighted, xp.zeros_like(x[:1, ...])))

    def minimizers(self) -> Floats:
        """The two points, `(d, 2)`."""
        i = np.arange(1, self.dimension + 1)
        point = 2.0 ** (2.0 ** (1 - i) - 1)
        other = point.copy()
        other[-1] *= -1
        return np.stack([point, other], axis=1)

    def domain(self) -> Box:
        """[-10, 10]ᵈ."""
        return box(self.dimension, 10.0)


@register("beale")
@dataclass(frozen=True)
class Beale(TestFunction):
    """Beale's function: f = Σₖ (cₖ − x (1 − yᵏ))², c = (1.5, 2.25, 2.625). Minimum 0 at (3, 0.5).

    Beale, "On an iterative method for finding a local minimum of a function of more than one variable",
    1958.
    """

    dimension: ClassVar[int] = 2
    _targets: ClassVar[tuple[float, ...]] = (1.5, 2.25, 2.625)

    def value(self, x: Array) -> Array:
        """Σₖ (cₖ − x (1 − yᵏ))²."""
        x, y = x[0, ...], x[1, ...]
        return sum((target - x * (1 - y**power)) ** 2 for power, target in enumerate(self._targets, start=1))

    def gradient(self, x: Array) -> Array:
        """(Σ −2 rₖ (1 − yᵏ), Σ 2 rₖ k x yᵏ⁻¹) with rₖ = cₖ − x (1 − yᵏ)."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        along_x = along_y = 0 * x
        for power, target in enumerate(self._targets, start=1):
            residual = target - x * (1 - y**power)
            along_x = along_x - 2 * residual * (1 - y**power)
            along_y = along_y + 2 * residual * power * x * y ** (power - 1)
        return xp.stack((along_x, along_y))

    def minimizers(self) -> Floats:
        """(3, 0.5)."""
        return np.array([[3.0], [0.5]])

    def domain(self) -> Box:
        """[-4.5, 4.5]²."""
        return box(2, 4.5)


@register("himmelblau")
@dataclass(frozen=True)
class Himmelblau(TestFunction):
    """Himmelblau's function: f = (x² + y − 11)² + (x + y² − 7)². Minimum 0 at four points.

    Himmelblau, "Applied nonlinear programming", 1972. The minimizers are (3, 2) and three that have no
    short closed form: the real solutions of x² + y = 11, x + y² = 7, given to the last digit.
    """

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """(x² + y − 11)² + (x + y² − 7)²."""
        x, y = x[0, ...], x[1, ...]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def gradient(self, x: Array) -> Array:
        """(4 x u + 2 v, 2 u + 4 y v) with u = x² + y − 11 and v = x + y² − 7."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        u = x**2 + y - 11
        v = x + y**2 - 7
        return xp.stack((4 * x * u + 2 * v, 2 * u + 4 * y * v))

    def minimizers(self) -> Floats:
        """The four points, `(2, 4)`."""
        return np.array(
            [
                [3.0, -2.805118086952745, -3.779310253377747, 3.584428340330492],
                [2.0, 3.131312518250573, -3.283185991286170, -1.848126526964404],
            ]
        )

    def domain(self) -> Box:
        """[-5, 5]²."""
        return box(2, 5.0)

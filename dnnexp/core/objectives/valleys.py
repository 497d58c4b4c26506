"""Functions with curved valleys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.objectives.base import Box, box
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

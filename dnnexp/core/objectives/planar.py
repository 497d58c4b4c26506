"""Functions of two variables.

Formulas, domains and minima as in Jamil and Yang, "A literature survey of benchmark functions for global
optimisation problems", 2013, unless said otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from dnnexp.core.arrays import Array, Floats, namespace
from dnnexp.core.objectives.base import Box, box
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.registry import register


@register("booth")
@dataclass(frozen=True)
class Booth(TestFunction):
    """Booth: f = (x + 2y − 7)² + (2x + y − 5)². Minimum 0 at (1, 3)."""

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """(x + 2y − 7)² + (2x + y − 5)²."""
        x, y = x[0, ...], x[1, ...]
        return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2

    def gradient(self, x: Array) -> Array:
        """(10x + 8y − 34, 8x + 10y − 38)."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        return xp.stack((10 * x + 8 * y - 34, 8 * x + 10 * y - 38))

    def minimizers(self) -> Floats:
        """(1, 3)."""
        return np.array([[1.0], [3.0]])

    def domain(self) -> Box:
        """[-10, 10]²."""
        return box(2, 10.0)


@register("matyas")
@dataclass(frozen=True)
class Matyas(TestFunction):
    """Matyas: f = 0.26 (x² + y²) − 0.48 x y. Minimum 0 at the origin; condition number 25."""

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """0.26 (x² + y²) − 0.48 x y."""
        x, y = x[0, ...], x[1, ...]
        return 0.26 * (x**2 + y**2) - 0.48 * x * y

    def gradient(self, x: Array) -> Array:
        """(0.52 x − 0.48 y, 0.52 y − 0.48 x)."""
        return 0.52 * x - 0.48 * namespace(x).flip(x, axis=0)

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((2, 1))

    def domain(self) -> Box:
        """[-10, 10]²."""
        return box(2, 10.0)


@register("three_hump_camel")
@dataclass(frozen=True)
class ThreeHumpCamel(TestFunction):
    """Three-hump camel: f = 2x² − 1.05x⁴ + x⁶/6 + x y + y². Minimum 0 at the origin; two local ones."""

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """2x² − 1.05x⁴ + x⁶/6 + x y + y²."""
        x, y = x[0, ...], x[1, ...]
        return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2

    def gradient(self, x: Array) -> Array:
        """(4x − 4.2x³ + x⁵ + y, x + 2y)."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        return xp.stack((4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y))

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((2, 1))

    def domain(self) -> Box:
        """[-5, 5]²."""
        return box(2, 5.0)


@register("branin")
@dataclass(frozen=True)
class Branin(TestFunction):
    """Branin: f = (y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10. Minimum 5/4π at three points.

    Dixon and Szegö, "Towards global optimisation 2", 1978. The cosine is −1 and the square 0 at
    (−π, 12.275), (π, 2.275) and (3π, 2.475).
    """

    dimension: ClassVar[int] = 2
    minimum: ClassVar[float] = 5 / (4 * math.pi)
    _bend: ClassVar[float] = 5.1 / (4 * math.pi**2)
    _height: ClassVar[float] = 10 * (1 - 1 / (8 * math.pi))

    def value(self, x: Array) -> Array:
        """(y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        square = (y - self._bend * x**2 + 5 / math.pi * x - 6) ** 2
        # 10 (1 − h) + h (1 + cos x), less rounding near the minimum
        return square + self._height * (1 + xp.cos(x)) + self.minimum

    def gradient(self, x: Array) -> Array:
        """(2u (5/π − 5.1x/2π²) − 10 (1 − 1/8π) sin x, 2u), u the root of the square."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        u = y - self._bend * x**2 + 5 / math.pi * x - 6
        along = 2 * u * (5 / math.pi - 2 * self._bend * x) - self._height * xp.sin(x)
        return xp.stack((along, 2 * u))

    def minimizers(self) -> Floats:
        """(−π, 12.275), (π, 2.275), (3π, 2.475)."""
        return np.array([[-math.pi, math.pi, 3 * math.pi], [12.275, 2.275, 2.475]])

    def domain(self) -> Box:
        """[-5, 10] x [0, 15]."""
        return np.array([-5.0, 0.0]), np.array([10.0, 15.0])


@register("saddle")
@dataclass(frozen=True)
class Saddle(TestFunction):
    """Saddle: f = (x² − 1)²/4 + y²/2. A saddle at the origin, between the minima 0 at (±1, 0).

    The two-dimensional example of Nesterov, "Introductory lectures on convex optimization", 2004, section
    1.2.3, shifted to minimum 0: gradient descent from x = 0 ends at the saddle, at value ¼.
    """

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """(x² − 1)²/4 + y²/2."""
        x, y = x[0, ...], x[1, ...]
        return (x**2 - 1) ** 2 / 4 + y**2 / 2

    def gradient(self, x: Array) -> Array:
        """(x³ − x, y)."""
        xp = namespace(x)
        x, y = x[0, ...], x[1, ...]
        return xp.stack((x**3 - x, y))

    def minimizers(self) -> Floats:
        """(−1, 0) and (1, 0)."""
        return np.array([[-1.0, 1.0], [0.0, 0.0]])

    def domain(self) -> Box:
        """[-2, 2]²."""
        return box(2, 2.0)


@register("ravine")
@dataclass(frozen=True)
class Ravine(TestFunction):
    """Ravine: f = ½ (u² + κ v²), u = (x + y)/√2, v = (x − y)/√2: a narrow valley along x = y. Minimum 0 at 0.

    κ is `condition_number`. No rule that scales the coordinates one by one makes it round.
    """

    dimension: ClassVar[int] = 2
    condition_number: Annotated[float, Ge(1)] = 1000.0

    def value(self, x: Array) -> Array:
        """((x + y)² + κ (x − y)²) / 4."""
        x, y = x[0, ...], x[1, ...]
        return ((x + y) ** 2 + self.condition_number * (x - y) ** 2) / 4

    def gradient(self, x: Array) -> Array:
        """(s + κ t, s − κ t) / 2 with s = x + y, t = x − y."""
        xp = namespace(x)
        along, across = x[0, ...] + x[1, ...], self.condition_number * (x[0, ...] - x[1, ...])
        return xp.stack((along + across, along - across)) / 2

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((2, 1))

    def domain(self) -> Box:
        """[-10, 10]²."""
        return box(2, 10.0)

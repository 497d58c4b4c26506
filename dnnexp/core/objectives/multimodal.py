"""Functions with many local minima, in any number of dimensions.

Formulas and domains as in Jamil and Yang, "A literature survey of benchmark functions for global optimisation
problems", 2013, unless said otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.objectives.base import Box, box, column
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.registry import register

Dimension = Annotated[int, Ge(1), Le(10**6)]


@register("rastrigin")
@dataclass(frozen=True)
class Rastrigin(TestFunction):
    """Rastrigin: f = Σ xᵢ² + 10 (1 − cos 2πxᵢ). Minimum 0 at the origin; local ones near integer points."""

    dimension: Dimension = 2

    def value(self, x: Array) -> Array:
        """Σ xᵢ² + 10 (1 − cos 2πxᵢ)."""
        return coordinate_sum(x**2 + 10 * (1 - namespace(x).cos(2 * math.pi * x)))[0, ...]

    def gradient(self, x: Array) -> Array:
        """2 xᵢ + 20π sin 2πxᵢ."""
        return 2 * x + 20 * math.pi * namespace(x).sin(2 * math.pi * x)

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-5.12, 5.12]ᵈ."""
        return box(self.dimension, 5.12)


@register("ackley")
@dataclass(frozen=True)
class Ackley(TestFunction):
    """Ackley: f = 20 (1 − e^(−r/5)) + e − e^(mean cos 2πxᵢ), r² = mean xᵢ². Minimum 0 at the origin.

    The function has a kink there; its gradient at the origin is set to 0.
    """

    dimension: Dimension = 2

    def _radius(self, x: Array) -> Array:
        return namespace(x).sqrt(coordinate_sum(x**2) / self.dimension)

    def _raised(self, x: Array) -> Array:
        xp = namespace(x)
        return xp.exp(coordinate_sum(xp.cos(2 * math.pi * x)) / self.dimension)

    def value(self, x: Array) -> Array:
        """20 (1 − e^(−r/5)) + e − e^(mean cos 2πxᵢ)."""
        valley = 20 * (1 - namespace(x).exp(-self._radius(x) / 5))
        return (valley + (math.e - self._raised(x)))[0, ...]

    def gradient(self, x: Array) -> Array:
        """(4 e^(−r/5) xᵢ / r + 2π e^(mean cos 2πxᵢ) sin 2πxᵢ) / d."""
        xp = namespace(x)
        r = self._radius(x)
        along = 4 * xp.exp(-r / 5) / xp.where(r == 0, xp.ones_like(r), r)
        waves = 2 * math.pi * self._raised(x) * xp.sin(2 * math.pi * x)
        return (along * x + waves) / self.dimension

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-32.768, 32.768]ᵈ."""
        return box(self.dimension, 32.768)


@register("griewank")
@dataclass(frozen=True)
class Griewank(TestFunction):
    """Griewank: f = 1 + Σ xᵢ²/4000 − Π cos(xᵢ/√i), i from 1. Minimum 0 at the origin.

    Griewank, "Generalized descent for global optimization", 1981.
    """

    dimension: Dimension = 2

    def _scaled(self, x: Array) -> Array:
        roots = tuple(math.sqrt(i) for i in range(1, self.dimension + 1))
        return x / column(namespace(x), roots, x.dtype, x.ndim)

    def value(self, x: Array) -> Array:
        """1 + Σ xᵢ²/4000 − Π cos(xᵢ/√i)."""
        product = _product(namespace(x).cos(self._scaled(x)))
        return (1 - product + coordinate_sum(x**2) / 4000)[0, ...]

    def gradient(self, x: Array) -> Array:
        """xᵢ/2000 + Π cos(xⱼ/√j) tan(xᵢ/√i) / √i."""
        xp = namespace(x)
        scaled = self._scaled(x)
        inner = _product(xp.cos(scaled)) * xp.tan(scaled)  # no cosine of a floating-point number is 0
        return x / 2000 + self._scaled(inner)

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-600, 600]ᵈ."""
        return box(self.dimension, 600.0)


def _product(x: Array) -> Array:
    """The product over the first axis, which is kept, in the manner of `coordinate_sum`."""
    while (d := x.shape[0]) > 1:
        half = d // 2
        folded = x[:half, ...] * x[half : 2 * half, ...]
        x = namespace(x).concat((folded, x[2 * half :, ...])) if d % 2 else folded
    return x


@register("levy")
@dataclass(frozen=True)
class Levy(TestFunction):
    """Levy: with w = 1 + (x − 1)/4 and a = w − 1, a sum of waves of a². Minimum 0 at (1, …, 1).

    f = sin²(πw₁) + Σ_{i<d} aᵢ² (1 + 10 sin²(πwᵢ + 1)) + a_d² (1 + sin²(2πw_d)). Laguna and Martí,
    "Experimental testing of advanced scatter search designs", 2005, function 18.
    """

    dimension: Dimension = 2

    def value(self, x: Array) -> Array:
        """sin²(πw₁) + Σ_{i<d} aᵢ² (1 + 10 sin²(πwᵢ + 1)) + a_d² (1 + sin²(2πw_d))."""
        xp = namespace(x)
        a = (x - 1) / 4
        first, last = (
            xp.sin(math.pi * a[0, ...]) ** 2,
            a[-1, ...] ** 2 * (1 + xp.sin(2 * math.pi * a[-1, ...]) ** 2),
        )
        if self.dimension == 1:
            return first + last
        inner = a[:-1, ...]
        waves = inner**2 * (1 + 10 * xp.sin(math.pi * (inner + 1) + 1) ** 2)
        return first + coordinate_sum(waves)[0, ...] + last

    def gradient(self, x: Array) -> Array:
        """¼ of the derivatives by wᵢ, 2a (1 + 10 s²) + 10π a² sin(2πw + 2), and those of the two ends."""
        xp = namespace(x)
        a = (x - 1) / 4
        phase = math.pi * (a + 1) + 1
        inner = 2 * a * (1 + 10 * xp.sin(phase) ** 2) + 10 * math.pi * a**2 * xp.sin(2 * phase)
        end = a[-1:, ...]
        outer = 2 * end * (1 + xp.sin(2 * math.pi * end) ** 2)
        outer = outer + 2 * math.pi * end**2 * xp.sin(4 * math.pi * end)
        slope = xp.concat((inner[:-1, ...], outer))
        first = math.pi * xp.sin(2 * math.pi * a[:1, ...])
        return xp.concat((slope[:1, ...] + first, slope[1:, ...])) / 4

    def minimizers(self) -> Floats:
        """(1, …, 1)."""
        return np.ones((self.dimension, 1))

    def domain(self) -> Box:
        """[-10, 10]ᵈ."""
        return box(self.dimension, 10.0)


@register("styblinski_tang")
@dataclass(frozen=True)
class StyblinskiTang(TestFunction):
    """Styblinski-Tang: f = ½ Σ xᵢ⁴ − 16 xᵢ² + 5 xᵢ. Minimum −39.16616570377142 d at xᵢ = −2.903534027771177.

    Styblinski and Tang, "Experiments in nonconvex optimization", 1990. The minimizer is the least root of
    4 x³ − 32 x + 5.
    """

    dimension: Dimension = 2

    @property
    def minimum(self) -> float:
        """−39.16616570377142 d."""
        return -39.16616570377142 * self.dimension

    def value(self, x: Array) -> Array:
        """½ Σ xᵢ⁴ − 16 xᵢ² + 5 xᵢ."""
        return coordinate_sum(x**4 - 16 * x**2 + 5 * x)[0, ...] / 2

    def gradient(self, x: Array) -> Array:
        """2 xᵢ³ − 16 xᵢ + 5/2."""
        return 2 * x**3 - 16 * x + 2.5

    def minimizers(self) -> Floats:
        """(−2.903534027771177, …)."""
        return np.full((self.dimension, 1), -2.903534027771177)

    def domain(self) -> Box:
        """[-5, 5]ᵈ."""
        return box(self.dimension, 5.0)

"""Quadratic functions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.objectives.base import Box, box, column
from dnnexp.core.objectives.instance import TestFunction
from dnnexp.registry import register


@register("valley")
@dataclass(frozen=True)
class Valley(TestFunction):
    """A valley: f = x₀²/20 + x₁²; ∇f = (x₀/10, 2 x₁). Minimum 0 at the origin; condition number 20."""

    dimension: ClassVar[int] = 2

    def value(self, x: Array) -> Array:
        """x₀²/20 + x₁²."""
        return x[0, ...] ** 2 / 20 + x[1, ...] ** 2

    def gradient(self, x: Array) -> Array:
        """(x₀/10, 2 x₁)."""
        return x / column(namespace(x), (10.0, 0.5), x.dtype, x.ndim)

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((2, 1))

    def domain(self) -> Box:
        """[-100, 100]²."""
        return box(2, 100.0)


@register("quadratic")
@dataclass(frozen=True)
class Quadratic(TestFunction):
    """A quadratic: f = ½ Σ λᵢ xᵢ², λ from 1 to the condition number κ in equal ratios. Minimum 0 at 0.

    λᵢ = κ^(i/(d−1)) for i = 0 … d−1 (λ = 1 where d = 1); ∇f = λ ⊙ x.
    """

    dimension: Annotated[int, Ge(1), Le(10**6)] = 2
    condition_number: Annotated[float, Ge(1)] = 10.0

    @cached_property
    def _spectrum(self) -> tuple[float, ...]:
        return tuple(self.eigenvalues().tolist())

    def eigenvalues(self) -> Floats:
        """The eigenvalues λ of the Hessian, ascending: shape `(d,)`."""
        if self.dimension == 1:
            return np.ones(1)
        exponents = np.arange(self.dimension) / (self.dimension - 1)
        return np.asarray(self.condition_number**exponents)

    def value(self, x: Array) -> Array:
        """½ Σ λᵢ xᵢ²."""
        return coordinate_sum(x * self.gradient(x))[0, ...] / 2

    def gradient(self, x: Array) -> Array:
        """λ ⊙ x."""
        return column(namespace(x), self._spectrum, x.dtype, x.ndim) * x

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-10, 10]ᵈ."""
        return box(self.dimension, 10.0)


@register("sphere")
@dataclass(frozen=True)
class Sphere(TestFunction):
    """Sphere: f = Σ xᵢ². Minimum 0 at the origin; condition number 1. De Jong's first function, 1975."""

    dimension: Annotated[int, Ge(1), Le(10**6)] = 2

    def value(self, x: Array) -> Array:
        """Σ xᵢ²."""
        return coordinate_sum(x**2)[0, ...]

    def gradient(self, x: Array) -> Array:
        """2 x."""
        return 2 * x

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-5.12, 5.12]ᵈ."""
        return box(self.dimension, 5.12)


@register("ellipsoid")
@dataclass(frozen=True)
class Ellipsoid(TestFunction):
    """Ellipsoid: f = Σ 10^(6 i/(d−1)) xᵢ², i from 0. Minimum 0 at the origin; condition number 10⁶.

    The separable ellipsoid of Hansen et al., "Real-parameter black-box optimization benchmarking: noiseless
    functions definitions", 2009, function 2, without its oscillation.
    """

    dimension: Annotated[int, Ge(2), Le(10**6)] = 2

    @cached_property
    def _weights(self) -> tuple[float, ...]:
        return tuple(np.logspace(0, 6, self.dimension).tolist())

    def value(self, x: Array) -> Array:
        """Σ 10^(6 i/(d−1)) xᵢ²."""
        return coordinate_sum(x * self.gradient(x))[0, ...] / 2

    def gradient(self, x: Array) -> Array:
        """2 · 10^(6 i/(d−1)) xᵢ."""
        return 2 * column(namespace(x), self._weights, x.dtype, x.ndim) * x

    def minimizers(self) -> Floats:
        """The origin."""
        return np.zeros((self.dimension, 1))

    def domain(self) -> Box:
        """[-5, 5]ᵈ."""
        return box(self.dimension, 5.0)

"""Initializers that ask for no fans: every layer gets the same distribution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from dnnexp.core.arrays import Floats
from dnnexp.core.bounds import Bound
from dnnexp.core.initializers.base import Initializer
from dnnexp.registry import NonNegative, Problem, check, register


@register("zeros")
@dataclass(frozen=True)
class Zeros(Initializer):
    """Zeros: every parameter 0. All units of a layer then stay the same."""

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """0."""
        return np.zeros(shape)

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """0."""
        return 0.0


@register("constant")
@dataclass(frozen=True)
class Constant(Initializer):
    """Constant: every parameter the same `value`. As weights, it keeps all units of a layer the same."""

    value: float

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """The value."""
        return np.full(shape, float(self.value))

    def entry_variance(self, fan_in: int, fan_out: int) -> float | None:
        """0 for the value 0; other values have a mean that is not 0."""
        return None if self.value else 0.0


@register("normal")
@dataclass(frozen=True)
class Normal(Initializer):
    """Normal: N(0, std²), whatever the fans. Give exactly one of `std` and `variance`."""

    std: NonNegative | None = None
    variance: NonNegative | None = None

    @check("std", "variance")
    @staticmethod
    def one_scale(std: float | None, variance: float | None) -> Iterator[Problem]:
        """Exactly one of the two is given."""
        if (std is None) == (variance is None):
            given = "neither" if std is None else "both"
            yield (), f"needs exactly one of std and variance, {given} given"

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """std · N(0, 1)."""
        std = math.sqrt(self.variance or 0.0) if self.std is None else self.std
        return std * generator.standard_normal(shape)

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """std²."""
        return self.variance or 0.0 if self.std is None else self.std * self.std


@register("uniform")
@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform: on [low, high), whatever the fans; variance (high − low)² / 12."""

    low: Bound
    high: Bound

    @check("low", "high")
    @staticmethod
    def ordered(low: float, high: float) -> Iterator[Problem]:
        """Low is below high."""
        if not low < high:
            yield ("low",), f"must be below high, but low is {low:g} and high {high:g}"

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Mean (low + high) / 2."""
        return generator.uniform(self.low, self.high, shape)

    def entry_variance(self, fan_in: int, fan_out: int) -> float | None:
        """(high − low)² / 12 where the mean is 0."""
        width = self.high - self.low
        return width * width / 12 if self.low == -self.high else None


@register("truncated_normal")
@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Truncated normal: N(0, std²) on ± cut · std, drawn anew where it would lie beyond.

    `std` is that of the normal before the cut, as in PyTorch's `trunc_normal_` and JAX's
    `truncated_normal`: the drawn numbers have 0.8796 of it at the default cut of 2. With `corrected: true`
    they have all of it (as in JAX's and Keras's variance scaling), with ends ± cut · std / 0.8796.
    """

    std: NonNegative
    cut: Annotated[float, Ge(0.1)] = 2.0
    corrected: bool = False

    @property
    def shrinkage(self) -> float:
        """The standard deviation of N(0, 1) on ± c: √(1 − 2 c φ(c) / (2 Φ(c) − 1))."""
        density = math.exp(-self.cut * self.cut / 2) / math.sqrt(2 * math.pi)
        return math.sqrt(1 - 2 * self.cut * density / math.erf(self.cut / math.sqrt(2)))

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Φ⁻¹ of a uniform number between Φ(−cut) and Φ(cut): one number of the stream each."""
        from scipy import special

        below = special.ndtr(-self.cut)
        quantiles = generator.uniform(below, 1 - below, shape)
        unit = np.clip(special.ndtri(quantiles), -self.cut, self.cut)
        return np.asarray(self.std / (self.shrinkage if self.corrected else 1.0) * unit)

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """The variance of the drawn numbers, with the cut."""
        std = self.std * (1.0 if self.corrected else self.shrinkage)
        return std * std

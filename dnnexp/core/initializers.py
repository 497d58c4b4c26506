"""Initializers: how weights and biases are drawn.

A layer's weights have shape `(n_out, n_in)`; its fan-in is n_in, its fan-out n_out, and the same two
numbers serve its biases, `(n_out,)`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.registry import Checked, Complaint, NonNegative, Part, Positive, check, register


class Initializer(Part, ABC):
    """Base of the initializers."""

    kind = "initializer"

    @abstractmethod
    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Values of that shape for a layer of that fan-in and fan-out."""


@register("zeros")
@dataclass(frozen=True)
class Zeros(Initializer):
    """Zeros: every parameter 0. All units of a layer then stay the same."""

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """0."""
        return np.zeros(shape)


@register("normal")
@dataclass(frozen=True)
class Normal(Initializer):
    """Normal: N(0, std²), whatever the fans. Give exactly one of `std` and `variance`."""

    std: NonNegative | None = None
    variance: NonNegative | None = None

    @check("std", "variance")
    @staticmethod
    def one_scale(std: float | None, variance: float | None) -> Iterator[Complaint]:
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


Distribution = Literal["normal", "uniform"]


def _draw_with_std(
    generator: np.random.Generator, distribution: Distribution, std: float, shape: tuple[int, ...]
) -> Floats:
    """Mean 0 and that standard deviation; uniform on [−√3 std, √3 std]."""
    if distribution == "normal":
        return std * generator.standard_normal(shape)
    return generator.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, shape)


@register("glorot")
@dataclass(frozen=True)
class Glorot(Initializer):
    """Glorot (Xavier): standard deviation gain · √(2 / (fan_in + fan_out)); uniform, or normal.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, eq. 12 and 16: uniform on ± √(6 / (fan_in + fan_out)).
    """

    distribution: Distribution = "uniform"
    gain: Positive = 1.0

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Mean 0, variance gain² · 2 / (fan_in + fan_out)."""
        std = self.gain * math.sqrt(2 / (fan_in + fan_out))
        return _draw_with_std(generator, self.distribution, std, shape)


@register("he")
@dataclass(frozen=True)
class He(Initializer):
    """He (Kaiming): standard deviation gain / √fan_in with gain √2 for ReLU; normal, or uniform.

    He et al., "Delving deep into rectifiers", ICCV 2015, eq. 10: N(0, 2 / fan_in).
    """

    distribution: Distribution = "normal"
    gain: Positive = math.sqrt(2)

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Mean 0, variance gain² / fan_in."""
        std = self.gain / math.sqrt(fan_in)
        return _draw_with_std(generator, self.distribution, std, shape)


@dataclass(frozen=True)
class LayerInitializer(Checked):
    """How the weights and the biases of every layer are drawn. A bare part means weights, zero biases."""

    shorthand: ClassVar[str] = "weights"
    weights: Initializer
    biases: Initializer = Zeros()

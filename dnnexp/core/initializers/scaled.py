"""Initializers whose scale follows from the fans, so that signals keep theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers.base import Initializer
from dnnexp.registry import Positive, register

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

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """gain² · 2 / (fan_in + fan_out)."""
        return self.gain * self.gain * 2 / (fan_in + fan_out)


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

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """gain² / fan_in."""
        return self.gain * self.gain / fan_in


@register("lecun")
@dataclass(frozen=True)
class LeCun(Initializer):
    """LeCun: standard deviation gain / √fan_in with gain 1; normal, or uniform on ± √3 gain / √fan_in.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, eq. 16; the one for SELU (Klambauer et al.
    2017). PyTorch's own default for linear layers, uniform on ± 1 / √fan_in, is the gain 1/√3.
    """

    distribution: Distribution = "normal"
    gain: Positive = 1.0

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Mean 0, variance gain² / fan_in."""
        std = self.gain / math.sqrt(fan_in)
        return _draw_with_std(generator, self.distribution, std, shape)

    def entry_variance(self, fan_in: int, fan_out: int) -> float:
        """gain² / fan_in."""
        return self.gain * self.gain / fan_in

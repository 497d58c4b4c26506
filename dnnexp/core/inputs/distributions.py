"""Inputs whose entries are independent draws from one distribution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.bounds import Bound
from dnnexp.core.inputs.base import DrawnInput
from dnnexp.registry import Count, Problem, check, register


@register("normal")
@dataclass(frozen=True)
class NormalInput(DrawnInput):
    """Standard normal: every entry N(0, 1), independent."""

    samples: Count = 1000

    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """N(0, 1)."""
        return generator.standard_normal((self.samples, width))


@register("uniform")
@dataclass(frozen=True)
class UniformInput(DrawnInput):
    """Uniform: every entry on [low, high), independent; variance (high − low)² / 12, by default 1."""

    low: Bound = -math.sqrt(3)
    high: Bound = math.sqrt(3)
    samples: Count = 1000

    @check("low", "high")
    @staticmethod
    def ordered(low: float, high: float) -> Iterator[Problem]:
        """Low is below high."""
        if not low < high:
            yield ("low",), f"must be below high, but low is {low:g} and high {high:g}"

    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """Mean (low + high) / 2."""
        return generator.uniform(self.low, self.high, (self.samples, width))

"""Inputs: what is fed to a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.registry import Count, Part, register


class Input(Part, ABC):
    """Base of the inputs."""

    kind = "input"
    samples: int
    """How many rows it has."""

    @abstractmethod
    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """The rows of a batch: shape `(samples, width)`."""


@register("normal")
@dataclass(frozen=True)
class NormalInput(Input):
    """Standard normal: every entry N(0, 1), independent."""

    samples: Count = 1000

    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """N(0, 1)."""
        return generator.standard_normal((self.samples, width))

"""What an initializer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.registry import Part


class Initializer(Part, ABC):
    """Base of the initializers."""

    kind = "initializer"
    only_matrices: ClassVar[bool] = False
    """Whether it makes weights `(n_out, n_in)` only, and no biases."""

    @abstractmethod
    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Values of that shape for a layer of that fan-in and fan-out.

        Raises:
            ValueError: the shape is no matrix, and it makes matrices only.
        """

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
    needs_activation: ClassVar[bool] = False
    """Whether it is drawn for a layer's activation: by `LayerInitializer`, not by its own `draw`."""
    has_independent_entries: ClassVar[bool] = True
    """Whether the entries it draws are independent of each other."""
    needs_data: ClassVar[bool] = False
    """Whether weights are to be `fitted` to the layer's input."""

    @abstractmethod
    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """Values of that shape for a layer of that fan-in and fan-out.

        Raises:
            ValueError: the shape is not a matrix, which this initializer needs; or an activation is missing.
        """

    def entry_variance(self, fan_in: int, fan_out: int) -> float | None:
        """The variance of an entry where mean-field theory holds for them, else None.

        It does where all entries are independent with mean 0, or in wide layers act as if they were.
        """
        return None

    def fitted(self, weights: Floats, a: Floats) -> Floats:
        """Drawn weights `(n_out, n_in)`, made to suit the layer's input `(batch, n_in)`."""
        return weights

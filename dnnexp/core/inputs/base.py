"""What all inputs share: a batch of rows, drawn at the width of a network's first layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.registry import Part


class Input(Part, ABC):
    """Base of the inputs."""

    kind = "input"

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows are drawn.

        Raises:
            DataError: they are those of a file, which cannot be read or used.
        """

    @abstractmethod
    def limited(self, samples: int) -> Self:
        """The same input with at most that many rows."""

    @abstractmethod
    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """The rows of a batch: shape `(rows, width)`.

        Raises:
            ValueError: the width is refused.
        """

    def refusal(self, width: int) -> str | None:
        """What is wrong with that width of a network's input; None if it fits."""
        del width
        return None

    def require(self, width: int) -> None:
        """Raise ValueError where the width is refused."""
        if message := self.refusal(width):
            raise ValueError(message)


class DrawnInput(Input, ABC):
    """Base of the inputs of a distribution: as many rows as `samples`, a field, asks for."""

    samples: int

    @property
    def rows(self) -> int:
        """`samples`."""
        return self.samples

    def limited(self, samples: int) -> Self:
        """At most that many samples."""
        return type(self)(**vars(self) | {"samples": min(samples, self.samples)})

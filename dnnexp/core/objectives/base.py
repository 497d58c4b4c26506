"""The base of all objectives: a function to minimise, its gradient, and its minimum if it is known.

Coordinates come first: a point is `(d,)`, a set of them `(d, ...)`, their values `(...)`. So a formula as
written in a book, `x[0]**2 / 20 + x[1]**2`, holds for any number of points, real or complex.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from dnnexp.core.arrays import Array, Floats
from dnnexp.core.streams import Streams
from dnnexp.registry import Part

Box: TypeAlias = tuple[Floats, Floats]
"""A lower and an upper corner, `(d,)` each."""
Slope: TypeAlias = Callable[[Array, int], Array]
"""From points `(d, runs)` and the number of a step (from 1) to gradients `(d, runs)`."""


class Objective(Part, ABC):
    """Base of the objectives. A run evaluates the objective that `prepare` returns."""

    kind = "objective"
    takes_complex: ClassVar[bool] = True
    """Whether `value` takes complex points, analytically in each coordinate."""
    if TYPE_CHECKING:

        @property
        def dimension(self) -> int:
            """The number of coordinates d: a field where it can be chosen, else a constant."""

        @property
        def minimum(self) -> float | None:
            """The smallest value; None if it is not known."""

        @property
        def is_costly(self) -> bool:
            """Whether a value costs much more than a gradient: it is then taken at recorded steps only."""

        @property
        def measures(self) -> tuple[str, ...]:
            """The names of the quantities that `measure` returns, such as `train_loss`."""

    else:
        minimum, is_costly, measures = 0.0, False, ()

    @abstractmethod
    def value(self, x: Array) -> Array:
        """The value at points of shape `(d, ...)`: shape `(...)`."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """The gradient at points of shape `(d, ...)`: the same shape."""

    def minimizers(self) -> Floats | None:
        """Where the minimum is attained, `(d, count)`; None where it is not known."""
        return None

    def domain(self) -> Box | None:
        """The customary search box; None where there is none."""
        return None

    def prepare(self, streams: Streams) -> Objective:
        """The objective to evaluate: shifted, or with its data loaded; by default the objective itself."""
        del streams
        return self

    @property
    def draws(self) -> bool:
        """Whether it can draw starts of its own."""
        return self.domain() is not None

    def draw(self, generator: np.random.Generator, count: int) -> Floats:
        """Starts of its own, `(d, count)`: uniform in its domain.

        Raises:
            ValueError: it has no domain.
        """
        box = self.domain()
        if box is None:
            raise ValueError(f"the objective {self.name} has no domain to draw starts from")
        return generator.uniform(*box, (count, self.dimension)).T.copy()

    def slope(self, generator: np.random.Generator, starts: int) -> Slope | None:
        """The gradient where it changes from step to step, such as that of mini-batches; else None.

        Args:
            generator: gives the same numbers to every optimizer.
            starts: how many starts have an order of their own; points may be several times as many, those
                of all starts after one another.
        """
        del generator, starts
        return None

    def measure(self, x: Array) -> Mapping[str, Floats]:
        """The quantities recorded beside the value, by name: at points `(d, runs)`, each `(runs,)`."""
        del x
        return {}


@lru_cache(maxsize=64)
def column(xp: Any, numbers: tuple[float, ...], dtype: Any, ndim: int) -> Array:
    """Numbers along the first of `ndim` axes, made once: the stepping loop asks at every step."""
    return xp.reshape(xp.asarray(numbers, dtype=dtype), (len(numbers),) + (1,) * (ndim - 1))


def box(dimension: int, half_width: float) -> Box:
    """[−w, w]ᵈ."""
    return np.full(dimension, -half_width), np.full(dimension, half_width)

"""Test functions, and their instances: the same function shifted and rotated by a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.objectives.base import Box, Objective, column
from dnnexp.core.streams import Streams

MAX_INSTANCE_DIMENSION = 100
"""The largest dimension of an instance; the cost of a step grows with its square."""


@dataclass(frozen=True, kw_only=True)
class TestFunction(Objective, ABC):
    """Base of the functions with a known domain and known minima.

    `instance` shifts and rotates the function by a seed, as benchmark suites do (Hansen et al.,
    "Real-parameter black-box optimization benchmarking: noiseless functions definitions", 2009):
    f(Q (x − c − s) + c), with c the centre of the domain, Q a random rotation (uniform over all) and s a
    shift, uniform within a fifth of the domain's width to either side. The minima are shifted with the
    function; the domain is not.
    """

    __test__ = False  # pytest must not collect it

    instance: Annotated[int, Ge(0), Le(2**63 - 1)] | None = None
    if TYPE_CHECKING:

        @property
        def minimum(self) -> float:
            """The smallest value."""

    @abstractmethod
    def minimizers(self) -> Floats:
        """Where the minimum is attained: shape `(d, count)`."""

    @abstractmethod
    def domain(self) -> Box:
        """The customary search box: its lower and its upper corner, `(d,)` each."""

    def prepare(self, streams: Streams) -> Objective:
        """Itself, or the instance."""
        return self if self.instance is None else Moved(self, self.instance)


@dataclass(frozen=True)
class Moved(Objective):
    """An instance of a test function, made by its `prepare`: f(Q (x − c − s) + c)."""

    function: TestFunction
    seed: int

    @property
    def name(self) -> str:  # type: ignore[override]  # that of the function it stands for
        """The function's."""
        return self.function.name

    @property
    def dimension(self) -> int:
        """The function's."""
        return self.function.dimension

    @property
    def minimum(self) -> float | None:
        """The function's."""
        return self.function.minimum

    @cached_property
    def _placement(self) -> tuple[Floats, Floats, Floats]:
        """c and s, `(d, 1)` each, and Q, `(d, d)`."""
        low, high = self.function.domain()
        generator = np.random.default_rng(self.seed)
        shift = generator.uniform(-0.2, 0.2, self.dimension) * (high - low)
        rotation, triangle = np.linalg.qr(generator.standard_normal((self.dimension, self.dimension)))
        # with the signs of R's diagonal, Q is uniform over all rotations and reflections (Mezzadri 2007)
        return (low + high)[:, None] / 2, shift[:, None], rotation * np.sign(np.diag(triangle))

    def _original(self, x: Array) -> Array:
        """Q (x − c − s) + c."""
        xp = namespace(x)
        centre, shift, rotation = self._placement
        origin = column(xp, tuple((centre + shift)[:, 0].tolist()), x.dtype, x.ndim)
        return _turned(rotation.T, x - origin) + column(xp, tuple(centre[:, 0].tolist()), x.dtype, x.ndim)

    def value(self, x: Array) -> Array:
        """f(Q (x − c − s) + c)."""
        return self.function.value(self._original(x))

    def gradient(self, x: Array) -> Array:
        """Qᵀ ∇f(Q (x − c − s) + c)."""
        return _turned(self._placement[2], self.function.gradient(self._original(x)))

    def minimizers(self) -> Floats:
        """Qᵀ (x* − c) + c + s."""
        centre, shift, rotation = self._placement
        return np.asarray(rotation.T @ (self.function.minimizers() - centre) + centre + shift)

    def domain(self) -> Box:
        """The function's."""
        return self.function.domain()


def _turned(columns: Floats, x: Array) -> Array:
    """Σⱼ columns[j] xⱼ of `(d, d)` and `(d, ...)`, elementwise: a run's bits do not depend on others."""
    xp = namespace(x)
    spread = xp.asarray(columns.reshape(columns.shape + (1,) * (x.ndim - 1)))
    return coordinate_sum(spread * x[:, None, ...])[0, ...]

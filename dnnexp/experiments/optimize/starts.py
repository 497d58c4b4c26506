"""The starts of `optimize`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.bounds import Bound, Bounds
from dnnexp.core.objectives import Objective
from dnnexp.registry import Checked, Count, Problem, check


@dataclass(frozen=True)
class UniformStarts(Bounds):
    """Starts drawn uniformly from a box; a corner is one number for all coordinates or a list."""

    count: Count

    def draw(self, generator: np.random.Generator, dimension: int, count: int) -> Floats:
        """`count` draws as columns, `(dimension, count)`."""
        return generator.uniform(self.low, self.high, (count, dimension)).T.copy()


@dataclass(frozen=True)
class Starts(Checked):
    """The starts: the given points first, then uniform draws, then draws of the objective.

    An objective draws starts uniformly in its domain; a network draws parameters.
    """

    points: tuple[tuple[Bound, ...], ...] = ()
    uniform: UniformStarts | None = None
    own: Count | None = None

    @check("points", "uniform", "own")
    @staticmethod
    def at_least_one(
        points: tuple[tuple[float, ...], ...], uniform: UniformStarts | None, own: int | None
    ) -> Iterator[Problem]:
        """There is at least one start."""
        if not points and uniform is None and own is None:
            yield (), "has no start; give points, uniform or own"

    @property
    def count(self) -> int:
        """The number of starts."""
        return len(self.points) + (self.uniform.count if self.uniform else 0) + (self.own or 0)

    def draw(self, generator: np.random.Generator, objective: Objective) -> Floats:
        """The starts as columns, `(dimension, count)`."""
        d = objective.dimension
        parts = []
        if self.points:
            parts.append(np.array(self.points, dtype=np.float64).T.copy())
        if self.uniform is not None:
            parts.append(self.uniform.draw(generator, d, self.uniform.count))
        if self.own is not None:
            parts.append(objective.draw(generator, self.own))
        return np.concatenate(parts, axis=1)  # in the memory order of the parts

    def draw_others(self, generator: np.random.Generator, objective: Objective, count: int) -> Floats:
        """`count` other starts, drawn in the same way: `(dimension, count)`."""
        if self.uniform is not None:
            return self.uniform.draw(generator, objective.dimension, count)
        return objective.draw(generator, count)

    def problems(self, objective: Objective) -> Iterator[Problem]:
        """The problems of the starts with an objective."""
        d = objective.dimension
        tail = f"but the objective {objective.name} has dimension {d}"
        for index, point in enumerate(self.points):
            if len(point) != d:
                yield ("points", index), f"has {len(point)} coordinates, {tail}"
        for bound in ("low", "high"):
            value = getattr(self.uniform, bound, None)
            if isinstance(value, tuple) and len(value) != d:
                yield ("uniform", bound), f"has {len(value)} coordinates, {tail}"
        if self.own is not None and not objective.draws:
            text = f"the objective {objective.name} has no domain to draw from; give points or uniform"
            yield ("own",), text

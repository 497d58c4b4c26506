"""The config of `optimize`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le, MinLen

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import Analytic, GradientMethod
from dnnexp.core.objectives import Objective, Valley
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import recorded_steps
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Expectation, ExperimentConfig, too_large
from dnnexp.registry import Checked, Complaint, Count, Labelled, Positive, check

Bound = Annotated[float, Ge(-1e300), Le(1e300)]


@dataclass(frozen=True)
class UniformStarts(Checked):
    """Starts drawn uniformly from a box: a corner is one number for all coordinates, or a list."""

    low: Bound | tuple[Bound, ...]
    high: Bound | tuple[Bound, ...]
    count: Count

    @check("low", "high")
    @staticmethod
    def ordered(low: float | tuple[float, ...], high: float | tuple[float, ...]) -> Iterator[Complaint]:
        """Every low bound is below its high bound."""
        if np.ndim(low) and np.ndim(high) and np.size(low) != np.size(high):
            yield ("high",), f"has {np.size(high)} bounds where low has {np.size(low)}"
        elif not np.all(np.asarray(low) < np.asarray(high)):
            yield ("low",), f"must be below high in every coordinate, but low is {low}, high {high}"


@dataclass(frozen=True)
class Starts(Checked):
    """Where the runs start: the given points first, then the uniform draws."""

    points: tuple[tuple[float, ...], ...] = ()
    uniform: UniformStarts | None = None

    @check("points", "uniform")
    @staticmethod
    def at_least_one(
        points: tuple[tuple[float, ...], ...], uniform: UniformStarts | None
    ) -> Iterator[Complaint]:
        """There is a start."""
        if not points and uniform is None:
            yield (), "gives no start: give points, uniform, or both"

    @property
    def count(self) -> int:
        """How many starts there are."""
        return len(self.points) + (self.uniform.count if self.uniform else 0)

    def draw(self, streams: Streams, dimension: int) -> Floats:
        """The starts as columns, `(dimension, count)`."""
        given = np.array(self.points, dtype=np.float64).reshape(-1, dimension)
        if self.uniform is None:
            return given.T.copy()
        drawn = streams("starts").uniform(
            self.uniform.low, self.uniform.high, (self.uniform.count, dimension)
        )
        return np.concatenate([given, drawn]).T.copy()


@dataclass(frozen=True)
class Record:
    """Which steps are kept: about `count`, evenly or logarithmically spaced, or `every` one of them.

    Step 0 and the last are always kept. `points` says whether the points are kept beside the values;
    `auto` keeps them in two dimensions.
    """

    spacing: Literal["linear", "log", "every"] = "log"
    count: Annotated[int, Ge(2)] = 200
    points: Literal["auto"] | bool = "auto"

    def keeps_points(self, dimension: int) -> bool:
        """Whether the points are kept in that dimension."""
        return dimension == 2 if self.points == "auto" else self.points

    def steps(self, last: int) -> Integers:
        """The steps of 0 … `last` that are kept, `(K,)`."""
        return recorded_steps(last, self.spacing, self.count)


Steps = Annotated[int, Ge(0), Le(10**9)]


@dataclass(frozen=True, kw_only=True)
class OptimizeConfig(ExperimentConfig, Checked):
    """Optimizers compared on one objective, from shared starts."""

    experiment: Literal["optimize"] = "optimize"
    objective: Objective = Valley()
    gradient: GradientMethod = Analytic()
    starts: Starts
    steps: Steps
    record: Record = Record()
    targets: Annotated[tuple[Positive, ...], MinLen(1)] = (1.0, 1e-3, 1e-6)
    optimizers: Annotated[tuple[Labelled[Optimizer], ...], MinLen(1)]
    expect: tuple[Expectation, ...] = ()

    @check("objective", "starts")
    @staticmethod
    def dimensions(objective: Objective, starts: Starts) -> Iterator[Complaint]:
        """Every start has the objective's dimension."""
        d = objective.dimension
        tail = f"but the objective {objective.name} has dimension {d}"
        for index, point in enumerate(starts.points):
            if len(point) != d:
                yield ("starts", "points", index), f"has {len(point)} coordinates, {tail}"
        for bound in ("low", "high"):
            value = getattr(starts.uniform, bound, None)
            if isinstance(value, tuple) and len(value) != d:
                yield ("starts", "uniform", bound), f"has {len(value)} coordinates, {tail}"

    @check("targets")
    @staticmethod
    def distinct(targets: tuple[float, ...]) -> Iterator[Complaint]:
        """No target is given twice."""
        if len(set(targets)) < len(targets):
            yield ("targets",), "holds a target twice; each may stand once"

    @check("objective", "starts", "steps", "record", "optimizers")
    @staticmethod
    def recorded_size(
        objective: Objective,
        starts: Starts,
        steps: int,
        record: Record,
        optimizers: tuple[Labelled[Optimizer], ...],
    ) -> Iterator[Complaint]:
        """What is recorded fits in memory."""
        numbers = 1 + objective.dimension * record.keeps_points(objective.dimension)
        rows = steps + 1 if record.spacing == "every" else min(record.count, steps) + 1
        kept = starts.count * len(optimizers) * (rows * numbers + 4 * objective.dimension)
        if message := too_large(kept):
            yield ("record",), f"{message}: record fewer steps, or take fewer starts"


def shrink(config: OptimizeConfig) -> OptimizeConfig:
    """At most 200 steps from 8 starts."""
    points, uniform = config.starts.points[:4], config.starts.uniform
    if uniform is not None:
        uniform = replace(uniform, count=min(4, uniform.count))
    return replace(config, steps=min(200, config.steps), starts=Starts(points=points, uniform=uniform))


def estimate(config: OptimizeConfig) -> str:
    """The number of gradient evaluations and of numbers kept."""
    optimizers, starts = len(config.optimizers), config.starts.count
    kept = len(config.record.steps(config.steps))
    total = optimizers * starts * config.steps
    return (
        f"{optimizers} optimizers x {starts} starts x {config.steps} steps = "
        f"{total:,} gradient evaluations; {kept} of the steps are kept"
    )

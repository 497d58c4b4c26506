"""The config of `optimize`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from dnnexp.core.arrays import Integers
from dnnexp.core.differentiation import Analytic, GradientMethod
from dnnexp.core.objectives import MAX_INSTANCE_DIMENSION, Objective, Valley
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import recorded_steps
from dnnexp.experiments.base import Expectation, ExperimentConfig, too_large
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.tuning import Tune
from dnnexp.registry import Checked, Labelled, NonNegative, Positive, Problem, check


@dataclass(frozen=True)
class Record:
    """The recorded steps: about `count` of them, spaced evenly or logarithmically, or `every` step.

    Step 0 and the last step are always recorded. `points`: whether points are recorded beside values;
    `auto` records them in two dimensions.
    """

    spacing: Literal["linear", "log", "every"] = "log"
    count: Annotated[int, Ge(2)] = 200
    points: Literal["auto"] | bool = "auto"

    def keeps_points(self, dimension: int) -> bool:
        """Whether points are recorded in this dimension."""
        return dimension == 2 if self.points == "auto" else self.points

    def steps(self, last: int) -> Integers:
        """The recorded steps of 0 … `last`, `(K,)`."""
        return recorded_steps(last, self.spacing, self.count)


@dataclass(frozen=True)
class Noise:
    """Noise that is added to every gradient: N(0, std²) per coordinate, the same for all optimizers."""

    std: NonNegative = 0.0


Steps = Annotated[int, Ge(0), Le(10**9)]


@dataclass(frozen=True, kw_only=True)
class OptimizeConfig(ExperimentConfig, Checked):
    """Optimizers compared on one objective, or on a suite of objectives, from shared starts."""

    experiment: Literal["optimize"] = "optimize"
    objective: Objective = Valley()
    objectives: tuple[Labelled[Objective], ...] = ()
    gradient: GradientMethod = Analytic()
    noise: Noise = Noise()
    starts: Starts
    steps: Steps
    record: Record = Record()
    targets: Annotated[tuple[Positive, ...], MinLen(1)] = (1.0, 1e-3, 1e-6)
    optimizers: Annotated[tuple[Labelled[Optimizer], ...], MinLen(1)]
    tune: Tune | None = None
    animate: bool = False
    expect: tuple[Expectation, ...] = ()

    @property
    def suite(self) -> tuple[Labelled[Objective], ...]:
        """The objectives; a single objective has the label ''."""
        return self.objectives or (Labelled("", self.objective),)

    @check("objective", "objectives")
    @staticmethod
    def one_or_several(
        objective: Objective, objectives: tuple[Labelled[Objective], ...]
    ) -> Iterator[Problem]:
        """A config has one objective or a suite."""
        if objective != Valley() and objectives:
            text = "is given together with objective; give one of the two (~objective drops the file's)"
            yield ("objectives",), text

    @check("objective", "objectives", "starts")
    @staticmethod
    def dimensions(
        objective: Objective, objectives: tuple[Labelled[Objective], ...], starts: Starts
    ) -> Iterator[Problem]:
        """Every start fits every objective."""
        for one in _all(objective, objectives):
            for path, text in starts.problems(one):
                yield ("starts", *path), text

    @check("objective", "objectives")
    @staticmethod
    def turnable(objective: Objective, objectives: tuple[Labelled[Objective], ...]) -> Iterator[Problem]:
        """An instance needs a rotation matrix, whose size is the square of the dimension."""
        for index, one in enumerate(_all(objective, objectives)):
            place = ("objectives", index) if objectives else ("objective",)
            if getattr(one, "instance", None) is not None and one.dimension > MAX_INSTANCE_DIMENSION:
                text = f"needs a dimension of at most {MAX_INSTANCE_DIMENSION}, not {one.dimension}"
                yield (*place, "instance"), text

    @check("targets")
    @staticmethod
    def distinct(targets: tuple[float, ...]) -> Iterator[Problem]:
        """Targets are distinct."""
        if len(set(targets)) < len(targets):
            duplicate = next(t for t in targets if targets.count(t) > 1)
            yield ("targets",), f"duplicate target {duplicate:g}"

    @check("objective", "objectives", "gradient")
    @staticmethod
    def differentiable(
        objective: Objective, objectives: tuple[Labelled[Objective], ...], gradient: GradientMethod
    ) -> Iterator[Problem]:
        """A costly objective, such as a network, has only its own gradient."""
        for one in _all(objective, objectives):
            if one.is_costly and not isinstance(gradient, Analytic):
                yield ("gradient",), f"must be analytic for the objective {one.name}"

    @check("optimizers", "tune")
    @staticmethod
    def tunable(optimizers: tuple[Labelled[Optimizer], ...], tune: Tune | None) -> Iterator[Problem]:
        """Every optimizer has the tuned hyperparameters."""
        for entry in optimizers if tune else ():
            for path, text in tune.problems(entry.label, entry.item) if tune else ():
                yield ("tune", *path), text

    @check("objective", "objectives", "starts", "tune")
    @staticmethod
    def other_starts(
        objective: Objective,
        objectives: tuple[Labelled[Objective], ...],
        starts: Starts,
        tune: Tune | None,
    ) -> Iterator[Problem]:
        """Tuning starts can be drawn."""
        for one in _all(objective, objectives):
            if tune and starts.uniform is None and not one.draws:
                yield ("tune",), f"needs starts.uniform: the objective {one.name} draws no starts of its own"

    @check("objective", "objectives", "record", "animate")
    @staticmethod
    def drawable(
        objective: Objective, objectives: tuple[Labelled[Objective], ...], record: Record, animate: bool
    ) -> Iterator[Problem]:
        """An animation needs two coordinates."""
        if animate and (objectives or objective.dimension != 2 or not record.keeps_points(2)):
            yield ("animate",), "needs one objective of dimension 2, and record.points"

    @check("objective", "objectives", "starts", "steps", "record", "optimizers", "tune")
    @staticmethod
    def recorded_size(
        objective: Objective,
        objectives: tuple[Labelled[Objective], ...],
        starts: Starts,
        steps: int,
        record: Record,
        optimizers: tuple[Labelled[Optimizer], ...],
        tune: Tune | None,
    ) -> Iterator[Problem]:
        """The record fits in memory."""
        rows = steps + 1 if record.spacing == "every" else min(record.count, steps) + 1
        kept = 0
        for one in _all(objective, objectives):
            d = one.dimension
            numbers = rows * (1 + d * record.keeps_points(d)) + 4 * d
            kept += starts.count * len(optimizers) * numbers * (2 if tune else 1)
            if tune:
                of_trial = rows if one.is_costly and tune.score == "running_time" else 2
                kept += tune.starts * tune.trials * of_trial + 16 * tune.starts * d
        if message := too_large(kept):
            yield ("record",), f"{message}: record fewer steps or use fewer starts"


def _all(objective: Objective, objectives: tuple[Labelled[Objective], ...]) -> list[Objective]:
    return [entry.item for entry in objectives] or [objective]


def shrink(config: OptimizeConfig) -> OptimizeConfig:
    """At most 200 steps (30 of a costly objective; fewer in a suite), 4 starts of each kind, 2 tuning starts.

    All optimizers, objectives and trials are kept, since expectations refer to them.
    """
    starts, tune = config.starts, config.tune
    is_costly = any(entry.item.is_costly for entry in config.suite)
    uniform = starts.uniform and replace(starts.uniform, count=min(4, starts.uniform.count))
    own = starts.own and min(4, starts.own)
    return replace(
        config,
        steps=min(30 if is_costly else max(20, 200 // len(config.suite)), config.steps),
        record=replace(config.record, count=min(10, config.record.count)) if is_costly else config.record,
        starts=Starts(points=starts.points[:4], uniform=uniform, own=own),
        tune=tune and replace(tune, starts=min(2, tune.starts)),
    )


def estimate(config: OptimizeConfig) -> str:
    """The number of gradient evaluations and of recorded steps."""
    optimizers, starts, objectives = len(config.optimizers), config.starts.count, len(config.suite)
    kept = len(config.record.steps(config.steps))
    per_step = starts
    text = f"{optimizers} optimizers x {starts} starts x {config.steps} steps"
    if objectives > 1:
        text = f"{objectives} objectives x {text}"
    if config.tune is not None:
        tuning = config.tune.trials * config.tune.starts
        text += f", tuned and untuned, and {tuning} runs of each to tune"
        per_step = 2 * starts + tuning
    total = objectives * optimizers * config.steps * per_step
    return f"{text} = {total:,} gradient evaluations; {kept} steps are recorded"

"""From files and arguments to the jobs of a sweep, or to every problem with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from dnnexp.config.expectations import check_problem
from dnnexp.config.load import claim_problems
from dnnexp.config.schema import read
from dnnexp.config.source import ConfigError, Places
from dnnexp.config.sweep import expand, files
from dnnexp.config.sweep.expand import Combination
from dnnexp.config.sweep.expressions import Conditions, MetricExpressions
from dnnexp.config.sweep.jobs import Base, ClaimFilter, Draft, Job, ProblemLines, key_of
from dnnexp.config.sweep.spec import SweepConfig
from dnnexp.experiments import find
from dnnexp.registry import InvalidError, Problem, plain
from dnnexp.registry import Path as KeyPath


@dataclass(frozen=True)
class Plan:
    """All jobs of a sweep, each of them valid.

    Attributes:
        sweep: its config.
        jobs: no two with the same key.
        merged: the number of jobs that were left out as equal to another one.
        excluded: the number of jobs that `exclude` left out.
        sources: the absolute paths of the sweep's file, if it has one, and of the bases.
    """

    sweep: SweepConfig
    jobs: tuple[Job, ...]
    merged: int
    excluded: int
    sources: tuple[Path, ...]


def plan(
    given: Sequence[Path],
    arguments: Sequence[str],
    smoke: bool = False,
    name: str | None = None,
    seed: int | None = None,
    outline: Callable[[SweepConfig, Sequence[Job]], Any] | None = None,
) -> Plan:
    """The jobs of one sweep file, or of configs, with arguments.

    Args:
        given: the sweep file, or the configs to sweep over.
        arguments: overrides of the sweep or of the configs.
        smoke: whether all jobs are shrunk.
        name: the sweep's name, in place of the file's.
        seed: the seed of all bases.
        outline: gives the shape of the table of results, against which the sweep's claims are checked.

    Raises:
        ConfigError: with every problem of the files and the arguments.
    """
    opened = files.read_input(given, arguments, name, seed)
    sweep, problems = read(SweepConfig, opened.source.tree)
    if sweep is None or opened.source.problems:
        raise ConfigError(opened.source.lines(problems))
    sweep = replace(sweep, smoke=sweep.smoke or smoke)
    lines: list[str] = []
    bases = list(files.base_files(opened, sweep, lines))
    planner = _Planner(sweep, opened.source.places, several=len(bases) > 1)
    planner.problems.add_lines(lines)
    combinations = planner.combinations(len(bases))
    for base in bases:
        planner.add(base, combinations)
    planner.finish(outline)
    own = [] if opened.file is None else [opened.file]
    sources = tuple(path.resolve() for path in [*own, *(base.path for base in bases)])
    return Plan(sweep, tuple(planner.jobs.values()), planner.merged, planner.excluded, sources)


@dataclass
class _Planner:
    """Collects jobs and their problems."""

    sweep: SweepConfig
    places: Places
    several: bool
    problems: ProblemLines = field(default_factory=ProblemLines)
    jobs: dict[str, Job] = field(default_factory=dict)
    merged: int = 0
    excluded: int = 0

    def __post_init__(self) -> None:
        self.conditions = Conditions(self.sweep.exclude)
        self.metrics = MetricExpressions(self.sweep.metrics)
        self.claims = ClaimFilter()

    def combinations(self, bases: int) -> list[Combination]:
        """The combinations of the sweep's blocks; none if these have problems."""
        combinations: list[Combination] = []
        try:
            combinations = expand.combinations(self.sweep, bases)
        except InvalidError as error:
            self._add_problems(error.problems)
        values: dict[str, list[Any]] = {"base": [""]} if self.several else {}
        values |= {key: [] for key in expand.swept_keys(self.sweep)}
        for setting in chain.from_iterable(combinations):
            if setting.key in values:
                values[setting.key].append(setting.value)
        if values.get("seed") == []:  # set by `repeat` only
            values["seed"] = [0]
        self._add_problems(self.conditions.problems(values))
        return combinations

    def add(self, file: files.BaseFile, combinations: list[Combination]) -> None:
        """Add all jobs of a base."""
        base = Base(file.given, file.experiment, file.source, self.places, self.problems, self.several)
        bare = Draft(file.source.tree)
        alone, _ = read(find(base.experiment).config_class, bare.tree)
        for path, message in claim_problems(base.experiment, bare.tree, alone):
            base.add_problem(bare, path, message)
        start = base.applied(bare, expand.fixed(self.sweep))
        if start is None:
            for combination in combinations:  # for the problems of their keys
                base.applied(bare, combination)
            return
        _, known = read(find(base.experiment).config_class, start.tree)
        for combination in combinations:
            for draft in self._repeated(base, base.applied(start, combination)):
                self._add_job(base, draft, known)

    def _repeated(self, base: Base, draft: Draft | None) -> Iterator[Draft]:
        """The draft with each of its seeds."""
        if draft is not None:
            seed = draft.tree.get("seed", 0)
            for setting in expand.seeds(self.sweep, seed if isinstance(seed, int) else 0):
                if (repeated := base.applied(draft, setting)) is not None:
                    yield repeated

    def _add_job(self, base: Base, draft: Draft, known: list[Any]) -> None:
        swept = {"base": base.given} if self.several else {}
        swept |= {s.key: s.value for s in draft.settings if s.path[0] != "fixed"}
        if self.conditions.exclude(swept):
            self.excluded += 1
            return
        config = base.config(draft, known)
        if config is None:
            return
        experiment = find(base.experiment)
        outline = experiment.outline(config)
        self.metrics.look_in(outline)
        config = self.claims.kept(config, outline)
        tree = plain(experiment.shrink(config) if self.sweep.smoke else config)
        if self.sweep.smoke:
            paths = {s.key: path for s, path in zip(draft.settings, draft.paths, strict=True)}
            swept = {key: _shrunk(tree, paths.get(key, ()), value) for key, value in swept.items()}
        job = Job(key_of(tree), base.experiment, config.name, base.given, swept, tree)
        self.merged += job.key in self.jobs
        self.jobs.setdefault(job.key, job)

    def finish(self, outline: Callable[[SweepConfig, Sequence[Job]], Any] | None) -> None:
        """Check what needs all jobs.

        Raises:
            ConfigError: with every problem of the sweep.
        """
        if self.jobs:
            self._add_problems(self.metrics.problems())
        if self.jobs and outline is not None and not self.problems.lines:
            shape = outline(self.sweep, tuple(self.jobs.values()))
            messages = [check_problem(expectation.check, shape) for expectation in self.sweep.expect]
            self._add_problems((("expect", i, "check"), text) for i, text in enumerate(messages) if text)
        if not self.jobs and not self.problems.lines:
            self._add_problems([(("exclude",), "leaves no job")])
        if self.problems.lines:
            raise ConfigError(self.problems.lines.values())

    def _add_problems(self, problems: Iterable[Problem]) -> None:
        self.problems.add_lines(self.places.line(path, message) for path, message in problems)


def _shrunk(tree: Any, path: KeyPath, value: Any) -> Any:
    """The value of a swept key in the shrunk config, if it is a number."""
    for key in path:
        try:
            tree = tree[key]
        except (LookupError, TypeError):
            return value
    return tree if path and isinstance(value, int | float) and isinstance(tree, int | float) else value

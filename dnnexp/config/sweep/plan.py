"""From files and arguments to the jobs of a sweep, or to every error with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from dnnexp.config.expectations import complaint
from dnnexp.config.load import ConfigError, claim_errors
from dnnexp.config.places import Places
from dnnexp.config.schema import read
from dnnexp.config.sweep import expand, files
from dnnexp.config.sweep.conditions import Conditions
from dnnexp.config.sweep.expand import Combination, ExpansionError
from dnnexp.config.sweep.jobs import Base, Claims, Draft, Job, Problems, key_of
from dnnexp.config.sweep.measures import Measures
from dnnexp.config.sweep.spec import SweepConfig
from dnnexp.experiments import find
from dnnexp.registry import Path as KeyPath
from dnnexp.registry import plain


@dataclass(frozen=True)
class Plan:
    """All jobs of a sweep, each of them valid.

    Attributes:
        sweep: its config.
        jobs: no two with the same key.
        merged: how many more there would be, equal to one of them.
        excluded: how many `exclude` took away.
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
    """The jobs that configs, or one sweep file, and arguments give; `seed` is that of all bases.

    `outline` gives the shape of the results that the jobs will have, to check the sweep's claims against.

    Raises:
        ConfigError: with everything that is wrong with the files and the arguments.
    """
    opened = files.opened(given, arguments, name, seed)
    sweep, errors = read(SweepConfig, opened.source.tree)
    if sweep is None or opened.source.problems:
        raise ConfigError(opened.source.lines(errors))
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
    """Gathers jobs, and what is wrong with any of them."""

    sweep: SweepConfig
    places: Places
    several: bool
    problems: Problems = field(default_factory=Problems)
    jobs: dict[str, Job] = field(default_factory=dict)
    merged: int = 0
    excluded: int = 0

    def __post_init__(self) -> None:
        self.conditions = Conditions(self.sweep.exclude)
        self.measures = Measures(self.sweep.metrics)
        self.claims = Claims()

    def combinations(self, bases: int) -> list[Combination]:
        """What the blocks of the sweep make; none where they are faulty."""
        found: list[Combination] = []
        try:
            found = expand.combinations(self.sweep, bases)
        except ExpansionError as error:
            self._refuse(error.complaints)
        values: dict[str, list[Any]] = {"base": [""]} if self.several else {}
        values |= {key: [] for key in expand.swept_keys(self.sweep)}
        for setting in chain.from_iterable(found):
            if setting.key in values:
                values[setting.key].append(setting.value)
        if values.get("seed") == []:  # it is repeated
            values["seed"] = [0]
        self._refuse(self.conditions.complaints(values))
        return found

    def add(self, file: files.BaseFile, combinations: list[Combination]) -> None:
        """All jobs of a base."""
        base = Base(file.given, file.experiment, file.source, self.places, self.problems, self.several)
        bare = Draft(file.source.tree)
        alone, _ = read(find(base.experiment).config_class, bare.tree)
        for path, message in claim_errors(base.experiment, bare.tree, alone):
            base.note(bare, path, message)
        start = base.applied(bare, expand.fixed(self.sweep))
        if start is None:
            for combination in combinations:  # for what is wrong with their keys
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
        self.measures.look(outline)
        config = self.claims.applicable(config, outline)
        tree = plain(experiment.shrink(config) if self.sweep.smoke else config)
        if self.sweep.smoke:
            places = {s.key: path for s, path in zip(draft.settings, draft.paths, strict=True)}
            swept = {key: _as_run(tree, places.get(key, ()), value) for key, value in swept.items()}
        job = Job(key_of(tree), base.experiment, config.name, base.given, swept, tree)
        self.merged += job.key in self.jobs
        self.jobs.setdefault(job.key, job)

    def finish(self, outline: Callable[[SweepConfig, Sequence[Job]], Any] | None) -> None:
        """Raise ConfigError for all that is wrong."""
        if self.jobs:
            self._refuse(self.measures.complaints())
        if self.jobs and outline is not None and not self.problems.lines:
            shape = outline(self.sweep, tuple(self.jobs.values()))
            found = [complaint(expectation.check, shape) for expectation in self.sweep.expect]
            self._refuse((("expect", i, "check"), text) for i, text in enumerate(found) if text is not None)
        if not self.jobs and not self.problems.lines:
            self._refuse([(("exclude",), "leaves no job")])
        if self.problems.lines:
            raise ConfigError(self.problems.lines.values())

    def _refuse(self, complaints: Any) -> None:
        self.problems.add_lines(self.places.line(path, message) for path, message in complaints)


def _as_run(tree: Any, path: KeyPath, value: Any) -> Any:
    """What a swept number is in a config that was shrunk after it was set."""
    for step in path:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return value
    return tree if path and isinstance(value, int | float) and isinstance(tree, int | float) else value

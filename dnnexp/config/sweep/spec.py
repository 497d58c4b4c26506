"""The config of a sweep: the keys of configs that it sweeps over, and the metrics that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, MinLen

from dnnexp.config.expectations import check_problem
from dnnexp.config.sweep.values import MAX_VALUES, Distribution, Spacing
from dnnexp.experiments.base import Expectation, Seed
from dnnexp.registry import Checked, Count, Name, Path, Problem, check

Values = tuple[Any, ...] | Spacing | str
"""The values of a key: a list, a spacing, or text in the grammar of the command line."""
Assignment = dict[str, Any]
"""Dotted keys of a config with their values."""

COLUMNS = (
    *("job", "status", "experiment", "name", "passed", "error", "base", "seed"),
    *("runs", "failed", "missing"),
)
"""The columns of the results beside those of swept keys and metrics."""
_SUFFIXES = ("", ".theory", ".contour", ".low", ".high")
"""The ends of the names of a metric's columns, after its label."""
_UNSWEPT = ("experiment", "name", "expect")
"""Keys that no sweep can set: they do not change the numbers of a job."""


@dataclass(frozen=True, kw_only=True)
class Random:
    """`count` draws of all keys together. Every key has its own stream: another key changes no draw of it."""

    count: Annotated[int, Ge(1), Le(MAX_VALUES)]
    seed: Seed = 0
    keys: Annotated[dict[str, Distribution], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Contour:
    """A line in a heat map: where `value`, an expression over a job's metrics, equals `at`."""

    value: str
    at: float
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric(Checked):
    """A number of each job: the value of an expression over its metrics.

    `label` is the name of its column, by default the expression. `theory` is another expression, drawn beside
    it. A bare text stands for `value`.
    """

    shorthand: ClassVar[str] = "value"

    label: str = ""
    value: str
    theory: str | None = None
    contour: Contour | None = None
    scale: Literal["auto", "linear", "log"] = "auto"

    def __post_init__(self) -> None:
        """Set the default label."""
        super().__post_init__()
        if not self.label:
            object.__setattr__(self, "label", self.value)

    @check("label")
    @staticmethod
    def one_line(label: str) -> Iterator[Problem]:
        """A label can be printed."""
        if not label.isprintable():
            yield ("label",), "must be text on one line, without control characters"

    @check("value", "theory", "contour")
    @staticmethod
    def expressions(value: str, theory: str | None, contour: Contour | None) -> Iterator[Problem]:
        """All texts are expressions."""
        texts = {
            ("value",): value,
            ("theory",): theory,
            ("contour", "value"): contour.value if contour else None,
        }
        for path, text in texts.items():
            if text is not None and (message := check_problem(text)):
                yield path, message


@dataclass(frozen=True, kw_only=True)
class SweepConfig(Checked):
    """Jobs over the keys of one or several configs, and the metrics in the table of their results.

    The jobs are all combinations of `base` (paths or glob patterns, from the file's folder), `fixed`, `grid`,
    `zip`, `random`, `list` and `repeat`. Keys are dotted as on the command line:
    `optimizers.adam.learning_rate`. `exclude` has conditions over the swept keys, and `repeat` the seeds, or
    their number, counted from the config's seed. `smoke` shrinks every job. `expect` is about the table.
    """

    experiment: Literal["sweep"] = "sweep"
    name: Name = "sweep"
    base: str | tuple[str, ...]
    smoke: bool = False
    fixed: Assignment = field(default_factory=dict)
    grid: dict[str, Values] = field(default_factory=dict)
    zip: dict[str, Values] = field(default_factory=dict)
    random: Random | None = None
    list: tuple[Assignment, ...] = ()
    exclude: tuple[str, ...] = ()
    repeat: Count | tuple[Seed, ...] = 1
    metrics: tuple[Metric, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @property
    def bases(self) -> tuple[str, ...]:
        """The paths and patterns of `base`."""
        return (self.base,) if isinstance(self.base, str) else self.base

    @check("base")
    @staticmethod
    def any_base(base: str | tuple[str, ...]) -> Iterator[Problem]:
        """At least one config is given."""
        if not base:
            yield ("base",), "needs at least one file"

    @check("repeat")
    @staticmethod
    def distinct_seeds(repeat: int | tuple[int, ...]) -> Iterator[Problem]:
        """No seed is repeated."""
        if not isinstance(repeat, int) and (not repeat or len(set(repeat)) < len(repeat)):
            yield ("repeat",), "must be a number of seeds, or a list of different seeds"

    @check("fixed", "grid", "zip", "random", "list", "repeat")
    @staticmethod
    def apart(
        fixed: Assignment,
        grid: dict[str, Values],
        zip: dict[str, Values],
        random: Random | None,
        list: tuple[Assignment, ...],
        repeat: int | tuple[int, ...],
    ) -> Iterator[Problem]:
        """No two blocks set the same key, or a key and another one inside its value."""
        paths: dict[str, Path] = {}
        for path, key in _keys(fixed, grid, zip, random, list, repeat):
            if not all(key.split(".")):
                yield path, "a key is empty; write key.subkey"
                continue
            if path[0] != "fixed" and key in _UNSWEPT:
                yield path, "cannot be swept: it does not tell one job from another"
            for other, other_path in paths.items():
                if _collide(other_path, other, path, key):
                    what = "is set" if other == key else f"overlaps {other}, which is set"
                    yield path, f"{what} by {other_path[0]} too; a key may be in one block"
            paths.setdefault(key, path)

    @check("exclude")
    @staticmethod
    def conditions(exclude: tuple[str, ...]) -> Iterator[Problem]:
        """All conditions are expressions."""
        for index, text in enumerate(exclude):
            if message := check_problem(text):
                yield ("exclude", index), message

    @check("metrics", "grid", "zip", "random", "list")
    @staticmethod
    def columns(
        metrics: tuple[Metric, ...],
        grid: dict[str, Values],
        zip: dict[str, Values],
        random: Random | None,
        list: tuple[Assignment, ...],
    ) -> Iterator[Problem]:
        """Every metric has its own columns."""
        taken = {*COLUMNS, *(key for _, key in _keys({}, grid, zip, random, list, 1))}
        for index, metric in enumerate(metrics):
            names = {metric.label + suffix for suffix in _SUFFIXES}
            if names & taken:
                column = min(names & taken)
                yield ("metrics", index, "label"), f"the column {column!r} is taken; give it another label"
            taken |= names

    @check("expect")
    @staticmethod
    def claims(expect: tuple[Expectation, ...]) -> Iterator[Problem]:
        """All checks are expressions."""
        for index, expectation in enumerate(expect):
            if message := check_problem(expectation.check):
                yield ("expect", index, "check"), message


def _keys(
    fixed: Assignment,
    grid: dict[str, Values],
    zip: dict[str, Values],
    random: Random | None,
    list: tuple[Assignment, ...],
    repeat: int | tuple[int, ...],
) -> Iterator[tuple[Path, str]]:
    """Every key that is set, with its path in the sweep."""
    for block, keys in (("fixed", fixed), ("grid", grid), ("zip", zip)):
        yield from (((block, key), key) for key in keys)
    for key in random.keys if random else ():
        yield ("random", "keys", key), key
    for index, assignment in enumerate(list):
        yield from ((("list", index, key), key) for key in assignment)
    if repeat != 1:
        yield ("repeat",), "seed"


def _collide(other_path: Path, other: str, path: Path, key: str) -> bool:
    """Whether two keys cannot both be set; a swept key may be inside a fixed one, which is set first."""
    blocks = {other_path[0], path[0]}
    if blocks == {"list"} and other_path[1] != path[1]:
        return False  # one assignment of `list` or the other
    if {"fixed", "repeat"} <= blocks:
        return False  # seeds are counted from the fixed one
    inside = key.startswith(f"{other}.") and other_path[0] != "fixed"
    return other == key or inside or other.startswith(f"{key}.")

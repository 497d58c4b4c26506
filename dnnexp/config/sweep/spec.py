"""The config of a sweep: over which keys of which configs, and what is to be shown."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, MinLen

from dnnexp import expression
from dnnexp.config.sweep.values import Distribution, Spacing
from dnnexp.experiments.base import Expectation, Seed
from dnnexp.registry import Checked, Count, Name, Problem, check

Values = tuple[Any, ...] | Spacing | str
"""Some values: listed, spaced, or text in the grammar of the command line."""
Assignment = dict[str, Any]
"""Dotted keys of a config, with a value for each."""

COLUMNS = (
    *("job", "status", "experiment", "name", "passed", "error", "base", "seed"),
    *("runs", "failed", "missing"),
)
"""What a row or a group of the results has beside swept keys and metrics."""
_DERIVED = ("", ".theory", ".contour", ".low", ".high")
"""What the columns of a metric are called after its label."""
_UNSWEPT = ("experiment", "name", "expect")


@dataclass(frozen=True, kw_only=True)
class Random:
    """`count` draws of all keys together; every key has its own stream, so that one more changes none."""

    count: Annotated[int, Ge(1), Le(100_000)]
    seed: Seed = 0
    keys: Annotated[dict[str, Distribution], MinLen(1)]


@dataclass(frozen=True, kw_only=True)
class Contour:
    """In a heat map the line where `value`, an expression over a job's metrics, is `at`."""

    value: str
    at: float
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric(Checked):
    """A number of each job, an expression over its metrics; `label` is its column, by default the expression.

    `theory` is another, drawn beside it. A bare text stands for `value`.
    """

    shorthand: ClassVar[str] = "value"

    label: str = ""
    value: str
    theory: str | None = None
    contour: Contour | None = None
    scale: Literal["auto", "linear", "log"] = "auto"

    def __post_init__(self) -> None:
        """Take the expression for a label where none is given."""
        super().__post_init__()
        if not self.label:
            object.__setattr__(self, "label", self.value)

    @check("label")
    @staticmethod
    def one_line(label: str) -> Iterator[Problem]:
        """A label can be shown."""
        if not label.isprintable():
            yield ("label",), "must be text on one line, without control characters"

    @check("value", "theory", "contour")
    @staticmethod
    def expressions(value: str, theory: str | None, contour: Contour | None) -> Iterator[Problem]:
        """What is evaluated is an expression."""
        texts = {
            ("value",): value,
            ("theory",): theory,
            ("contour", "value"): contour.value if contour else None,
        }
        for path, text in texts.items():
            if text is not None and (message := fault(text)):
                yield path, message


@dataclass(frozen=True, kw_only=True)
class SweepConfig(Checked):
    """Jobs over the keys of one or several configs, and what their table is to show.

    `base` (paths from the file's folder, glob patterns too) × `fixed` × `grid` × `zip` × `random` × `list` ×
    `repeat`. Keys are dotted, as on the command line: `optimizers.adam.learning_rate`. `exclude` are
    conditions over the swept keys; `repeat` a number of seeds, counted from the config's, or the seeds.
    `smoke` shrinks every job. `expect` speaks of the table of results.
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
        """There is a config to sweep over."""
        if not base:
            yield ("base",), "needs at least one file"

    @check("repeat")
    @staticmethod
    def distinct_seeds(repeat: int | tuple[int, ...]) -> Iterator[Problem]:
        """No seed stands twice."""
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
        """No two blocks set the same key, nor one a key that lies in another's."""
        places: dict[str, tuple[str | int, ...]] = {}
        for path, key in _keys(fixed, grid, zip, random, list, repeat):
            if not all(key.split(".")):
                yield path, "a key is empty; write key.subkey"
                continue
            if path[0] != "fixed" and key in _UNSWEPT:
                yield path, "cannot be swept: it does not tell one job from another"
            for other, place in places.items():
                if _collide(place, other, path, key):
                    what = "is set" if other == key else f"lies in or around {other}, which is set"
                    yield path, f"{what} by {place[0]} too; a key may be in one block"
            places.setdefault(key, path)

    @check("exclude")
    @staticmethod
    def conditions(exclude: tuple[str, ...]) -> Iterator[Problem]:
        """What excludes is an expression."""
        for index, text in enumerate(exclude):
            if message := fault(text):
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
        """Every metric has columns of its own."""
        taken = {*COLUMNS, *(key for _, key in _keys({}, grid, zip, random, list, 1))}
        for index, metric in enumerate(metrics):
            names = {metric.label + end for end in _DERIVED}
            if names & taken:
                column = min(names & taken)
                yield ("metrics", index, "label"), f"the column {column!r} is taken; give it another label"
            taken |= names

    @check("expect")
    @staticmethod
    def claims(expect: tuple[Expectation, ...]) -> Iterator[Problem]:
        """What checks a claim is an expression."""
        for index, expectation in enumerate(expect):
            if message := fault(expectation.check):
                yield ("expect", index, "check"), message


def fault(text: str) -> str | None:
    """Why a text is no expression."""
    try:
        parsed(text)
    except expression.ExpressionError as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> expression.Expression:
    """The expression in a text; parsing takes longer than evaluating.

    Raises:
        ExpressionError: it is none.
    """
    return expression.parse(text)


def _keys(
    fixed: Assignment,
    grid: dict[str, Values],
    zip: dict[str, Values],
    random: Random | None,
    list: tuple[Assignment, ...],
    repeat: int | tuple[int, ...],
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every key that is set, with its path in the sweep."""
    for block, keys in (("fixed", fixed), ("grid", grid), ("zip", zip)):
        yield from (((block, key), key) for key in keys)
    for key in random.keys if random else ():
        yield ("random", "keys", key), key
    for index, assignment in enumerate(list):
        yield from ((("list", index, key), key) for key in assignment)
    if repeat != 1:
        yield ("repeat",), "seed"


def _collide(place: tuple[str | int, ...], other: str, path: tuple[str | int, ...], key: str) -> bool:
    """Whether two keys cannot both be set; a swept key may lie in a fixed one, which is set before."""
    if place[0] == path[0] == "list" and place[1] != path[1]:
        return False
    if "fixed" in (place[0], path[0]) and "repeat" in (place[0], path[0]):
        return False  # seeds are counted from the fixed one
    inside = key.startswith(f"{other}.") and place[0] != "fixed"
    return other == key or inside or other.startswith(f"{key}.")

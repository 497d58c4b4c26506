"""From the blocks of a sweep to the combinations of settings that its jobs have."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dnnexp.config.sweep import grammar
from dnnexp.config.sweep.spec import Random, SweepConfig, Values
from dnnexp.config.sweep.values import Spacing
from dnnexp.registry import Path, Problem

MOST_JOBS = 100_000


class Setting(NamedTuple):
    """A key of a config with a value, and the path in the sweep that it comes from."""

    key: str
    value: Any
    path: Path


Combination = tuple[Setting, ...]


class ExpansionError(Exception):
    """Blocks that cannot be expanded; `complaints` are paths in the sweep, each with what is wrong."""

    def __init__(self, complaints: list[Problem]) -> None:
        """From all complaints."""
        super().__init__("; ".join(message for _, message in complaints))
        self.complaints = complaints


def combinations(sweep: SweepConfig, bases: int) -> list[Combination]:
    """grid × zip × random × list, the last of them fastest; seeds are counted in, and left to the jobs.

    Raises:
        ExpansionError: a text gives no values, lists of `zip` differ in length, or the jobs are too many.
    """
    complaints: list[Problem] = []
    grid = _columns("grid", sweep.grid, complaints)
    zipped = _columns("zip", sweep.zip, complaints)
    complaints += _unequal(zipped)
    repeats = sweep.repeat if isinstance(sweep.repeat, int) else len(sweep.repeat)
    factors = [bases, *map(len, grid.values()), *_rows(zipped), repeats, len(sweep.list) or 1]
    factors.append(sweep.random.count if sweep.random else 1)
    if (count := math.prod(factors)) > MOST_JOBS:
        complaints.append(((), f"makes {count:,} jobs; at most {MOST_JOBS:,} are allowed"))
    if complaints:
        raise ExpansionError(complaints)
    blocks: list[list[Combination]] = [[(setting,) for setting in column] for column in grid.values()]
    blocks.append(list(zip(*zipped.values(), strict=True)) or [()])
    blocks.append(_drawn(sweep.random) if sweep.random else [()])
    blocks.append([_settings(("list", i), each) for i, each in enumerate(sweep.list)] or [()])
    return [tuple(itertools.chain(*parts)) for parts in itertools.product(*blocks)]


def fixed(sweep: SweepConfig) -> Combination:
    """What all jobs have."""
    return _settings(("fixed",), sweep.fixed)


def seeds(sweep: SweepConfig, first: int) -> list[Combination]:
    """The seeds of a repeated job, counted from its own; one without a setting where it is not repeated."""
    if sweep.repeat == 1:
        return [()]
    if isinstance(sweep.repeat, int):
        return [(Setting("seed", first + i, ("repeat",)),) for i in range(sweep.repeat)]
    return [(Setting("seed", seed, ("repeat", i)),) for i, seed in enumerate(sweep.repeat)]


def swept_keys(sweep: SweepConfig) -> list[str]:
    """Every key that is not the same for all jobs, in the order of their settings, `seed` last."""
    drawn = sweep.random.keys if sweep.random else ()
    keys = [*sweep.grid, *sweep.zip, *drawn, *(key for each in sweep.list for key in each)]
    return list(dict.fromkeys([*keys, *["seed"] * (sweep.repeat != 1)]))


def _settings(path: Path, assignment: Mapping[str, Any]) -> Combination:
    return tuple(Setting(key, value, (*path, key)) for key, value in assignment.items())


def _columns(block: str, keys: Mapping[str, Values], complaints: list[Problem]) -> dict[str, list[Setting]]:
    """The settings of every key of a block."""
    columns = {}
    for key, values in keys.items():
        try:
            columns[key] = list(_column(key, values, (block, key)))
        except grammar.GrammarError as error:
            complaints.append(((block, key), str(error)))
    return columns


def _column(key: str, values: Values, path: Path) -> Iterator[Setting]:
    if isinstance(values, str):
        found, _ = grammar.values(values)
        yield from (Setting(key, value, path) for value in found)
    elif isinstance(values, Spacing):
        yield from (Setting(key, value, path) for value in values.values())
    elif values:
        yield from (Setting(key, value, (*path, index)) for index, value in enumerate(values))
    else:
        raise grammar.GrammarError("needs at least one value")


def _unequal(zipped: Mapping[str, list[Setting]]) -> Iterator[Problem]:
    lengths = {key: len(column) for key, column in zipped.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        yield ("zip",), f"the lists must be equally long; {given}"


def _rows(zipped: Mapping[str, list[Setting]]) -> list[int]:
    return [len(column) for column in zipped.values()][:1]


def _drawn(random: Random) -> list[Combination]:
    columns = []
    for key, distribution in random.keys.items():
        path: Path = ("random", "keys", key)
        values = distribution.draws(random.count, f"{random.seed}/{key}")
        columns.append([Setting(key, value, path) for value in values])
    return list(zip(*columns, strict=True))

"""From the blocks of a sweep to the combinations of settings of its jobs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dnnexp.config.sweep.spec import Random, SweepConfig, Values
from dnnexp.config.sweep.values import GrammarError, Spacing, written_values
from dnnexp.registry import InvalidError, Path, Problem

MAX_JOBS = 100_000


class KeySetting(NamedTuple):
    """A key of a config with a value, and the path in the sweep that sets it."""

    key: str
    value: Any
    path: Path


Combination = tuple[KeySetting, ...]


def combinations(sweep: SweepConfig, bases: int) -> list[Combination]:
    """grid × zip × random × list, the last of them fastest. The seeds of `repeat` are only counted.

    Raises:
        InvalidError: a text does not give values, lists of `zip` differ in length, or there are too many
            jobs.
    """
    problems: list[Problem] = []
    grid = _columns("grid", sweep.grid, problems)
    zipped = _columns("zip", sweep.zip, problems)
    problems += _unequal(zipped)
    repeats = sweep.repeat if isinstance(sweep.repeat, int) else len(sweep.repeat)
    factors = [bases, *map(len, grid.values()), *_rows(zipped), repeats, len(sweep.list) or 1]
    factors.append(sweep.random.count if sweep.random else 1)
    if (count := math.prod(factors)) > MAX_JOBS:
        problems.append(((), f"makes {count:,} jobs; at most {MAX_JOBS:,} are allowed"))
    if problems:
        raise InvalidError(problems)
    blocks: list[list[Combination]] = [[(setting,) for setting in column] for column in grid.values()]
    blocks.append(list(zip(*zipped.values(), strict=True)) or [()])
    blocks.append(_drawn(sweep.random) if sweep.random else [()])
    blocks.append([_settings(("list", i), each) for i, each in enumerate(sweep.list)] or [()])
    return [tuple(itertools.chain(*parts)) for parts in itertools.product(*blocks)]


def fixed(sweep: SweepConfig) -> Combination:
    """The settings of all jobs."""
    return _settings(("fixed",), sweep.fixed)


def seeds(sweep: SweepConfig, first: int) -> list[Combination]:
    """The seeds of a repeated job, counted from `first` if the sweep gives their number only."""
    if sweep.repeat == 1:
        return [()]
    if isinstance(sweep.repeat, int):
        return [(KeySetting("seed", first + i, ("repeat",)),) for i in range(sweep.repeat)]
    return [(KeySetting("seed", seed, ("repeat", i)),) for i, seed in enumerate(sweep.repeat)]


def swept_keys(sweep: SweepConfig) -> list[str]:
    """Every key that may differ between jobs, in the order of the settings, `seed` last."""
    drawn = sweep.random.keys if sweep.random else ()
    keys = [*sweep.grid, *sweep.zip, *drawn, *(key for each in sweep.list for key in each)]
    return list(dict.fromkeys([*keys, *["seed"] * (sweep.repeat != 1)]))


def _settings(path: Path, assignment: Mapping[str, Any]) -> Combination:
    return tuple(KeySetting(key, value, (*path, key)) for key, value in assignment.items())


def _columns(block: str, keys: Mapping[str, Values], problems: list[Problem]) -> dict[str, list[KeySetting]]:
    """The settings of every key of a block; problems are appended."""
    columns = {}
    for key, values in keys.items():
        try:
            columns[key] = list(_column(key, values, (block, key)))
        except GrammarError as error:
            problems.append(((block, key), str(error)))
    return columns


def _column(key: str, values: Values, path: Path) -> Iterator[KeySetting]:
    if isinstance(values, str):
        written, _ = written_values(values)
        yield from (KeySetting(key, value, path) for value in written)
    elif isinstance(values, Spacing):
        yield from (KeySetting(key, value, path) for value in values.values())
    elif values:
        yield from (KeySetting(key, value, (*path, index)) for index, value in enumerate(values))
    else:
        raise GrammarError("needs at least one value")


def _unequal(zipped: Mapping[str, list[KeySetting]]) -> Iterator[Problem]:
    lengths = {key: len(column) for key, column in zipped.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        yield ("zip",), f"the lists must be equally long; {given}"


def _rows(zipped: Mapping[str, list[KeySetting]]) -> list[int]:
    return [len(column) for column in zipped.values()][:1]


def _drawn(random: Random) -> list[Combination]:
    columns = []
    for key, distribution in random.keys.items():
        path: Path = ("random", "keys", key)
        values = distribution.draws(random.count, f"{random.seed}/{key}")
        columns.append([KeySetting(key, value, path) for value in values])
    return list(zip(*columns, strict=True))

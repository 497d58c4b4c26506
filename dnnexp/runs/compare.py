"""The differences between runs: in their configs, environments and metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from dnnexp.runs.leaves import leaves

_ENVIRONMENT = ("versions", "git", "platform", "blas")


class _Absent:
    """Stands for a value that a run does not have, unlike null."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()


class ComparedRow(NamedTuple):
    """A key, and the value of each run.

    Attributes:
        key: dotted.
        values: one for each run, `ABSENT` if it has none.
        difference: the largest difference of two values, if all are numbers and it is finite.
        relative: this difference over the larger magnitude; 0 if all values are 0.
    """

    key: str
    values: tuple[Any, ...]
    difference: float | None
    relative: float | None

    @property
    def is_equal(self) -> bool:
        """Whether all runs have the same value."""
        first = self.values[0]
        return all(_is_same(first, value) for value in self.values[1:])

    @property
    def plain(self) -> list[Any]:
        """The values for JSON: null for a missing one."""
        return [None if value is ABSENT else value for value in self.values]


def rows(flat: Sequence[Mapping[str, Any]]) -> list[ComparedRow]:
    """The keys of all runs, in the order in which they first appear."""
    keys = dict.fromkeys(key for each in flat for key in each)
    found = ((key, tuple(each.get(key, ABSENT) for each in flat)) for key in keys)
    return [ComparedRow(key, values, *_distance(values)) for key, values in found]


def config_leaves(tree: Any) -> dict[str, Any]:
    """The values of a config by dotted keys as in overrides; a list of plain values is one value."""
    return leaves(tree, "whole")


def metric_leaves(tree: Any) -> dict[str, Any]:
    """The values of metrics by dotted keys; items of lists by label, by tensor and pair, or by number."""
    return leaves(tree, "by item")


def environment_leaves(record: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, git state, platform, BLAS and plugins (by SHA-256) of a `run.json`."""
    known = {name: record[name] for name in _ENVIRONMENT if record.get(name) is not None}
    plugins = record.get("plugins")
    entries = [entry for entry in plugins if isinstance(entry, dict)] if isinstance(plugins, list) else []
    hashes = {PurePath(str(entry.get("path"))).name: entry.get("sha256") for entry in entries}
    return leaves({**known, "plugins": hashes} if hashes else known, "whole")


def _is_same(first: Any, second: Any) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    return bool(first == second)


def _distance(values: Sequence[Any]) -> tuple[float | None, float | None]:
    """The largest difference of some numbers, absolute and relative."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None, None
    try:
        low, high = float(min(values)), float(max(values))
    except OverflowError:  # an integer that no float holds
        return None, None
    difference, size = high - low, max(abs(low), abs(high))
    if not math.isfinite(difference):
        return None, None
    return difference, difference / size if size else 0.0


class Reproduction(NamedTuple):
    """The metrics of a repeated run, by how well they were reproduced."""

    identical: list[ComparedRow]
    within: list[ComparedRow]
    different: list[ComparedRow]

    @property
    def verdict(self) -> str:
        """`identical`, `within tolerance` or `different`: that of the worst metric."""
        return "different" if self.different else "within tolerance" if self.within else "identical"


def reproduction(before: Any, now: Any, rtol: float) -> Reproduction:
    """Compare the metrics of two runs; numbers within the relative difference `rtol` are within tolerance."""
    found = Reproduction([], [], [])
    for row in rows([metric_leaves(before), metric_leaves(now)]):
        if row.is_equal:
            found.identical.append(row)
        elif row.relative is not None and row.relative <= rtol:
            found.within.append(row)
        else:
            found.different.append(row)
    return found

"""The numbers that a sweep shows of an experiment where it names no metrics."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterable, Sequence
from typing import Any

from dnnexp.experiments.experiment import Headline

_MAX_HEADLINES = 8
"""More numbers of one kind than this are summed up in one."""


def each_or_one(paths: Sequence[str], one: Headline) -> list[Headline]:
    """A headline for each path where there are a few, otherwise the one given."""
    return [Headline(path) for path in paths] if 0 < len(paths) <= _MAX_HEADLINES else [one]


def common_labels(labels: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The labels that all configs have; none where they differ."""
    distinct = set(labels)
    return distinct.pop() if len(distinct) == 1 else ()


def label_of(item: Any) -> str:
    """The label of a part in a config's plain tree."""
    return str(item.get("label", item.get("name"))) if isinstance(item, dict) else str(item)


def key(label: str) -> str:
    """A label as a step of a path: `.adam`, or `["std-1"]` where it is not an identifier."""
    is_plain = label.isidentifier() and not keyword.iskeyword(label)
    return f".{label}" if is_plain else f"[{json.dumps(label)}]"

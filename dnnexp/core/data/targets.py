"""What the readers of files share: which numbers are admitted, and how a target becomes classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.data.base import DataError, Table, one_hot

Task = Literal["auto", "classification", "regression"]
LARGEST = 1e100
"""Numbers of files are at most this in size: their squares and the sums of these do not overflow."""
MOST_CLASSES = 1000
MOST_PROBLEMS = 10


def refuse(problems: Sequence[str]) -> None:
    """Raise the first problems of a file, if there are any."""
    if problems:
        more = len(problems) - MOST_PROBLEMS
        tail = [f"{problems[0].partition(':')[0]}: and {more} more problems"] if more > 0 else []
        raise DataError(*problems[:MOST_PROBLEMS], *tail)


def classified(path: str, x: Floats, labels: Sequence[str] | Floats) -> Table:
    """A table with classes, in ascending order of their names or numbers."""
    found, index = np.unique(np.asarray(labels), return_inverse=True)
    names = [_class_name(label) for label in found.tolist()]
    if len(names) < 2:
        raise DataError(f"{path}: the target has one class only, {names[0]!r}; two are needed")
    if len(names) > max(2, len(x) // 2):
        raise DataError(f"{path}: the target has {len(names)} classes in {len(x)} rows: no classes")
    if len(names) > MOST_CLASSES:
        raise DataError(f"{path}: the target has {len(names)} classes; at most {MOST_CLASSES} are allowed")
    return Table(x, one_hot(index, len(names)), tuple(names))


def _class_name(label: str | float) -> str:
    """The label; a whole number without its decimal point."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)

"""Reads NPZ files. Problems name the array and the row (from 0, as numpy counts, and from 1)."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dnnexp.core.data.base import DataError, Table
from dnnexp.core.data.targets import LARGEST, Task, classified, refuse
from dnnexp.registry import suggest

_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    tokenize.TokenError,
)
"""What numpy raises for a file that is damaged, encrypted, or holds Python objects."""


def read_npz(path: str, features: str, target: str, task: Task) -> Table:
    """The table of two arrays of an NPZ file.

    Raises:
        DataError: with the first problems of the file.
    """
    x, t = _arrays(path, features, target)
    if x.ndim != 2 or t.ndim not in (1, 2) or len(x) != len(t) or 0 in (*x.shape, *t.shape):
        raise DataError(
            f"{path}: needs features (n, d) and a target (n,) or (n, k), not {x.shape} and {t.shape}"
        )
    is_text = t.dtype.kind in "US"
    is_class = task == "classification" or (task == "auto" and is_text)
    problems = list(_no_numbers(path, features, x))
    if is_class and t.ndim == 2:
        problems.append(f"{path}: classes need a target (n,), not {t.shape}")
    if not (is_class and is_text):
        problems += _no_numbers(path, target, t)
    refuse(problems)
    x = x.astype(np.float64)
    if is_class:
        return classified(path, x, _text(path, target, t) if is_text else t.astype(np.float64))
    return Table(x, t.reshape(len(t), -1).astype(np.float64), None)


def _arrays(path: str, *names: str) -> list[Any]:
    """The arrays of those names."""
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: is not an NPZ file, as numpy.savez writes it")
    try:
        with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            refuse(
                [f"{path}: has no array {n!r}{suggest(n, arrays.files)}" for n in names if n not in arrays]
            )
            found = [np.asarray(arrays[name]) for name in names]
    except DataError:
        raise
    except _UNREADABLE as error:
        raise DataError(f"{path}: is not an NPZ file of plain arrays: {error}") from None
    return found


def _no_numbers(path: str, name: str, values: Any) -> Iterator[str]:
    """The problem of the first inadmissible number in an array."""
    if values.dtype.kind not in "iufb":
        yield f"{path}: the array {name!r} must hold real numbers, not {values.dtype}"
        return
    # NaN fails the comparison, too; float16 has no 1e100
    with np.errstate(over="ignore"):
        admitted = np.abs(values.astype(np.float64)) <= LARGEST
    for place in np.argwhere(~admitted):
        index = ", ".join(map(str, place))
        found, allowed = values[tuple(place)], f"finite, at most {LARGEST:g} in size"
        yield f"{path}: {name}[{index}] (row {place[0] + 1}) holds {found}; numbers must be {allowed}"


def _text(path: str, name: str, labels: Any) -> list[str]:
    """Classes of text, none of them empty."""
    try:
        found = [str(label).strip() for label in labels.astype(np.str_)]
    except UnicodeDecodeError:
        raise DataError(f"{path}: the array {name!r} contains bytes that are not ASCII text") from None
    refuse(
        [f"{path}: {name}[{i}] (row {i + 1}) is an empty text" for i, label in enumerate(found) if not label]
    )
    return found

"""The user's own data: a CSV file, or arrays of an NPZ file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.data.base import Data, DataError, Shape, Table, one_hot
from dnnexp.registry import Complaint, check, register, suggest

Task = Literal["auto", "classification", "regression"]
_MOST_ERRORS = 10


@dataclass(frozen=True)
class File(Data):
    """Base of the data in files. A path is relative to the folder that dnnexp runs in.

    `task: auto` takes a target of text for classes and a target of numbers for numbers.
    """

    def _read(self) -> Table:
        raise NotImplementedError

    def shape(self) -> Shape:
        """That of the table."""
        return self._read().shape

    def table(self, generator: np.random.Generator) -> Table:
        """All rows, in the order of the file."""
        del generator
        return self._read()


@register("csv")
@dataclass(frozen=True)
class CSV(File):
    """CSV: a file with a header; `target` names one column or several, `features` some (default: all others).

    UTF-8, one row a line; every feature is a number. Classes are a target of text, or one of numbers with
    `task: classification`.
    """

    path: str
    target: str | tuple[str, ...]
    features: tuple[str, ...] = ()
    task: Task = "auto"
    delimiter: str = ","

    @check("path", "target", "features", "task", "delimiter")
    @staticmethod
    def readable(
        path: str, target: str | tuple[str, ...], features: tuple[str, ...], task: Task, delimiter: str
    ) -> Iterator[Complaint]:
        """The file can be read and used."""
        if len(delimiter) != 1:
            yield ("delimiter",), f"must be one character, not {delimiter!r}"
            return
        try:
            _csv(path, _stamp(path), _names(target), features, task, delimiter)
        except DataError as error:
            yield ("path",), str(error)

    def _read(self) -> Table:
        stamp = _stamp(self.path)
        return _csv(self.path, stamp, _names(self.target), self.features, self.task, self.delimiter)


@register("npz")
@dataclass(frozen=True)
class NPZ(File):
    """NPZ: arrays of a numpy file: features `(n, d)`, and a target `(n,)` or `(n, k)` by their names."""

    path: str
    features: str = "X"
    target: str = "y"
    task: Task = "auto"

    @check("path", "features", "target", "task")
    @staticmethod
    def readable(path: str, features: str, target: str, task: Task) -> Iterator[Complaint]:
        """The file can be read and used."""
        try:
            _npz(path, _stamp(path), features, target, task)
        except DataError as error:
            yield ("path",), str(error)

    def _read(self) -> Table:
        return _npz(self.path, _stamp(self.path), self.features, self.target, self.task)


def _names(target: str | tuple[str, ...]) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else target


def _stamp(path: str) -> tuple[int, int]:
    """What changes when a file does."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _csv(
    path: str,
    stamp: tuple[int, int],
    target: tuple[str, ...],
    features: tuple[str, ...],
    task: Task,
    delimiter: str,
) -> Table:
    """The table of a CSV file."""
    header, lines, cells = _cells(path, delimiter)
    for name in (*target, *features):
        if name not in header:
            raise DataError(f"{path}:1: has no column {name!r}{suggest(name, header)}")
    if both := [name for name in features if name in target]:
        raise DataError(f"{path}: {both[0]!r} is a feature and a target; a column can be one of them")
    features = features or tuple(name for name in header if name not in target)
    if not features:
        raise DataError(f"{path}:1: has no feature column beside the target")
    columns = dict(zip(header, zip(*cells, strict=True), strict=True))
    x = _numbers(path, lines, {name: columns[name] for name in features})
    chosen = {name: columns[name] for name in target}
    is_text = not all(_is_number(cell) for cell in chosen[target[0]])
    if task == "classification" or (task == "auto" and is_text and len(target) == 1):
        return _classified(path, x, _labels(path, lines, chosen))
    return Table(x, _numbers(path, lines, chosen), None)


def _cells(path: str, delimiter: str) -> tuple[list[str], list[int], list[list[str]]]:
    """The header, and of every row its line and its cells."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except csv.Error as error:
        raise DataError(f"{path}: is not CSV: {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if repeated := [name for index, name in enumerate(header) if name in header[:index]]:
        raise DataError(f"{path}:1: has two columns {repeated[0]!r}")
    if not rows:
        raise DataError(f"{path}: has no row below its header")
    _raise(
        f"{path}:{line}: has {len(row)} cells where the header has {len(header)}"
        for line, row in rows
        if len(row) != len(header)
    )
    return header, [line for line, _ in rows], [row for _, row in rows]


def _raise(problems: Iterator[str]) -> None:
    """Raise the first problems, if there are any."""
    found = list(problems)
    if found:
        more = [f"and {len(found) - _MOST_ERRORS} more"] if len(found) > _MOST_ERRORS else []
        raise DataError("; ".join(found[:_MOST_ERRORS] + more))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(path: str, lines: Sequence[int], columns: dict[str, Any]) -> Floats:
    """Columns of numbers: `(n, columns)`."""
    try:
        found = np.array(list(columns.values()), dtype=np.float64).T
    except ValueError:
        found = None
    if found is not None and np.isfinite(found).all():
        return found
    _raise(
        f"{path}:{line}: column {name!r} must be a finite number, not {cell.strip()!r}"
        for name, cells in columns.items()
        for line, cell in zip(lines, cells, strict=True)
        if not (_is_number(cell) and math.isfinite(float(cell)))
    )
    raise AssertionError("numpy and float read numbers alike")


def _labels(path: str, lines: Sequence[int], chosen: dict[str, Any]) -> list[str]:
    """The one column of classes."""
    if len(chosen) > 1:
        raise DataError(f"{path}: classes need one target column, not {len(chosen)}")
    ((name, cells),) = chosen.items()
    labels = [cell.strip() for cell in cells]
    _raise(
        f"{path}:{line}: column {name!r} is empty; a class is a text or a number"
        for line, label in zip(lines, labels, strict=True)
        if not label or label.lower() == "nan"
    )
    return labels


def _classified(path: str, x: Floats, labels: Any) -> Table:
    """A table with classes, in ascending order of their names."""
    classes, index = np.unique(np.asarray(labels), return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"{path}: the target has one class only, {str(classes[0])!r}; two are needed")
    if len(classes) > max(2, len(x) // 2):
        raise DataError(f"{path}: the target has {len(classes)} classes in {len(x)} rows: no classes")
    return Table(x, one_hot(index, len(classes)), tuple(map(str, classes)))


@lru_cache(maxsize=4)
def _npz(path: str, stamp: tuple[int, int], features: str, target: str, task: Task) -> Table:
    """The table of an NPZ file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in (features, target):
                if name not in arrays:
                    raise DataError(f"{path}: has no array {name!r}{suggest(name, arrays.files)}")
            x, t = np.asarray(arrays[features]), np.asarray(arrays[target])
    except DataError:
        raise
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: is not an NPZ file of plain arrays: {error}") from None
    if x.ndim != 2 or t.ndim not in (1, 2) or len(x) != len(t) or 0 in (*x.shape, *t.shape):
        raise DataError(
            f"{path}: needs features (n, d) and a target (n,) or (n, k), not {x.shape} and {t.shape}"
        )
    x = _finite(path, features, x)
    is_text = t.dtype.kind in "US"
    if task == "classification" or (task == "auto" and is_text):
        if t.ndim == 2:
            raise DataError(f"{path}: classes need a target (n,), not {t.shape}")
        return _classified(path, x, t if is_text else _finite(path, target, t))
    return Table(x, _finite(path, target, t).reshape(len(t), -1), None)


def _finite(path: str, name: str, values: Any) -> Floats:
    """An array of finite numbers."""
    if values.dtype.kind not in "iufb":
        raise DataError(f"{path}: the array {name!r} must hold real numbers, not {values.dtype}")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, found = int(bad[0][0]), values[tuple(bad[0])]
        raise DataError(f"{path}: {name}[{row}] (row {row + 1}) holds {found}; numbers must be finite")
    return np.asarray(values, dtype=np.float64)

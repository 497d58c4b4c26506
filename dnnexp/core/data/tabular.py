"""Reads CSV files. All problems are reported at once, by line (the header is line 1) and column."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.data.base import DataError, Table
from dnnexp.core.data.targets import LARGEST, Task, classified, refuse
from dnnexp.registry import suggest

_LONGEST = 40
"""Longer cells are shown cut."""
_MOST_NAMES = 20
"""The names of longer headers are not listed."""
_Problem = tuple[int, str]
"""A line and its problem."""


@dataclass(frozen=True)
class _Columns:
    """The cells of the rows that are as long as the header, by column, and the lines that they begin on."""

    lines: tuple[int, ...]
    cells: dict[str, tuple[str, ...]]


def read_csv(
    path: str, target: tuple[str, ...], features: tuple[str, ...], task: Task, delimiter: str
) -> Table:
    """The table of a CSV file with a header.

    Raises:
        DataError: with the first problems of the file.
    """
    rows = _rows(path, delimiter)
    line, header = (rows[0][0], [name.strip() for name in rows[0][1]]) if rows else (1, [])
    features = features or tuple(name for name in header if name not in target)
    refuse([f"{path}:{line}: {text}" for text in _misnamed(header, target, features)])
    if task == "classification" and len(target) > 1:
        raise DataError(f"{path}: classes need one target column, not {len(target)}")
    if len(rows) == 1:
        raise DataError(f"{path}: has no row below its header")
    problems = [(at, _ragged(row, header)) for at, row in rows[1:] if len(row) != len(header)]
    columns = _columns(header, rows[1:])
    is_class = task == "classification" or (
        task == "auto" and len(target) == 1 and _is_text(columns.cells[target[0]])
    )
    numeric = features if is_class else (*features, *target)
    numbers: dict[str, Any] = {name: _numbers(columns.cells[name]) for name in numeric}
    for name in (name for name, found in numbers.items() if found is None):
        problems += _no_numbers(columns, name, is_open=task == "auto" and name in target)
    if is_class:
        problems += _no_classes(columns, target[0])
    refuse([f"{path}:{at}: {text}" for at, text in sorted(problems)])
    x = np.stack([numbers[name] for name in features], axis=1)
    if is_class:
        return classified(path, x, _labels(columns.cells[target[0]]))
    return Table(x, np.stack([numbers[name] for name in target], axis=1), None)


def _rows(path: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The line that a row begins on, and its cells; empty lines are left out."""
    rows, line = [], 1
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for row in reader:
                if row:
                    rows.append((line, row))
                line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{line}: is not CSV: {error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}:{_undecodable(path)}: is not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return rows


def _undecodable(path: str) -> int:
    """The first line that is not UTF-8."""
    lines = Path(path).read_bytes().split(b"\n")
    return next(at for at, line in enumerate(lines, start=1) if not _is_utf8(line))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _misnamed(header: list[str], target: Sequence[str], features: Sequence[str]) -> Iterator[str]:
    """What is wrong with the names of the columns, those in the file and those asked for."""
    if not header:
        yield "is empty; a header is needed"
        return
    doubled = _repeated(header)
    for name in doubled:
        yield f"has two columns {name!r}"
    for name in dict.fromkeys((*target, *features)):
        if name not in header:
            known = suggest(name, header) if len(header) <= _MOST_NAMES else f" among its {len(header)}"
            yield f"has no column {name!r}{known}{_one_column(header)}"
    for name in _repeated([name for name in (*target, *features) if name not in doubled]):
        use = "a feature and a target" if name in target and name in features else "given twice"
        yield f"the column {name!r} is {use}; a column can be one of them, once"
    if not features:
        yield "has no feature column beside the target"
    if "" in features:
        yield f"column {header.index('') + 1} has no name; name it, or say which columns are features"


def _one_column(header: Sequence[str]) -> str:
    """What to say of a header that another delimiter would part."""
    is_parted = len(header) == 1 and any(mark in header[0] for mark in ",;\t|")
    return "; the header is one column: is `delimiter` right?" if is_parted else ""


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _columns(header: list[str], rows: list[tuple[int, list[str]]]) -> _Columns:
    whole = [(at, row) for at, row in rows if len(row) == len(header)]
    cells = zip(*(row for _, row in whole), strict=True) if whole else ((),) * len(header)
    return _Columns(tuple(at for at, _ in whole), dict(zip(header, cells, strict=True)))


def _ragged(row: list[str], header: list[str]) -> str:
    return f"has {len(row)} cells where the header has {len(header)}"


def _is_text(cells: Sequence[str]) -> bool:
    """Whether no cell is a number, those without a content left aside."""
    return not any(_number(cell) is not None for cell in cells if not _is_blank(cell))


def _is_blank(cell: str) -> bool:
    return cell.strip().lower() in ("", "nan")


def _number(cell: str) -> float | None:
    """The number in a cell; None where there is none."""
    try:
        return None if "_" in cell else float(cell)  # Python reads 1_000 as a number
    except ValueError:
        return None


def _numbers(cells: Sequence[str]) -> Floats | None:
    """A column of numbers, `(n,)`; None where a cell is none that is admitted."""
    try:
        found = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    is_fine = bool((np.abs(found) <= LARGEST).all()) and "_" not in "".join(cells)
    return found if is_fine else None


def _no_numbers(columns: _Columns, name: str, is_open: bool) -> Iterator[_Problem]:
    """The cells of a column that should be numbers, with a hint where `task` is open."""
    hint = "; with task: classification, numbers and texts are classes" if is_open else ""
    for line, cell in zip(columns.lines, columns.cells[name], strict=True):
        found = _number(cell)
        if found is None or not math.isfinite(found):
            yield line, f"column {name!r} must be a finite number, not {_shown(cell)}{hint}"
        elif abs(found) > LARGEST:
            yield line, f"column {name!r} must be at most {LARGEST:g} in size, not {_shown(cell)}"


def _shown(cell: str) -> str:
    found = cell.strip()
    return repr(found if len(found) <= _LONGEST else found[: _LONGEST - 1] + "…")


def _no_classes(columns: _Columns, name: str) -> Iterator[_Problem]:
    for line, cell in zip(columns.lines, columns.cells[name], strict=True):
        if _is_blank(cell):
            yield line, f"column {name!r} is {cell.strip() or 'empty'}; a class is a text or a number"


def _labels(cells: Sequence[str]) -> list[str] | Floats:
    """The classes of the rows: numbers where all are, so that 1 and 1.0 are one class and 2 is below 10."""
    numbers = _numbers(cells)
    return [cell.strip() for cell in cells] if numbers is None else numbers

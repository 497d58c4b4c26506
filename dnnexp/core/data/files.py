"""The user's own data: a CSV file, or arrays of an NPZ file."""

from __future__ import annotations

import stat
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dnnexp.core.data.archive import read_npz
from dnnexp.core.data.base import Data, DataError, Shape, Table
from dnnexp.core.data.tabular import read_csv
from dnnexp.core.data.targets import Task
from dnnexp.registry import Problem, check, register

Stamp = tuple[int, int]
"""What changes when a file does: its time of modification in ns, and its size in bytes."""


@dataclass(frozen=True)
class File(Data):
    """Base of the data in files. A path is relative to the folder that dnnexp runs in."""

    @abstractmethod
    def _read(self) -> Table:
        """The table, read once for each state of the file."""

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

    UTF-8; every feature is a finite number of at most 1e100 in size. `task: auto` takes one target column of
    text for classes, in the order of the alphabet, and columns of numbers for numbers; with
    `task: classification` the numbers of a column are classes, too, in ascending order. Empty lines do not
    count.
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
    ) -> Iterator[Problem]:
        """The file can be read and used."""
        if len(delimiter) != 1 or delimiter in '"\r\n\0':
            yield ("delimiter",), f"must be one character, no quote or line break, not {delimiter!r}"
        elif not target:
            yield ("target",), "must name a column"
        else:
            yield from _complaints(lambda: _csv(path, _stamp(path), target, features, task, delimiter))

    def _read(self) -> Table:
        stamp = _stamp(self.path)
        return _csv(self.path, stamp, self.target, self.features, self.task, self.delimiter)


@register("npz")
@dataclass(frozen=True)
class NPZ(File):
    """NPZ: arrays of a numpy file: features `(n, d)`, and a target `(n,)` or `(n, k)`, by their names.

    Numbers are finite and of at most 1e100 in size. `task: auto` takes a target of text for classes and a
    target of numbers for numbers; with `task: classification` a target `(n,)` of numbers has classes, too.
    """

    path: str
    features: str = "X"
    target: str = "y"
    task: Task = "auto"

    @check("path", "features", "target", "task")
    @staticmethod
    def readable(path: str, features: str, target: str, task: Task) -> Iterator[Problem]:
        """The file can be read and used."""
        yield from _complaints(lambda: _npz(path, _stamp(path), features, target, task))

    def _read(self) -> Table:
        return _npz(self.path, _stamp(self.path), self.features, self.target, self.task)


def _complaints(read: Callable[[], Any]) -> Iterator[Problem]:
    """One for each problem of a file."""
    try:
        read()
    except DataError as error:
        for problem in error.problems:
            yield ("path",), problem


def _stamp(path: str) -> Stamp:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # a null character
        raise DataError(f"{path!r}: cannot be read: {error}") from None
    if not stat.S_ISREG(found.st_mode):
        raise DataError(f"{path}: cannot be read: it is not a regular file")
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=16)
def _csv(
    path: str,
    stamp: Stamp,
    target: str | tuple[str, ...],
    features: tuple[str, ...],
    task: Task,
    delimiter: str,
) -> Table:
    """The table of a CSV file, read once for each stamp."""
    names = (target,) if isinstance(target, str) else target
    return read_csv(path, names, features, task, delimiter)


@lru_cache(maxsize=16)
def _npz(path: str, stamp: Stamp, features: str, target: str, task: Task) -> Table:
    """The table of an NPZ file, read once for each stamp."""
    return read_npz(path, features, target, task)

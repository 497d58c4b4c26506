"""Every write, fsync, rename and mkdir fails in turn: a clear error, nothing seems complete and is not."""

from __future__ import annotations

import errno
import itertools
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.cli.sweeping import assert_whole, metrics, write_config

Run = Callable[..., Ran]
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)
OPERATIONS = ("mkdir", "open", "write", "fsync", "replace", "rename", "symlink")


@dataclass
class Fault:
    """Lets one operation on a path under `outputs` fail, when it is done for the n-th time."""

    operation: str
    number: int
    error: int
    seen: int = 0
    path: str = ""

    def strike(self, operation: str, path: object) -> None:
        if operation != self.operation or "outputs" not in str(path):
            return
        self.seen += 1
        if self.seen == self.number + 1:
            self.path = str(path)
            raise OSError(self.error, os.strerror(self.error), str(path))


@dataclass
class Stream:
    """A file whose writes may fail."""

    stream: Any
    path: object
    fault: Fault = field(repr=False)

    def write(self, data: Any) -> Any:
        self.fault.strike("write", self.path)
        return self.stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stream.close()


@contextmanager
def faulty(fault: Fault) -> Iterator[None]:
    files: dict[int, object] = {}

    def wrapped(name: str) -> Any:
        whole = getattr(os, name)

        def call(first: Any, *rest: Any, **named: Any) -> Any:
            target = rest[0] if name in ("replace", "rename", "symlink") else files.get(first, first)
            fault.strike(name, target)
            return whole(first, *rest, **named)

        return call

    whole_open, low_open, low_write = pathlib.Path.open, os.open, os.write

    def opened(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if "w" not in mode and "x" not in mode:
            return whole_open(path, mode, *rest, **named)
        fault.strike("open", path)
        stream = whole_open(path, mode, *rest, **named)
        files[stream.fileno()] = path
        return Stream(stream, path, fault) if "b" in mode else stream

    def low_opened(path: Any, *rest: Any, **named: Any) -> int:
        fault.strike("open", path)
        number = low_open(path, *rest, **named)
        files[number] = path
        return number

    def low_written(file: int, data: bytes) -> int:
        fault.strike("write", files.get(file, ""))
        return low_write(file, data)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "fsync", "replace", "rename", "symlink"):
            patch.setattr(os, name, wrapped(name))
        patch.setattr(pathlib.Path, "open", opened)
        patch.setattr(os, "open", low_opened)
        patch.setattr(os, "write", low_written)
        yield


def faults(operation: str, most: int) -> Iterator[Fault]:
    """An operation that fails for the first time, the second and so on; the error is another each time."""
    for number, error in zip(range(most), itertools.cycle(ERRORS), strict=False):
        yield Fault(operation, number, error)


def assert_told(ran: Ran, fault: Fault) -> None:
    assert os.strerror(fault.error) in ran.err
    assert "Traceback" not in ran.err


def assert_complete(run_folder: Path) -> None:
    """It has all that a complete run has, and each file is whole."""
    assert json.loads((run_folder / "run.json").read_text())["status"] == "complete"
    assert json.loads((run_folder / "metrics.json").read_text())["metrics"]
    assert (run_folder / "arrays.npz").stat().st_size > 100
    assert (run_folder / "config.yaml").read_text()
    assert (run_folder / "summary.txt").read_text()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_run_that_cannot_be_written(cli: Run, tmp_path: Path, operation: str) -> None:
    write_config(tmp_path)
    struck = 0
    for fault in faults(operation, 30):
        with faulty(fault):
            ran = cli("optimize", "short.yaml", "--no-plots", "-q")
        if not fault.path:
            break
        struck += 1
        assert_told(ran, fault)
        is_latest = "latest" in fault.path
        assert ran.code == (0 if is_latest else 3), fault
        found = list(Path("outputs").glob("2*/metrics.json"))
        assert len(found) == is_latest
        for path in found:
            assert_complete(path.parent)
            path.unlink()
        assert not list(Path("outputs").glob("*/.*"))
    assert not fault.path
    assert struck or operation == "rename"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_sweep_that_cannot_be_written_goes_on_when_it_can(cli: Run, tmp_path: Path, operation: str) -> None:
    write_config(tmp_path)
    quiet = ("--executor", "serial", "--no-plots", "-q")
    expected = metrics(cli("sweep", "short.yaml", "seed=0,1", *quiet, "-o", "alone").folder)
    for fault in faults(operation, 40):
        with faulty(fault):
            ran = cli("sweep", "short.yaml", "seed=0,1", *quiet)
        if not fault.path:
            break
        if ran.code or "latest" in fault.path:
            assert_told(ran, fault)
        assert ran.code in (0, 1, 3), fault
        folder = next(Path("outputs").glob("2*-sweep-*"), None)
        for run_folder in folder.glob("jobs/*") if folder else ():
            if (run_folder / "metrics.json").exists():
                assert_complete(run_folder)
        if ran.code == 0:  # as where a folder could not be made that was there
            assert metrics(ran.folder) == expected
        if folder and (folder / "sweep.json").exists():
            assert cli("sweep", "--resume", folder, *quiet).code == 0, fault
            assert metrics(folder) == expected
            assert_whole(folder)
        if folder:
            folder.rename(tmp_path / f"{operation}-{fault.number}")
    assert not fault.path

"""The folder of a sweep, in which the folder of a job appears when the job has ended."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any

from dnnexp.runs.folder import RunFolder, WriteError, reporting
from dnnexp.runs.record import read_json

PLAN = "sweep.json"


class SweepFolder:
    """`jobs/<key>/` are run folders, complete or failed; `attempts/<key>-.../` are running jobs.

    An attempt that is cut off never appears under `jobs`.
    """

    def __init__(self, path: Path) -> None:
        """An existing folder."""
        self.path = path
        self.jobs = path / "jobs"
        self._attempts = path / "attempts"

    def begin(self, key: str, token: str) -> RunFolder:
        """The folder of a new attempt at a job, marked with the token of its call.

        Raises:
            WriteError: it cannot be made, or this machine does not see the sweep.
        """
        if not (self.path / PLAN).is_file():
            raise WriteError(f"{self.path}: does not exist here; every worker must see the sweep's folder")
        path = self._attempts / f"{key}-{token}-{secrets.token_hex(4)}"
        with reporting(path):
            self._attempts.mkdir(exist_ok=True)
            path.mkdir()
        return RunFolder(path, durable=False)  # the sweep syncs the disk once, at its end

    def end(self, attempt: RunFolder, key: str) -> None:
        """Move an attempt that has ended to its place; an intact run that is already there is kept.

        Raises:
            WriteError: it cannot be moved.
        """
        place = self.jobs / key
        with reporting(place):
            self.jobs.mkdir(exist_ok=True)
            while not _moved(attempt.path, place):
                if self.is_intact(key):
                    shutil.rmtree(attempt.path, ignore_errors=True)
                    return
                self._set_aside(place, attempt.path.with_name(f"{attempt.path.name}-before"))

    def _set_aside(self, place: Path, aside: Path) -> None:
        """Remove a run that is not intact from its place."""
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            place.rename(aside)
            if _is_intact(aside) and _moved(aside, place):  # it was put there in the meantime
                return
        _remove(aside)

    def is_intact(self, key: str) -> bool:
        """Whether a job is complete and undamaged: a loss of power may tear files not yet on disk."""
        return _is_intact(self.jobs / key)

    def record(self, key: str) -> dict[str, Any]:
        """The `run.json` of a job; empty if there is none."""
        return read_json(self.jobs / key / "run.json")

    def attempts(self, key: str, token: str) -> int:
        """The number of attempts at a job, with that token, that have not ended."""
        return len(list(self._attempts.glob(f"{key}-{token}-*")))

    def give_up(self, key: str, token: str, error: str) -> None:
        """Keep an attempt that was cut off as the failed run of a job.

        Raises:
            WriteError: it cannot be moved.
        """
        for path in self._attempts.glob(f"{key}-{token}-*"):
            attempt = RunFolder(path, durable=False)
            attempt.update_json("run.json", {}, status="failed", error=error)
            self.end(attempt, key)

    def discard_attempts(self, token: str = "") -> None:
        """Remove the remains of attempts (of one token): call it when they are over."""
        for path in self._attempts.glob(f"*-{token}-*" if token else "*"):
            _remove(path)
        with contextlib.suppress(OSError):
            self._attempts.rmdir()

    def discard_torn(self) -> None:
        """Remove files that a kill left half-written beside the jobs."""
        for path in self.path.glob(".*"):
            with contextlib.suppress(OSError):
                path.unlink()


def _is_intact(folder: Path) -> bool:
    """Whether a run is complete, and its files are as they were written."""
    metrics = read_json(folder / "metrics.json").get("metrics")
    status = read_json(folder / "run.json").get("status")
    if not isinstance(metrics, dict) or status != "complete":
        return False
    try:
        config = (folder / "config.yaml").read_bytes()
        with zipfile.ZipFile(folder / "arrays.npz") as arrays:
            return arrays.testzip() is None and bool(config) and b"\0" not in config
    except Exception:  # a damaged archive raises all kinds of errors
        return False


def _remove(path: Path) -> None:
    """Remove a folder, or a file in its place, as far as possible."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _moved(source: Path, target: Path) -> bool:
    """Move a folder; False if the target exists."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) and os.path.lexists(target):
            return False
        raise
    return True

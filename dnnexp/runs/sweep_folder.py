"""The folder of a sweep: a folder for each job, which appears there when the job has ended."""

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
    """`jobs/<key>/` are run folders, complete or failed; `attempts/<key>-.../` are jobs under way.

    An attempt that is cut off is never seen under `jobs`, whatever it was doing and wherever it ran.
    """

    def __init__(self, path: Path) -> None:
        """A folder that exists."""
        self.path = path
        self.jobs = path / "jobs"
        self._attempts = path / "attempts"

    def begin(self, key: str, token: str) -> RunFolder:
        """The folder of a new attempt at a job, in the call of that token.

        Raises:
            WriteError: it cannot be made, or this machine does not see the sweep.
        """
        if not (self.path / PLAN).is_file():
            raise WriteError(f"{self.path}: is not there; every worker must see the folder of the sweep")
        path = self._attempts / f"{key}-{token}-{secrets.token_hex(4)}"
        with reporting(path):
            self._attempts.mkdir(exist_ok=True)
            path.mkdir()
        return RunFolder(path, durable=False)  # the sweep waits for the disk once, at its end

    def end(self, attempt: RunFolder, key: str) -> None:
        """Move an attempt that has ended to its place; a complete run that is there already is kept.

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
        """Make room where there is no complete run."""
        with contextlib.suppress(FileNotFoundError):  # somebody else was faster
            place.rename(aside)
            if _is_intact(aside) and _moved(aside, place):  # put there since we looked
                return
        _remove(aside)

    def is_intact(self, key: str) -> bool:
        """Whether a job is complete and undamaged: a loss of power may tear files not yet on disk."""
        return _is_intact(self.jobs / key)

    def record(self, key: str) -> dict[str, Any]:
        """What `run.json` of a job says; empty where there is none."""
        return read_json(self.jobs / key / "run.json")

    def attempts(self, key: str, token: str) -> int:
        """How many attempts at a job of that token there are that have not ended."""
        return len(list(self._attempts.glob(f"{key}-{token}-*")))

    def give_up(self, key: str, token: str, error: str) -> None:
        """Let an attempt that was cut off stand as the failed run of a job.

        Raises:
            WriteError: it cannot be moved.
        """
        for path in self._attempts.glob(f"{key}-{token}-*"):
            attempt = RunFolder(path, durable=False)
            attempt.update_json("run.json", {}, status="failed", error=error)
            self.end(attempt, key)

    def discard_attempts(self, token: str = "") -> None:
        """Remove what attempts, or those of one token, have left: to be called when they are over."""
        for path in self._attempts.glob(f"*-{token}-*" if token else "*"):
            _remove(path)
        with contextlib.suppress(OSError):
            self._attempts.rmdir()

    def discard_torn(self) -> None:
        """Remove what a kill has left of files that were being written beside the jobs."""
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
    """Remove a folder, or what stood in its place, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _moved(source: Path, target: Path) -> bool:
    """Move a folder; False where there is one already."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) and os.path.lexists(target):
            return False
        raise
    return True

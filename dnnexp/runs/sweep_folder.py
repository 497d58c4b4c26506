"""The folder of a sweep: a folder for each job, which appears there when the job has ended."""

from __future__ import annotations

import contextlib
import errno
import json
import secrets
import shutil
import zipfile
from pathlib import Path
from typing import Any

from dnnexp.runs.folder import RunFolder, reporting


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
            WriteError: it cannot be made.
        """
        path = self._attempts / f"{key}-{token}-{secrets.token_hex(4)}"
        with reporting(path):
            path.mkdir(parents=True)
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
                if self.is_complete(key):
                    shutil.rmtree(attempt.path, ignore_errors=True)
                    return
                aside = attempt.path.with_name(f"{attempt.path.name}-before")
                with contextlib.suppress(FileNotFoundError):  # somebody else was faster
                    place.rename(aside)
                shutil.rmtree(aside, ignore_errors=True)

    def is_complete(self, key: str) -> bool:
        """Whether the run of a job is there, and whole: a loss of power may tear what was not yet on disk."""
        folder = self.jobs / key
        try:
            json.loads((folder / "metrics.json").read_bytes())
            json.loads((folder / "run.json").read_bytes())
            config = (folder / "config.yaml").read_bytes()
            with zipfile.ZipFile(folder / "arrays.npz") as arrays:
                is_whole = arrays.testzip() is None
            return is_whole and bool(config) and b"\0" not in config
        except (OSError, ValueError, zipfile.BadZipFile):
            return False

    def record(self, key: str) -> dict[str, Any]:
        """What `run.json` of a job says; empty where there is none."""
        return _read(self.jobs / key / "run.json")

    def has_begun(self, key: str, token: str) -> bool:
        """Whether there is an attempt of that token that has not ended."""
        return any(self._attempts.glob(f"{key}-{token}-*"))

    def give_up(self, key: str, token: str, error: str) -> None:
        """Let an attempt that was cut off stand as the failed run of a job.

        Raises:
            WriteError: it cannot be moved.
        """
        for path in self._attempts.glob(f"{key}-{token}-*"):
            attempt = RunFolder(path, durable=False)
            attempt.write_json("run.json", {**_read(path / "run.json"), "status": "failed", "error": error})
            self.end(attempt, key)

    def discard_attempts(self, token: str = "") -> None:
        """Remove what attempts, or those of one token, have left: to be called when they are over."""
        for path in self._attempts.glob(f"*-{token}-*" if token else "*"):
            shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._attempts.rmdir()


def _read(path: Path) -> dict[str, Any]:
    """A JSON document; empty where there is none, or only a part of it."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _moved(source: Path, target: Path) -> bool:
    """Move a folder; False where there is one already."""
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True

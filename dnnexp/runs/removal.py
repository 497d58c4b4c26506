"""Removing run folders so that a half removed one never looks complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from dnnexp.runs.catalogue import look, scan
from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.runs.journal import is_held

_RESULTS = ("metrics.json", "results.json")
"""Files whose presence means complete."""


class RefusedError(Exception):
    """A folder that is not removed; the message says why."""


def removable(output: Path, folders: Iterable[Path]) -> list[Path]:
    """The folders of runs, less those inside of others, by their real paths.

    Raises:
        RefusedError: one is not inside the output folder, is not a run folder, or is a running sweep.
    """
    root = output.resolve()
    found = list(dict.fromkeys(folder.resolve() for folder in folders))
    for folder in found:
        if root not in folder.parents:
            raise RefusedError(f"{folder}: is not inside {root}, and only folders inside it are removed")
        if look(folder) is None:
            raise RefusedError(f"{folder}: is not a run folder")
        if any(is_held(place) for place in (folder, *folder.parents)):
            raise RefusedError(f"{folder}: a process is running this sweep")
    return [folder for folder in found if not any(other in folder.parents for other in found)]


def remove(output: Path, folders: Iterable[Path]) -> None:
    """Remove the folders; if `latest` points to one, let it point to the newest complete run left.

    Raises:
        WriteError: something cannot be removed.
    """
    gone = list(folders)
    try:
        _move_latest(output, gone)
        for folder in gone:
            _unmark(folder)
            shutil.rmtree(folder)
    except OSError as error:
        raise WriteError(f"{error.filename or output}: cannot be removed: {error.strerror}") from error


def _unmark(folder: Path) -> None:
    """Remove the files that make a folder, and those in it, look complete."""
    for path, _, names in os.walk(folder):
        for name in _RESULTS:
            if name in names:
                os.unlink(os.path.join(path, name))


def _move_latest(output: Path, gone: list[Path]) -> None:
    latest = output / "latest"
    if not latest.is_symlink() or latest.resolve() not in gone:
        return
    left = (run.path for run in scan(output) if run.status == "complete")
    newest = next((path for path in left if path.resolve() not in gone), None)
    if newest is None:
        latest.unlink()
    else:
        RunFolder(newest).point_latest()

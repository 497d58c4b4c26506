"""The catalogue of past runs, read from their folders: no index can be wrong."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dnnexp.runs.record import Run, folder_parts, folder_time, read_json, time_of

_HEAD_BYTES = 4096
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def scan(output: Path) -> list[Run]:
    """The runs and sweeps in a folder, newest first; links such as `latest` are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(output) as entries:
        folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    found = [run for folder in folders if (run := look(folder)) is not None]
    return sorted(found, key=lambda run: (run.start or _BEGINNING, run.path.name), reverse=True)


def look(folder: Path) -> Run | None:
    """The run in a folder, even a torn one; None if the folder is not a run folder."""
    files = _files(folder)
    if "sweep.json" in files:
        from dnnexp.runs import sweeps  # loaded only if there is a sweep

        return sweeps.look(folder)
    record = read_json(folder / "run.json") if "run.json" in files else {}
    if not (record.keys() >= {"status", "start"} or "metrics.json" in files or folder_time(folder)):
        return None
    start = time_of(record.get("start")) or folder_time(folder)
    return Run(folder, *_identity(folder, files, record), _status(files, record), start, _seconds(record))


def _files(folder: Path) -> set[str]:
    """The names of the regular files in a folder; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except OSError:
        return set()


def _status(files: set[str], record: Mapping[str, Any]) -> str:
    if "metrics.json" in files:
        return "complete"
    said = record.get("status")
    if said == "running":
        return "torn" if _is_dead(record.get("process")) else said
    return said if said in ("failed", "interrupted") else "torn"


def _is_dead(process: Any) -> bool:
    """Whether a process of this machine has ended; False for other machines."""
    if os.name == "nt":  # os.kill would send a signal there
        return False
    match process:
        case {"host": host, "id": int(number)} if host == socket.gethostname() and number > 0:
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                return True
            except OSError:  # another user's process
                return False
    return False


def _identity(
    folder: Path, files: set[str], record: Mapping[str, Any]
) -> tuple[str | None, str | None, int | None]:
    """Experiment, name and seed from `run.json`, `metrics.json` or the folder's name, in this order."""
    if "name" not in record and "metrics.json" in files:
        record = _head(folder / "metrics.json")
    experiment, name = folder_parts(folder)
    seed = record.get("seed")
    return (
        found if isinstance(found := record.get("experiment"), str) else experiment,
        found if isinstance(found := record.get("name"), str) else name,
        seed if type(seed) is int else None,
    )


def _head(path: Path) -> dict[str, Any]:
    """The head of `metrics.json`, without the metrics, which may be megabytes."""
    try:
        with open(path, "rb") as stream:
            head, metrics, _ = stream.read(_HEAD_BYTES).partition(b'"metrics"')
    except OSError:
        return {}
    try:
        found = json.loads(head.rstrip(b", \n") + b"}") if metrics else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(record: Mapping[str, Any]) -> float | None:
    start, end = time_of(record.get("start")), time_of(record.get("end"))
    return None if start is None or end is None else (end - start).total_seconds()

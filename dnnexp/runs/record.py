"""The record of a run folder, even of a torn one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STATUSES = ("complete", "running", "failed", "interrupted", "torn")
"""The statuses of a run or a sweep; torn: not complete, and no reason was recorded."""

_FOLDER = re.compile(r"(\d{8}T\d{6}Z)-([a-z][a-z0-9_]*)-(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder or a sweep's folder; None for unknown values.

    Attributes:
        path: the folder.
        experiment: `sweep` for a sweep.
        name: the config's.
        seed: the config's.
        status: one of `STATUSES`.
        start: when it began.
        seconds: how long it ran; for a sweep, the sum over its executions.
        jobs: for a sweep, the numbers of all jobs (`jobs`) and of `complete`, `failed`, `missing` ones.
    """

    path: Path
    experiment: str | None
    name: str | None
    seed: int | None
    status: str
    start: datetime | None
    seconds: float | None
    jobs: Mapping[str, int] | None = None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON document; empty if there is none or it cannot be read."""
    try:
        with open(path, "rb") as stream:
            found = json.loads(stream.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_complete(folder: Path | str) -> bool:
    """Whether a run is complete: its `metrics.json` is written last, so its presence means complete."""
    return os.path.isfile(os.path.join(folder, "metrics.json"))


def folder_time(folder: Path) -> datetime | None:
    """The time in the name of a folder."""
    named = _FOLDER.fullmatch(folder.name)
    try:
        return named and datetime.strptime(named[1], "%Y%m%dT%H%M%S%z")
    except ValueError:  # the 31st of February
        return None


def folder_parts(folder: Path) -> tuple[str | None, str | None]:
    """Experiment and name in the name of a folder, with the number that a taken name gets."""
    named = _FOLDER.fullmatch(folder.name)
    return (named[2], named[3]) if named else (None, None)


def time_of(value: Any) -> datetime | None:
    """A time in a record (UTC unless it says otherwise), or None."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

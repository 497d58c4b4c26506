"""The state of a sweep, from its folder: how many jobs are done, and which have failed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from dnnexp.runs.journal import events, is_held
from dnnexp.runs.record import Run, folder_parts, folder_time, is_complete, read_json, time_of


class JobStatus(NamedTuple):
    """A job of a sweep: `complete`, `failed` with its error, or `missing`."""

    key: str
    status: str
    swept: Mapping[str, Any]
    error: str | None


def look(folder: Path) -> Run:
    """A sweep as a run: complete when all its jobs are, running while a process holds its lock."""
    plan, told = read_json(folder / "sweep.json"), _journal(folder)
    found = _jobs(folder, plan, told)
    counts = {"jobs": len(found)}
    counts |= {name: sum(job.status == name for job in found) for name in ("complete", "failed", "missing")}
    name = plan.get("name")
    return Run(
        folder,
        "sweep",
        name if isinstance(name, str) else folder_parts(folder)[1],
        None,
        _status(folder, counts),
        folder_time(folder) or next((event.time for event in told), None),
        _seconds(told) if told else None,
        counts,
    )


class _Event(NamedTuple):
    time: datetime
    event: str
    details: Mapping[str, Any]


def _journal(folder: Path) -> list[_Event]:
    """The events that have a time; none if the journal cannot be read."""
    path = folder / "journal.jsonl"
    try:
        lines = list(events(path)) if path.is_file() else []  # opening a pipe would wait for a writer
    except (OSError, RecursionError):
        return []
    timed = ((time_of(line.get("time")), line) for line in lines)
    return [_Event(time, str(line.get("event")), line) for time, line in timed if time is not None]


def jobs(folder: Path) -> list[JobStatus]:
    """The jobs of a sweep's plan, in its order."""
    return _jobs(folder, read_json(folder / "sweep.json"), _journal(folder))


def _jobs(folder: Path, plan: Mapping[str, Any], told: Iterable[_Event]) -> list[JobStatus]:
    """The jobs of a plan, with the status that their folders show.

    A job that killed its worker has no folder; the journal has its error.
    """
    planned = plan.get("jobs")
    last = {event.details.get("job"): event for event in told}
    ended = _ended(folder / "jobs")
    found = []
    for entry in planned if isinstance(planned, list) else []:
        if isinstance(entry, dict) and isinstance(key := entry.get("job"), str):
            status, error = ended.get(key, "missing"), None
            if status != "complete" and key in last and last[key].event == "failed":
                status, error = "failed", last[key].details.get("error")
            swept = entry.get("swept")
            found.append(JobStatus(key, status, swept if isinstance(swept, dict) else {}, error))
    return found


def _ended(folder: Path) -> dict[str, str]:
    """The statuses of the jobs that have a folder."""
    try:
        with os.scandir(folder) as entries:
            paths = {entry.name: entry.path for entry in entries}
    except OSError:
        return {}
    return {key: "complete" if is_complete(path) else "failed" for key, path in paths.items()}


def _status(folder: Path, counts: Mapping[str, int]) -> str:
    if not counts["jobs"]:
        return "torn"
    if not counts["missing"]:
        return "failed" if counts["failed"] else "complete"
    return "running" if is_held(folder) else "interrupted"


def _seconds(told: Iterable[_Event]) -> float:
    """The running time: from each opening of the journal to the last event before the next one."""
    total, begin, last = 0.0, None, None
    for time, event, _ in told:
        if event == "opened":
            total += (last - begin).total_seconds() if begin and last else 0.0
            begin = time
        last = time
    return total + ((last - begin).total_seconds() if begin and last else 0.0)

"""How runs are spoken of."""

from __future__ import annotations

from datetime import datetime

from dnnexp.runs.record import Run

STYLES = {"complete": "green", "running": "cyan", "failed": "red", "interrupted": "yellow", "torn": "magenta"}


def instant(time: datetime | None) -> str:
    """Such as `2026-11-22 20:15:31 UTC`."""
    return "not known" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def state(run: Run) -> str:
    """The status; of a sweep with the numbers of its jobs."""
    if run.jobs is None:
        return run.status
    told = f"{run.status}: {run.jobs['complete']} of {run.jobs['jobs']}"
    return told + (f", {run.jobs['failed']} failed" if run.jobs["failed"] else "")


def size(count: int) -> str:
    """Of a file, such as `12.3 kB`."""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"

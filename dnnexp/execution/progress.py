"""Progress in plain lines, one every few seconds, where there is no terminal for a bar."""

from __future__ import annotations

import time
from collections.abc import Callable

from dnnexp.experiments.base import Work

REPORT_SECONDS = 5.0
"""Seconds between two lines."""


class PeriodicLine:
    """Calls `write` with a line when it is due, and makes no line when it is not."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """The first line is due `REPORT_SECONDS` from now."""
        self._write = write
        self._last = time.monotonic()

    def __call__(self, line: Callable[[], str]) -> None:
        """Write the line if one is due."""
        now = time.monotonic()
        if now - self._last >= REPORT_SECONDS:
            self._last = now
            self._write(line())


def work_line(work: Work) -> str:
    """An event of work as a line: `steps adam 1,200 of 20,000`."""
    share = f"{work.done:,}" + (f" of {work.total:,}" if work.total else "")
    return " ".join(filter(None, [work.stage, work.item, share]))

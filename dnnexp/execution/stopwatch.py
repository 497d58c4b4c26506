"""Where the time of a run went."""

from __future__ import annotations

import time

from dnnexp.experiments.base import Event, Progress, Work


class Stopwatch:
    """Passes events on and adds up the seconds before each, by stage and by what it was busy with."""

    def __init__(self, show: Progress) -> None:
        """Start, for events that are to be shown."""
        self._show = show
        self._start = self._last = time.perf_counter()
        self.stages: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Note the time, show the event."""
        if isinstance(event, Work):
            key = f"{event.stage}: {event.item}" if event.item else event.stage
            now = time.perf_counter()
            self.stages[key] = self.stages.get(key, 0.0) + now - self._last
            self._last = now
        self._show(event)

    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._start

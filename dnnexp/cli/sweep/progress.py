"""Progress of a sweep on stderr: a bar on a terminal, elsewhere a line every few seconds; every failure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from dnnexp.cli.interrupts import check
from dnnexp.cli.sweep.report import place
from dnnexp.config.sweep import Plan
from dnnexp.execution.progress import PeriodicLine
from dnnexp.execution.worker import Ended, Task
from dnnexp.text import duration, printable


class SweepDisplay:
    """Shows how many jobs are done, running and failed, how fast it goes and how long it will take."""

    def __init__(self, console: Console, plan: Plan, total: int, quiet: bool) -> None:
        """For `total` jobs that are left to do."""
        self._console, self._name, self._total, self._quiet = console, plan.sweep.name, total, quiet
        self._places = {job.key: place(job.swept) or job.name for job in plan.jobs}
        self._done = self._failed = 0
        self._start = time.monotonic()
        self._line = PeriodicLine(self._say)
        has_bar = console.is_terminal and console.file.isatty() and not quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
            disable=not has_bar,
        )
        self._task = self._bar.add_task(self._name, total=total, state="")
        self._has_lines = not (has_bar or quiet)

    def __enter__(self) -> Self:
        """Start the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar from the terminal."""
        self._bar.stop()

    def started(self, tasks: Sequence[Task]) -> None:
        """Starts are not shown."""

    def ended(self, ended: Ended) -> None:
        """Count a job that has ended, and show its error at once."""
        self._done += 1
        if ended.status == "failed":
            self._failed += 1
            self._say(f"failed: {self._places[ended.key]}: {ended.error}")

    def again(self, task: Task, why: str) -> None:
        """Show that a job is repeated."""
        self._say(f"repeated: {self._places[task.key]}: {why}")

    def _say(self, text: str) -> None:
        self._console.print(f"{self._name}: {printable(text)}", markup=False, highlight=False, soft_wrap=True)

    def tick(self, running: int) -> None:
        """Show the state.

        Raises:
            KeyboardInterrupt: a signal has arrived.
        """
        check()
        self._bar.update(self._task, completed=self._done, state=self._state(running))
        if self._has_lines:
            self._line(lambda: f"{self._done:,} of {self._total:,} done, {self._state(running)}")

    def _state(self, running: int) -> str:
        state = f"{running} running" + f", {self._failed} failed" * bool(self._failed)
        if not self._done:
            return state
        rate = self._done / (time.monotonic() - self._start)
        speed = f"{rate:.3g}/s" if rate >= 1 else f"{60 * rate:.3g}/min"
        return f"{state}, {speed}, {duration((self._total - self._done) / rate)} left"

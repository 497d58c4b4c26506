"""Progress of a run on stderr: bars on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from dnnexp.cli.interrupts import check
from dnnexp.execution.progress import PeriodicLine, work_line
from dnnexp.experiments.base import Event, Line


class Display:
    """Shows the events it is called with; use it in a `with` statement."""

    def __init__(self, console: Console, name: str, quiet: bool) -> None:
        """Show events on a console; if `quiet`, only traces."""
        self._console = console
        self._name = name
        self._quiet = quiet
        self._line = PeriodicLine(lambda line: console.print(f"{name}: {line}", highlight=False))
        # with FORCE_COLOR rich takes any file for a terminal; bars need a real one
        self._has_bars = console.is_terminal and console.file.isatty()
        self._tasks: dict[str, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not self._has_bars,
        )

    def __enter__(self) -> Self:
        """Start the bars."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bars from the terminal."""
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show an event.

        Raises:
            KeyboardInterrupt: a signal has arrived.
        """
        check()
        if isinstance(event, Line):
            self._console.print(event.text, markup=False, highlight=False, soft_wrap=True)
        elif self._has_bars:
            if event.stage not in self._tasks:
                self._tasks[event.stage] = self._bars.add_task(f"{self._name}: {event.stage}")
            self._bars.update(self._tasks[event.stage], completed=event.done, total=event.total)
        elif not self._quiet:
            self._line(partial(work_line, event))

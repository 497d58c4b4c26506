"""One run, from its config to a complete folder."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dnnexp.config.dump import dump
from dnnexp.config.expectations import judge
from dnnexp.core.streams import Streams
from dnnexp.execution.summary import summary_text
from dnnexp.experiments import Experiment, find
from dnnexp.experiments.base import Event, Progress, Result, RunContext, Work
from dnnexp.registry import plain
from dnnexp.runs.environment import environment
from dnnexp.runs.folder import RunFolder, WriteError, metrics_document

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RunOptions:
    """How a run is executed, beside its config.

    Attributes:
        smoke: skip the expectations.
        plots: draw the figures.
        trace: print a line of state every this many steps; 0 for none.
        plugins: the files of the user's parts that are loaded.
    """

    smoke: bool = False
    plots: bool = True
    trace: int = 0
    plugins: tuple[Path, ...] = ()


class CompletedRun(NamedTuple):
    """A run whose folder is complete: its result, the outcomes of its expectations, and `metrics.json`."""

    result: Result
    expectations: list[dict[str, str]]
    document: dict[str, Any]


def execute_run(
    experiment: str,
    config: Any,
    folder: RunFolder,
    options: RunOptions,
    show: Progress,
    record: Mapping[str, Any],
    before_complete: Callable[[], None] = lambda: None,
) -> CompletedRun:
    """Run an experiment and fill its folder; `metrics.json` is written last: its presence means complete.

    Args:
        experiment: the name of the experiment.
        config: its config.
        folder: the folder to fill.
        options: how to run.
        show: is called with every event.
        record: what `run.json` says beside the facts that every run records, such as the command line.
        before_complete: may raise to keep the run from being complete.

    Raises:
        WriteError: a file cannot be written. An error of the experiment passes through, noted in `run.json`.
    """
    chosen = find(experiment)
    folder.write("config.yaml", dump(plain(config)))
    with _RunRecord(experiment, config, folder, options, record) as run_record:
        watch = _Stopwatch(show)
        with _exits_become_errors():
            result = chosen.run(config, RunContext(Streams(config.seed), watch, options.trace))
        run_record.durations |= {"run": watch.seconds(), "stages": watch.stages}
        folder.write_arrays(result.arrays)
        if options.plots:
            run_record.durations["plots"] = _write_figures(chosen, result, folder, show)
        expectations = judge(config.expect, result.metrics, skip=options.smoke)
        folder.write("summary.txt", summary_text(chosen, result, expectations))
        document = metrics_document(experiment, config, result.metrics, expectations)
        before_complete()
        run_record.write("complete")
        folder.write_json("metrics.json", document)
    return CompletedRun(result, expectations, document)


@contextmanager
def _exits_become_errors() -> Iterator[None]:
    """Let user code that tries to end the program end only its run.

    Raises:
        RuntimeError: in place of SystemExit and the like.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise RuntimeError(f"the code ended the program: {error_message(error)}") from error


def _write_figures(experiment: Experiment, result: Result, folder: RunFolder, show: Progress) -> float:
    """Draw and write the figures; returns the seconds it took."""
    start = time.perf_counter()
    for done, (name, content) in enumerate(drawn(lambda: experiment.figures(result)), start=1):
        folder.write(name, content)
        show(Work("plots", done, None))
    return time.perf_counter() - start


def drawn(figures: Callable[[], Iterable[tuple[str, Figure | bytes]]]) -> Iterator[tuple[str, bytes]]:
    """File name and content of every figure, whatever matplotlib's settings on this machine are."""
    os.environ["MPLBACKEND"] = "agg"  # a user's backend, and errors in a matplotlibrc, are for other programs
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from dnnexp.figures import render

    yield from render(figures)


class _Stopwatch:
    """Passes events on and adds up the seconds before each, by stage and item."""

    def __init__(self, show: Progress) -> None:
        self._show = show
        self._start = self._last = time.perf_counter()
        self.stages: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Work):
            key = f"{event.stage}: {event.item}" if event.item else event.stage
            now = time.perf_counter()
            self.stages[key] = self.stages.get(key, 0.0) + now - self._last
            self._last = now
        self._show(event)

    def seconds(self) -> float:
        return time.perf_counter() - self._start


@dataclass
class _RunRecord:
    """`run.json`, kept true: running on entry, interrupted or failed when an error passes."""

    experiment: str
    config: Any
    folder: RunFolder
    options: RunOptions
    record: Mapping[str, Any]
    durations: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> _RunRecord:
        name, seed = self.config.name, self.config.seed
        self._facts = {"experiment": self.experiment, "name": name, "seed": seed}
        self._facts |= {"status": "running", "error": None, **self.record}
        self._facts |= {"process": {"host": socket.gethostname(), "id": os.getpid()}}
        self._facts |= {"start": _now(), "end": None, "durations": self.durations}
        self._facts |= environment(self.options.plugins)
        self.folder.write_json("run.json", self._facts)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        with suppress(WriteError):  # the error under way says more
            if isinstance(error, Exception):
                self.write("failed", error_message(error))
            else:  # Ctrl-C and SIGTERM
                self.write("interrupted")

    def write(self, status: str, error: str | None = None) -> None:
        ended = {"status": status, "error": error, "end": _now()}
        self.folder.write_json("run.json", self._facts | ended)


def error_message(error: BaseException) -> str:
    """The text of an error, with its type unless it is one of dnnexp's own."""
    if type(error).__module__.startswith("dnnexp."):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

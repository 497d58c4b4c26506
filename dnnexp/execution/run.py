"""One run, from its config to a complete folder."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from dnnexp.config.dump import dump
from dnnexp.config.expectations import judge
from dnnexp.core.streams import Streams
from dnnexp.execution.stopwatch import Stopwatch
from dnnexp.experiments import find
from dnnexp.experiments.base import Progress, Request, Result, Work
from dnnexp.registry import plain
from dnnexp.runs.environment import environment
from dnnexp.runs.folder import RunFolder, WriteError, metrics_document

Outcomes: TypeAlias = list[dict[str, str]]
"""Every expectation with its outcome, as in `metrics.json`."""


@dataclass(frozen=True)
class Manner:
    """How a run is carried out, beside its config.

    Attributes:
        smoke: its expectations are skipped.
        plots: whether PNG are drawn.
        trace: a line of state every so many steps; 0 for none.
        plugins: the files of the user's parts that are loaded.
        record: what `run.json` is to say beside what is always there, such as the command line.
    """

    smoke: bool = False
    plots: bool = True
    trace: int = 0
    plugins: tuple[Path, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


class Finished(NamedTuple):
    """What a complete run has left."""

    result: Result
    outcomes: Outcomes
    document: dict[str, Any]


def carry_out(
    experiment: str,
    config: Any,
    folder: RunFolder,
    manner: Manner,
    show: Progress,
    summarise: Callable[[str, Result, Outcomes], str],
    before_complete: Callable[[], None] = lambda: None,
) -> Finished:
    """Run, and fill the folder; `metrics.json` is written last, so that its presence means complete.

    `show` is called with every event, `summarise` gives the text of `summary.txt`, and `before_complete` may
    still raise what keeps the run from being complete.

    Raises:
        WriteError: a file cannot be written. What an experiment raises passes through, noted in `run.json`.
    """
    folder.write("config.yaml", dump(plain(config)))
    with _recorded(experiment, config, folder, manner) as (durations, note):
        watch = Stopwatch(show)
        with _kept_running():
            result = find(experiment).run(config, Request(Streams(config.seed), watch, manner.trace))
        durations |= {"run": watch.seconds(), "stages": watch.stages}
        folder.write_arrays(result.arrays)
        if manner.plots:
            durations["plots"] = _plot(experiment, result, folder, show)
        outcomes = judge(config.expect, result.metrics, skip=manner.smoke)
        folder.write("summary.txt", summarise(experiment, result, outcomes))
        document = metrics_document(experiment, config, result.metrics, outcomes)
        before_complete()
        note("complete", None)
        folder.write_json("metrics.json", document)
    return Finished(result, outcomes, document)


@contextmanager
def _kept_running() -> Iterator[None]:
    """Code of the user's that wants to end the program ends the run.

    Raises:
        RuntimeError: in the place of SystemExit and the like.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise RuntimeError(f"the code ended the program: {message(error)}") from error


def _plot(experiment: str, result: Result, folder: RunFolder, show: Progress) -> float:
    """Draw the plots; returns the seconds it took."""
    start = time.perf_counter()
    for done, (name, png) in enumerate(drawn(experiment, result), start=1):
        folder.write(name, png)
        show(Work("plots", done, None))
    return time.perf_counter() - start


def drawn(experiment: str, result: Result) -> Iterator[tuple[str, bytes]]:
    """Name and content of every plot, whatever matplotlib's settings on this machine are."""
    # a user's backend, and what is wrong in a matplotlibrc, are for other programs
    os.environ["MPLBACKEND"] = "agg"
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from dnnexp.plots import render

    yield from render(experiment, result)


@contextmanager
def _recorded(
    experiment: str, config: Any, folder: RunFolder, manner: Manner
) -> Iterator[tuple[dict[str, Any], Callable[[str, str | None], None]]]:
    """Keep `run.json` true: running, then interrupted or failed, or what the caller notes."""
    durations: dict[str, Any] = {}
    record: dict[str, Any] = {"experiment": experiment, "name": config.name, "seed": config.seed}
    record |= {"status": "running", "error": None, **manner.record}
    record |= {"process": {"host": socket.gethostname(), "id": os.getpid()}}
    record |= {"start": _now(), "end": None, "durations": durations} | environment(manner.plugins)
    folder.write_json("run.json", record)

    def note(status: str, error: str | None) -> None:
        folder.write_json("run.json", record | {"status": status, "error": error, "end": _now()})

    try:
        yield durations, note
    except BaseException as error:  # Ctrl-C and SIGTERM are no Exception
        with suppress(WriteError):  # the error under way says more
            if isinstance(error, Exception):
                note("failed", message(error))
            else:
                note("interrupted", None)
        raise


def message(error: BaseException) -> str:
    """What an error says, with its kind where it is not one of ours."""
    if type(error).__module__.startswith("dnnexp."):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")

"""One run from its config to its folder: the steps, in order."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from rich.console import Console

from dnnexp.cli.interrupts import check
from dnnexp.cli.options import Options
from dnnexp.cli.progress import Display
from dnnexp.cli.stopwatch import Stopwatch
from dnnexp.cli.summaries import refusal, summary, text
from dnnexp.config.dump import dump
from dnnexp.config.expectations import judge
from dnnexp.core.data import DataError
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Request, Result, UserCodeError, Work
from dnnexp.registry import plain
from dnnexp.runs.environment import command_line, environment
from dnnexp.runs.folder import RunFolder, WriteError, metrics_document


class Outcome(NamedTuple):
    """How a run ended.

    Attributes:
        code: the exit code.
        result: what it found, without the arrays; None if it is not complete.
        expectations: every claim with its outcome.
        error: what kept it from being complete.
        start: when it began.
        seconds: how long it took.
    """

    code: int
    result: Result | None = None
    expectations: tuple[dict[str, str], ...] = ()
    error: Exception | None = None
    start: datetime | None = None
    seconds: float = 0.0

    @property
    def unmet(self) -> list[dict[str, str]]:
        """The expectations that fail or cannot be evaluated."""
        return [entry for entry in self.expectations if entry["outcome"] in ("fails", "not_evaluable")]


def dry_run(experiment: str, config: Any, options: Options) -> int:
    """Print the resolved config and an estimate of the work."""
    tree, work = plain(config), find(experiment).estimate(config)
    if options.as_json:
        click.echo(json.dumps({"config": tree, "estimate": work}))
    else:
        click.echo(f"--- # {work}\n{dump(tree)}", nl=False)
    return 0


def execute(experiment: str, config: Any, options: Options) -> Outcome:
    """Run, write the folder, print what was found or what went wrong."""
    start, begin = datetime.now(UTC), time.perf_counter()
    try:
        ended = _execute(experiment, config, options)
    except BrokenPipeError:  # who read our output is gone: click ends the program
        raise
    except Exception as error:  # the other configs still run
        ended = Outcome(_explain(config.name, error), error=error)
        traceback.clear_frames(error.__traceback__)  # they hold the arrays
    return ended._replace(start=start, seconds=time.perf_counter() - begin)


def _explain(name: str, error: Exception) -> int:
    """Print what stopped a run; returns the exit code."""
    if isinstance(error, WriteError):
        click.echo(f"dnnexp: {error}", err=True)
        return 3
    if isinstance(error, DataError):  # a file has changed since the config was checked
        click.echo("\n".join(f"dnnexp: {name}: {problem}" for problem in error.problems), err=True)
        return 2
    if isinstance(error, UserCodeError):
        click.echo(f"dnnexp: {name}: {error}", err=True)
        return 2
    if isinstance(error, MemoryError):
        click.echo(f"dnnexp: {name}: not enough memory: {error}", err=True)
        return 2
    traceback.print_exception(error)  # a bug, or a plugin's
    return 1


def _execute(experiment: str, config: Any, options: Options) -> Outcome:
    folder = RunFolder.claim(options.output_dir, experiment, config.name)
    folder.write("config.yaml", dump(plain(config)))
    console = Console(stderr=True)
    with _recorded(folder, options) as (durations, note):
        with Display(console, config.name, options.quiet) as display:
            result = _run(experiment, config, options, display, durations)
            folder.write_arrays(result.arrays)
            if not options.no_plots:
                _plot(experiment, result, folder, display, durations)
        outcomes = judge(config.expect, result.metrics, skip=options.smoke)
        folder.write("summary.txt", text(experiment, result, outcomes))
        document = metrics_document(experiment, config, result.metrics, outcomes)
        check()
        note("complete")
        folder.write_json("metrics.json", document)
    _point_latest(folder)
    ended = Outcome(0, replace(result, arrays={}), tuple(outcomes))  # many are kept until the last run ends
    unmet = ended.unmet if options.strict else []
    _answer(json.dumps(document, separators=(",", ":")) if options.as_json else str(folder.path))
    with suppress(OSError):  # the run is complete and has been answered, though stderr may be full or closed
        if not options.quiet:
            console.print(summary(experiment, result, outcomes))
        elif unmet or not result.passed:  # an exit code of 1 is never left unexplained
            console.print(refusal(result, unmet))
    return ended._replace(code=0 if result.passed and not unmet else 1)


def _answer(line: str) -> None:
    """A line on stdout: what the run command is asked for."""
    try:
        click.echo(os.fsencode(line))  # a path may hold bytes that are no text
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(f"standard output: cannot be written: {error.strerror}") from error


def _run(
    experiment: str, config: Any, options: Options, display: Display, durations: dict[str, Any]
) -> Result:
    watch = Stopwatch(display)
    result = find(experiment).run(config, Request(Streams(config.seed), watch, options.trace))
    durations |= {"run": watch.seconds(), "stages": watch.stages}
    return result


def _plot(
    experiment: str,
    result: Result,
    folder: RunFolder,
    display: Display,
    durations: dict[str, Any],
) -> None:
    # a user's backend, and what is wrong in a matplotlibrc, are for other programs
    os.environ["MPLBACKEND"] = "agg"
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from dnnexp.plots import render

    start = time.perf_counter()
    for done, (name, png) in enumerate(render(experiment, result), start=1):
        folder.write(name, png)
        display(Work("plots", done, None))
    durations["plots"] = time.perf_counter() - start


@contextmanager
def _recorded(folder: RunFolder, options: Options) -> Iterator[tuple[dict[str, Any], Callable[[str], None]]]:
    """Keep `run.json` true: running, then interrupted or failed, or what the caller notes."""
    durations: dict[str, Any] = {}
    record = {"status": "running", "command": command_line()}
    record |= {"start": datetime.now(UTC).isoformat(timespec="milliseconds")}
    record |= {"end": None, "durations": durations} | environment(options.plugins)
    folder.write_json("run.json", record)

    def note(status: str) -> None:
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        folder.write_json("run.json", record | {"status": status, "end": ended})

    try:
        yield durations, note
    except BaseException as error:  # Ctrl-C and SIGTERM are no Exception
        with suppress(WriteError):  # the error under way says more
            note("failed" if isinstance(error, Exception) else "interrupted")
        raise


def _point_latest(folder: RunFolder) -> None:
    """A `latest` that cannot be made costs a message, not the run."""
    try:
        folder.point_latest()
    except WriteError as error:
        print(f"dnnexp: {error}", file=sys.stderr)

"""One run on the command line: its folder, its answer, its summary, and its error."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from rich.console import Console

from dnnexp.cli.interrupts import check
from dnnexp.cli.options import Options
from dnnexp.cli.progress import Display
from dnnexp.config.dump import dump
from dnnexp.core.data import DataError
from dnnexp.execution.run import CompletedRun, execute_run
from dnnexp.execution.summary import refusal, summary
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, UserCodeError
from dnnexp.registry import plain
from dnnexp.runs.environment import command_line
from dnnexp.runs.folder import RunFolder, WriteError


class RunOutcome(NamedTuple):
    """How a run ended.

    Attributes:
        code: the exit code.
        result: its result, without the arrays; None if it is not complete.
        expectations: every claim with its outcome.
        error: the error that kept it from being complete.
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


def execute(experiment: str, config: Any, options: Options) -> RunOutcome:
    """Run a config into a new folder and print its answer and summary, or its error."""
    start, begin = datetime.now(UTC), time.perf_counter()
    console = Console(stderr=True)
    try:
        folder = RunFolder.claim(options.output_dir, experiment, config.name)
        record = {"command": command_line()}
        with Display(console, config.name, options.quiet) as display:
            completed = execute_run(experiment, config, folder, options.run, display, record, check)
        point_latest(folder)
        outcome = _concluded(experiment, completed, folder, options, console)
    except BrokenPipeError:  # the reader of our output is gone: click ends the program
        raise
    except Exception as error:  # the other configs still run
        outcome = RunOutcome(explain(config.name, error), error=error)
        traceback.clear_frames(error.__traceback__)  # they hold the arrays
    return outcome._replace(start=start, seconds=time.perf_counter() - begin)


def _concluded(
    experiment: str, completed: CompletedRun, folder: RunFolder, options: Options, console: Console
) -> RunOutcome:
    """Print the answer and the summary of a complete run."""
    result, outcomes, document = completed
    without_arrays = replace(result, arrays={})  # many are kept until the last run ends
    ended = RunOutcome(0, without_arrays, tuple(outcomes))
    unmet = ended.unmet if options.strict else []
    answer(json.dumps(document, separators=(",", ":")) if options.as_json else str(folder.path))
    with suppress(OSError):  # the run is complete and has been answered, though stderr may be full or closed
        if not options.quiet:
            console.print(summary(find(experiment), result, outcomes))
        elif unmet or not result.passed:  # an exit code of 1 is never left unexplained
            console.print(refusal(find(experiment), result, unmet))
    return ended._replace(code=0 if result.passed and not unmet else 1)


def explain(name: str, error: Exception) -> int:
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
        return 4
    traceback.print_exception(error)  # a bug of ours or of a plugin
    return 4


def answer(line: str) -> None:
    """Print a line on stdout: the answer of the command.

    Raises:
        WriteError: stdout cannot be written.
    """
    try:
        click.echo(os.fsencode(line))  # a path may hold bytes that are not text
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(f"standard output: cannot be written: {error.strerror}") from error


def point_latest(folder: RunFolder) -> None:
    """Point `latest` to the folder; a failure is reported and does not fail the run."""
    try:
        folder.point_latest()
    except WriteError as error:
        print(f"dnnexp: {error}", file=sys.stderr)

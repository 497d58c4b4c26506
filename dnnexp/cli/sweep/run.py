"""A sweep on the command line: its plan, new or resumed, and its execution."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from dnnexp.cli.execute import answer, point_latest
from dnnexp.cli.sweep import SweepOptions, report
from dnnexp.cli.sweep.progress import SweepDisplay
from dnnexp.config.load import ConfigError
from dnnexp.config.overrides import is_override
from dnnexp.config.sweep import Plan, plan
from dnnexp.core.perturbation import THREADS
from dnnexp.execution import plan_file, sweep, table
from dnnexp.execution.code import Code
from dnnexp.execution.plan_file import Command, PlanError
from dnnexp.execution.pools import Pool, PoolError, Processes, Serial
from dnnexp.execution.run import RunOptions
from dnnexp.execution.supervisor import Limits, Supervisor
from dnnexp.execution.worker import Task, WorkerSettings
from dnnexp.runs.environment import command_line
from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.runs.journal import HeldError, Journal
from dnnexp.runs.sweep_folder import SweepFolder
from dnnexp.runs.threads import THREAD_VARIABLES

JOURNAL = "journal.jsonl"


def run(arguments: Sequence[str], options: SweepOptions) -> int:
    """Start or resume a sweep; returns the exit code."""
    try:
        if options.resume is not None:
            return _resume(options.resume, arguments, options)
        return _start(arguments, options)
    except WriteError as error:
        click.echo(f"dnnexp: {error}", err=True)
        return 3
    except ConfigError as error:
        click.echo(str(error), err=True)
    except (PlanError, HeldError, PoolError) as error:
        click.echo(f"dnnexp: {error}", err=True)
    return 2


def _start(arguments: Sequence[str], options: SweepOptions) -> int:
    command, code = _command(arguments, options), Code.of(options.plugins)
    planned = _plan(command)
    if options.dry_run:
        return report.dry_run(planned, options.as_json)
    with closing(open_pool(len(planned.jobs), options)) as pool:
        folder = sweep.claim(options.output_dir, planned, command, code)
        with Journal(folder.path / JOURNAL) as journal:
            execution = SweepExecution(planned, folder, journal, code, command.smoke, options)
            return execution.run(pool, sweep.tasks(folder.path, planned.jobs))


def _command(arguments: Sequence[str], options: SweepOptions) -> Command:
    files = tuple(os.path.abspath(argument) for argument in arguments if not is_override(argument))
    if not files:
        raise click.UsageError("a sweep needs a CONFIG: a sweep file, or one or more configs of experiments")
    edits = tuple(argument for argument in arguments if is_override(argument))
    return Command(files, edits, options.smoke, options.name, options.seed)


def _plan(command: Command) -> Plan:
    files = [_from_here(file) for file in command.files]
    return plan(files, command.arguments, command.smoke, command.name, command.seed, table.outline)


def _from_here(file: str) -> Path:
    """A path relative to the working directory if it lies below it."""
    path = Path(file)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _resume(path: Path, arguments: Sequence[str], options: SweepOptions) -> int:
    """Resume the sweep in a folder, with the stored plan or with additions to it."""
    if path.is_symlink():  # `latest`, which will point elsewhere
        path = path.parent / path.readlink()
    plan_file.read(path)  # raises if the folder has no sweep
    with Journal(path / JOURNAL) as journal:
        before, code, folder = plan_file.read(path), Code.of(options.plugins), RunFolder(path)
        other = before.other_code(code)
        if other and not options.other_code:
            raise PlanError(f"{path}: {other}; --other-code accepts it")
        command, now = _planned_again(before, arguments, options)
        if sweep.has_additions(path, before.plan, now, options.extend) or other:
            plan_file.write(folder, now, command, code)
        place = SweepFolder(path)
        place.discard_torn()
        place.discard_attempts()
        sweep.journal_unrecorded(journal, path, now.jobs)
        tasks = sweep.tasks(path, now.jobs)
        with closing(open_pool(len(tasks), options)) as pool:
            return SweepExecution(now, folder, journal, code, command.smoke, options).run(pool, tasks)


def _planned_again(
    before: plan_file.Planned, arguments: Sequence[str], options: SweepOptions
) -> tuple[Command, Plan]:
    """The plan of the stored command, or of new arguments, now; the stored plan if its files are gone."""
    command = before.command
    if arguments:
        given = _command(arguments, options)
        command = replace(command, files=given.files, arguments=given.arguments)
    elif gone := [str(source) for source in before.plan.sources if not source.exists()]:
        click.echo(f"dnnexp: {', '.join(gone)} no longer exists: resuming with the stored plan", err=True)
        return command, before.plan
    return command, _plan(command)


def open_pool(jobs: int, options: SweepOptions) -> Pool:
    """The pool in which the jobs will run.

    Raises:
        PoolError: the cluster does not exist, or no process can be started.
    """
    workers = max(1, min(options.workers, jobs))
    if options.executor == "serial" or not jobs:
        return Serial()
    if options.executor == "processes":
        try:
            return Processes(workers, ["dnnexp.execution.worker"])
        except OSError as error:
            raise PoolError(
                f"no worker process can be started: {error.strerror}; --executor serial needs none"
            ) from None
    from dnnexp.execution.dask_pool import Dask

    environment = dict.fromkeys(THREAD_VARIABLES, "1")
    return Dask(options.jobs if options.scheduler else workers, options.scheduler, environment)


@dataclass(frozen=True)
class SweepExecution:
    """The execution of a sweep by this process, which holds its lock."""

    plan: Plan
    folder: RunFolder
    journal: Journal
    code: Code
    skip: bool  # do not decide expectations
    options: SweepOptions
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def run(self, pool: Pool, tasks: Sequence[Task]) -> int:
        """Run the jobs, write and show the results; returns the exit code."""
        try:
            self._work(pool, tasks)
        except KeyboardInterrupt:
            pool.close()
            self._print_resume_command()
            self.journal.record("stopped", error="interrupted")
            self._results(plots=False)
            raise
        except PoolError as error:
            click.echo(f"dnnexp: {error}", err=True)
            self.journal.record("stopped", error=str(error))
        else:
            if hasattr(os, "sync"):
                os.sync()  # workers write without waiting for the disk
        document = self._results(plots=not self.options.no_plots)
        if document["counts"]["complete"] == len(self.plan.jobs):
            if tasks:  # resuming a complete sweep does not make it the latest
                point_latest(self.folder)
        else:
            self._print_resume_command()
        as_json = self.options.as_json
        answer(json.dumps(document, separators=(",", ":")) if as_json else str(self.folder.path))
        return report.conclude(self.console, self.plan, document, self.options)

    def _work(self, pool: Pool, tasks: Sequence[Task]) -> None:
        with SweepDisplay(self.console, self.plan, len(tasks), self.options.quiet) as display:
            limits = Limits(self.options.retries, self.options.max_failures)
            recorder = sweep.Recorder(self.journal, display)
            Supervisor(pool, self._settings(len(tasks)), limits, recorder).run(tasks)

    def _settings(self, jobs: int) -> WorkerSettings:
        plots = not self.options.no_plots
        options = RunOptions(self.plan.sweep.smoke, plots, plugins=self.code.plugins)
        is_here = self.options.executor == "serial"
        workers = max(1, min(self.options.workers, jobs))
        threads = int(os.environ.get(THREADS) or max(1, self.options.cores // workers))
        code, folder = None if is_here else self.code, self.folder.path.resolve()
        return WorkerSettings(folder, options, code, threads, tuple(command_line()))

    def _results(self, plots: bool) -> dict[str, Any]:
        SweepFolder(self.folder.path).discard_attempts()
        sweep.journal_unrecorded(self.journal, self.folder.path, self.plan.jobs)
        return sweep.results(self.plan, self.folder, self.skip, plots)

    def _print_resume_command(self) -> None:
        options = self.options
        words = ["dnnexp", "sweep", "--resume", str(self.folder.path)]
        words += ["--executor", options.executor] * (options.executor != "processes")
        for option, value in (("--scheduler", options.scheduler), ("--jobs", options.jobs)):
            words += [option, str(value)] * (value is not None)
        words += ["--retries", str(options.retries)] * bool(options.retries)
        words += ["--no-plots"] * options.no_plots
        words += [word for plugin in options.plugins for word in ("--plugin", str(plugin))]
        click.echo(f"dnnexp: to resume: {shlex.join(words)}", err=True)

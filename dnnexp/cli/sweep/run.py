"""A sweep on the command line: the steps, in order."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
from rich.console import Console

from dnnexp.cli.answer import answer, point_latest
from dnnexp.cli.sweep import report
from dnnexp.cli.sweep.options import SweepOptions
from dnnexp.cli.sweep.progress import SweepDisplay
from dnnexp.config.load import ConfigError
from dnnexp.config.overrides import is_override
from dnnexp.config.sweep import Plan, plan
from dnnexp.core.perturbation import THREADS
from dnnexp.execution import plan_file, sweep
from dnnexp.execution.plan_file import Command, PlanError
from dnnexp.execution.pools import Pool, PoolError, Processes, Serial
from dnnexp.execution.run import Manner
from dnnexp.execution.supervisor import Limits, Supervisor
from dnnexp.execution.worker import Setting
from dnnexp.runs.environment import command_line
from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.runs.journal import HeldError, Journal
from dnnexp.runs.sweep_folder import SweepFolder
from dnnexp.runs.threads import THREAD_VARIABLES


def run(arguments: Sequence[str], options: SweepOptions) -> int:
    """Do or resume a sweep; returns the exit code."""
    try:
        if options.resume is not None:
            return _resume(options.resume, arguments, options)
        command = _command(arguments, options)
        planned = _plan(command)
        if options.dry_run:
            return report.dry_run(planned, options.as_json)
        folder = sweep.claim(options.output_dir, planned, command, options.plugins)
        with Journal(folder.path / "journal.jsonl") as journal:
            return _Session(planned, folder, journal, command, options).run()
    except WriteError as error:
        click.echo(f"dnnexp: {error}", err=True)
        return 3
    except ConfigError as error:
        click.echo(str(error), err=True)
    except (PlanError, HeldError, PoolError) as error:
        click.echo(f"dnnexp: {error}", err=True)
    return 2


def _command(arguments: Sequence[str], options: SweepOptions) -> Command:
    files = tuple(os.path.abspath(argument) for argument in arguments if not is_override(argument))
    if not files:
        raise click.UsageError("a sweep needs a CONFIG: a sweep file, or one or more configs of runs")
    edits = tuple(argument for argument in arguments if is_override(argument))
    return Command(files, edits, options.smoke, options.name, options.seed)


def _plan(command: Command) -> Plan:
    files = [Path(file) for file in command.files]
    planned = plan(files, command.arguments, command.smoke, command.name, command.seed)
    if problems := sweep.claim_problems(planned):
        raise ConfigError(f"{command.files[0]}: {problem}" for problem in problems)
    return planned


def _resume(path: Path, arguments: Sequence[str], options: SweepOptions) -> int:
    """Go on in a folder, with the plan as it was, or with additions to it."""
    if path.is_symlink():  # `latest`, which will point elsewhere
        path = path.parent / path.readlink()
    plan_file.read(path)  # there is a sweep
    with Journal(path / "journal.jsonl") as journal:
        document = plan_file.read(path)
        if (code := plan_file.other_code(document, options.plugins)) and not options.other_code:
            raise PlanError(f"{path}: {code}; --other-code accepts it")
        command, before = document["command"], plan_file.planned(document, path)
        if arguments:
            given = _command(arguments, options)
            command = replace(command, files=given.files, arguments=given.arguments)
        elif gone := [str(source) for source in before.sources if not source.exists()]:
            click.echo(f"dnnexp: going on with the plan as it was: {', '.join(gone)} is gone", err=True)
            return _Session(before, RunFolder(path), journal, command, options).run()
        now, folder = _plan(command), RunFolder(path)
        if sweep.extended(path, before.jobs, now, options.extend):
            plan_file.write(folder, now, command, options.plugins)
        return _Session(now, folder, journal, command, options).run()


@dataclass(frozen=True)
class _Session:
    """A sweep that is ours to work on, from now to its end or until it is stopped."""

    plan: Plan
    folder: RunFolder
    journal: Journal
    command: Command
    options: SweepOptions
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def run(self) -> int:
        """Do what is missing, then write and show the results; returns the exit code."""
        stopped: BaseException | None = None
        try:
            self._work()
        except (KeyboardInterrupt, PoolError) as error:
            stopped = error
            self.journal.record("stopped", error=str(error) or "interrupted")
        plots = stopped is None and not self.options.no_plots
        document = sweep.results(self.plan, self.folder, self.command.smoke, plots)
        if document["counts"]["complete"] < len(self.plan.jobs):
            why = f"{stopped}; " if isinstance(stopped, PoolError) else ""
            click.echo(f"dnnexp: {why}to go on: {self._resume_command()}", err=True)
        if isinstance(stopped, KeyboardInterrupt):
            raise stopped
        point_latest(self.folder)
        as_json = self.options.as_json
        answer(json.dumps(document, separators=(",", ":")) if as_json else str(self.folder.path))
        return report.conclude(self.console, self.plan, document, self.options)

    def _work(self) -> None:
        path = self.folder.path
        SweepFolder(path).discard_attempts()
        tasks = sweep.tasks(path, self.plan.jobs)
        if not tasks:
            return
        pool = _pool(min(self.options.workers, len(tasks)), self.options)
        try:
            with SweepDisplay(self.console, self.plan, len(tasks), self.options.quiet) as display:
                limits = Limits(self.options.retries, self.options.max_failures)
                recorder = sweep.Recorder(self.journal, display)
                Supervisor(pool, self._setting(), limits, recorder).run(tasks)
        finally:
            pool.close()

    def _setting(self) -> Setting:
        plugins = tuple(path.resolve() for path in self.options.plugins)
        plots, record = not self.options.no_plots, {"command": command_line()}
        manner = Manner(self.plan.sweep.smoke, plots, plugins=plugins, record=record)
        load = () if self.options.executor == "serial" else plugins
        return Setting(self.folder.path.resolve(), manner, load)

    def _resume_command(self) -> str:
        plugins = [word for plugin in self.options.plugins for word in ("--plugin", str(plugin))]
        return shlex.join(["dnnexp", "sweep", "--resume", str(self.folder.path), *plugins])


def _pool(workers: int, options: SweepOptions) -> Pool:
    if options.executor == "serial":
        return Serial()
    threads = {THREADS: str(max(1, (os.cpu_count() or 1) // workers))}
    if options.executor == "processes":
        os.environ.update(threads)  # the processes' own; BLAS has been kept to one thread before
        return Processes(workers, ["dnnexp.execution.worker"])
    from dnnexp.execution.dask_pool import Dask

    environment = dict.fromkeys(THREAD_VARIABLES, "1") | threads
    return Dask(options.jobs if options.scheduler else workers, options.scheduler, environment)

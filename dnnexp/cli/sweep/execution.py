"""An execution of a sweep: the jobs that are missing are done, then its results are written and shown."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console

from dnnexp.cli.answer import answer, point_latest
from dnnexp.cli.sweep import report
from dnnexp.cli.sweep.options import SweepOptions
from dnnexp.cli.sweep.progress import SweepDisplay
from dnnexp.config.sweep import Plan
from dnnexp.core.perturbation import THREADS
from dnnexp.execution import sweep
from dnnexp.execution.code import Code
from dnnexp.execution.pools import Pool, PoolError, Processes, Serial
from dnnexp.execution.run import RunOptions
from dnnexp.execution.supervisor import Limits, Supervisor
from dnnexp.execution.worker import Task, WorkerSettings
from dnnexp.runs.environment import command_line
from dnnexp.runs.folder import RunFolder
from dnnexp.runs.journal import Journal
from dnnexp.runs.sweep_folder import SweepFolder
from dnnexp.runs.threads import THREAD_VARIABLES


def open_pool(jobs: int, options: SweepOptions) -> Pool:
    """Where so many jobs are to be done.

    Raises:
        PoolError: there is no such cluster, or no process can be started.
    """
    workers = max(1, min(options.workers, jobs))
    if options.executor == "serial" or not jobs:
        return Serial()
    if options.executor == "processes":
        try:
            return Processes(workers, ["dnnexp.execution.worker"])
        except OSError as error:
            raise PoolError(
                f"no worker can be started: {error.strerror} (--executor serial needs none)"
            ) from None
    from dnnexp.execution.dask_pool import Dask

    environment = dict.fromkeys(THREAD_VARIABLES, "1")
    return Dask(options.jobs if options.scheduler else workers, options.scheduler, environment)


@dataclass(frozen=True)
class SweepExecution:
    """A sweep that is ours to work on, from now to its end or until it is stopped."""

    plan: Plan
    folder: RunFolder
    journal: Journal
    code: Code
    skip: bool  # leave expectations undecided
    options: SweepOptions
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def run(self, pool: Pool, tasks: Sequence[Task]) -> int:
        """Do the jobs, then write and show the results; returns the exit code."""
        try:
            self._work(pool, tasks)
        except KeyboardInterrupt:
            pool.close()
            self._tell_how_to_go_on()
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
            if tasks:  # a look at an older sweep makes it no newer
                point_latest(self.folder)
        else:
            self._tell_how_to_go_on()
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
        sweep.tell_journal(self.journal, self.folder.path, self.plan.jobs)
        return sweep.results(self.plan, self.folder, self.skip, plots)

    def _tell_how_to_go_on(self) -> None:
        options = self.options
        words = ["dnnexp", "sweep", "--resume", str(self.folder.path)]
        words += ["--executor", options.executor] * (options.executor != "processes")
        for option, value in (("--scheduler", options.scheduler), ("--jobs", options.jobs)):
            words += [option, str(value)] * (value is not None)
        words += ["--retries", str(options.retries)] * bool(options.retries)
        words += ["--no-plots"] * options.no_plots
        words += [word for plugin in options.plugins for word in ("--plugin", str(plugin))]
        click.echo(f"dnnexp: to go on: {shlex.join(words)}", err=True)

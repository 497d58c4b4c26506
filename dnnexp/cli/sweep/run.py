"""A sweep on the command line: its plan, new or as it was, and its execution."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from dnnexp.cli.sweep import report
from dnnexp.cli.sweep.execution import SweepExecution, open_pool
from dnnexp.cli.sweep.options import SweepOptions
from dnnexp.config.load import ConfigError
from dnnexp.config.overrides import is_override
from dnnexp.config.sweep import Plan, plan
from dnnexp.execution import plan_file, sweep, table
from dnnexp.execution.code import Code
from dnnexp.execution.plan_file import Command, PlanError
from dnnexp.execution.pools import PoolError
from dnnexp.runs.folder import RunFolder, WriteError
from dnnexp.runs.journal import HeldError, Journal
from dnnexp.runs.sweep_folder import SweepFolder

JOURNAL = "journal.jsonl"


def run(arguments: Sequence[str], options: SweepOptions) -> int:
    """Do or resume a sweep; returns the exit code."""
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
        raise click.UsageError("a sweep needs a CONFIG: a sweep file, or one or more configs of runs")
    edits = tuple(argument for argument in arguments if is_override(argument))
    return Command(files, edits, options.smoke, options.name, options.seed)


def _plan(command: Command) -> Plan:
    files = [_from_here(file) for file in command.files]
    return plan(files, command.arguments, command.smoke, command.name, command.seed, table.outline)


def _from_here(file: str) -> Path:
    """An absolute path as one would type it: relative where it lies below the working directory."""
    path = Path(file)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _resume(path: Path, arguments: Sequence[str], options: SweepOptions) -> int:
    """Go on in a folder, with the plan as it was, or with additions to it."""
    if path.is_symlink():  # `latest`, which will point elsewhere
        path = path.parent / path.readlink()
    plan_file.read(path)  # there is a sweep
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
        sweep.tell_journal(journal, path, now.jobs)
        tasks = sweep.tasks(path, now.jobs)
        with closing(open_pool(len(tasks), options)) as pool:
            return SweepExecution(now, folder, journal, code, command.smoke, options).run(pool, tasks)


def _planned_again(
    before: plan_file.Planned, arguments: Sequence[str], options: SweepOptions
) -> tuple[Command, Plan]:
    """The plan that the same command, or the arguments, make now; as it was where its files are gone."""
    command = before.command
    if arguments:
        given = _command(arguments, options)
        command = replace(command, files=given.files, arguments=given.arguments)
    elif gone := [str(source) for source in before.plan.sources if not source.exists()]:
        click.echo(f"dnnexp: going on with the plan as it was: {', '.join(gone)} is gone", err=True)
        return command, before.plan
    return command, _plan(command)

"""`dnnexp runs list`: the runs in the output folder, newest first."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dnnexp.cli.runs.filters import since
from dnnexp.cli.runs.options import where_option
from dnnexp.runs.record import STATUSES, Run

_COUNTS = ("jobs", "complete", "failed", "missing")


@click.command("list", short_help="List past runs, newest first.")
@where_option
@click.option("--experiment", "experiments", multiple=True, help="Only runs of this experiment, or `sweep`.")
@click.option("--name", metavar="GLOB", help="Only runs whose name matches.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only runs with this status."
)
@click.option(
    "--since",
    "begin",
    metavar="WHEN",
    callback=since,
    help="Only runs started since WHEN: 2026-11-24 (UTC), or 90s, 30m, 2h, 3d, 1w ago.",
)
@click.option("--where", metavar="EXPR", help="Only runs for which this expression is true; see above.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
def command(
    output: Path,
    experiments: tuple[str, ...],
    name: str | None,
    statuses: tuple[str, ...],
    begin: datetime | None,
    where: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the runs and sweeps in the output folder, newest first.

    A run is complete, running, failed, interrupted, or torn (it ended without recording why).

    EXPR is an expression as in a config's checks, over `experiment name seed status start seconds passed`,
    and over the `metrics` and the `config` of a run, such as: experiment == "optimize" and config.seed > 3
    and metrics.optimizers.adam.converged == 0. Runs for which it cannot be evaluated are not listed.
    """
    from dnnexp.cli.runs.filters import keep
    from dnnexp.runs.catalogue import scan

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    _check_folder(output)
    try:
        found = scan(output) if output.is_dir() else []
    except OSError as error:
        raise click.BadParameter(f"{output}: cannot be read: {error.strerror}") from None
    kept = list(keep(found, experiments, name, statuses, begin, where))
    if as_json:
        click.echo(json.dumps([described(run) for run in kept], indent=2))
    elif as_csv:
        click.echo(_csv(kept), nl=False)
    elif kept:
        _print(kept)
    else:
        click.echo(f"dnnexp: no run in {output}{' matches' if found else ''}", err=True)


def _check_folder(output: Path) -> None:
    """Refuse a missing folder that was named; the default folder may not exist yet."""
    source = click.get_current_context().get_parameter_source("output")
    is_default = source is click.core.ParameterSource.DEFAULT
    if not output.is_dir() and (output.exists() or not is_default):
        problem = "is not a folder" if output.exists() else "there is no such folder"
        raise click.BadParameter(f"{output}: {problem}", param_hint="--output-dir")


def described(run: Run) -> dict[str, Any]:
    """A run as a mapping for JSON."""
    return {
        "run": run.path.name,
        "path": str(run.path),
        "experiment": run.experiment,
        "name": run.name,
        "seed": run.seed,
        "status": run.status,
        "start": None if run.start is None else run.start.isoformat(timespec="milliseconds"),
        "seconds": run.seconds,
        "jobs": None if run.jobs is None else dict(run.jobs),
    }


def _csv(runs: Iterable[Run]) -> str:
    """One row per run; the numbers of a sweep's jobs have columns of their own."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    head = ("run", "path", "experiment", "name", "seed", "status", "start", "seconds")
    writer.writerow([*head, "jobs", *(f"jobs_{name}" for name in _COUNTS[1:])])
    for run in runs:
        row = described(run)
        writer.writerow([*(row[name] for name in head), *(map((run.jobs or {}).get, _COUNTS))])
    return buffer.getvalue()


def _print(runs: Iterable[Run]) -> None:
    from rich.console import Console

    from dnnexp.cli.runs.columns import STYLES, Columns, state
    from dnnexp.text import duration, printable

    rows = [
        (
            printable(os.fsencode(run.path.name).decode(errors="replace")),
            "–" if run.seed is None else str(run.seed),
            duration(run.seconds),
            (state(run), STYLES[run.status]),
        )
        for run in runs
    ]
    Console().print(Columns(("run", "seed", "time", "status"), rows, left=frozenset({3})), soft_wrap=True)

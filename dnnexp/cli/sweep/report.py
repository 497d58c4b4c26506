"""The plan of a sweep for `--dry-run`, and the summary of its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.cli.sweep import SweepOptions
from dnnexp.config.sweep import Plan
from dnnexp.execution.summary import expectations
from dnnexp.text import counted, printable

_MAX_LISTED_JOBS = 20
"""Jobs listed one by one in a summary; of more, the number is given."""


def dry_run(plan: Plan, as_json: bool) -> int:
    """Print the jobs of a plan."""
    if as_json:
        jobs = [
            {"job": job.key, "experiment": job.experiment, "name": job.name, "base": job.base}
            | {"swept": job.swept}
            for job in plan.jobs
        ]
        click.echo(json.dumps({"name": plan.sweep.name, "count": len(jobs), "jobs": jobs}))
        return 0
    keys = list(dict.fromkeys(key for job in plan.jobs for key in job.swept))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("job", *(keys or ["name"])):
        table.add_column(heading, overflow="fold")
    for job in plan.jobs:
        values = [word(job.swept[key]) if key in job.swept else "" for key in keys]
        table.add_row(Text(job.key[:8]), *map(Text, values or [job.name]))
    Console().print(table)
    click.echo(_count(plan))
    return 0


def _count(plan: Plan) -> str:
    said = counted(len(plan.jobs), "job")
    if plan.excluded:
        said += f", {plan.excluded} excluded"
    if plan.merged:
        said += f", {plan.merged} equal to another"
    return said


def conclude(console: Console, plan: Plan, document: Mapping[str, Any], options: SweepOptions) -> int:
    """Show the results; returns the exit code."""
    failed = [row for row in document["rows"] if row["status"] != "complete"]
    refused = [row for row in document["rows"] if row["passed"] is False]
    unmet = [entry for entry in document["expectations"] if entry["outcome"] in ("fails", "not_evaluable")]
    code = 1 if failed or (options.strict and (refused or unmet)) else 0
    if options.quiet and not code:
        return 0
    parts: list[RenderableType] = [Text(_tally(plan, document))]
    parts += [*_best(plan, document)] * (not options.quiet)
    parts += _listed("not complete", failed, plan)
    parts += _listed("verdict no", refused, plan)
    parts += expectations(unmet if options.quiet else document["expectations"])
    with suppress(
        OSError
    ):  # the sweep is complete and has been answered, though stderr may be full or closed
        console.print(Group(*parts))
    return code


def _tally(plan: Plan, document: Mapping[str, Any]) -> str:
    counts = document["counts"]
    said = f"{plan.sweep.name}: {_count(plan)}: {counts['complete']:,} complete"
    said += f", {counts['failed']:,} failed" * bool(counts["failed"])
    return said + f", {counts['missing']:,} not done" * bool(counts["missing"])


def _best(plan: Plan, document: Mapping[str, Any]) -> list[RenderableType]:
    """The settings with the smallest value of each metric that varies."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("metric", overflow="fold")
    table.add_column("smallest", justify="right", no_wrap=True)
    table.add_column("at", overflow="fold")
    for label, group in document["least"].items():
        if group is not None and len({other[label] for other in document["groups"]}) > 1:
            swept = {key: group[key] for key in document["keys"] if key in group}
            table.add_row(Text(label), f"{group[label]:.4g}", Text(place(swept)))
    return [table] if table.rows and document["keys"] else []


def _listed(title: str, rows: list[Any], plan: Plan) -> list[RenderableType]:
    if not rows:
        return []
    jobs = {job.key: job for job in plan.jobs}
    lines: list[RenderableType] = [Text(""), Text(title, style="bold")]
    for row in rows[:_MAX_LISTED_JOBS]:
        job = jobs[row["job"]]
        why = row["error"] or ("not done" if row["status"] == "missing" else "")
        lines.append(Text(printable(f"{job.key[:8]}  {place(job.swept) or job.name}  {why}")))
    rest = len(rows) - _MAX_LISTED_JOBS
    return [*lines, Text(f"... and {rest:,} more: see results.csv")] if rest > 0 else lines


def place(swept: Mapping[str, Any]) -> str:
    """The swept values of a job as overrides: `optimizers.adam.learning_rate=0.1 seed=3`."""
    return " ".join(f"{key}={word(value)}" for key, value in swept.items())


def word(value: Any) -> str:
    """A value as in an override."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

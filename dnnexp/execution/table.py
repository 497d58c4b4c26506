"""The table of a sweep: one row per job, medians over repeats, and the same as CSV."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dnnexp import expression
from dnnexp.config.expectations import judge
from dnnexp.config.sweep import Job, Metric, SweepConfig
from dnnexp.config.sweep.expressions import common_type
from dnnexp.execution import spreadsheet
from dnnexp.execution.spreadsheet import Scalars
from dnnexp.experiments import find
from dnnexp.experiments.base import Outline, finite, quantile
from dnnexp.runs.folder import SCHEMA_VERSION
from dnnexp.runs.journal import events
from dnnexp.runs.record import is_complete, read_json
from dnnexp.runs.sweep_folder import SweepFolder

Row: TypeAlias = dict[str, Any]
SEED = "seed"
_BESIDE_VALUES = ("experiment", "name", "passed", "error")
"""Columns of a row that the CSV leaves out: the metrics or the journal have them."""


class SweepTable(NamedTuple):
    """The document of `results.json`, and every scalar of each job's metrics."""

    document: dict[str, Any]
    scalars: Scalars


def build(sweep: SweepConfig, jobs: Sequence[Job], folder: Path, skip: bool = False) -> SweepTable:
    """The results of the jobs under `folder/jobs` so far.

    A job is complete where it has `metrics.json`, failed where its `run.json` or the journal says so,
    otherwise missing. `skip` skips the expectations.
    """
    sweep_folder = SweepFolder(folder)
    keys, columns = keys_of(jobs), _columns(sweep, jobs)
    rows: list[Row] = []
    scalars = Scalars()
    same = {metric.label for metric in metrics_of(sweep, jobs) if metric.label == metric.value}
    failures = _failures(folder)
    for job in jobs:  # one at a time: the metrics of all would fill the memory
        head = _head(job, sweep_folder, failures)
        metrics = head.pop("metrics")
        values = {name: _number(parsed.value(metrics)) if metrics else None for name, parsed in columns}
        rows.append({**head, **values_of(job, keys), **values})
        scalars.add(metrics or {}, leave_out=same)
    names = [name for name, _ in columns]
    labels = [metric.label for metric in metrics_of(sweep, jobs)]
    groups = _groups(rows, [key for key in keys if key != SEED], labels, names)
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "name": sweep.name,
        "keys": [key for key in keys if key != SEED],
        "metrics": labels,
        "counts": {"jobs": len(rows)} | _counts(rows, ("complete", "failed", "missing")),
        "rows": rows,
        "groups": groups,
        "least": {label: _least(groups, label) for label in labels},
    }
    return SweepTable(document | {"expectations": judge(sweep.expect, document, skip)}, scalars)


def _columns(sweep: SweepConfig, jobs: Sequence[Job]) -> list[tuple[str, expression.Expression]]:
    """Name and expression of every column that the metrics of a job give."""
    found = []
    for metric in metrics_of(sweep, jobs):
        found.append((metric.label, metric.value))
        if metric.theory is not None:
            found.append((f"{metric.label}.theory", metric.theory))
        if metric.contour is not None:
            found.append((f"{metric.label}.contour", metric.contour.value))
    return [(name, expression.parse(text)) for name, text in found]


def _failures(folder: Path) -> dict[str, str | None]:
    """The errors of the jobs that failed according to their last event in the journal."""
    last = {event.get("job"): event for event in events(folder / "journal.jsonl")}
    return {str(key): event.get("error") for key, event in last.items() if event.get("event") == "failed"}


def _head(job: Job, folder: SweepFolder, failures: Mapping[str, str | None]) -> Row:
    """The head of a job's row, with its metrics, None where it is not complete."""
    head: Row = {"job": job.key, "status": "missing", "experiment": job.experiment, "name": job.name}
    head |= {"passed": None, "error": None, "metrics": None}
    path = folder.jobs / job.key
    if is_complete(path):
        metrics = read_json(path / "metrics.json").get("metrics")
        if not isinstance(metrics, dict):
            return head | {"status": "complete", "error": "metrics.json is damaged"}
        passed = metrics.get("passed")
        verdict = passed if isinstance(passed, bool) else None
        return head | {"status": "complete", "passed": verdict, "metrics": metrics}
    record = folder.record(job.key)
    if record.get("status") == "failed":
        return head | {"status": "failed", "error": record.get("error")}
    if job.key in failures:  # its folder could not be kept
        return head | {"status": "failed", "error": failures[job.key]}
    return head


def _number(value: Any) -> float | None:
    """A number; 1 and 0 for true and false; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    is_finite = isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return value if is_finite else None


def _counts(rows: Iterable[Row], statuses: Iterable[str]) -> dict[str, int]:
    found = [row["status"] for row in rows]
    return {status: found.count(status) for status in statuses}


def _groups(rows: Iterable[Row], keys: list[str], labels: list[str], names: list[str]) -> list[Row]:
    """One group for all rows with equal settings: medians and quartiles over the complete ones.

    A null stands for a number that is not finite and counts as +inf, as diverged runs do in an experiment.
    """
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(setting(row, keys), []).append(row)
    groups = []
    for part in parts.values():
        counts = _counts(part, ("complete", "failed", "missing"))
        head = {key: part[0][key] for key in keys}
        groups.append(head | {"runs": counts.pop("complete")} | counts)
    complete = [[row for row in part if row["status"] == "complete"] for part in parts.values()]
    for name in names:
        columns = [[row[name] for row in part] for part in complete]
        for group, (low, median, high) in zip(groups, _quartiles(columns), strict=True):
            group[name] = median
            if name in labels:
                group |= {f"{name}.low": low, f"{name}.high": high}
    return groups


def _quartiles(columns: Sequence[Sequence[float | None]]) -> list[tuple[float | None, ...]]:
    """The quartiles of each column, lower first; None where they are not finite."""
    found: list[tuple[float | None, ...]] = [(None, None, None)] * len(columns)
    for size in {len(column) for column in columns} - {0}:  # all of a length at once
        places = [place for place, column in enumerate(columns) if len(column) == size]
        values = np.array([columns[place] for place in places], dtype=np.float64)  # None becomes NaN
        for place, row in zip(places, quantile(values, (0.25, 0.5, 0.75)).T, strict=True):
            found[place] = tuple(map(finite, row))
    return found


def _least(groups: Iterable[Row], label: str) -> Row | None:
    """The group with the smallest median."""
    found = [group for group in groups if group[label] is not None]
    return min(found, key=lambda group: float(group[label]), default=None)


def outline(sweep: SweepConfig, jobs: Sequence[Job]) -> Outline:
    """The shape of the document, to check expectations against."""
    keys = keys_of(jobs)
    swept = [values_of(job, keys) for job in jobs]
    types = {key: common_type(values[key] for values in swept) for key in keys}
    names = [name for name, _ in _columns(sweep, jobs)]
    labels = [metric.label for metric in metrics_of(sweep, jobs)]
    settings = [key for key in keys if key != SEED]
    head = {"job": str, "status": str, "experiment": str, "name": str, "passed": bool, "error": str}
    group: Outline = {key: types[key] for key in settings} | {"runs": int, "failed": int, "missing": int}
    group |= dict.fromkeys(names, float)
    group |= {f"{label}.{end}": float for label in labels for end in ("low", "high")}
    return {
        "schema_version": int,
        "name": str,
        "keys": [str] * len(settings),
        "metrics": [str] * len(labels),
        "counts": dict.fromkeys(("jobs", "complete", "failed", "missing"), int),
        "rows": [head | types | dict.fromkeys(names, float)] * len(jobs),
        "groups": [group] * len({setting(values, settings) for values in swept}),
        "least": dict.fromkeys(labels, group),
    }


def csv_text(table: SweepTable) -> str:
    """The table for spreadsheets: one line per job, with all scalars of its metrics."""
    rows = table.document["rows"]
    columns = dict.fromkeys(key for row in rows for key in row if key not in _BESIDE_VALUES)
    return spreadsheet.csv_text(list(columns), rows, table.scalars)


def metrics_of(sweep: SweepConfig, jobs: Sequence[Job]) -> tuple[Metric, ...]:
    """The metrics of a sweep: its own or, where it names none, the headlines of its experiments."""
    return sweep.metrics or tuple(
        Metric(label=headline.label or "", value=headline.expression)
        for experiment in dict.fromkeys(job.experiment for job in jobs)
        for headline in find(experiment).headlines([j.tree for j in jobs if j.experiment == experiment])
    )


def keys_of(jobs: Sequence[Job]) -> list[str]:
    """The keys that any job sweeps, in order."""
    return list(dict.fromkeys(key for job in jobs for key in job.swept))


def values_of(job: Job, keys: Sequence[str]) -> dict[str, Any]:
    """The job's values for these keys; where others sweep a key and it does not, what its config has."""
    return {key: job.swept[key] if key in job.swept else _scalar(job.tree, key) for key in keys}


def setting(values: Mapping[str, Any], keys: Sequence[str]) -> str:
    """A text that is equal for jobs with equal values for these keys."""
    return json.dumps([_canonical(values[key]) for key in keys], sort_keys=True)


def _canonical(value: Any) -> Any:
    """1.0 as 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _scalar(tree: Any, key: str) -> Any:
    """The scalar at a dotted key (items of a list by index or label), or None."""
    for step in key.split("."):
        if isinstance(tree, list):
            tree = {str(place): item for place, item in enumerate(tree)} | {
                item.get("label", item.get("name")): item for item in tree if isinstance(item, Mapping)
            }
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, bool | int | float | str) else None

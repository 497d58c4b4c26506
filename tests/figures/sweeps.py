"""Results of sweeps that were never run: documents made from settings and values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dnnexp.config.sweep import Metric, SweepConfig
from dnnexp.experiments.base import Result

FAILED, MISSING = "failed", "missing"
Value = float | None | str
Find = Callable[[Mapping[str, Any]], Any]


def swept(settings: Sequence[Mapping[str, Any]], find: Find, *metrics: Metric, **more: Any) -> Result:
    """The result of a sweep: `find` gives a setting's columns, the only number, or a status."""
    metrics = metrics or (Metric(value="m"),)
    labels = [metric.label for metric in metrics]
    rows = [_row(setting, find(setting), labels) for setting in settings]
    keys = [key for key in (settings[0] if settings else {}) if key != "seed"]
    statuses = [row["status"] for row in rows]
    document = {
        "name": "study",
        "keys": keys,
        "metrics": labels,
        "counts": {"jobs": len(rows)} | {s: statuses.count(s) for s in ("complete", FAILED, MISSING)},
        "rows": rows,
        "groups": _groups(rows, keys, labels),
    }
    return Result(SweepConfig(base="b", metrics=metrics, **more), document)


def _row(setting: Mapping[str, Any], found: Any, labels: list[str]) -> dict[str, Any]:
    status = found if found in (FAILED, MISSING) else "complete"
    values = dict.fromkeys(labels) if status != "complete" else found
    values = values if isinstance(values, dict) else {labels[0]: values}
    error = "boom" if status == FAILED else None
    return {"status": status, "error": error, "experiment": "optimize", **setting, **values}


def _groups(rows: list[dict[str, Any]], keys: list[str], labels: list[str]) -> list[dict[str, Any]]:
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault(json.dumps([row[key] for key in keys]), []).append(row)
    return [_group(part, keys, labels) for part in parts.values()]


def _group(part: list[dict[str, Any]], keys: list[str], labels: list[str]) -> dict[str, Any]:
    statuses = [row["status"] for row in part]
    group = {key: part[0][key] for key in keys} | {"runs": statuses.count("complete")}
    group |= {status: statuses.count(status) for status in (FAILED, MISSING)}
    for label in labels:
        values = [row[label] for row in part if row["status"] == "complete"]
        ends = [None] * 3 if None in values or not values else np.quantile(values, [0.25, 0.5, 0.75]).tolist()
        group |= {f"{label}.low": ends[0], label: ends[1], f"{label}.high": ends[2]}
        for more in (f"{label}.theory", f"{label}.contour"):
            group |= {more: part[0][more]} if more in part[0] else {}
    return group


def grid(**values: Sequence[Any]) -> list[dict[str, Any]]:
    """All combinations, the last key fastest."""
    found: list[dict[str, Any]] = [{}]
    for key, choices in values.items():
        found = [{**setting, key: value} for setting in found for value in choices]
    return found

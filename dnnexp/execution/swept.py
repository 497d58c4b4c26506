"""The columns of a sweep: the swept keys with each job's values for them, and the metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dnnexp.config.sweep import Job, Metric, SweepConfig
from dnnexp.experiments import find


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
    """A text that is equal where the values for these keys are."""
    return json.dumps([_canonical(values[key]) for key in keys], sort_keys=True)


def _canonical(value: Any) -> Any:
    """1.0 as 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _scalar(tree: Any, key: str) -> Any:
    """The scalar at a dotted key, items of a list by index or label; None where there is none."""
    for step in key.split("."):
        if isinstance(tree, list):
            tree = {str(place): item for place, item in enumerate(tree)} | {
                item.get("label", item.get("name")): item for item in tree if isinstance(item, Mapping)
            }
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, bool | int | float | str) else None

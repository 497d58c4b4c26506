"""What a sweep that names no metrics shows: each experiment's main number."""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterable, Sequence

from dnnexp.config.sweep import Job, Metric, SweepConfig

_MOST = 8
"""So many metrics at most, of one kind; more are summed up in one."""


def metrics_of(sweep: SweepConfig, jobs: Sequence[Job]) -> tuple[Metric, ...]:
    """The metrics of a sweep: its own or, where it names none, those of its experiments."""
    return sweep.metrics or default_metrics(jobs)


def default_metrics(jobs: Sequence[Job]) -> tuple[Metric, ...]:
    """The main number of each experiment, one for each of its optimizers or cases where these are few.

    Where they are many, or not the same in all jobs, the least or the largest of them.
    """
    found: list[Metric] = []
    for experiment in dict.fromkeys(job.experiment for job in jobs):
        found += _OF[experiment]([job for job in jobs if job.experiment == experiment])
    return tuple(found)


def _optimize(jobs: Sequence[Job]) -> Iterable[Metric]:
    """Final values; of a suite of objectives the areas under the optimizers' ECDF."""
    labels = _common(tuple(map(_label, job.tree["optimizers"])) for job in jobs)
    if all(job.tree["objectives"] for job in jobs):
        paths = [f"ecdf{_step(label)}" for label in labels]
        return _each(paths, "ecdf", "max(ecdf[each] for each in ecdf)")
    paths = [f"optimizers{_step(label)}.final_value.median" for label in labels]
    least = (
        "min(optimizers[each].final_value.median for each in optimizers"
        " if 2 * optimizers[each].diverged < optimizers[each].runs)"  # the others have no finite median
    )
    return _each(paths, "final_value", least)


def _activations(jobs: Sequence[Job]) -> Iterable[Metric]:
    """The standard deviations of the last layers' outputs."""
    cases = _common(
        tuple(
            f"{_label(activation)}/{_label(initializer)}"
            for activation in job.tree["activations"]
            for initializer in job.tree["initializers"]
        )
        for job in jobs
    )
    paths = [f"cases{_step(case)}.layers[-1].post.std" for case in cases]
    return _each(paths, "largest_std", "max(cases[each].layers[-1].post.std for each in cases)")


def _gradcheck(jobs: Sequence[Job]) -> Iterable[Metric]:
    """The largest relative error."""
    return [Metric(label="max_rel_error", value="max(check.max_rel_error for check in checks)")]


_OF = {"optimize": _optimize, "activations": _activations, "gradcheck": _gradcheck}


def _label(item: object) -> str:
    """The label of a part in a config's plain tree."""
    return str(item.get("label", item.get("name"))) if isinstance(item, dict) else str(item)


def _common(labels: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The labels that all jobs have; none where they differ."""
    found = set(labels)
    return found.pop() if len(found) == 1 else ()


def _step(key: str) -> str:
    """A key as a step of a path."""
    return f".{key}" if key.isidentifier() and not keyword.iskeyword(key) else f"[{json.dumps(key)}]"


def _each(paths: Sequence[str], label: str, one: str) -> Iterable[Metric]:
    """A metric a path, named by it, where there are a few; otherwise one."""
    if 0 < len(paths) <= _MOST:
        return [Metric(value=path) for path in paths]
    return [Metric(label=label, value=one)]

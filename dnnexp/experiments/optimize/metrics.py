"""The metrics of `optimize`: what each optimizer reached, and how they rank."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, Outline, finite, leaves, quantiles
from dnnexp.experiments.optimize.config import OptimizeConfig
from dnnexp.registry import plain

_FIVE = ("min", "q25", "median", "q75", "max")


def summarize(config: OptimizeConfig, starts: Floats, trajectories: Mapping[str, Trajectory]) -> Metrics:
    """The metrics of all optimizers, and the labels ranked, best first."""
    rules = {entry.label: entry.item for entry in config.optimizers}
    targets = sorted(config.targets)
    optimizers = {
        label: _of_one(rules[label], starts, trajectory, config.steps, targets)
        for label, trajectory in trajectories.items()
    }
    ranking = sorted(optimizers, key=lambda label: _rank(optimizers[label], targets))
    return {"optimizers": optimizers, "ranking": ranking}


def _of_one(
    rule: Optimizer, starts: Floats, trajectory: Trajectory, steps: int, targets: list[float]
) -> Metrics:
    final_value = trajectory.value[-1]
    best = int(np.argmin(final_value))
    is_finite = math.isfinite(final_value[best])
    hyperparameters = plain(rule)
    del hyperparameters["name"]
    return {
        "name": rule.name,
        "hyperparameters": hyperparameters,
        "runs": starts.shape[1],
        "converged": int((trajectory.reached_step[0] >= 0).sum()),
        "diverged": int((trajectory.diverged_step >= 0).sum()),
        "final_value": quantiles(final_value, _FIVE),
        "best": {
            "start": [finite(x) for x in starts[:, best]],
            "point": [finite(x) if is_finite else None for x in trajectory.final[:, best]],
            "value": finite(final_value[best]),
        },
        "targets": {
            repr(target): _of_target(steps, trajectory, reached_step)
            for target, reached_step in zip(targets, trajectory.reached_step, strict=True)
        },
    }


def _of_target(steps: int, trajectory: Trajectory, reached_step: Any) -> Metrics:
    """How many runs reached a target, after how many gradients; and COCO's expected running time.

    The expected running time is all evaluations spent (by runs that reached the target: until then; by
    the others: until the end or their divergence) over the number of runs that reached it. (Hansen et
    al., "COCO: a platform for comparing continuous optimizers in a black-box setting", 2021.)
    """
    diverged = trajectory.diverged_step
    reached = reached_step >= 0
    spent = np.where(reached, reached_step, np.where(diverged >= 0, diverged, steps))
    count = int(reached.sum())
    return {
        "reached": count,
        "evaluations": quantiles(spent[reached], _FIVE),
        "expected_running_time": finite(spent.sum() / count) if count else None,
    }


def _rank(metrics: Metrics, targets: list[float]) -> list[float]:
    """Sorts by expected running time from the smallest target up, then by the median final value."""
    times = [metrics["targets"][repr(target)]["expected_running_time"] for target in targets]
    return [math.inf if x is None else x for x in [*times, metrics["final_value"]["median"]]]


def outline(config: OptimizeConfig) -> Outline:
    """The shape of the metrics."""
    return {
        "optimizers": {entry.label: _outline_of_one(config, entry.item) for entry in config.optimizers},
        "ranking": [str] * len(config.optimizers),
    }


def _outline_of_one(config: OptimizeConfig, rule: Optimizer) -> Outline:
    point = [float] * config.objective.dimension
    hyperparameters = {
        name: type(value) if isinstance(value, bool | str) else float
        for name, value in plain(rule).items()
        if name != "name"
    }
    target = {"reached": int, "evaluations": leaves(_FIVE), "expected_running_time": float}
    return {
        "name": str,
        "hyperparameters": hyperparameters,
        "runs": int,
        "converged": int,
        "diverged": int,
        "final_value": leaves(_FIVE),
        "best": {"start": point, "point": point, "value": float},
        "targets": {repr(target_value): target for target_value in sorted(config.targets)},
    }

"""The metrics of `optimize`: the results of each optimizer, and their ranking."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, finite, quantiles
from dnnexp.experiments.optimize.comparison import Comparison
from dnnexp.experiments.optimize.statistics import Bootstrap, median, running_time, spent
from dnnexp.registry import plain

FIVE = ("min", "q25", "median", "q75", "max")
POINT_LIMIT = 100
"""The largest dimension in which the metrics contain points; the arrays always do."""


def of_optimizer(comparison: Comparison, rule: Optimizer, trajectory: Trajectory) -> Metrics:
    """The metrics of one optimizer."""
    config, runs = comparison.config, comparison.starts.shape[1]
    bootstrap = Bootstrap(lambda: comparison.streams("bootstrap"), runs)
    final_value = trajectory.value[-1]
    hyperparameters = plain(rule)
    del hyperparameters["name"]
    interval = {"median_ci": bootstrap.interval(median, final_value)}
    return {
        "name": rule.name,
        "hyperparameters": hyperparameters,
        "runs": runs,
        "converged": int((trajectory.reached_step[0] >= 0).sum()),
        "diverged": int((trajectory.diverged_step >= 0).sum()),
        "final_value": quantiles(final_value, FIVE) | interval,
        "best": _best(comparison, trajectory),
        "targets": {
            repr(target): _of_target(comparison, trajectory, index, bootstrap)
            for index, target in enumerate(sorted(config.targets))
        },
    } | _learning(trajectory)


def _best(comparison: Comparison, trajectory: Trajectory) -> Metrics:
    """Start, last point and value of the run with the smallest final value."""
    value = trajectory.value[-1]
    best = int(np.argmin(value))
    found: Metrics = {"start": None, "point": None, "value": finite(value[best])}
    if comparison.objective.dimension <= POINT_LIMIT:
        found["start"] = [finite(x) for x in comparison.starts[:, best]]
        is_finite = math.isfinite(value[best])
        found["point"] = [finite(x) if is_finite else None for x in trajectory.final[:, best]]
    return found


def _of_target(comparison: Comparison, trajectory: Trajectory, target: int, bootstrap: Bootstrap) -> Metrics:
    """The number of runs that reached a target, their gradients, and the expected running time.

    `held` counts the runs whose final value is at most the target.
    """
    evaluations = spent(trajectory, target, comparison.config.steps)
    reached = trajectory.reached_step[target] >= 0
    threshold = comparison.recording(every_step=False).thresholds[target]
    return {
        "reached": int(reached.sum()),
        "held": int((trajectory.value[-1] <= threshold).sum()),
        "evaluations": quantiles(evaluations[reached], FIVE),
        "expected_running_time": finite(running_time(evaluations, reached)),
        "expected_running_time_ci": bootstrap.interval(running_time, evaluations, reached),
    }


def _learning(trajectory: Trajectory) -> Metrics:
    """Final medians of the curves of an objective with data: loss and accuracy of `train` and `validation`.

    A diverged run counts as the worst.
    """
    found: Metrics = {}
    for name, curve in trajectory.measured.items():
        part, _, what = name.partition("_")
        sign = -1 if what == "accuracy" else 1  # to `median`, NaN is +inf
        found.setdefault(part, {})[what] = finite(sign * median(sign * curve[-1]))
    return found


def rank_key(found: Metrics, targets: tuple[float, ...]) -> list[float]:
    """A sort key: expected running times from the smallest target up, then the median value."""
    times = [found["targets"][repr(target)]["expected_running_time"] for target in sorted(targets)]
    return [math.inf if x is None else x for x in [*times, found["final_value"]["median"]]]


def ranked(optimizers: Metrics, targets: tuple[float, ...]) -> list[str]:
    """The labels, best first."""
    return sorted(optimizers, key=lambda label: rank_key(optimizers[label], targets))


def ecdf_area(reached: Any, steps: int) -> float:
    """The area under the ECDF of (objective, start, target) triples reached, over log evaluations.

    `reached` holds the step of every triple, -1 if it was never reached. The area is over log₁₀ evaluations
    from 1 to `steps`, as a share: 1 if all are reached at once, 0 if none. (Hansen et al. 2021, section 5.)
    """
    whole = math.log10(max(steps, 2))
    left = whole - np.log10(np.clip(reached, 1, max(steps, 2)))
    return float(np.mean(np.where(np.asarray(reached) >= 0, left / whole, 0.0)))

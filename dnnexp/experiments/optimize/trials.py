"""The trials of tuning: all trials from all tuning starts as one batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Optimizer, replaced
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, finite
from dnnexp.experiments.optimize.comparison import Comparison, Watch
from dnnexp.experiments.optimize.statistics import median, running_time, spent
from dnnexp.experiments.optimize.tuning import Tune, at_edge, budget, hyperparameters


@dataclass(frozen=True)
class Tuned:
    """A rule with the hyperparameters of its best trial, and the record of all trials."""

    rule: Optimizer
    metrics: Metrics
    arrays: dict[str, Any]


def tune_all(
    comparison: Comparison, tune: Tune, rules: Mapping[str, Optimizer], watch: Watch[tuple[str, int]]
) -> dict[str, Tuned]:
    """Run every rule's trials from the tuning starts and choose the best of each."""
    # drawn by the name of the rule, so that two entries of one rule try the same values
    values = {
        label: tune.values(rule, comparison.streams("trials", rule.name)) for label, rule in rules.items()
    }
    candidates = {
        (label, trial): replaced(rule, **hyperparameters(values[label], trial))
        for label, rule in rules.items()
        for trial in range(tune.trials)
    }
    recording = comparison.recording(every_step=False)
    if tune.score == "running_time" and comparison.objective.is_costly:
        # targets of a costly objective are seen at the recorded steps only
        recording = replace(recording, steps=comparison.config.record.steps(comparison.config.steps))
    found = comparison.descend_all(candidates, recording, watch)
    return {
        label: _best(
            comparison, tune, rule, values[label], [found[label, trial] for trial in range(tune.trials)]
        )
        for label, rule in rules.items()
    }


def _best(
    comparison: Comparison, tune: Tune, rule: Optimizer, values: dict[str, Floats], found: list[Trajectory]
) -> Tuned:
    """The first trial by `_order`; of equal ones the one with the fewest diverged runs, then the first."""
    orders = [_order(comparison, tune, trajectory) for trajectory in found]
    scores = np.array([order[-1] if tune.score == "final_value" else order[0] for order in orders])
    diverged = np.array([(trajectory.diverged_step >= 0).sum() for trajectory in found])
    best = min(range(len(found)), key=lambda trial: (*orders[trial], diverged[trial]))
    chosen = hyperparameters(values, best)
    metrics = {
        "best": chosen,
        "at_edge": at_edge(values, best),
        "trials": [
            {
                "hyperparameters": hyperparameters(values, trial),
                "score": finite(score),
                "diverged": int(diverged[trial]),
            }
            for trial, score in enumerate(scores)
        ],
    }
    arrays = {
        **values,
        "score": scores,
        "budget": budget(scores),
        "value": np.stack([_final(trajectory) for trajectory in found]),  # (trials, tuning starts)
        "diverged": diverged,
    }
    return Tuned(replaced(rule, **chosen), metrics, arrays)


def _final(trajectory: Trajectory) -> Any:
    """The tuned quantity of every run: the final validation loss if there is one, else the final value."""
    if "validation_loss" not in trajectory.measured:
        return trajectory.value[-1]
    final = trajectory.measured["validation_loss"][-1]
    return np.where(np.isfinite(final), final, np.inf)


def _order(comparison: Comparison, tune: Tune, trajectory: Trajectory) -> list[float]:
    """The sort key of a trial, best first: its score, then the tie-breakers of `Tune`.

    Final values at or below the smallest target count as equal, since they are round-off.
    """
    final = float(median(_final(trajectory)))
    times = [
        float(running_time(spent(trajectory, target, comparison.config.steps), reached >= 0))
        for target, reached in enumerate(trajectory.reached_step)
    ]
    if tune.score == "running_time":
        return [*times, final]
    is_of_target = comparison.objective.minimum is not None and "validation_loss" not in trajectory.measured
    smallest = float(comparison.recording(every_step=False).thresholds[0]) if is_of_target else -math.inf
    return [max(final, smallest), *times, final]

"""The run of `optimize`: every optimizer, tuned and untuned, from the same starts on each objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, Result, RunContext
from dnnexp.experiments.optimize import theory
from dnnexp.experiments.optimize.comparison import Comparison
from dnnexp.experiments.optimize.config import OptimizeConfig
from dnnexp.experiments.optimize.landscape import landscape, overview
from dnnexp.experiments.optimize.metrics import ecdf_area, of_optimizer, ranked
from dnnexp.experiments.optimize.trials import Tuned, tune_all
from dnnexp.experiments.optimize.watch import Watcher
from dnnexp.registry import Labelled

UNTUNED = ".untuned"
"""Follows the label of an untuned optimizer beside its tuned form. Labels contain no dot."""


@dataclass(frozen=True)
class _ObjectiveResult:
    """The results of all optimizers on one objective."""

    metrics: Metrics
    arrays: dict[str, Any] = field(default_factory=dict)
    reached: Mapping[str, Any] = field(default_factory=dict)


def run(config: OptimizeConfig, context: RunContext) -> Result:
    """Run every optimizer from the shared starts of every objective."""
    steps = config.record.steps(config.steps)
    watcher = Watcher(config, context)
    if not config.objectives:
        (entry,) = config.suite
        found = _on_one(config, entry, context, watcher)
        return Result(config, found.metrics, {"evaluations": steps} | found.arrays)
    arrays: dict[str, Any] = {"evaluations": steps}
    each = {entry.label: _on_one(config, entry, context, watcher) for entry in config.suite}
    for label, found in each.items():
        arrays |= {f"{label}.{name}": value for name, value in found.arrays.items()}
    ecdf = {
        optimizer.label: ecdf_area(
            np.concatenate([found.reached[optimizer.label].ravel() for found in each.values()]), config.steps
        )
        for optimizer in config.optimizers
    }
    metrics = {
        "objectives": {label: found.metrics for label, found in each.items()},
        "ecdf": ecdf,
        "ranking": sorted(ecdf, key=lambda label: -ecdf[label]),
    }
    return Result(config, metrics, arrays)


def _on_one(
    config: OptimizeConfig, entry: Labelled[Any], context: RunContext, watcher: Watcher
) -> _ObjectiveResult:
    """Tune the optimizers if the config says so, then run them on one objective."""
    prefix = entry.label and f"{entry.label}/"
    objective = entry.item.prepare(context.streams)

    def comparison(purpose: str, starts: Floats) -> Comparison:
        return Comparison(config, objective, starts, context.streams, prefix + purpose)

    rules = {optimizer.label: optimizer.item for optimizer in config.optimizers}
    tuned: dict[str, Tuned] = {}
    if config.tune is not None:
        generator = context.streams(f"{prefix}tuning starts")
        others = config.starts.draw_others(generator, objective, config.tune.starts)
        watch = watcher.of_stage("tuning", len(rules) * config.tune.trials, entry.label)
        tuned = tune_all(comparison("tuning ", others), config.tune, rules, watch)
        rules = {label: found.rule for label, found in tuned.items()} | {
            f"{label}{UNTUNED}": rule for label, rule in rules.items()
        }
    shared = comparison("", config.starts.draw(context.streams(f"{prefix}starts"), objective))
    trajectories = shared.descend_all(
        rules, shared.recording(every_step=True), watcher.of_stage("steps", len(rules), entry.label)
    )
    return _found(shared, rules, trajectories, tuned)


def _found(
    comparison: Comparison,
    rules: Mapping[str, Optimizer],
    trajectories: Mapping[str, Trajectory],
    tuned: Mapping[str, Tuned],
) -> _ObjectiveResult:
    """Metrics and arrays of one objective."""
    optimizers: Metrics = {}
    arrays: dict[str, Any] = {"start": comparison.starts}
    for label, trajectory in trajectories.items():
        arrays |= {f"{label}.{name}": value for name, value in _arrays(trajectory).items()}
        of_one = of_optimizer(comparison, rules[label], trajectory)
        of_one["theory"], arrays[f"{label}.theory"] = theory.compare(comparison, rules[label], trajectory)
        if label.endswith(UNTUNED):
            optimizers[label.removesuffix(UNTUNED)]["untuned"] = of_one
        else:
            optimizers[label] = of_one
    for label, found in tuned.items():
        optimizers[label]["tuning"] = found.metrics
        arrays |= {f"{label}.tuning.{name}": value for name, value in found.arrays.items()}
    if comparison.objective.dimension == 2 and not comparison.objective.is_costly:
        arrays |= landscape(comparison.objective, comparison.starts, trajectories.values())
        arrays |= overview(comparison.objective, comparison.starts)
    metrics = {
        "minimum": comparison.objective.minimum,
        "optimizers": optimizers,
        "ranking": ranked(optimizers, comparison.config.targets),
    }
    reached = {label: trajectories[label].reached_step for label in optimizers}
    return _ObjectiveResult(metrics, arrays, reached)


def _arrays(trajectory: Trajectory) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "value": trajectory.value,
        "final": trajectory.final,
        "diverged_step": trajectory.diverged_step,
        "reached_step": trajectory.reached_step,
        **trajectory.measured,
    }
    if trajectory.point is not None:
        arrays["point"] = trajectory.point
    return arrays

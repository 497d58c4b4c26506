"""The shape of the metrics of `optimize`, known before the run."""

from __future__ import annotations

from typing import Any

from dnnexp.core.objectives import Objective
from dnnexp.core.optimizers import Optimizer
from dnnexp.experiments.base import Outline, leaves
from dnnexp.experiments.optimize import theory
from dnnexp.experiments.optimize.config import OptimizeConfig
from dnnexp.experiments.optimize.metrics import FIVE, POINT_LIMIT
from dnnexp.experiments.optimize.tuning import Tune
from dnnexp.registry import plain


def outline(config: OptimizeConfig) -> Outline:
    """The shape of the metrics."""
    each = {entry.label: _of_objective(config, entry.item) for entry in config.suite}
    if not config.objectives:
        return each[""]
    labels = tuple(entry.label for entry in config.optimizers)
    return {"objectives": each, "ecdf": leaves(labels), "ranking": [str] * len(labels)}


def _of_objective(config: OptimizeConfig, objective: Objective) -> Outline:
    optimizers = {}
    for entry in config.optimizers:
        of_one = _of_optimizer(config, objective, entry.item)
        if config.tune is not None:
            tuning = {"untuned": dict(of_one), "tuning": _of_tuning(config.tune, entry.item)}
            of_one |= tuning
        optimizers[entry.label] = of_one
    return {"minimum": float, "optimizers": optimizers, "ranking": [str] * len(config.optimizers)}


def _of_optimizer(config: OptimizeConfig, objective: Objective, rule: Optimizer) -> dict[str, Any]:
    interval = [float, float] if config.starts.count > 1 else float
    point = [float] * objective.dimension if objective.dimension <= POINT_LIMIT else float
    hyperparameters = {name: _of_value(value) for name, value in plain(rule).items() if name != "name"}
    target = {
        "reached": int,
        "held": int,
        "evaluations": leaves(FIVE),
        "expected_running_time": float,
        "expected_running_time_ci": interval,
    }
    learning: dict[str, Any] = {}
    for name in objective.measures:
        part, _, what = name.partition("_")
        learning.setdefault(part, {})[what] = float
    return {
        "name": str,
        "hyperparameters": hyperparameters,
        "runs": int,
        "converged": int,
        "diverged": int,
        "final_value": leaves(FIVE) | {"median_ci": interval},
        "best": {"start": point, "point": point, "value": float},
        "targets": {repr(value): target for value in sorted(config.targets)},
        "theory": dict(theory.OUTLINE),
    } | learning


def _of_value(value: Any) -> Outline:
    if isinstance(value, dict):
        return {name: _of_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_of_value(item) for item in value]
    return type(value) if isinstance(value, bool | str) else float


def _of_tuning(tune: Tune, rule: Optimizer) -> Outline:
    values = leaves(tuple(entry.hyperparameter for entry in tune.ranges(rule)))
    trial = {"hyperparameters": values, "score": float, "diverged": int}
    return {"best": values, "at_edge": bool, "trials": [trial] * tune.trials}

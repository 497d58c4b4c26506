"""Theory beside measurement for linear rules near a minimum.

Without noise and with a constant learning rate, theory gives the asymptotic rate (`rates`). With noise or a
schedule it gives the mean value at every step on quadratics (`dnnexp.core.moments`).
"""

from __future__ import annotations

import math

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import hessian
from dnnexp.core.moments import mean_values
from dnnexp.core.objectives import Objective
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, finite
from dnnexp.experiments.optimize.comparison import Comparison
from dnnexp.experiments.optimize.rates import FLAT, compare_rates

OUTLINE = {
    "predicted_rate": float,
    "fitted_rate": float,
    "gap": float,
    "stability_limit": float,
    "predicted_mean": float,
    "measured_mean": float,
    "standard_error": float,
    "note": str,
}
_MAX_DIMENSION = 200
"""No Hessian is computed in more dimensions."""
_MAX_STEPS = 100_000
"""No mean values are computed for more steps; this many take about a second."""
_PROBES = 8
"""Starts at which, and half-way to which, the Hessian is compared with that at the minimum."""


def compare(comparison: Comparison, rule: Optimizer, trajectory: Trajectory) -> tuple[Metrics, Floats]:
    """The metrics `.theory`, and the predicted value above the minimum at the recorded steps, `(K,)`.

    `gap` is |ln fitted − ln predicted| / |ln predicted|: the relative error of the predicted number of steps.
    `predicted_mean` and `measured_mean` are means of f − f* at the last step, over noise and starts;
    `standard_error` is s/√R of the measured mean. Numbers that do not exist are None (NaN in the curve);
    `note` says why.
    """
    steps = comparison.recording(every_step=True).steps
    found: Metrics = dict.fromkeys(OUTLINE) | {"note": missing_theory(comparison, rule)}
    curve: Floats | None = None
    if not found["note"]:
        with np.errstate(all="ignore"):
            told, curve = _compare(comparison, rule, trajectory, steps)
        found |= told
    return found, np.full(len(steps), np.nan) if curve is None else curve


def missing_theory(comparison: Comparison, rule: Optimizer) -> str:
    """Why there is no theory; '' if there may be one, as far as is known without the Hessian."""
    objective = comparison.objective
    if rule.iteration_matrix(1.0) is None:
        return f"no linear theory of {rule.name}"
    if np.any(rule.weight_decay) or rule.clips:
        return "no theory with weight decay or clipping"
    if objective.slope(np.random.default_rng(0), 1) is not None:
        return "no theory with mini-batches"
    if objective.minimizers() is None:
        return "no theory: the minimum is not known"
    if objective.dimension > _MAX_DIMENSION:
        return f"no theory above {_MAX_DIMENSION} dimensions"
    if (words := _disturbance(comparison, rule)) and comparison.config.steps > _MAX_STEPS:
        return f"no theory {words} beyond {_MAX_STEPS:,} steps"
    return ""


def _disturbance(comparison: Comparison, rule: Optimizer) -> str:
    """Why a run has no asymptotic rate; '' if it has one."""
    if comparison.config.noise.std:
        return "with noise"
    return "" if rule.schedule.is_constant else "with a schedule"


def _compare(
    comparison: Comparison, rule: Optimizer, trajectory: Trajectory, steps: Integers
) -> tuple[Metrics, Floats | None]:
    """The theory of a linear rule, from the Hessian at the minimizer nearest to most runs' ends."""
    objective = comparison.objective
    minimizer, members = _most_visited(objective, trajectory)
    second = hessian(objective, minimizer)
    if not np.isfinite(second).all():
        return {"note": "no theory: no Hessian at the minimum"}, None
    found: Metrics = {"stability_limit": _limit(rule, float(np.linalg.eigvalsh(second)[-1]))}
    if not members.any():
        return found | {"note": "every run diverged"}, None
    if words := _disturbance(comparison, rule):
        if not _is_quadratic(comparison, minimizer, second):
            return found | {"note": f"no theory {words}, except on quadratics"}, None
        told, curve = _compare_means(comparison, rule, trajectory, steps, minimizer, second)
    else:
        minimum = objective.minimum or 0.0
        near = trajectory.runs(members)
        target = min(comparison.config.targets)
        told, curve = compare_rates(rule, minimizer, second, minimum, target, steps, near)
    return found | told, curve


def _limit(rule: Optimizer, curvature: float) -> float | None:
    """The stability limit of a constant learning rate."""
    return rule.stability_limit(curvature) if curvature > FLAT and rule.schedule.is_constant else None


def _is_quadratic(comparison: Comparison, minimizer: Floats, second: Floats) -> bool:
    """Whether the Hessian is the same at some starts and half-way to them."""
    starts = comparison.starts[:, :_PROBES]
    probes = np.concatenate([starts, (starts + minimizer[:, None]) / 2], axis=1)
    found = np.stack([hessian(comparison.objective, probe) for probe in probes.T])
    return bool(np.abs(found - second).max() <= 1e-9 * np.abs(second).max())


def _compare_means(
    comparison: Comparison,
    rule: Optimizer,
    trajectory: Trajectory,
    steps: Integers,
    minimizer: Floats,
    second: Floats,
) -> tuple[Metrics, Floats | None]:
    """Predicted and measured mean of f − f*, and the predicted curve."""
    curvatures, directions = np.linalg.eigh(second)
    away = directions.T @ (comparison.starts - minimizer[:, None])
    squares = (away**2).mean(axis=1)
    predicted = mean_values(rule, curvatures, squares, comparison.config.noise.std, steps)
    if predicted is None or not math.isfinite(predicted[-1]):
        return {"note": "does not converge: the mean overflows"}, None
    values = trajectory.value[-1] - (comparison.objective.minimum or 0.0)
    runs = len(values)
    found: Metrics = {"predicted_mean": float(predicted[-1])}
    if np.isfinite(values).all():
        found["measured_mean"] = finite(values.mean())
        found["standard_error"] = finite(values.std(ddof=1) / math.sqrt(runs)) if runs > 1 else None
    return found, predicted


def _most_visited(objective: Objective, trajectory: Trajectory) -> tuple[Floats, Floats]:
    """The minimizer nearest to most runs' ends, `(d,)`, and which runs those are, `(runs,)`."""
    minimizers = objective.minimizers()
    assert minimizers is not None  # `missing_theory` has checked it
    away = trajectory.final[:, None, :] - minimizers[:, :, None]  # (d, count, runs)
    distance = np.linalg.norm(away, axis=0)
    nearest = np.where(trajectory.diverged_step < 0, distance.argmin(axis=0), -1)
    chosen = int(np.argmax([(nearest == index).sum() for index in range(minimizers.shape[1])]))
    return minimizers[:, chosen], nearest == chosen

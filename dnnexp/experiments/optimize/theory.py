"""Theory beside measurement: the asymptotic rate of linear rules at a minimum, predicted and fitted.

Near a minimum with Hessian eigenvalues λᵢ, a rule that is linear in x and its velocity maps both to
M(λᵢ) times them along every eigenvector. The distance to the minimum then shrinks by the largest
spectral radius ρ of the M(λᵢ) at every step, and f − f* by ρ². (Polyak 1964; Lessard, Recht and Packard,
"Analysis and design of optimization algorithms via integral quadratic constraints", SIAM J. Optim. 2016.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import hessian
from dnnexp.core.objectives import Objective
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, finite
from dnnexp.experiments.optimize.problem import Problem
from dnnexp.experiments.optimize.statistics import median

OUTLINE = {
    "predicted_rate": float,
    "fitted_rate": float,
    "gap": float,
    "stability_limit": float,
    "note": str,
}
_MAX_DIMENSION = 200
"""Above it no Hessian is formed."""
_SINGULAR = 1e-10
"""Eigenvalues below this share of the largest count as 0."""
_FLAT = 1e-30
"""Curvatures below are 0: those of a complex step h = 1e-20 are off by about h²."""
_FEWEST = 5
"""Half of how many recorded steps a rate is fitted to at least."""
_DRIFT = 0.05
"""How much the rate may change over the fitted steps."""


def compare(problem: Problem, rule: Optimizer, trajectory: Trajectory) -> tuple[Metrics, Floats]:
    """The metrics `.theory`, and the predicted value above the minimum at the recorded steps, `(K,)`.

    `gap` is |ln fitted − ln predicted| / |ln predicted|: how far off the predicted number of steps is. What
    does not exist is None (the curve: NaN), and `note` says why.
    """
    steps = problem.recording(every_step=True).steps
    nothing = np.full(len(steps), np.nan)
    found: Metrics = dict.fromkeys(OUTLINE) | {"note": ""}
    if note := obstacle(problem, rule):
        return found | {"note": note}, nothing
    minimizer, members = _most_frequented(problem.objective, trajectory)
    if not members.any():
        return found | {"note": "every run diverged"}, nothing
    with np.errstate(all="ignore"):
        second = hessian(problem.objective, minimizer)
    if not np.isfinite(second).all():
        return found | {"note": "no theory: no Hessian at the minimum"}, nothing
    curvatures = np.linalg.eigvalsh(second)
    if curvatures[-1] > _FLAT:
        found["stability_limit"] = rule.stability_limit(float(curvatures[-1]))
    if curvatures[0] <= max(_SINGULAR * curvatures[-1], _FLAT):
        return found | {"note": "the Hessian at the minimum is singular: no linear rate"}, nothing
    rate = max(_spectral_radius(rule, float(curvature)) for curvature in curvatures)
    found["predicted_rate"] = finite(rate)
    if rate >= 1:
        return found | {"note": "does not converge: the learning rate is not below the limit"}, nothing
    floor = _round_off(problem.objective, minimizer, float(curvatures[-1]))
    values = trajectory.value - (problem.objective.minimum or 0.0)
    members = members & _is_settled(trajectory.final - minimizer[:, None], second, values[-1], floor)
    if not members.any():
        return found | {"note": "not near the minimum yet, or in another one"}, nothing
    return _fitted(found, steps, values[:, members], rate, floor), _predicted(
        steps, values[:, members], rate, floor
    )


def _is_settled(away: Floats, second: Floats, values: Floats, floor: float) -> Any:
    """Which runs ended where the function is its quadratic model: f − f* is ½ dᵀHd to a factor of 2."""
    with np.errstate(all="ignore"):
        model = np.sum(away * (second @ away), axis=0) / 2
        return (values <= floor) | ((values < 2 * model) & (model < 2 * values))


def _fitted(found: Metrics, steps: Integers, values: Floats, rate: float, floor: float) -> Metrics:
    """The metrics with the median of the fitted rates and its gap to the predicted one."""
    fits = [fit for run in values.T if (fit := fitted_rate(steps, run, floor)) is not None]
    if not fits:
        return found | {"note": "too few recorded steps above round-off to fit a rate"}
    fitted, drift = np.median(fits, axis=0)
    gap = abs(math.log(fitted) / math.log(rate) - 1) if rate > 0 and fitted > 0 else None
    note = "not asymptotic yet: the rate was still changing" if drift > _DRIFT else ""
    return found | {"fitted_rate": float(fitted), "gap": gap if gap is None else finite(gap), "note": note}


def obstacle(problem: Problem, rule: Optimizer) -> str:
    """Why there is no theory; '' where there is."""
    objective = problem.objective
    if rule.iteration_matrix(1.0) is None:
        return f"no linear theory of {rule.name}"
    if not rule.schedule.is_constant:
        return "no theory with a schedule"
    if np.any(rule.weight_decay) or rule.clips:
        return "no theory with weight decay or clipping"
    if problem.config.noise.std or objective.slope(np.random.default_rng(0), 1) is not None:
        return "no theory with noise or mini-batches"
    if objective.minimizers() is None:
        return "no theory: the minimum is not known"
    if objective.dimension > _MAX_DIMENSION:
        return f"no theory above {_MAX_DIMENSION} dimensions"
    return ""


def _most_frequented(objective: Objective, trajectory: Trajectory) -> tuple[Floats, Floats]:
    """The minimizer that most runs ended next to, `(d,)`, and which runs did, `(runs,)`."""
    minimizers = objective.minimizers()
    assert minimizers is not None  # `obstacle` has seen to it
    with np.errstate(over="ignore"):
        away = trajectory.final[:, None, :] - minimizers[:, :, None]  # (d, count, runs)
        distance = np.linalg.norm(away, axis=0)
    nearest = np.where(trajectory.diverged_step < 0, distance.argmin(axis=0), -1)
    chosen = int(np.argmax([(nearest == index).sum() for index in range(minimizers.shape[1])]))
    return minimizers[:, chosen], nearest == chosen


def _spectral_radius(rule: Optimizer, curvature: float) -> float:
    matrix = rule.iteration_matrix(curvature)
    assert matrix is not None
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _round_off(objective: Objective, minimizer: Floats, curvature: float) -> float:
    """Below this, f − f* is the rounding of x* (through the Hessian), of f*, or of 0."""
    epsilon = float(np.finfo(np.float64).eps)
    of_point = curvature * (epsilon * float(np.linalg.norm(minimizer))) ** 2
    return 1e4 * (of_point + epsilon * abs(objective.minimum or 0.0)) + 1e-280


def fitted_rate(steps: Integers, values: Floats, floor: float) -> tuple[float, float] | None:
    """The factor per step on the distance, by least squares on ½ ln(f − f*) over the late steps.

    Those are the second half of the steps before f − f* is first not above `floor`. Beside it, how much the
    slopes of their two halves differ, relative to their sum. None if the steps are too few.
    """
    above = values > floor
    end = len(values) if above.all() else int(above.argmin())
    if end == 0:
        return None
    late = np.arange(int(np.searchsorted(steps, steps[end - 1] / 2)), end)
    if len(late) < 2 * _FEWEST:
        return None
    halves = (late, late[: len(late) // 2], late[len(late) // 2 :])
    whole, first, second = (np.polyfit(steps[part], np.log(values[part]) / 2, 1)[0] for part in halves)
    return math.exp(whole), abs((first - second) / whole) / 2 if whole else 0.0


def _predicted(steps: Integers, values: Floats, rate: float, floor: float) -> Floats:
    """ρ^{2(k − k₀)} times the median value at k₀, the middle of the steps above round-off."""
    middle = median(values)
    above = np.flatnonzero(middle > floor)
    if above.size == 0:
        return np.full(len(steps), np.nan)
    anchor = int(np.searchsorted(steps, steps[above[-1]] / 2))
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        line = middle[anchor] * rate ** (2.0 * (steps - steps[anchor]))
    return np.where((line > floor) & np.isfinite(line), line, np.nan)

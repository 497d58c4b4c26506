"""The asymptotic rate of a linear rule at a minimum, predicted and fitted.

Near a minimum with Hessian eigenvalues λᵢ, a rule that is linear in x and its velocity maps both to
M(λᵢ) times them along every eigenvector. The distance to the minimum then shrinks by the largest
spectral radius ρ of the M(λᵢ) at every step, and f − f* by ρ². (Polyak 1964; Lessard, Recht and Packard,
"Analysis and design of optimization algorithms via integral quadratic constraints", SIAM J. Optim. 2016.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnexp.core.arrays import EPSILON, Floats, Integers
from dnnexp.core.optimizers import Optimizer
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import Metrics, finite
from dnnexp.experiments.optimize.statistics import median

FLAT = 1e-30
"""Smaller curvatures count as 0: a complex step h = 1e-20 has an error of about h²."""
_SINGULAR_RATIO = 1e-10
"""Eigenvalues below this fraction of the largest count as 0."""
_MIN_HALF_STEPS = 5
"""A rate is fitted to at least twice this many recorded steps."""
_MODEL_ROUND_OFF = 1e4
"""Where a function is at its round-off, its quadratic model may be this many times larger."""
_MAX_DRIFT = 0.05
"""The largest relative change of the rate over the fitted steps."""


def compare_rates(
    rule: Optimizer,
    minimizer: Floats,
    second: Floats,
    minimum: float,
    target: float,
    steps: Integers,
    trajectory: Trajectory,
) -> tuple[Metrics, Floats | None]:
    """Predicted and fitted rate, their gap and a note; and the predicted value above the minimum, `(K,)`.

    Args:
        rule: a linear rule with a constant learning rate, without noise.
        minimizer: the minimizer x*, `(d,)`.
        second: the Hessian at x*, `(d, d)`.
        minimum: the value f*.
        target: the smallest target, near which the predicted line meets the measured one.
        steps: the recorded steps, `(K,)`.
        trajectory: the runs that ended nearest to this minimizer.
    """
    curvatures = np.linalg.eigvalsh(second)
    if curvatures[0] <= max(_SINGULAR_RATIO * curvatures[-1], FLAT):
        return {"note": "the Hessian at the minimum is singular: no linear rate"}, None
    rate = max(_spectral_radius(rule, float(curvature)) for curvature in curvatures)
    found: Metrics = {"predicted_rate": finite(rate)}
    if rate >= 1:
        return found | {"note": "does not converge: the learning rate is not below the limit"}, None
    floor = _round_off(minimum, minimizer, float(curvatures[-1]))
    values = trajectory.value - minimum
    settled = _is_settled(trajectory.final - minimizer[:, None], second, values[-1], floor)
    if not settled.any():
        return found | {"note": "not near the minimum yet, or in another one"}, None
    values = values[:, settled]
    return found | _fitted(steps, values, rate, floor), _predicted(steps, values, rate, floor, target)


def _is_settled(away: Floats, second: Floats, values: Floats, floor: float) -> Any:
    """Which runs ended where the quadratic model holds: f − f* is ½ dᵀHd up to a factor of 2.

    Runs where both are round-off count too; at another minimum only f − f* is.
    """
    with np.errstate(all="ignore"):
        model = np.sum(away * (second @ away), axis=0) / 2
        is_alike = (values < 2 * model) & (model < 2 * values)
        return is_alike | ((values <= floor) & (model <= _MODEL_ROUND_OFF * floor))


def _fitted(steps: Integers, values: Floats, rate: float, floor: float) -> Metrics:
    """The median of the fitted rates, and its gap to the predicted rate."""
    fits = [fit for run in values.T if (fit := fitted_rate(steps, run, floor)) is not None]
    if not fits:
        return {"note": "too few recorded steps above round-off to fit a rate"}
    fitted, drift = np.median(fits, axis=0)
    gap = abs(math.log(fitted) / math.log(rate) - 1) if rate > 0 and fitted > 0 else None
    note = "not asymptotic yet: the rate was still changing" if drift > _MAX_DRIFT else ""
    return {"fitted_rate": float(fitted), "gap": gap if gap is None else finite(gap), "note": note}


def _spectral_radius(rule: Optimizer, curvature: float) -> float:
    matrix = rule.iteration_matrix(curvature)
    assert matrix is not None
    return float(np.abs(np.linalg.eigvals(matrix)).max()) if np.isfinite(matrix).all() else math.inf


def _round_off(minimum: float, minimizer: Floats, curvature: float) -> float:
    """Smaller values of f − f* are the rounding of x* (through the Hessian), of f* or of 0."""
    of_point = curvature * (EPSILON * float(np.linalg.norm(minimizer))) ** 2
    return 1e4 * (of_point + EPSILON * abs(minimum)) + 1e-280


def fitted_rate(steps: Integers, values: Floats, floor: float) -> tuple[float, float] | None:
    """The factor per step on the distance, by least squares on ½ ln(f − f*) over the late steps.

    Late steps are the second half of the steps before f − f* first falls to `floor`. The second number is the
    difference of the slopes of their two halves, relative to the sum. None if there are too few steps.
    """
    above = values > floor
    end = len(values) if above.all() else int(above.argmin())
    if end == 0:
        return None
    late = np.arange(int(np.searchsorted(steps, steps[end - 1] / 2)), end)
    if len(late) < 2 * _MIN_HALF_STEPS:
        return None
    halves = (late, late[: len(late) // 2], late[len(late) // 2 :])
    whole, first, second = (np.polyfit(steps[part], np.log(values[part]) / 2, 1)[0] for part in halves)
    return math.exp(whole), abs((first - second) / whole) / 2 if whole else 0.0


def _predicted(steps: Integers, values: Floats, rate: float, floor: float, target: float) -> Floats:
    """ρ^{2(k − k₀)} times the median value at k₀: the step at which the median meets the target.

    If it ends above the target, k₀ is half of the steps before the end or before round-off.
    """
    middle = median(values)
    level = max(floor, target) if middle[0] > target else floor
    above = np.flatnonzero(middle > level)
    if above.size == 0:
        return np.full(len(steps), np.nan)
    is_met = level > floor and above[-1] + 1 < len(steps)
    anchor = above[-1] if is_met else int(np.searchsorted(steps, steps[above[-1]] / 2))
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        line = middle[anchor] * rate ** (2.0 * (steps - steps[anchor]))
    return np.where((line > floor) & np.isfinite(line), line, np.nan)

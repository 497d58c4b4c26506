"""The error of difference quotients against the step h, with the two branches that theory predicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.parameter_derivatives import Problem
from dnnexp.experiments.base import Metrics, Request, Work, finite
from dnnexp.experiments.gradcheck.config import GradcheckConfig

EPSILON = float(np.finfo(np.float64).eps)
_STACKED_NUMBERS = 2**22
"""About how many parameters a stack of perturbed networks holds (32 MiB)."""
_CURVATURE_STEP = 1e-5
"""The step of the second difference of exact slopes that gives the third derivative."""


def sweep(config: GradcheckConfig, problem: Problem, request: Request) -> tuple[Metrics, dict[str, Any]]:
    """Measure along random directions v the error of (E(θ + h v) − E(θ − h v)) / 2h and Im E(θ + i h v) / h.

    Errors are relative to |∇E·v| by backward. Beside them stand the theory's: truncation h²|φ‴|/6 and
    round-off ε ‖∂E/∂y ⊙ y‖ / √2 h, for φ(s) = E(θ + s v).

    Returns:
        The metrics `order` and `step_sweep`; the arrays `sweep.h` `(H,)` and `sweep.central`,
        `sweep.complex`, `sweep.truncation`, `sweep.round_off`, `(directions, H)` each.
    """
    h, count = config.step_sweep.steps(), config.step_sweep.directions
    stream = request.streams("directions")
    rows: dict[str, list[Floats]] = {}
    for done in range(count):
        direction = stream.standard_normal(problem.network.parameter_count)
        for name, row in _along(problem, direction, h).items():
            rows.setdefault(name, []).append(row)
        request.progress(Work("directions", done + 1, count))
    curves = {name: np.array(found) for name, found in rows.items()}
    median = {name: np.median(curve, axis=0) for name, curve in curves.items()}
    arrays = {"sweep.h": h} | {f"sweep.{name}": curve for name, curve in curves.items()}
    smooth = not any(activation.kinks for activation in problem.network.activations)
    return _metrics(config, h, median, smooth), arrays


def _along(problem: Problem, v: Floats, h: Floats) -> dict[str, Floats]:
    """Relative errors along one direction at every step, measured and predicted: `(H,)` each."""
    slope = _slope(problem, v, 0.0)
    quotients = _central(problem, v, h)
    steps = _complex(problem, v, h)
    k = _CURVATURE_STEP
    third = (_slope(problem, v, k) - 2 * slope + _slope(problem, v, -k)) / k**2
    errors = {
        "central": np.abs(quotients - slope),
        "complex": np.abs(steps - slope),
        "truncation": h**2 * abs(third) / 6,
        "round_off": round_off(problem, 1.0) / h,
    }
    return {name: error / abs(slope) for name, error in errors.items()}


def round_off(problem: Problem, h: float) -> float:
    """ε ‖∂E/∂y ⊙ y‖ / √2 h: about how far rounding of the outputs moves (E₊ − E₋) / 2h."""
    y = problem.signals().output
    terms = np.linalg.norm(problem.loss.gradient(y, problem.t) * y)
    return float(EPSILON * terms / np.sqrt(2) / h)


def _slope(problem: Problem, v: Floats, at: float) -> float:
    """φ'(at) = ∇E(θ + at·v)·v by backward."""
    gradient = problem.network.gradient(problem.parameters + at * v, problem.x, problem.t, problem.loss)
    return float(gradient @ v)


def _outputs(problem: Problem, v: Floats, shifts: Any) -> Any:
    """y of the networks θ + shift·v: shape `(shifts, batch, n_L)`, stacked within a memory bound."""
    size = max(1, _STACKED_NUMBERS // v.size)
    stacks = [
        problem.parameters[:, None] + np.multiply.outer(v, shifts[first : first + size])
        for first in range(0, len(shifts), size)
    ]
    found = [problem.network.forward(np.asfortranarray(s), problem.x).output for s in stacks]
    return np.concatenate(found)


def _central(problem: Problem, v: Floats, h: Floats) -> Floats:
    difference = problem.loss.difference(_outputs(problem, v, h), _outputs(problem, v, -h), problem.t)
    return np.asarray(difference / (2 * h))


def _complex(problem: Problem, v: Floats, h: Floats) -> Floats:
    return np.asarray(problem.loss.value(_outputs(problem, v, 1j * h), problem.t).imag / h)


def _metrics(config: GradcheckConfig, h: Floats, median: dict[str, Floats], smooth: bool) -> Metrics:
    """The best step, the errors at every step, the observed order (None where kinks break the branch)."""
    error = np.where(np.isfinite(median["central"]), median["central"], np.inf)
    best = int(np.argmin(error))
    errors = {
        repr(float(step)): {name: finite(median[name][i]) for name in ("central", "complex")}
        for i, step in enumerate(h)
    }
    return {
        "order": {"observed": _observed_order(h, median) if smooth else None, "expected": 2.0},
        "step_sweep": {
            "default_step": config.central_step,
            "best_step": float(h[best]) if np.isfinite(error[best]) else None,
            "best_error": finite(error[best]),
            "errors": errors,
        },
    }


def _observed_order(h: Floats, median: dict[str, Floats]) -> float | None:
    """The slope of log error against log h where truncation outweighs round-off a hundredfold.

    Steps at which the error exceeds 1 % are left out: there higher orders take part.
    """
    error = median["central"]
    branch = (median["truncation"] > 100 * median["round_off"]) & (error < 1e-2) & (error > 0)
    if branch.sum() < 3:
        return None
    return finite(np.polyfit(np.log(h[branch]), np.log(error[branch]), 1)[0])

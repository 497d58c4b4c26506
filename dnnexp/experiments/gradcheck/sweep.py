"""The error of difference quotients against the step h, with the branches that theory predicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.core.directional import Direction, Quotient, complex_along, extrapolated_along, outputs_along
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.faults import faulty_gradient
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import Metrics, RunContext, Work, finite
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.recheck import Estimates, recheck

_CURVATURE_STEP = 1e-5
"""Step of the second difference of exact directional derivatives, which gives the third derivative."""
_FEWEST = 3
"""Number of steps needed to fit an order."""
_CLEAR = 100.0
"""The order is fitted where truncation exceeds round-off by this factor."""


class Swept(NamedTuple):
    """The metrics `order` and `step_sweep`, the arrays of the plot, and the slopes as a tensor to compare."""

    metrics: Metrics
    arrays: dict[str, Any]
    slopes: list[Derivatives]


def sweep(config: GradcheckConfig, problem: Problem, context: RunContext) -> Swept:
    """Measure along random directions v the error of difference quotients of φ(s) = E(θ + s v).

    They are (φ(h) − φ(−h)) / 2h, the fourth-order one of steps h and 2h, and the complex step Im φ(ih) / h.
    Errors are relative to |∇E·v| by backward. Beside them stand the theory's, truncation h²|φ‴|/6 and
    round-off ε ‖∂E/∂y ⊙ y‖ / √2 h, and the Taylor remainder |φ(h) − φ(0) − hφ'(0)|, relative to |φ'(0)|:
    it falls with h² if the gradient is right, and with h if it is wrong.

    The arrays are `sweep.h` `(H,)` and `sweep.central`, `sweep.central4`, `sweep.complex`, `sweep.taylor`,
    `sweep.truncation`, `sweep.round_off`, `(directions, H)` each.
    """
    h, count = config.step_sweep.steps(), config.step_sweep.directions
    stream = context.streams("directions")
    rows: dict[str, list[Floats]] = {}
    slopes, bounds, extrapolated, exact = [], [], [], []
    for done in range(count):
        v = stream.standard_normal(problem.network.parameter_count)
        for name, row in _along(config, problem, v, h).items():
            rows.setdefault(name, []).append(row)
        unit = v / np.linalg.norm(v)
        slopes.append(_slope(config, problem, unit))
        bounds.append(rounding.directional_bound(problem, Direction(unit)))
        extrapolated.append(extrapolated_along(problem, Direction(unit), config.memory))
        exact.append(complex_along(problem, Direction(unit)))
        context.progress(Work("directions", done + 1, count))
    arrays = {"sweep.h": h} | {f"sweep.{name}": np.array(found) for name, found in rows.items()}
    smooth = not any(activation.kinks for activation in problem.network.activations)
    found = Extrapolated(*(np.concatenate(parts) for parts in zip(*extrapolated, strict=True)))
    return Swept(
        curve_metrics(config, arrays, smooth),
        arrays,
        list(_tensor(config, np.array(slopes), found, exact, np.array(bounds))),
    )


def directional_methods(config: GradcheckConfig) -> tuple[str, ...]:
    """The methods for ∇E·v; none without backward."""
    if "backward" not in config.methods:
        return ()
    return ("backward", "richardson", *({"complex"} & set(config.methods)))


def _tensor(
    config: GradcheckConfig, slopes: Floats, found: Extrapolated, exact: list[Quotient], bounds: Floats
) -> Iterator[Derivatives]:
    """∇E·v by backward against the least error that the step sweep attains, and the complex step."""
    methods = directional_methods(config)
    if not methods:
        return
    known = {"backward": slopes, "richardson": found.value, "complex": np.array([e.value for e in exact])}
    first = Estimates({method: known[method] for method in methods}, {}, found.error)
    allowed = np.full(slopes.shape, config.tolerances.central * first.sound().max())
    looked = recheck(first, allowed, np.ones(slopes.shape, bool), lambda places: found, most=0)
    # a kink of the slope's own slope only, as softsign's, does no harm
    at_kink = np.array([quotient.crossed for quotient in exact])
    at_kink &= ~(np.abs(known["complex"] - found.value) <= allowed)
    doubts = looked.doubts(np.asarray, 0.0) | {"complex": Doubt(at_kink, error=np.zeros(slopes.shape))}
    yield Derivatives("directional", looked.by_method, bounds, doubts)


def _along(config: GradcheckConfig, problem: Problem, v: Floats, h: Floats) -> dict[str, Floats]:
    """Relative errors along one direction at every step, measured and predicted: `(H,)` each."""
    slope, k, line = _slope(config, problem, v), _CURVATURE_STEP, Direction(v)
    loss, t, here = problem.loss, problem.t, problem.signals().output
    up, down, up2, down2 = (
        outputs_along(problem, line, factor * h, config.memory) for factor in (1, -1, 2, -2)
    )
    near, far = loss.difference(up, down, t), loss.difference(up2, down2, t)
    steps = loss.value(outputs_along(problem, line, 1j * h, config.memory), t).imag / h
    third = (_slope(config, problem, v, k) - 2 * slope + _slope(config, problem, v, -k)) / k**2
    errors = {
        "central": np.abs(near / (2 * h) - slope),
        "central4": np.abs((8 * near - far) / (12 * h) - slope),
        "complex": np.abs(steps - slope),
        "taylor": np.abs(loss.difference(up, here, t) - h * slope),
        "truncation": h**2 * abs(third) / 6,
        "round_off": round_off(problem, 1.0) / h,
    }
    return {name: error / abs(slope) for name, error in errors.items()}


def round_off(problem: Problem, h: float) -> float:
    """ε ‖∂E/∂y ⊙ y‖ / √2 h: about how far rounding of the outputs moves (E₊ − E₋) / 2h."""
    y = problem.signals().output
    terms = np.linalg.norm(problem.loss.gradient(y, problem.t) * y)
    return float(EPSILON * terms / np.sqrt(2) / h)


def _slope(config: GradcheckConfig, problem: Problem, v: Floats, at: float = 0.0) -> float:
    """φ'(at) = ∇E(θ + at·v)·v by the backward pass that is on trial."""
    moved = replace(problem, parameters=problem.parameters + at * v)
    return float(faulty_gradient(moved, config.inject) @ v)


def curve_metrics(config: GradcheckConfig, arrays: dict[str, Any], smooth: bool) -> Metrics:
    """The orders (None where kinks break the branches), the best step, and the errors at every step."""
    h = arrays["sweep.h"]
    median = {
        name.removeprefix("sweep."): _median(curve) for name, curve in arrays.items() if name != "sweep.h"
    }
    error = np.where(np.isfinite(median["central"]), median["central"], np.inf)
    best = int(np.argmin(error))
    errors = {
        repr(float(step)): {name: finite(median[name][i]) for name in ("central", "complex")}
        for i, step in enumerate(h)
    }
    return {
        "order": _orders(h, median, smooth),
        "step_sweep": {
            "default_step": config.central_step,
            "best_step": float(h[best]) if np.isfinite(error[best]) else None,
            "best_error": finite(error[best]),
            "errors": errors,
        },
    }


def _median(curve: Floats) -> Floats:
    """Over the rows that have a number: `(rows, H)` to `(H,)`; NaN where none has."""
    known = ~np.isnan(curve).all(axis=0)
    median = np.full(curve.shape[1], np.nan)
    median[known] = np.nanmedian(curve[:, known], axis=0)
    return median


def _orders(h: Floats, median: dict[str, Floats], smooth: bool) -> Metrics:
    """The observed orders: of central differences of both orders, and of the Taylor remainder."""
    noise = median["round_off"]
    branch = (median["truncation"] > _CLEAR * noise) & (median["central"] < 1e-2)
    fourth = (median["central4"] > _CLEAR * noise) & (median["central4"] < 1e-3)
    remains = median["taylor"] > _CLEAR * noise * h
    taylor = remains & (median["taylor"] < 1e-1 * h)
    if taylor.sum() < _FEWEST and (error := median["central"]).max() < 100 * error.min():
        # the gradient is so wrong that no step is short: the quotient is off by the same at all of them
        taylor = remains & (h <= 1e-3)
    observed = {
        "central": _order(h, median["central"], branch),
        "central4": _order(h, median["central4"], fourth),
        "taylor": _order(h, median["taylor"], taylor),
    }
    if not smooth:
        observed = dict.fromkeys(observed)
    return {
        "observed": observed["central"],
        "expected": 2.0,
        "central4": {"observed": observed["central4"], "expected": 4.0},
        "taylor": {"observed": observed["taylor"], "expected": 2.0},
    }


def _order(h: Floats, error: Floats, branch: Any) -> float | None:
    """The slope of log error against log h in the truncation branch; None unless three steps show it.

    Steps at which the error is large are no part of it: there higher orders take part.
    """
    branch = branch & (error > 0)
    if branch.sum() < _FEWEST:
        return None
    return finite(np.polyfit(np.log(h[branch]), np.log(error[branch]), 1)[0])

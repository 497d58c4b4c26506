"""The error of difference quotients of functions against the step, along random directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import noise
from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.experiments.base import Metrics, RunContext
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.sweep import curve_metrics

_MOST_ROWS = 100
"""Directions over all cases; each case has at least one."""
_ROUNDINGS = 16
"""A third derivative counts only above this many rounding errors of its terms."""
_CURVATURE_STEP = 1e-4
"""Step of the second difference of directional derivatives, which gives the third derivative."""


class Swept(NamedTuple):
    """The metrics `order` and `step_sweep`, and the arrays of the plot."""

    metrics: Metrics
    arrays: dict[str, Any]


def sweep(config: GradcheckConfig, cases: tuple[Case, ...], context: RunContext) -> Swept:
    """As for a network: errors relative to |φ'(0)| by the formula, φ(s) = f(x + s v) at the case's points.

    A direction v has normal coordinates of the scale max(1, |x_j|) / √d. Directions in which the slope is 0
    are left out.
    """
    h, rows = config.step_sweep.steps(), dict[str, list[Floats]]()
    directions = min(config.step_sweep.directions, max(1, _MOST_ROWS // max(1, len(cases))))
    for case in cases:
        stream = context.streams("directions", case.name)
        for number in range(directions):
            count = case.points.shape[1]
            x = case.points[:, number * max(1, count // directions) % count]  # on both sides of a kink
            v = stream.standard_normal(len(x)) * np.maximum(1.0, np.abs(x)) / np.sqrt(len(x))
            if _slope(case, x, v) != 0:
                for name, row in _along(case, x, v, h).items():
                    rows.setdefault(name, []).append(row)
    names = ("central", "central4", "complex", "taylor", "truncation", "round_off")
    nothing = [np.full(h.shape, np.nan)]
    arrays = {f"sweep.{name}": np.array(rows.get(name, nothing)) for name in names}
    return Swept(curve_metrics(config, {"sweep.h": h} | arrays, smooth=True), {"sweep.h": h} | arrays)


def _along(case: Case, x: Floats, v: Floats, h: Floats) -> dict[str, Floats]:
    """Relative errors along one direction at every step, measured and predicted: `(H,)` each."""
    slope = _slope(case, x, v)
    here = np.repeat(x[:, None], len(h), axis=1)

    def moved(multiple: Any) -> Any:
        return x[:, None] + multiple * h * v[:, None]

    near, far = case.change(moved(1), moved(-1)), case.change(moved(2), moved(-2))
    level = noise.estimate(noise.sampled(case.value, x[:, None]))[0] / np.sqrt(2)
    if level == 0:  # on a plateau rounding hides the slope, too
        level = EPSILON / 2 * np.abs(case.value(x[:, None].copy()))[0]
    away = np.abs(case.change(moved(2), here)) + np.abs(case.change(moved(-2), here))
    errors = {
        "central": np.abs(near / (2 * h) - slope),
        "central4": np.abs((8 * near - far) / (12 * h) - slope),
        "complex": np.full(h.shape, np.nan),
        "taylor": np.abs(case.change(moved(1), here) - h * slope),
        "truncation": h**2 * abs(_third(case, x, v)) / 6,
        "round_off": (level + EPSILON * away) / h,
    }
    if case.takes_complex:
        errors["complex"] = np.abs(case.value(moved(1j)).imag / h - slope)
    return {name: error / abs(slope) for name, error in errors.items()}


def _third(case: Case, x: Floats, v: Floats) -> float:
    """φ‴(0) by a second difference of slopes; 0 where it is rounding."""
    k = _CURVATURE_STEP * v
    after, here, before = (_slope(case, place, v) for place in (x + k, x, x - k))
    size = sum(_slope(case, place, v, np.abs) for place in (x + k, x, x, x - k))
    third = after - 2 * here + before
    return 0.0 if abs(third) <= _ROUNDINGS * EPSILON * size else third / _CURVATURE_STEP**2


def _slope(case: Case, x: Floats, v: Floats, of: Callable[[Any], Any] = np.asarray) -> float:
    """∇f·v by the formula."""
    return float(of(case.gradient(x[:, None].copy()))[:, 0] @ of(v))

"""The error of difference quotients of functions against the step, along random directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import noise
from dnnexp.core.arrays import Floats
from dnnexp.experiments.base import Metrics, Request
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.sweep import curve_metrics

_MOST_ROWS = 100
"""Over all cases; each has one at least."""
_CURVATURE_STEP = 1e-4
"""The step, along a direction, of the second difference of slopes that gives the third derivative."""


class Swept(NamedTuple):
    """The metrics `order` and `step_sweep`, and the arrays of the plot."""

    metrics: Metrics
    arrays: dict[str, Any]


def sweep(config: GradcheckConfig, cases: tuple[Case, ...], request: Request) -> Swept:
    """As for a network: errors relative to |φ'(0)| by the formula, φ(s) = f(x + s v) at the case's points.

    A direction v has normal coordinates of the scale max(1, |x_j|) / √d. Directions in which the slope is 0
    are left out.
    """
    h, rows = config.step_sweep.steps(), dict[str, list[Floats]]()
    directions = min(config.step_sweep.directions, max(1, _MOST_ROWS // max(1, len(cases))))
    for case in cases:
        stream = request.streams("directions", case.name)
        for number in range(directions):
            x = case.points[:, number % case.points.shape[1]]
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
    slope, k = _slope(case, x, v), _CURVATURE_STEP
    here = np.repeat(x[:, None], len(h), axis=1)

    def moved(multiple: Any) -> Any:
        return x[:, None] + multiple * h * v[:, None]

    near, far = case.change(moved(1), moved(-1)), case.change(moved(2), moved(-2))
    third = (_slope(case, x + k * v, v) - 2 * slope + _slope(case, x - k * v, v)) / k**2
    level = noise.estimate(noise.sampled(case.value, x[:, None]))[0]
    errors = {
        "central": np.abs(near / (2 * h) - slope),
        "central4": np.abs((8 * near - far) / (12 * h) - slope),
        "complex": np.full(h.shape, np.nan),
        "taylor": np.abs(case.change(moved(1), here) - h * slope),
        "truncation": h**2 * abs(third) / 6,
        "round_off": level / np.sqrt(2) / h,
    }
    if case.takes_complex:
        errors["complex"] = np.abs(case.value(moved(1j)).imag / h - slope)
    return {name: error / abs(slope) for name, error in errors.items()}


def _slope(case: Case, x: Floats, v: Floats) -> float:
    """∇f·v by the formula."""
    return float(np.asarray(case.gradient(x[:, None].copy()))[:, 0] @ v)

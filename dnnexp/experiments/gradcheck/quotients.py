"""How far a difference of one step may be off, entry by entry.

The errors of both outputs, over 2h, bound what rounding does to it (`dnnexp.core.rounding`); an entry that
they explain is settled. For the others a step of 2h shows the truncation: that of order p grows by 2ᵖ − 1
times itself (Richardson 1911). What that does not explain either is decided by extrapolation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import scaled_step
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.input_derivatives import central_fourth_jacobian, central_jacobian
from dnnexp.core.parameter_derivatives import central_derivatives, central_fourth_derivatives
from dnnexp.core.problem import Problem
from dnnexp.experiments.gradcheck.config import DIFFERENCES, GradcheckConfig, Tolerances
from dnnexp.experiments.gradcheck.recheck import Rechecked

ROUNDING = {"central": 1.0, "central4": 4 / 3 + 1 / 6}
"""How far rounding moves Σ cₘ (φ(mh) − φ(−mh)) / 2mh, over how far it moves that of one h: Σ |cₘ| / m."""
_DOUBLED = {"central": 2.0**2 - 1, "central4": 2.0**4 - 1}
"""Growth of the truncation error when the step is doubled, relative to the error itself."""


class Quotients(NamedTuple):
    """What is known of the differences of one step.

    Attributes:
        rounding: how far rounding may move them beside the derivative itself, `(N,)`.
        doubled: from places `(K,)` to those of twice the step, and which of them cross a kink, `(K,)` each.
    """

    rounding: Floats
    doubled: Callable[[Integers], tuple[Floats, Any]]


def steps(config: GradcheckConfig) -> dict[str, float]:
    """The methods of one step that take part, and their steps."""
    known = {"central": config.central_step, "central4": config.central4_step}
    return {method: step for method, step in known.items() if method in config.methods}


def explain(config: GradcheckConfig) -> str:
    """The derivation of their bounds in a sentence; nothing where none takes part."""
    gains = " or ".join(f"1/{_DOUBLED[method]:g} ({method})" for method in steps(config))
    if not gains or config.tolerances.central > Tolerances.central:
        return ""
    return (
        f" A difference of steps ±h may be off by the errors of both sides over 2h, too, and by truncation, "
        f"{gains} of what twice the step changes; what exceeds that is extrapolated."
    )


def of_parameters(config: GradcheckConfig, problem: Problem) -> dict[str, Quotients]:
    """Those of ∂E/∂θ, `(P,)`."""
    by_method = {"central": central_derivatives, "central4": central_fourth_derivatives}

    def of(method: str, step: float) -> Quotients:
        def doubled(places: Integers) -> tuple[Floats, Any]:
            longer = by_method[method](problem, 2 * step, places, memory=config.memory)
            return longer.value, longer.crossed

        h = scaled_step(problem.parameters, step)
        return Quotients(ROUNDING[method] * rounding.quotient_bound(problem, h), doubled)

    return {method: of(method, step) for method, step in steps(config).items()}


def of_inputs(config: GradcheckConfig, problem: Problem) -> dict[str, Quotients]:
    """Those of ∂y/∂x, flat."""
    by_method = {"central": central_jacobian, "central4": central_fourth_jacobian}

    def of(method: str, step: float) -> Quotients:
        bound = rounding.jacobian_quotient_bound(problem, scaled_step(problem.x, step))

        def doubled(places: Integers) -> tuple[Floats, Any]:
            longer = by_method[method](problem, 2 * step, config.memory)
            crossed = np.broadcast_to(longer.crossed[:, None, :], bound.shape)
            return longer.value.reshape(-1)[places], crossed.reshape(-1)[places]

        return Quotients(ROUNDING[method] * bound.reshape(-1), doubled)

    return {method: of(method, step) for method, step in steps(config).items()}


def bounded(
    looked: Rechecked,
    quotients: Mapping[str, Quotients],
    allowed: Floats,
    retake: Callable[[Integers], Extrapolated],
    most: int,
) -> Rechecked:
    """With the error of every entry by central and central4, infinite where none is known.

    Args:
        looked: the derivatives after the second look.
        quotients: by method.
        allowed: by how much the entries may be off to be looked at here, `(N,)`.
        retake: extrapolates the derivatives at some places.
        most: the largest number of them, for each method.
    """
    for method, quotient in quotients.items():
        looked = _bounded(looked, method, quotient, allowed, retake, most)
    return looked


def _bounded(
    looked: Rechecked,
    method: str,
    quotient: Quotients,
    allowed: Floats,
    retake: Callable[[Integers], Extrapolated],
    most: int,
) -> Rechecked:
    """With those of one method."""
    value, taken = looked.by_method[method].copy(), looked.again[method]
    is_first, distance = np.isnan(taken), _distance(looked, method)
    error = np.where(is_first, quotient.rounding, taken)
    # larger errors are left to the tolerance
    unknown = looked.crossed[method] | looked.unsure[method] | (distance > allowed)
    (places,) = np.nonzero(is_first & ~unknown & (distance > error))
    if len(places):
        longer, crossed = quotient.doubled(places)
        truncation = np.abs(longer - value[places]) / _DOUBLED[method]
        error[places] += np.where(crossed | ~np.isfinite(truncation), 0.0, truncation)
    left = places[distance[places] > error[places]]
    excess = distance[left] / np.maximum(error[left], np.finfo(np.float64).tiny)
    ranked = left[np.argsort(-excess, kind="stable")][:most]
    error[left] = np.inf
    if len(ranked):
        again = retake(ranked)
        sure = again.error <= allowed[ranked]
        value[ranked[sure]], error[ranked[sure]] = again.value[sure], again.error[sure]
    return looked._replace(
        by_method=looked.by_method | {method: value},
        errors=looked.errors | {method: np.where(unknown, np.inf, error)},
        taken=looked.taken + len(ranked),
    )


def _distance(looked: Rechecked, method: str) -> Floats:
    """From the nearest of the exact methods; if there is none, from the farthest of the others."""
    own = looked.by_method[method]
    others = {name: np.abs(own - value) for name, value in looked.by_method.items() if name != method}
    exact = [distance for name, distance in others.items() if name not in DIFFERENCES]
    found = np.fmin.reduce(exact) if exact else np.fmax.reduce(list(others.values()))
    return np.asarray(found)

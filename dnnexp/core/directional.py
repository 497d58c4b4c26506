"""The derivative of a loss along one direction of parameters and inputs: φ'(0), φ(s) = E(θ + s v; x + s w).

It takes two passes instead of two for every parameter, for networks too large to check entry by entry.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP, COMPLEX_STEP
from dnnexp.core.extrapolation import Extrapolated, extrapolate, step_ladder
from dnnexp.core.network import Signals
from dnnexp.core.network_extrapolation import rounding_noise
from dnnexp.core.perturbation import MEMORY_MIB, crosses
from dnnexp.core.problem import Problem


class Direction(NamedTuple):
    """A tangent of the parameters, v `(P,)`, and one of the inputs, w `(batch, n_0)`; None stands for 0."""

    parameters: Floats | None = None
    inputs: Floats | None = None


class Quotient(NamedTuple):
    """A difference quotient along a direction.

    Attributes:
        value: the quotient.
        crossed: whether a unit crossed a kink (a point where σ' jumps) between the outermost two points.
        units: the units that crossed one, `(n_l,)` for each layer.
    """

    value: float
    crossed: bool
    units: tuple[Any, ...]


def forward_along(problem: Problem, direction: Direction) -> float:
    """∂E/∂y · ẏ by forward mode."""
    signals = problem.signals()
    tangent = problem.network.tangent(problem.parameters, signals, *direction)
    return float((problem.loss.gradient(signals.output, problem.t) * tangent).sum())


def central_along(problem: Problem, direction: Direction, step: float = CENTRAL_STEP) -> Quotient:
    """(φ(h) − φ(−h)) / 2h."""
    up, down = (_moved(problem, direction, shift) for shift in (step, -step))
    value = problem.loss.difference(up.output, down.output, problem.t) / (2 * step)
    return _quotient(problem, float(value), [up, down])


def central_fourth_along(
    problem: Problem, direction: Direction, step: float = CENTRAL_FOURTH_STEP
) -> Quotient:
    """(8 (φ(h) − φ(−h)) − (φ(2h) − φ(−2h))) / 12h."""
    moved = [_moved(problem, direction, shift * step) for shift in (1, -1, 2, -2)]
    near, far = (
        problem.loss.difference(up.output, down.output, problem.t) for up, down in (moved[:2], moved[2:])
    )
    return _quotient(problem, float((8 * near - far) / (12 * step)), moved)


def complex_along(problem: Problem, direction: Direction, step: float = COMPLEX_STEP) -> Quotient:
    """Im φ(i h) / h. A unit exactly at a kink moves off it by −h², the product of two imaginary parts."""
    moved = _moved(problem, direction, 1j * step)
    value = problem.loss.value(moved.output, problem.t).imag / step
    return _quotient(problem, float(value), [moved])


def extrapolated_along(problem: Problem, direction: Direction, memory: float = MEMORY_MIB) -> Extrapolated:
    """φ'(0) by extrapolation of central differences from steps up to 1: `(1,)` each."""
    loss, t, h = problem.loss, problem.t, step_ladder(np.zeros(1))
    with np.errstate(all="ignore"):
        here = problem.signals().output
        plus, minus = (outputs_along(problem, direction, sign * h[:, 0], memory) for sign in (1, -1))
        difference = loss.difference(plus, minus, t)[:, None]
        bend = (loss.difference(plus, here, t) + loss.difference(minus, here, t))[:, None]
        size = np.abs(t * (plus - minus)).sum(axis=(1, 2))[:, None]
        noise = rounding_noise(problem, 0)
    return extrapolate(h, difference, noise + EPSILON * size, bend)


def outputs_along(problem: Problem, direction: Direction, shifts: Any, memory: float = MEMORY_MIB) -> Any:
    """y at every shift along the direction, shifts `(S,)`: `(S, batch, n_L)`.

    As many networks are stacked as fit into `memory` MiB, at least one.
    """
    numbers = problem.parameters.size + 4 * len(problem.x) * max(problem.network.widths)
    size = max(1, int(memory * 2**20 / (8 * numbers)))
    stacks = [shifts[first : first + size] for first in range(0, len(shifts), size)]
    return np.concatenate([_moved(problem, direction, stack).output for stack in stacks])


def _moved(problem: Problem, direction: Direction, shift: Any) -> Signals:
    """The forward pass at a shift, or at a stack of shifts `(S,)`."""
    v, w = direction
    theta = problem.parameters if v is None else problem.parameters + np.multiply.outer(shift, v)
    x = problem.x if w is None else problem.x + np.multiply.outer(shift, w)
    return problem.network.forward(theta.T, x)


def _quotient(problem: Problem, value: float, moved: list[Signals]) -> Quotient:
    """The quotient, with the units that crossed a kink between θ and any of the points."""
    layers = zip(
        problem.network.activations, problem.signals().pre, *(signals.pre for signals in moved), strict=True
    )
    units = tuple(
        np.any([crosses(activation.kinks, z, there) for there in others], axis=(0, 1))
        for activation, z, *others in layers
    )
    return Quotient(value, any(bool(unit.any()) for unit in units), units)


def miss_probability(entries: int, threshold: float, directions: int) -> float:
    """The probability that no direction reveals a single wrong entry: |e v_k| ≤ threshold · |e| for all.

    v is uniform on the unit sphere of n entries: v_k² ~ Beta(½, (n − 1)/2).
    """
    if entries == 1:
        return float(threshold >= 1 or directions == 0)
    from scipy.special import betainc

    return float(betainc(0.5, (entries - 1) / 2, min(1.0, threshold) ** 2) ** directions)

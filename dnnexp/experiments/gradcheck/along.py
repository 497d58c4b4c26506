"""A network's derivatives along random directions of each tensor, for networks too large for every entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import Floats
from dnnexp.core.directional import (
    Direction,
    Quotient,
    central_along,
    central_fourth_along,
    complex_along,
    extrapolated_along,
    forward_along,
    miss_probability,
)
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.faults import backward, faulty_gradient, jacobian_backward
from dnnexp.core.losses import Linear
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import RunContext, Work
from dnnexp.experiments.gradcheck.checks import Derivatives
from dnnexp.experiments.gradcheck.config import DIFFERENCES, GradcheckConfig, ordered
from dnnexp.experiments.gradcheck.entries import Entries
from dnnexp.experiments.gradcheck.measured import Coverage, Kinks
from dnnexp.experiments.gradcheck.quotients import ROUNDING, Quotients, bounded, steps
from dnnexp.experiments.gradcheck.recheck import Estimates, recheck
from dnnexp.experiments.gradcheck.sweep import round_off

_MOST_INPUTS = 1_000_000
"""A wrong dy/dx with at most this many entries is differentiated as a whole, to locate the error."""
_VISIBLE = 0.01
"""The stated miss probability is for an error of this size, relative to the tensor's largest entry."""


@dataclass(frozen=True)
class _Tensor:
    """A tensor and its directions: of parameters, `(K, n)`, or of inputs, `(K, batch, n_0)`, with u of y."""

    name: str
    problem: Problem
    vectors: Floats
    start: int = 0  # among the parameters
    u: Floats | None = None  # (K, batch, n_L)

    def line(self, k: int) -> tuple[Problem, Direction]:
        """What is differentiated along the k-th direction, Σ u y in place of the loss for those of inputs."""
        if self.u is not None:
            return replace(self.problem, t=self.u[k], loss=Linear()), Direction(inputs=self.vectors[k])
        v = np.zeros_like(self.problem.parameters)
        v[self.start : self.start + len(self.vectors[k])] = self.vectors[k]
        return self.problem, Direction(parameters=v)


def measure(config: GradcheckConfig, problem: Problem, context: RunContext) -> Entries:
    """∇E·v of each tensor, uᵀ (∂y/∂x) w of the outputs, for random unit vectors: `(directions,)` each."""
    whole = faulty_gradient(problem, config.inject)
    truth = problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss)
    none = tuple(np.zeros(width, bool) for width in problem.network.widths[1:])
    tensors, units, taken, missed = [], [none], 0, 0.0
    for done, tensor in enumerate(_tensors(config, problem, context), start=1):
        found, crossed, again = _along(config, tensor)
        tensors.append(found)
        units += crossed
        taken += again
        if tensor.name != "dy/dx":
            entries = truth[tensor.start : tensor.start + tensor.vectors.shape[1]]
            missed = max(missed, _missed(config, found, entries))
        context.progress(Work("tensors", done, 2 * problem.network.depth + 1))
    layers = [np.any(masks, axis=0) for masks in zip(*units, strict=True)]
    return Entries(
        tensors,
        {"backward": whole, "forward": truth},
        _jacobian(config, problem, tensors[-1]),
        Kinks(sum(any(map(np.any, masks)) for masks in units), tuple(int(mask.sum()) for mask in layers)),
        taken,
        Coverage(truth.size, len(tensors) * (config.directions or 0), missed, _VISIBLE),
    )


def _tensors(config: GradcheckConfig, problem: Problem, context: RunContext) -> Iterator[_Tensor]:
    """W1 b1 … WL bL and dy/dx."""
    start, count = 0, config.directions or 0
    for level, (n_in, n_out) in enumerate(pairwise(problem.network.widths), start=1):
        for letter, size in (("W", n_out * n_in), ("b", n_out)):
            name = f"{letter}{level}"
            v = context.streams("tensor directions", name).standard_normal((count, size))
            unit = v / np.linalg.norm(v, axis=1, keepdims=True)
            yield _Tensor(name, problem, unit, start)
            start += size
    stream = context.streams("tensor directions", "dy/dx")
    w = stream.standard_normal((count, *problem.x.shape))
    unit = w / np.linalg.norm(w, axis=(1, 2), keepdims=True)
    yield _Tensor("dy/dx", problem, unit, u=stream.standard_normal((count, *problem.signals().output.shape)))


def _along(config: GradcheckConfig, tensor: _Tensor) -> tuple[Derivatives, list[Any], int]:
    """The derivatives along all lines, the units that crossed a kink, how many were taken again."""
    lines = range(len(tensor.vectors))
    rows = {m: [_by(config, m, *tensor.line(k)) for k in lines] for m in ordered(config.methods)}
    quotients = {m: row for m, row in rows.items() if isinstance(row[0], Quotient)}
    crossed = {m: np.array([found.crossed for found in row]) for m, row in quotients.items()}
    values = {m: np.array([f if isinstance(f, float) else f.value for f in row]) for m, row in rows.items()}
    extrapolated = rows.get("richardson")
    if extrapolated is not None:
        values["richardson"] = np.concatenate(values["richardson"])
    error = None if extrapolated is None else np.concatenate([found.error for found in extrapolated])

    def retake(places: Any) -> Extrapolated:
        again = [extrapolated_along(*tensor.line(k), config.memory) for k in places]
        return Extrapolated(*(np.concatenate(parts) for parts in zip(*again, strict=True)))

    found = Estimates(values, crossed, error)
    allowed = np.full(len(lines), config.tolerances.central * found.sound().max())
    looked = recheck(found, allowed, np.ones(len(lines), bool), retake, len(lines))
    looked = bounded(looked, _quotients(config, tensor), allowed, retake, len(lines))
    noise = max(round_off(tensor.line(k)[0], config.central_step) for k in lines)
    bounds = np.array([rounding.directional_bound(*tensor.line(k)) for k in lines])
    doubts = looked.doubts(np.asarray, noise)
    units = [each.units for row in quotients.values() for each in row]
    return Derivatives(tensor.name, looked.by_method, bounds, doubts), units, looked.taken


def _quotients(config: GradcheckConfig, tensor: _Tensor) -> dict[str, Quotients]:
    """What bounds the differences of one step along all lines."""

    def of(method: str, step: float) -> Quotients:
        def doubled(places: Any) -> tuple[Floats, Any]:
            longer = [_STEPPED[method](*tensor.line(k), 2 * step) for k in places]
            return np.array([each.value for each in longer]), np.array([each.crossed for each in longer])

        bounds = [rounding.directional_quotient_bound(tensor.line(k)[0], step) for k in lines]
        return Quotients(ROUNDING[method] * np.array(bounds), doubled)

    lines = range(len(tensor.vectors))
    return {method: of(method, step) for method, step in steps(config).items()}


_STEPPED = {"central": central_along, "central4": central_fourth_along}


def _by(config: GradcheckConfig, method: str, problem: Problem, direction: Direction) -> Any:
    """The derivative along a line by one method."""
    if method == "backward":
        return _backward(config, problem, direction)
    if method == "forward":
        return forward_along(problem, direction)
    if method in _STEPPED:
        return _STEPPED[method](problem, direction, steps(config)[method])
    if method == "richardson":
        return extrapolated_along(problem, direction, config.memory)
    return complex_along(problem, direction).value  # within one tensor no two tangents are multiplied


def _backward(config: GradcheckConfig, problem: Problem, direction: Direction) -> float:
    """∇E·v, by the backward pass that is on trial."""
    if direction.parameters is not None:
        return float(faulty_gradient(problem, config.inject) @ direction.parameters)
    signals = problem.signals()
    cotangent = problem.loss.gradient(signals.output, problem.t)
    _, to_input = backward(problem.network, problem.parameters, signals, cotangent, config.inject)
    return float((to_input * direction.inputs).sum())


def _jacobian(config: GradcheckConfig, problem: Problem, found: Derivatives) -> dict[str, Floats]:
    """∂y/∂x by the pass back, where it is wrong and not too large: some faults show nowhere else."""
    by_method, size = found.by_method, problem.x.size * problem.network.widths[-1]
    others = [values for method, values in by_method.items() if method != "backward"]
    if "backward" not in by_method or size > _MOST_INPUTS:
        return {}
    apart = np.min([np.abs(by_method["backward"] - values) for values in others], axis=0)
    allowed = 2 * found.bound + config.tolerances.central * np.abs(others[0]).max()
    if not np.any(apart > allowed):
        return {}
    return {
        "backward": jacobian_backward(problem.network, problem.parameters, problem.signals(), config.inject)
    }


def _missed(config: GradcheckConfig, found: Derivatives, entries: Floats) -> float:
    """The chance that no direction shows one entry that is wrong by `_VISIBLE` of the largest."""
    exact = [method for method in found.by_method if method not in DIFFERENCES]
    size = float(np.abs(next(iter(found.by_method.values()))).max())
    if "backward" not in exact or len(exact) < 2:
        allowed = config.tolerances.central * size
    elif config.tolerances.exact is None:
        allowed = 2 * float(found.bound.max())
    else:
        allowed = config.tolerances.exact * size
    visible = _VISIBLE * float(np.abs(entries).max())
    if not allowed < visible:
        return 1.0
    return miss_probability(len(entries), allowed / visible, len(found.bound))

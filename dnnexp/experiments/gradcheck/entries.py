"""A network's derivatives entry by entry: of the loss by parameters, of the outputs by inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import EPSILON, Floats, Integers
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.faults import faulty_gradient, jacobian_backward
from dnnexp.core.input_derivatives import central_fourth_jacobian, central_jacobian, complex_jacobian
from dnnexp.core.network_extrapolation import extrapolated_derivatives, extrapolated_jacobian
from dnnexp.core.parameter_derivatives import (
    Differences,
    central_derivatives,
    central_fourth_derivatives,
    complex_derivatives,
    forward_derivatives,
)
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import RunContext, Work
from dnnexp.experiments.gradcheck.checks import Derivatives
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.measured import Coverage, Kinks
from dnnexp.experiments.gradcheck.quotients import bounded, of_inputs, of_parameters
from dnnexp.experiments.gradcheck.recheck import Estimates, Rechecked, recheck
from dnnexp.experiments.gradcheck.sweep import round_off

_MOST = 4000
"""Largest number of parameters that are measured again with other steps."""
_MOST_INPUTS = 100_000
"""Largest number of entries of dy/dx that are measured again with other steps."""


class Entries(NamedTuple):
    """The tensors, and what else came of it.

    Attributes:
        tensors: W1 b1 … WL bL and dy/dx.
        gradients: ∂E/∂θ by every method, `(P,)`; NaN where not compared.
        jacobians: ∂y/∂x by every method, `(batch, n_L, n_0)`.
        kinks: what crossed one at first.
        rechecked: how many differences were taken again.
        coverage: how many entries were compared.
    """

    tensors: list[Derivatives]
    gradients: dict[str, Floats]
    jacobians: dict[str, Floats]
    kinks: Kinks
    rechecked: int
    coverage: Coverage


def measure(config: GradcheckConfig, problem: Problem, context: RunContext) -> Entries:
    """All entries, or a fraction of each tensor of parameters."""
    compared = sample(config, problem, context)
    found, units = _gradients(config, problem, compared, context)
    inputs, input_units = _jacobians(config, problem)
    looked = _look(config, problem, found, compared)
    looked_inputs = _look_at_inputs(config, problem, inputs)
    outputs = _input_tensor(config, problem, looked_inputs)
    tensors = [*_parameter_tensors(config, problem, looked, compared), outputs]
    crossed = sum(int(mask.sum()) for part in (found, inputs) for mask in part.crossed.values())
    none = tuple(np.zeros(width, bool) for width in problem.network.widths[1:])
    layers = tuple(int(np.any(masks, axis=0).sum()) for masks in zip(none, *units, *input_units, strict=True))
    gradients = looked.by_method
    if not compared.all():  # a fault is known by all entries: those of passes back with it and without
        backward = faulty_gradient(problem, config.inject)
        gradients = {"backward": backward, "forward": faulty_gradient(problem, None)}
    return Entries(
        tensors,
        gradients,
        dict(outputs.by_method),
        Kinks(crossed, layers),
        looked.taken + looked_inputs.taken,
        _coverage(problem, compared, outputs.bound.size),
    )


def sample(config: GradcheckConfig, problem: Problem, context: RunContext) -> Any:
    """A mask of the parameters that are compared, `(P,)`: of each tensor the fraction, at least one."""
    compared = np.ones(problem.network.parameter_count, bool)
    if config.fraction == 1:
        return compared
    stream = context.streams("entries")
    for layer in problem.network.layers(compared):
        for tensor in layer:
            count = max(1, round(config.fraction * tensor.size))
            tensor.flat = stream.permutation(tensor.size) < count
    return compared


def _coverage(problem: Problem, compared: Any, inputs: int) -> Coverage:
    """A wrong entry of a tensor is missed where it is not among those drawn of it."""
    tensors = [tensor for layer in problem.network.layers(compared) for tensor in layer]
    missed = max(1 - float(tensor.mean()) for tensor in tensors)
    return Coverage(compared.size + inputs, int(compared.sum()) + inputs, missed)


def _gradients(
    config: GradcheckConfig, problem: Problem, compared: Any, context: RunContext
) -> tuple[Estimates, list[Any]]:
    """∂E/∂θ by every method, and by each of differences the units of every layer that crossed a kink."""
    places = None if compared.all() else np.flatnonzero(compared)
    methods = {name: method for name, method in _METHODS.items() if name in config.methods}
    by_method: dict[str, Floats] = {}
    crossed: dict[str, Any] = {}
    units, error = [], None
    for name, method in methods.items():
        found: Any = method(config, problem, places, _reported(context, name, int(compared.sum())))
        if isinstance(found, Extrapolated):
            found, error = found.value, _spread(found.error, compared, np.inf)
        elif isinstance(found, Differences):
            crossed[name] = _spread(found.crossed, compared, False)
            units.append(found.units)
            found = found.value
        by_method[name] = _spread(found, compared, np.nan)
    return Estimates(by_method, crossed, error), units


def _spread(values: Any, compared: Any, rest: Any) -> Any:
    """The values at the places that are compared, and `rest` elsewhere: `(P,)`."""
    whole = np.full(compared.shape, rest, values.dtype)
    whole[compared] = values
    return whole


def _reported(context: RunContext, method: str, count: int) -> Callable[[int], None]:
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        context.progress(Work(method, done, count))

    return add


def _backward(
    config: GradcheckConfig, problem: Problem, places: Integers | None, progress: Callable[[int], None]
) -> Floats:
    found = faulty_gradient(problem, config.inject)
    return found if places is None else found[places]


def _richardson(
    config: GradcheckConfig, problem: Problem, places: Integers | None, progress: Callable[[int], None]
) -> Extrapolated:
    chosen = np.arange(problem.network.parameter_count) if places is None else places
    enough = config.tolerances.central
    return extrapolated_derivatives(problem, chosen, progress, enough=enough, memory=config.memory)


_METHODS: dict[str, Callable[..., Any]] = {
    "backward": _backward,
    "forward": lambda c, p, places, progress: forward_derivatives(p, places, progress, c.memory),
    "central": lambda c, p, places, progress: central_derivatives(
        p, c.central_step, places, progress, c.memory
    ),
    "central4": lambda c, p, places, progress: central_fourth_derivatives(
        p, c.central4_step, places, progress, c.memory
    ),
    "richardson": _richardson,
    "complex": lambda c, p, places, progress: complex_derivatives(
        p, places=places, progress=progress, memory=c.memory
    ),
}
"""Maps config, problem, places and a progress callback to derivatives `(K,)`."""


def _jacobians(config: GradcheckConfig, problem: Problem) -> tuple[Estimates, list[Any]]:
    """∂y/∂x by every method, flat, and the units that crossed a kink."""
    network, parameters, signals = problem.network, problem.parameters, problem.signals()
    by_method: dict[str, Any] = {}
    crossed: dict[str, Any] = {}
    units, error = [], None
    if "backward" in config.methods:
        by_method["backward"] = jacobian_backward(network, parameters, signals, config.inject)
    if "forward" in config.methods:
        by_method["forward"] = network.jacobian_forward(parameters, signals)
    for name, method, step in (
        ("central", central_jacobian, config.central_step),
        ("central4", central_fourth_jacobian, config.central4_step),
    ):
        if name in config.methods:
            found = method(problem, step, config.memory)
            by_method[name] = found.value
            mask = np.broadcast_to(found.crossed[:, None, :], found.value.shape)
            crossed[name] = mask.reshape(-1)
            units.append(found.units)
    if "richardson" in config.methods:
        extrapolated = extrapolated_jacobian(problem, config.memory)
        by_method["richardson"], error = extrapolated.value, extrapolated.error.reshape(-1)
    if "complex" in config.methods:
        by_method["complex"] = complex_jacobian(problem, memory=config.memory)
    return Estimates({name: value.reshape(-1) for name, value in by_method.items()}, crossed, error), units


def _look(config: GradcheckConfig, problem: Problem, found: Estimates, compared: Any) -> Rechecked:
    """The second look at ∂E/∂θ."""
    sizes = found.sound()
    for layer in problem.network.layers(sizes):
        for tensor in layer:
            tensor[...] = tensor.max()

    def retake(places: Integers) -> Extrapolated:
        return extrapolated_derivatives(problem, places, memory=config.memory)

    allowed = config.tolerances.central * sizes
    looked = recheck(found, allowed, compared, retake, _MOST)
    return bounded(looked, of_parameters(config, problem), allowed, retake, _MOST)


def _look_at_inputs(config: GradcheckConfig, problem: Problem, found: Estimates) -> Rechecked:
    """The second look at ∂y/∂x, flat."""
    sizes = found.sound()
    count = sizes.size
    samples = sizes.reshape(len(problem.x), -1)  # each has a Jacobian of its own
    allowed = config.tolerances.central * np.repeat(samples.max(axis=1), samples.shape[1])

    def retake(places: Integers) -> Extrapolated:
        whole = extrapolated_jacobian(problem, config.memory)
        return Extrapolated(*(part.reshape(-1)[places] for part in whole))

    looked = recheck(found, allowed, np.ones(count, bool), retake, _MOST_INPUTS)
    return bounded(looked, of_inputs(config, problem), allowed, retake, _MOST_INPUTS)


def _parameter_tensors(
    config: GradcheckConfig, problem: Problem, looked: Rechecked, compared: Any
) -> Iterator[Derivatives]:
    """The parameter vectors cut into W1 b1 … WL bL."""
    # where ∂E/∂y is 0, the terms of the loss still round
    noise = round_off(problem, config.central_step) + EPSILON * float(np.linalg.norm(problem.t))
    bounds = rounding.gradient_bound(problem)
    for level in range(problem.network.depth):
        for place, letter in enumerate("Wb"):

            def cut(vector: Any, level: int = level, place: int = place) -> Any:
                return problem.network.layers(vector)[level][place]

            found = {method: cut(vector) for method, vector in looked.by_method.items()}
            doubts = looked.doubts(cut, noise)
            yield Derivatives(f"{letter}{level + 1}", found, cut(bounds), doubts, cut(compared))


def _input_tensor(config: GradcheckConfig, problem: Problem, looked: Rechecked) -> Derivatives:
    """dy/dx."""
    noise = EPSILON * float(np.abs(problem.signals().output).max()) / config.central_step
    bound = rounding.jacobian_bound(problem)

    def cut(vector: Any) -> Any:
        return vector.reshape(bound.shape)

    found = {method: cut(vector) for method, vector in looked.by_method.items()}
    return Derivatives("dy/dx", found, bound, looked.doubts(cut, noise))

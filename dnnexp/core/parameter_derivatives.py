"""The derivative of a loss with respect to each parameter, without a Python loop over parameters.

Forward mode, central differences and the complex step share the stack of perturbed networks
(`dnnexp.core.perturbation`) and differ in the perturbation. All take the indices of parameters,
`places` `(K,)`, or None for all of them, and `memory`, the MiB of a stack in each thread.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP, COMPLEX_STEP, scaled_step
from dnnexp.core.network import product
from dnnexp.core.perturbation import MEMORY_MIB, Block, Progress, for_each_block, no_progress, perturbed
from dnnexp.core.problem import Problem


class Differences(NamedTuple):
    """Difference quotients, and where kinks (points where σ' jumps) make them unreliable.

    Attributes:
        value: the quotients.
        crossed: the quotients for which a unit crossed a kink between the outermost two points.
        units: the units that crossed a kink for any quotient, `(n_l,)` for each layer.
    """

    value: Floats
    crossed: Any
    units: tuple[Any, ...]


def forward_derivatives(
    problem: Problem,
    places: Integers | None = None,
    progress: Progress = no_progress,
    memory: float = MEMORY_MIB,
) -> Floats:
    """∂E/∂θ by forward mode, with one tangent for each parameter: `(K,)`."""
    network, signals = problem.network, problem.signals()
    layers, sigma_derivatives = network.layers(problem.parameters), network.derivatives(signals)
    cotangent = problem.loss.gradient(signals.output, problem.t)
    derivatives = _empty(problem, places)

    def work(block: Block) -> None:
        level = block.level
        a_dot = block.sources * sigma_derivatives[level].T[block.units]  # (block, batch): one unit moves
        if level == network.depth - 1:
            derivatives[block.entries] = (a_dot * cotangent.T[block.units]).sum(axis=1)
            return
        columns = layers[level + 1].weights.T[block.units]
        tangent = sigma_derivatives[level + 1] * (a_dot[:, :, None] * columns[:, None, :])
        for later in range(level + 2, network.depth):
            tangent = sigma_derivatives[later] * product(tangent, layers[later].weights.T)
        derivatives[block.entries] = np.einsum("ksn,sn->k", tangent, cotangent)

    for_each_block(problem, signals, places, work, progress, memory)
    return derivatives


def central_derivatives(
    problem: Problem,
    step: float = CENTRAL_STEP,
    places: Integers | None = None,
    progress: Progress = no_progress,
    memory: float = MEMORY_MIB,
) -> Differences:
    """(E(θ + h) − E(θ − h)) / 2h, with h = step · max(1, |θ|): `(K,)`.

    The difference of losses is formed from the difference of outputs (`Loss.difference`).
    """
    return _differences(problem, step, places, progress, memory, (1.0,))


def central_fourth_derivatives(
    problem: Problem,
    step: float = CENTRAL_FOURTH_STEP,
    places: Integers | None = None,
    progress: Progress = no_progress,
    memory: float = MEMORY_MIB,
) -> Differences:
    """(8 (E(θ + h) − E(θ − h)) − (E(θ + 2h) − E(θ − 2h))) / 12h, with h = step · max(1, |θ|): `(K,)`."""
    return _differences(problem, step, places, progress, memory, (4 / 3, -1 / 3))


def _differences(
    problem: Problem,
    step: float,
    places: Integers | None,
    progress: Progress,
    memory: float,
    shares: tuple[float, ...],
) -> Differences:
    """Σ shares[m − 1] · (E(θ + m h) − E(θ − m h)) / 2mh."""
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    theta = problem.parameters if places is None else problem.parameters[places]
    h = scaled_step(theta, step)
    derivatives, crossed = np.zeros_like(h), np.zeros(h.shape, bool)
    units = tuple(np.zeros(width, bool) for width in problem.network.widths[1:])

    def work(block: Block) -> None:
        for multiple, share in enumerate(shares, start=1):
            width = multiple * h[block.entries]
            shift = width[:, None] * block.sources
            plus, minus = (perturbed(problem, layers, signals, block, side) for side in (shift, -shift))
            crossed[block.entries] |= plus.crossed | minus.crossed
            for layer, *sides in zip(units, plus.units, minus.units, strict=True):
                layer[np.logical_or(*sides)] = True  # only ever set, so threads do not interfere
            difference = problem.loss.difference(plus.output, minus.output, problem.t)
            derivatives[block.entries] += share * difference / (2 * width)

    for_each_block(problem, signals, places, work, progress, memory)
    return Differences(derivatives, crossed, units)


def complex_derivatives(
    problem: Problem,
    step: float = COMPLEX_STEP,
    places: Integers | None = None,
    progress: Progress = no_progress,
    memory: float = MEMORY_MIB,
) -> Floats:
    """Im E(θ + i h) / h: `(K,)`."""
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    derivatives = _empty(problem, places)

    def work(block: Block) -> None:
        outputs = perturbed(problem, layers, signals, block, 1j * step * block.sources).output
        derivatives[block.entries] = problem.loss.value(outputs, problem.t).imag / step

    for_each_block(problem, signals, places, work, progress, memory)
    return derivatives


def _empty(problem: Problem, places: Integers | None) -> Floats:
    return np.empty(problem.network.parameter_count if places is None else len(places))


def parameter_differences(
    problem: Problem,
    places: Integers,
    h: Floats,
    progress: Progress = no_progress,
    memory: float = MEMORY_MIB,
) -> tuple[Floats, Floats, Floats]:
    """φ(h) − φ(−h) and φ(h) − 2φ(0) + φ(−h) of φ(s) = E(θ + s e_k), for some parameters k `(K,)`.

    Steps and results are `(H, K)`. Differences of losses are formed from those of outputs; the third
    result, Σ |t (y₊ − y₋)|, is the size of the terms that may cancel in them.
    """
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    loss, here, t, widths = problem.loss, signals.output, problem.t, h.reshape(-1)
    difference, bend, size = np.empty((3, h.size))

    def work(block: Block) -> None:
        shift = widths[block.entries][:, None] * block.sources
        plus, minus = (perturbed(problem, layers, signals, block, side).output for side in (shift, -shift))
        difference[block.entries] = loss.difference(plus, minus, t)
        bend[block.entries] = loss.difference(plus, here, t) + loss.difference(minus, here, t)
        size[block.entries] = np.abs(t * (plus - minus)).sum(axis=(1, 2))

    for_each_block(problem, signals, np.tile(places, len(h)), work, progress, memory)
    return difference.reshape(h.shape), bend.reshape(h.shape), size.reshape(h.shape)

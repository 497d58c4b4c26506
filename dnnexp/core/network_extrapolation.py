"""Extrapolated derivatives of networks, from forward passes only.

The noise of rounding is measured, not taken from a backward pass, which may be what is on trial: each sum and
each activation of a forward pass is moved at random by far more than rounding does and the result scaled
back, as in stochastic arithmetic (Vignes, "A stochastic arithmetic for reliable scientific computation",
Mathematics and Computers in Simulation 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.extrapolation import EPSILON, Extrapolated, extrapolate, step_ladder
from dnnexp.core.input_derivatives import basis, input_blocks
from dnnexp.core.network import affine
from dnnexp.core.parameter_derivatives import parameter_differences
from dnnexp.core.perturbation import MEMORY, Progress, parameter_levels, silent
from dnnexp.core.problem import Problem

_JITTER = 2.0**-40
"""How far numbers are moved, relatively: far above rounding, yet small if amplified a million times."""
_COARSE = 2.0**-30
"""About the longest of the steps that show the scatter: too long if numbers move out of proportion to it."""
_BENT = 2.0
"""So much less do they then move than jitter says: in waves that no step of the ladder is short for."""
_FUNCTION = 2.5
"""By so many ε may a function be off; on a plateau that is all that moves."""
_DRAWS = 16
_FEW = np.s_[4::4]
"""Ten steps in a ratio of 13, from 1/13 down to the smallest, which kinks and steep slopes need most."""
_LUCK = 1e-6
"""Larger errors of so few steps are not trusted: on steep slopes they agree to 1e-4 by chance."""
_ENTRIES = 2**13
"""How many parameters are taken at a time: 3 MiB an array of all steps."""
PASSES = 20
"""How many passes a derivative takes where these are enough."""


def extrapolated_derivatives(
    problem: Problem,
    places: Integers,
    progress: Progress = silent,
    enough: float = 0.0,
    memory: float = MEMORY,
) -> Extrapolated:
    """∂E/∂θ_k for some parameters k: `(K,)` each.

    Args:
        problem: the network, its batch and loss.
        places: the indexes k in the parameter vector, `(K,)`.
        progress: is told of parameters done.
        enough: the error, relative to the largest of these derivatives in the same tensor, with which a
            derivative by ten of the steps counts, 1e-6 at most; the others are taken again by all steps.
        memory: the MiB that a stack of perturbed networks may take, in each thread.
    """
    places = np.asarray(places, dtype=np.int64)
    with np.errstate(all="ignore"):
        noise = _noise(problem, places)
        if enough == 0:
            return _extrapolated(problem, places, np.s_[:], noise, progress, memory)
        found = _extrapolated(problem, places, _FEW, noise, progress, memory)
        (poor,) = np.nonzero(~(found.error <= min(enough, _LUCK) * _sizes(problem, places, found)))
        again = _extrapolated(problem, places[poor], np.s_[:], noise[poor], silent, memory)
    for old, new in zip(found, again, strict=True):
        old[poor] = new  # even if its error is larger: more steps contradict more
    return found


def _extrapolated(
    problem: Problem, places: Integers, steps: slice, noise: Floats, progress: Progress, memory: float
) -> Extrapolated:
    """By some steps of the ladder, so many parameters at a time; `progress` counts parameters."""
    found = Extrapolated(*np.empty((3, len(places))))
    for first in range(0, len(places), _ENTRIES):
        part = np.s_[first : first + _ENTRIES]
        h = step_ladder(problem.parameters[places[part]])[steps]
        difference, bend, size = parameter_differences(
            problem, places[part], h, _each(len(h), progress), memory
        )
        some = extrapolate(h, difference, noise[part] + EPSILON * size, bend)
        for whole, piece in zip(found, some, strict=True):
            whole[part] = piece
    return found


def _each(steps: int, progress: Progress) -> Progress:
    """Counts parameters where steps of them are done."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        before, done = done // steps, done + more
        if complete := done // steps - before:
            progress(complete)

    return count


def _noise(problem: Problem, places: Integers) -> Floats:
    """`rounding_noise` from the layer of each parameter on: `(K,)`."""
    levels = parameter_levels(problem.network, places)[0]
    noise = np.zeros(problem.network.depth)
    for level in np.unique(levels):
        noise[level] = rounding_noise(problem, int(level))
    return np.asarray(noise[levels])


def _sizes(problem: Problem, places: Integers, found: Extrapolated) -> Floats:
    """The least that the largest of the derivatives in the tensor of each can be: `(K,)`."""
    levels, is_bias = parameter_levels(problem.network, places)
    tensors = 2 * levels + is_bias
    largest = np.zeros(2 * problem.network.depth)
    np.maximum.at(largest, tensors, np.nan_to_num(np.abs(found.value) - found.error))
    return np.asarray(largest[tensors])


def rounding_noise(problem: Problem, level: int) -> float:
    """About how far rounding from layer `level` (from 0) on moves the loss.

    Infinite where the loss turns within a few of the shortest steps, so that no step shows its slope.
    """
    y = problem.signals().output
    return float(_deviation(problem, level, lambda outputs: problem.loss.difference(outputs, y, problem.t)))


def _deviation(problem: Problem, level: int, difference: Callable[[Any], Any]) -> Any:
    """√(π/2) times the mean size of the difference over the draws, scaled back from jitter to rounding.

    It is that of relative jitter, and infinite where that of steps, max(1, |w|), is far from in proportion.
    """

    def scaled(jitter: float, least: float) -> Any:
        moved = difference(_jittered(problem, level, jitter, least))
        return np.sqrt(np.pi / 2) * np.abs(moved).mean(axis=0) * (EPSILON / jitter)

    turns = scaled(_JITTER, 1.0) > _BENT * scaled(_COARSE, 1.0)
    return np.where(turns, np.inf, scaled(_JITTER, 0.0))


def _jittered(problem: Problem, level: int, jitter: float, least: float) -> Any:
    """Outputs `(draws, batch, n_L)` where the layers from `level` on round badly.

    Weights and biases below `least` count as that.
    """
    generator, network = np.random.default_rng(0), problem.network
    a = np.repeat(problem.signals().post[level][None], _DRAWS, axis=0)
    for layer, activation in zip(
        network.layers(problem.parameters)[level:], network.activations[level:], strict=True
    ):
        z = affine(a, layer)
        weights, biases = (np.maximum(np.abs(part), least) for part in layer)
        terms = np.sqrt(a**2 @ (weights**2).T + biases**2) + np.abs(z)
        z += jitter * terms * generator.standard_normal(z.shape)
        a = activation.f(z)
        a *= 1 + _FUNCTION * jitter * generator.standard_normal(a.shape)
    return a


def extrapolated_jacobian(problem: Problem, memory: float = MEMORY) -> Extrapolated:
    """∂y/∂x of every sample: `(batch, n_L, n_0)` each."""
    with np.errstate(all="ignore"):
        y = problem.signals().output
        noise = _deviation(problem, 0, lambda outputs: outputs - y)
        # a step's outputs are kept, besides those of the pass: a block holds about so many passes
        blocks = input_blocks(problem, memory / len(step_ladder(np.zeros(1))))
        found = [_of_inputs(problem, block, noise) for block in blocks]
    return Extrapolated(*(np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True)))


def _of_inputs(problem: Problem, block: slice, noise: Any) -> Extrapolated:
    """By some inputs: `(batch, n_L, block)` each."""
    network, x, y, h = problem.network, problem.x, problem.signals().output, step_ladder(problem.x)
    unit = basis(problem, block)
    shape = (*y.shape, len(unit))
    difference, bend = np.empty((2, len(h), *shape))
    for row, step in enumerate(h):
        plus = network.forward(problem.parameters, x + unit * step).output  # (block, batch, n_L)
        minus = network.forward(problem.parameters, x - unit * step).output
        difference[row] = (plus - minus).transpose(1, 2, 0)
        bend[row] = ((plus - y) + (minus - y)).transpose(1, 2, 0)
    steps = np.broadcast_to(h[:, :, None, block], difference.shape).reshape(len(h), -1)
    found = extrapolate(
        steps,
        difference.reshape(steps.shape),
        np.repeat(noise.reshape(-1), len(unit)),
        bend.reshape(steps.shape),
    )
    return Extrapolated(*(part.reshape(shape) for part in found))

"""Extrapolated derivatives of networks, from forward passes only.

The effect of rounding is measured, because a bound from the backward pass would rely on the code under test.
Each sum and each activation of a forward pass gets a random error far larger than rounding, and the change of
the result is scaled down, as in stochastic arithmetic (Vignes, "A stochastic arithmetic for reliable
scientific computation", Mathematics and Computers in Simulation 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core.arrays import EPSILON, Floats, Integers
from dnnexp.core.extrapolation import Extrapolated, extrapolate, step_ladder
from dnnexp.core.input_derivatives import basis, input_blocks
from dnnexp.core.network import affine
from dnnexp.core.parameter_derivatives import parameter_differences
from dnnexp.core.perturbation import MEMORY_MIB, Progress, no_progress, parameter_levels
from dnnexp.core.problem import Problem

_JITTER = 2.0**-40
"""Relative size of the random errors: far above rounding, yet small when amplified a million times."""
_COARSE_JITTER = 2.0**-30
"""A larger jitter, about the longest step that measures the scatter. Changes should be proportional to it."""
_PROPORTION_LIMIT = 2.0
"""Changes that fall short of proportion by more than this show waves too short for any step of the ladder."""
_FUNCTION_ROUNDINGS = 2.5
"""Error of an activation in units of ε; on a plateau it is the only change."""
_DRAW_COUNT = 16
"""Number of forward passes with random errors."""
_FEW_STEPS = np.s_[4::4]
"""Ten steps in a ratio of 13, from 1/13 down to the smallest, which kinks and steep slopes need most."""
_LARGEST_TRUSTED_ERROR = 1e-6
"""Larger relative errors from so few steps are unreliable: on steep slopes they agree to 1e-4 by chance."""
_PARAMETERS_PER_PART = 2**13
"""Number of parameters extrapolated at a time: 3 MiB an array of all steps."""
PASSES_PER_DERIVATIVE = 20
"""Number of forward passes for a derivative that the few steps settle."""


def extrapolated_derivatives(
    problem: Problem,
    places: Integers,
    progress: Progress = no_progress,
    enough: float = 0.0,
    memory: float = MEMORY_MIB,
) -> Extrapolated:
    """∂E/∂θ_k for some parameters k: `(K,)` each.

    Args:
        problem: the network, its batch and loss.
        places: the indices k in the parameter vector, `(K,)`.
        progress: called with the number of parameters done since the last call.
        enough: the error (1e-6 at most, relative to the largest of these derivatives in the same tensor)
            up to which a derivative from ten steps is accepted; the others are repeated with all steps.
        memory: the MiB that a stack of perturbed networks may take, in each thread.
    """
    places = np.asarray(places, dtype=np.int64)
    with np.errstate(all="ignore"):
        noise = _noise(problem, places)
        if enough == 0:
            return _extrapolated(problem, places, np.s_[:], noise, progress, memory)
        derivatives = _extrapolated(problem, places, _FEW_STEPS, noise, progress, memory)
        allowed = min(enough, _LARGEST_TRUSTED_ERROR) * _sizes(problem, places, derivatives)
        (poor,) = np.nonzero(~(derivatives.error <= allowed))
        again = _extrapolated(problem, places[poor], np.s_[:], noise[poor], no_progress, memory)
    for old, new in zip(derivatives, again, strict=True):
        old[poor] = new  # even with a larger error: more steps expose more contradictions
    return derivatives


def _extrapolated(
    problem: Problem, places: Integers, steps: slice, noise: Floats, progress: Progress, memory: float
) -> Extrapolated:
    """Derivatives from some steps of the ladder; `progress` counts parameters."""
    derivatives = Extrapolated(*np.empty((3, len(places))))
    for first in range(0, len(places), _PARAMETERS_PER_PART):
        part = np.s_[first : first + _PARAMETERS_PER_PART]
        h = step_ladder(problem.parameters[places[part]])[steps]
        difference, bend, size = parameter_differences(
            problem, places[part], h, _per_parameter(len(h), progress), memory
        )
        some = extrapolate(h, difference, noise[part] + EPSILON * size, bend)
        for whole, piece in zip(derivatives, some, strict=True):
            whole[part] = piece
    return derivatives


def _per_parameter(steps: int, progress: Progress) -> Progress:
    """A progress for single steps of parameters, from one for whole parameters."""
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


def _sizes(problem: Problem, places: Integers, derivatives: Extrapolated) -> Floats:
    """A lower bound, for each derivative, on the largest one in the same tensor: `(K,)`."""
    levels, is_bias = parameter_levels(problem.network, places)
    tensors = 2 * levels + is_bias
    largest = np.zeros(2 * problem.network.depth)
    np.maximum.at(largest, tensors, np.nan_to_num(np.abs(derivatives.value) - derivatives.error))
    return np.asarray(largest[tensors])


def rounding_noise(problem: Problem, level: int) -> float:
    """An estimate of how far rounding from layer `level` (from 0) on moves the loss.

    Infinite where the loss oscillates within a few of the shortest steps, so that no step shows its slope.
    """
    y = problem.signals().output
    return float(_deviation(problem, level, lambda outputs: problem.loss.difference(outputs, y, problem.t)))


def _deviation(problem: Problem, level: int, difference: Callable[[Any], Any]) -> Any:
    """√(π/2) times the mean size of the difference over the draws, scaled from jitter to rounding.

    The jitter is relative to |w|. The result is infinite where changes by jitter relative to max(1, |w|) are
    far from proportional to it.
    """

    def scaled(jitter: float, smallest_weight: float) -> Any:
        change = difference(_jittered(problem, level, jitter, smallest_weight))
        return np.sqrt(np.pi / 2) * np.abs(change).mean(axis=0) * (EPSILON / jitter)

    oscillates = scaled(_JITTER, 1.0) > _PROPORTION_LIMIT * scaled(_COARSE_JITTER, 1.0)
    return np.where(oscillates, np.inf, scaled(_JITTER, 0.0))


def _jittered(problem: Problem, level: int, jitter: float, smallest_weight: float) -> Any:
    """Outputs `(draws, batch, n_L)` with random errors of relative size `jitter` from layer `level` on.

    Weights and biases smaller than `smallest_weight` count as that large.
    """
    generator, network = np.random.default_rng(0), problem.network
    a = np.repeat(problem.signals().post[level][None], _DRAW_COUNT, axis=0)
    for layer, activation in zip(
        network.layers(problem.parameters)[level:], network.activations[level:], strict=True
    ):
        z = affine(a, layer)
        weights, biases = (np.maximum(np.abs(part), smallest_weight) for part in layer)
        terms = np.sqrt(a**2 @ (weights**2).T + biases**2) + np.abs(z)
        z += jitter * terms * generator.standard_normal(z.shape)
        a = activation.f(z)
        a *= 1 + _FUNCTION_ROUNDINGS * jitter * generator.standard_normal(a.shape)
    return a


def extrapolated_jacobian(problem: Problem, memory: float = MEMORY_MIB) -> Extrapolated:
    """∂y/∂x of every sample: `(batch, n_L, n_0)` each."""
    with np.errstate(all="ignore"):
        y = problem.signals().output
        noise = _deviation(problem, 0, lambda outputs: outputs - y)
        # The outputs of all steps are kept, so a block needs about that many times the memory of a pass.
        blocks = input_blocks(problem, memory / len(step_ladder(np.zeros(1))))
        parts = [_of_inputs(problem, block, noise) for block in blocks]
    return Extrapolated(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))


def _of_inputs(problem: Problem, block: slice, noise: Any) -> Extrapolated:
    """∂y/∂x for a block of inputs: `(batch, n_L, block)` each."""
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
    derivatives = extrapolate(
        steps,
        difference.reshape(steps.shape),
        np.repeat(noise.reshape(-1), len(unit)),
        bend.reshape(steps.shape),
    )
    return Extrapolated(*(part.reshape(shape) for part in derivatives))

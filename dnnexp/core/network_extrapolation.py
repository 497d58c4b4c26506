"""Extrapolated derivatives of networks, from forward passes only.

The noise of rounding is measured, not taken from a backward pass, which may be what is on trial: each sum and
each activation of a forward pass is moved at random by far more than rounding does and the result scaled
back, as in stochastic arithmetic (Vignes, "A stochastic arithmetic for reliable scientific computation",
Mathematics and Computers in Simulation 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnexp.core.arrays import Integers
from dnnexp.core.extrapolation import EPSILON, Extrapolated, extrapolate, step_ladder
from dnnexp.core.network import affine
from dnnexp.core.parameter_derivatives import (
    Problem,
    Progress,
    parameter_differences,
    parameter_levels,
)

_JITTER = 2.0**-40
"""How far numbers are moved, relatively: far above rounding, yet small if amplified a million times."""
_DRAWS = 16


def extrapolated_derivatives(
    problem: Problem, places: Integers, progress: Progress = lambda done: None
) -> Extrapolated:
    """∂E/∂θ_k for some parameters k: `(K,)` each.

    Args:
        problem: the network, its batch and loss.
        places: the indexes k in the parameter vector, `(K,)`.
        progress: is told of evaluations done; each parameter takes as many as the ladder has steps.
    """
    places = np.asarray(places, dtype=np.int64)
    h = step_ladder(problem.parameters[places])
    with np.errstate(all="ignore"):
        difference, bend, size = parameter_differences(problem, places, h, progress)
        levels = parameter_levels(problem.network, places)[0]
        noise = np.zeros(problem.network.depth)
        for level in np.unique(levels):
            noise[level] = rounding_noise(problem, int(level))
    return extrapolate(h, difference, noise[levels] + EPSILON * size, bend)


def rounding_noise(problem: Problem, level: int) -> float:
    """About how far rounding from layer `level` (from 0) on moves the loss."""
    moved = problem.loss.difference(_jittered(problem, level), problem.signals().output, problem.t)
    return float(_deviation(moved))


def _deviation(moved: Any) -> Any:
    """√(π/2) times the mean size over the draws, which stand first, scaled back from jitter to rounding."""
    return np.sqrt(np.pi / 2) * np.abs(moved).mean(axis=0) * (EPSILON / _JITTER)


def _jittered(problem: Problem, level: int) -> Any:
    """Outputs `(draws, batch, n_L)` where the layers from `level` on round badly."""
    generator, network = np.random.default_rng(0), problem.network
    a = np.repeat(problem.signals().post[level][None], _DRAWS, axis=0)
    for layer, activation in zip(
        network.layers(problem.parameters)[level:], network.activations[level:], strict=True
    ):
        z = affine(a, layer)
        terms = np.sqrt(a**2 @ (layer.weights**2).T + layer.biases**2) + np.abs(z)
        z += _JITTER * terms * generator.standard_normal(z.shape)
        a = activation.f(z)
        a *= 1 + _JITTER * generator.standard_normal(a.shape)
    return a


def extrapolated_jacobian(problem: Problem) -> Extrapolated:
    """∂y/∂x of every sample: `(batch, n_L, n_0)` each."""
    network, x, y = problem.network, problem.x, problem.signals().output
    basis, h = np.eye(x.shape[1])[:, None, :], step_ladder(x)  # (n_0, 1, n_0), (H, batch, n_0)
    shape = (*y.shape, x.shape[1])
    difference, bend = np.empty((len(h), *shape)), np.empty((len(h), *shape))
    with np.errstate(all="ignore"):
        for row, step in enumerate(h):
            plus = network.forward(problem.parameters, x + basis * step).output  # (n_0, batch, n_L)
            minus = network.forward(problem.parameters, x - basis * step).output
            difference[row] = (plus - minus).transpose(1, 2, 0)
            bend[row] = ((plus - y) + (minus - y)).transpose(1, 2, 0)
        noise = _deviation(_jittered(problem, 0) - y)
    steps = np.broadcast_to(h[:, :, None, :], difference.shape).reshape(len(h), -1)
    found = extrapolate(
        steps,
        difference.reshape(steps.shape),
        np.repeat(noise.reshape(-1), x.shape[1]),
        bend.reshape(steps.shape),
    )
    return Extrapolated(*(part.reshape(shape) for part in found))

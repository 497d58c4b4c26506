"""The derivative of a network's outputs by its inputs, by differences and by the complex step.

All send stacks of inputs, each with one coordinate moved, of at most the MiB that are allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP, COMPLEX_STEP, scaled_step
from dnnexp.core.parameter_derivatives import Differences
from dnnexp.core.perturbation import MEMORY, block_size, crosses
from dnnexp.core.problem import Problem


def central_jacobian(problem: Problem, step: float = CENTRAL_STEP, memory: float = MEMORY) -> Differences:
    """∂y/∂x by central differences along every input, h = step · max(1, |x|): `(batch, n_L, n_0)`.

    Inputs that made a unit of their sample cross a kink are `crossed`, `(batch, n_0)`.
    """
    return _differences(problem, step, memory, (1.0,))


def central_fourth_jacobian(
    problem: Problem, step: float = CENTRAL_FOURTH_STEP, memory: float = MEMORY
) -> Differences:
    """The same by differences of fourth order, of steps h and 2h."""
    return _differences(problem, step, memory, (4 / 3, -1 / 3))


def _differences(problem: Problem, step: float, memory: float, shares: tuple[float, ...]) -> Differences:
    """Σ shares[m − 1] · (y(x + m h) − y(x − m h)) / 2mh."""
    network, x, signals = problem.network, problem.x, problem.signals()
    h = scaled_step(x, step)  # (batch, n_0)
    crossed = np.zeros((x.shape[1], len(x)), bool)
    units = tuple(np.zeros(width, bool) for width in network.widths[1:])
    quotients = np.zeros((x.shape[1], *signals.output.shape))  # (n_0, batch, n_L)
    for block in input_blocks(problem, memory):
        shift = basis(problem, block) * h  # (block, batch, n_0)
        for multiple, share in enumerate(shares, start=1):
            sides = [network.forward(problem.parameters, x + sign * multiple * shift) for sign in (1, -1)]
            for level, activation in enumerate(network.activations):
                for side in sides:
                    found = crosses(activation.kinks, signals.pre[level], side.pre[level])
                    crossed[block] |= found.any(axis=2)
                    units[level][:] |= found.any(axis=(0, 1))
            plus, minus = (side.output for side in sides)
            quotients[block] += share * (plus - minus) / (2 * multiple * h.T[block, :, None])
    return Differences(quotients.transpose(1, 2, 0), crossed.T, units)


def complex_jacobian(problem: Problem, step: float = COMPLEX_STEP, memory: float = MEMORY) -> Floats:
    """∂y/∂x by the complex step along every input: `(batch, n_L, n_0)`."""
    found = [
        problem.network.forward(problem.parameters, problem.x + 1j * step * basis(problem, block)).output.imag
        for block in input_blocks(problem, memory)
    ]
    return np.asarray(np.concatenate(found).transpose(1, 2, 0) / step)


def input_blocks(problem: Problem, memory: float) -> Iterator[slice]:
    """The inputs, so many at a time that a stack of batches with one of them moved fits in the MiB."""
    size = block_size(problem, memory)
    for first in range(0, problem.x.shape[1], size):
        yield slice(first, first + size)


def basis(problem: Problem, block: slice) -> Any:
    """The unit vectors of some inputs, to be added to a batch: `(block, 1, n_0)`."""
    inputs = np.arange(problem.x.shape[1])
    return (inputs[block, None] == inputs).astype(np.float64)[:, None, :]

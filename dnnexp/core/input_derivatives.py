"""The Jacobian ∂y/∂x of a network, by central differences and by the complex step.

Each method runs stacks of inputs with one coordinate moved; `memory` bounds the MiB of a stack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP, COMPLEX_STEP, scaled_step
from dnnexp.core.parameter_derivatives import Differences
from dnnexp.core.perturbation import MEMORY_MIB, block_size, crosses
from dnnexp.core.problem import Problem


def central_jacobian(problem: Problem, step: float = CENTRAL_STEP, memory: float = MEMORY_MIB) -> Differences:
    """∂y/∂x by central differences along every input, h = step · max(1, |x|): `(batch, n_L, n_0)`.

    `crossed` `(batch, n_0)` marks the inputs that made a unit of their sample cross a kink (where σ' jumps).
    """
    return _differences(problem, step, memory, (1.0,))


def central_fourth_jacobian(
    problem: Problem, step: float = CENTRAL_FOURTH_STEP, memory: float = MEMORY_MIB
) -> Differences:
    """∂y/∂x by fourth-order differences, of steps h and 2h; shapes as of `central_jacobian`."""
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
                    crossing = crosses(activation.kinks, signals.pre[level], side.pre[level])
                    crossed[block] |= crossing.any(axis=2)
                    units[level][:] |= crossing.any(axis=(0, 1))
            plus, minus = (side.output for side in sides)
            quotients[block] += share * (plus - minus) / (2 * multiple * h.T[block, :, None])
    return Differences(quotients.transpose(1, 2, 0), crossed.T, units)


def complex_jacobian(problem: Problem, step: float = COMPLEX_STEP, memory: float = MEMORY_MIB) -> Floats:
    """∂y/∂x by the complex step along every input: `(batch, n_L, n_0)`."""
    columns = [
        problem.network.forward(problem.parameters, problem.x + 1j * step * basis(problem, block)).output.imag
        for block in input_blocks(problem, memory)
    ]
    return np.asarray(np.concatenate(columns).transpose(1, 2, 0) / step)


def input_blocks(problem: Problem, memory: float) -> Iterator[slice]:
    """Blocks of inputs whose stack of batches, each with one input moved, fits into `memory` MiB."""
    size = block_size(problem, memory)
    for first in range(0, problem.x.shape[1], size):
        yield slice(first, first + size)


def basis(problem: Problem, block: slice) -> Any:
    """The unit vectors of a block of inputs, to be added to a batch: `(block, 1, n_0)`."""
    inputs = np.arange(problem.x.shape[1])
    return (inputs[block, None] == inputs).astype(np.float64)[:, None, :]

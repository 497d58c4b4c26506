"""The derivative of a network's outputs by its inputs, by differences and by the complex step."""

from __future__ import annotations

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP, COMPLEX_STEP, scaled_step
from dnnexp.core.parameter_derivatives import Differences
from dnnexp.core.perturbation import crosses
from dnnexp.core.problem import Problem


def central_jacobian(problem: Problem, step: float = CENTRAL_STEP) -> Differences:
    """∂y/∂x by central differences along every input, h = step · max(1, |x|): `(batch, n_L, n_0)`.

    Inputs that made a unit of their sample cross a kink are `crossed`, `(batch, n_0)`.
    """
    return _differences(problem, step, (1.0,))


def central_fourth_jacobian(problem: Problem, step: float = CENTRAL_FOURTH_STEP) -> Differences:
    """The same by differences of fourth order, of steps h and 2h."""
    return _differences(problem, step, (4 / 3, -1 / 3))


def _differences(problem: Problem, step: float, shares: tuple[float, ...]) -> Differences:
    """Σ shares[m − 1] · (y(x + m h) − y(x − m h)) / 2mh."""
    network, x, signals = problem.network, problem.x, problem.signals()
    h = scaled_step(x, step)  # (batch, n_0)
    shift = np.eye(x.shape[1])[:, None, :] * h  # (n_0, batch, n_0)
    crossed = np.zeros((x.shape[1], len(x)), bool)
    units = tuple(np.zeros(width, bool) for width in network.widths[1:])
    quotients = np.zeros((x.shape[1], *signals.output.shape))  # (n_0, batch, n_L)
    for multiple, share in enumerate(shares, start=1):
        plus, minus = (network.forward(problem.parameters, x + sign * multiple * shift) for sign in (1, -1))
        for level, activation in enumerate(network.activations):
            for side in (plus, minus):
                sides = crosses(activation.kinks, signals.pre[level], side.pre[level])
                crossed |= sides.any(axis=2)
                units[level][:] |= sides.any(axis=(0, 1))
        quotients += share * (plus.output - minus.output) / (2 * multiple * h.T[:, :, None])
    return Differences(quotients.transpose(1, 2, 0), crossed.T, units)


def complex_jacobian(problem: Problem, step: float = COMPLEX_STEP) -> Floats:
    """∂y/∂x by the complex step along every input: `(batch, n_L, n_0)`."""
    shift = 1j * step * np.eye(problem.x.shape[1])[:, None, :]
    outputs = problem.network.forward(problem.parameters, problem.x + shift).output
    return np.asarray(outputs.imag.transpose(1, 2, 0) / step)

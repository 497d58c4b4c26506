"""Find the fault that explains wrong derivatives.

These faults give the same derivatives:

- `sign` in layer 1 and `factor` −1 in layer 1, without dy/dx: called `sign`;
- `batch_size` and `factor` of that number, in a network of one layer: called `batch_size`;
- `missing_slope` in layer 1 and `factor`, without dy/dx, where σ' has the same value in the whole layer,
  as in a hard sigmoid that no sample saturates: called `missing_slope`;
- `missing_bias` and `factor` 0, where ∂E/∂w is 0: called `missing_bias`;
- `slope_at_output` and no fault at all, where σ'(a) = σ'(z), as in ReLU and other rectifiers, in a hard
  tanh and in an identity; `missing_slope` and no fault, where σ'(z) = 1, as in an identity;
- with one sample and layers of one unit, whatever changes δ by a number: called by the first;
- `transposed_weight` in layer 1 and no fault, without dy/dx.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.faults.base import Fault, backward, jacobian_backward
from dnnexp.core.faults.proportion import TOLERANCE, agree, peak_ratio
from dnnexp.core.network import Network, Signals
from dnnexp.core.parameter_derivatives import forward_derivatives
from dnnexp.core.problem import Problem
from dnnexp.registry import parts


@dataclass(frozen=True)
class Diagnosis:
    """A fault that reproduces the suspect derivatives.

    Attributes:
        fault: its name in the registry.
        layer: its layer, counted from 1; None if it is not in a single layer.
        evidence: the mistake in plain words, "as if …".
    """

    fault: str
    layer: int | None
    evidence: str


def diagnose(
    problem: Problem,
    gradient: Floats,
    jacobian: Floats | None = None,
    truth: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Diagnosis | None:
    """The fault whose backward pass reproduces every suspect tensor; None if there is none.

    Of several, the first in the order of the registry, and of its layers the last.

    Args:
        problem: the network, its batch and loss.
        gradient: the suspect ∂E/∂θ, `(P,)`.
        jacobian: the suspect ∂y/∂x, `(batch, n_L, n_0)`, by the same method.
        truth: ∂E/∂θ by a different method; by default by forward mode.
        tolerance: see `TOLERANCE`; for suspect difference quotients it must be larger.
    """
    network = problem.network
    with np.errstate(all="ignore"):
        signals = problem.signals()
        if truth is None:
            truth = forward_derivatives(problem)
        true_jacobian = None if jacobian is None else network.jacobian_forward(problem.parameters, signals)
        suspect = _tensors(network, gradient, jacobian)
        right = _tensors(network, truth, true_jacobian)
        # Rounding alone may separate two correct methods, so the correct backward pass is compared as well.
        for correct in (right, _with(problem, signals, None, jacobian is not None)):
            if _all_agree(suspect, correct, tolerance):
                return None
        for fault in _suspects(problem, gradient, truth):
            if _all_agree(suspect, _with(problem, signals, fault, jacobian is not None), tolerance):
                return Diagnosis(fault.name, getattr(fault, "layer", None), fault.evidence)
    return None


def _suspects(problem: Problem, gradient: Floats, truth: Floats) -> Iterator[Fault]:
    """All faults that could show, in the order of the registry."""
    network = problem.network
    layers = zip(network.layers(gradient), network.layers(truth), strict=True)
    ratios = [peak_ratio(*(np.append(*layer) for layer in pair)) for pair in layers]
    for cls in parts("fault").values():
        for fault in cls.suspects(ratios):
            if fault.cannot_show(network, len(problem.x)) is None:
                yield fault


def _with(problem: Problem, signals: Signals, fault: Fault | None, to_input: bool) -> list[Any]:
    """The tensors by a backward pass with the fault, with dy/dx if `to_input`."""
    network, parameters = problem.network, problem.parameters
    cotangent = problem.loss.gradient(signals.output, problem.t)
    gradient, _ = backward(network, parameters, signals, cotangent, fault, to_input=False)
    jacobian = jacobian_backward(network, parameters, signals, fault) if to_input else None
    return _tensors(network, gradient, jacobian)


def _tensors(network: Network, gradient: Floats, jacobian: Floats | None) -> list[Any]:
    """w^(1), b^(1), …, w^(L), b^(L) and, if given, ∂y/∂x."""
    tensors = [tensor for layer in network.layers(gradient) for tensor in layer]
    return tensors if jacobian is None else [*tensors, jacobian]


def _all_agree(suspect: list[Any], other: list[Any], tolerance: float) -> bool:
    return all(agree(a, b, tolerance) for a, b in zip(suspect, other, strict=True))

"""Which fault explains wrong derivatives.

These coincide:

- `sign` in layer 1 and `factor` −1 in layer 1, without dy/dx: called `sign`;
- `batch_size` and `factor` of that number, in a network of one layer: called `batch_size`;
- `missing_slope` in layer 1 and `factor`, without dy/dx, where all slopes of the layer are one number, as
  in a hard sigmoid that no sample saturates: called `missing_slope`;
- `missing_bias` and `factor` 0, where ∂E/∂w is 0: called `missing_bias`;
- `slope_at_output` and no fault, where σ'(a) = σ'(z), as in ReLU and other rectifiers, in a hard tanh and
  in an identity; `missing_slope` and no fault, where σ'(z) = 1, as in an identity;
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
    """A fault that reproduces the accused derivatives.

    Attributes:
        fault: its name in the registry.
        layer: where it is, counted from 1; None where it is in no single layer.
        evidence: what was done, "as if …".
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
    """The fault with which the backward pass gives every tensor of the accused; None where none does.

    Of several, the first in the order of the registry, and of its layers the last.

    Args:
        problem: the network and where it was differentiated.
        gradient: the accused ∂E/∂θ, `(P,)`.
        jacobian: the accused ∂y/∂x, `(batch, n_L, n_0)`, by the same method.
        truth: ∂E/∂θ by another method than the accused; by default by forward mode.
        tolerance: see `TOLERANCE`; for accused difference quotients it must be larger.
    """
    network = problem.network
    with np.errstate(all="ignore"):
        signals = problem.signals()
        if truth is None:
            truth = forward_derivatives(problem)
        true_jacobian = None if jacobian is None else network.jacobian_forward(problem.parameters, signals)
        accused = _tensors(network, gradient, jacobian)
        right = _tensors(network, truth, true_jacobian)
        # where rounding alone parts two right methods, the pass back may still be the accused
        for found in (right, _with(problem, signals, None, jacobian is not None)):
            if _all_agree(accused, found, tolerance):
                return None
        for fault in _suspects(problem, gradient, truth):
            if _all_agree(accused, _with(problem, signals, fault, jacobian is not None), tolerance):
                return Diagnosis(fault.name, getattr(fault, "layer", None), fault.evidence)
    return None


def _suspects(problem: Problem, gradient: Floats, truth: Floats) -> Iterator[Fault]:
    """All faults that could show."""
    network = problem.network
    layers = zip(network.layers(gradient), network.layers(truth), strict=True)
    ratios = [peak_ratio(*(np.append(*layer) for layer in pair)) for pair in layers]
    for cls in parts("fault").values():
        for fault in cls.suspects(ratios):
            if fault.cannot_show(network, len(problem.x)) is None:
                yield fault


def _with(problem: Problem, signals: Signals, fault: Fault | None, to_input: bool) -> list[Any]:
    """The tensors by a backward pass with the fault, those of dy/dx if asked for."""
    network, parameters = problem.network, problem.parameters
    cotangent = problem.loss.gradient(signals.output, problem.t)
    gradient, _ = backward(network, parameters, signals, cotangent, fault, to_input=False)
    jacobian = jacobian_backward(network, parameters, signals, fault) if to_input else None
    return _tensors(network, gradient, jacobian)


def _tensors(network: Network, gradient: Floats, jacobian: Floats | None) -> list[Any]:
    """w^(1), b^(1), …, w^(L), b^(L) and, if given, ∂y/∂x."""
    tensors = [tensor for layer in network.layers(gradient) for tensor in layer]
    return tensors if jacobian is None else [*tensors, jacobian]


def _all_agree(accused: list[Any], found: list[Any], tolerance: float) -> bool:
    return all(agree(a, b, tolerance) for a, b in zip(accused, found, strict=True))

"""The networks in which faults are made, and what is compared."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.activations import GELU, Activation, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.faults import BatchSize, Fault, LayerFault, backward, jacobian_backward
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.registry import parts

DEPTH = 5
ACTIVATIONS: dict[str, tuple[Activation, ...]] = {
    "tanh": (Tanh(),) * DEPTH,
    "gelu": (GELU(),) * DEPTH,
    "sigmoid": (Sigmoid(),) * DEPTH,
    "mixed": (Tanh(), GELU(), Sigmoid(), GELU(), Tanh()),
}


def every_fault(depth: int = DEPTH) -> Iterator[Fault]:
    """Each registered fault with its defaults in each layer, and the batch size both ways."""
    for cls in parts("fault").values():
        if issubclass(cls, LayerFault):
            yield from (cls(layer) for layer in range(1, depth + 1))
        else:
            yield cls()
    yield BatchSize("multiply")


def problem_of(
    widths: tuple[int, ...],
    activations: tuple[Activation, ...],
    batch: int = 4,
    loss: Loss | None = None,
    seed: int = 0,
) -> Problem:
    """Normal inputs, weights that keep their size, biases that are not zero."""
    network, generator, loss = (
        Network(widths, activations),
        np.random.default_rng(seed),
        loss or SquaredError(),
    )
    parameters = generator.standard_normal(network.parameter_count)
    for layer in network.layers(parameters):
        layer.weights[:] /= np.sqrt(layer.weights.shape[-1])
    x = generator.standard_normal((batch, widths[0]))
    return Problem(network, parameters, x, loss.example_targets(generator, batch, widths[-1]), loss)


def square(activations: tuple[Activation, ...]) -> Problem:
    """Five layers of six units."""
    return problem_of((6,) * (DEPTH + 1), activations)


def derivatives(problem: Problem, fault: Fault | None = None) -> tuple[Floats, Floats]:
    """∂E/∂θ and ∂y/∂x by the pass back."""
    signals = problem.signals()
    cotangent = problem.loss.gradient(signals.output, problem.t)
    gradient, _ = backward(problem.network, problem.parameters, signals, cotangent, fault)
    return gradient, jacobian_backward(problem.network, problem.parameters, signals, fault)


def errors(problem: Problem, found: tuple[Floats, Floats], truth: tuple[Floats, Floats]) -> dict[str, Any]:
    """max|found − truth| relative to the largest entry of either, by tensor."""
    compared = {"dy/dx": (found[1], truth[1])}
    layers = zip(*(problem.network.layers(pair[0]) for pair in (found, truth)), strict=True)
    for number, (a, b) in enumerate(layers, start=1):
        compared |= {f"W{number}": (a.weights, b.weights), f"b{number}": (a.biases, b.biases)}
    return {
        name: np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), 1e-300)
        for name, (a, b) in compared.items()
    }

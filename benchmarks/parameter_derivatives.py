"""Central differences by all parameters of a network: batched, against one perturbed pass at a time, in turn.

Run: python benchmarks/parameter_derivatives.py. It prints the medians of both and the median ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core.activations import Sigmoid
from dnnexp.core.initializers import Glorot, LayerInitializer, Normal
from dnnexp.core.losses import SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import central_derivatives
from dnnexp.core.problem import Problem

WIDTHS, BATCH, ROUNDS, STEP = (40, 40, 40, 40), 8, 5, 6e-6


def one_at_a_time(problem: Problem) -> Any:
    """The loop that one would write first: two whole forward passes for each parameter."""
    theta, derivatives = problem.parameters.copy(), np.empty_like(problem.parameters)
    for place in range(theta.size):
        kept, values = theta[place], []
        for sign in (1, -1):
            theta[place] = kept + sign * STEP
            a = problem.x
            for weights, biases in problem.network.layers(theta):
                a = 1 / (1 + np.exp(-(a @ weights.T + biases)))
            values.append(((a - problem.t) ** 2).sum() / 2)
        theta[place] = kept
        derivatives[place] = (values[0] - values[1]) / (2 * STEP)
    return derivatives


def seconds(function: Callable[[Problem], Any], problem: Problem) -> float:
    begin = time.perf_counter()
    function(problem)
    return time.perf_counter() - begin


def main() -> None:
    generators = np.random.default_rng(0).spawn(4)
    network = Network(WIDTHS, (Sigmoid(),) * (len(WIDTHS) - 1))
    initializer = LayerInitializer(Glorot(), Normal(std=0.1))
    x, t = (g.standard_normal((BATCH, WIDTHS[0])) for g in generators[:2])
    parameters = network.draw(initializer, generators[2], generators[3])
    problem = Problem(network, parameters, x, t, SquaredError())
    difference = np.abs(one_at_a_time(problem) - central_derivatives(problem)[0]).max()
    pairs = [(seconds(central_derivatives, problem), seconds(one_at_a_time, problem)) for _ in range(ROUNDS)]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(y / x for x, y in pairs)
    print(
        f"{network.parameter_count} parameters: batched {a:.3f} s, one at a time {b:.3f} s, "
        f"{ratio:.1f} times as fast; largest difference {difference:.1e}"
    )


if __name__ == "__main__":
    main()

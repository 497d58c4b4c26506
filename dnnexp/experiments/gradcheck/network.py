"""The measurement of a network: derivatives, the adjoint test, products of second order, the error curve."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import Metrics, Request
from dnnexp.experiments.gradcheck import along, entries, products
from dnnexp.experiments.gradcheck.blame import explain
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.findings import Finding, probe
from dnnexp.experiments.gradcheck.measured import Measured
from dnnexp.experiments.gradcheck.sweep import sweep


def measure(config: GradcheckConfig, request: Request) -> Measured:
    """By every entry, or along random directions."""
    problem = draw(config, request)
    found = (entries if config.directions is None else along).measure(config, problem, request)
    swept = sweep(config, problem, request)
    tensors = [*found.tensors, *products.measure(config, problem, request), *swept.slopes]

    def diagnose(accused: str | None, wrong: list[Metrics]) -> Metrics:
        return explain(problem, found.gradients, found.jacobians, accused, wrong)

    return Measured(
        tensors,
        found.coverage,
        rounding.explain(problem),
        diagnose,
        swept.metrics,
        swept.arrays,
        found.kinks,
        found.rechecked,
        non_finite(problem) or tuple(inspect(problem)),
    )


def draw(config: GradcheckConfig, request: Request) -> Problem:
    """Parameters, inputs and targets, each from its own stream."""
    network, streams = config.built, request.streams
    x = streams("input").standard_normal((config.batch, network.widths[0]))
    t = config.loss.example_targets(streams("targets"), config.batch, network.widths[-1])
    parameters = network.draw(config.initializer, streams("weights"), streams("biases"), x)
    return Problem(network, parameters, x, t, config.loss)


def non_finite(problem: Problem) -> tuple[Finding, ...]:
    """Where a signal is first not finite."""
    signals = problem.signals()
    for level, layer in enumerate(problem.network.layers(problem.parameters), start=1):
        named = (f"W{level}", layer.weights), (f"b{level}", layer.biases)
        for name, array in (
            *named,
            (f"z{level}", signals.pre[level - 1]),
            (f"a{level}", signals.post[level]),
        ):
            broken = ~np.isfinite(array)
            if broken.any():
                index = [int(i) for i in np.unravel_index(int(broken.argmax()), array.shape)]
                text = (
                    f"{array[tuple(index)]} is the first number that is not finite, of {broken.sum():,} there"
                )
                return (Finding("non_finite", f"{name}{index}", text),)
    return ()


def inspect(problem: Problem) -> Iterator[Finding]:
    """What each activation shows at its first layer's pre-activations, and the loss at the outputs."""
    signals, t = problem.signals(), problem.t
    first = {
        activation: level for level, activation in reversed(list(enumerate(problem.network.activations)))
    }
    for activation, level in first.items():
        z = signals.pre[level]
        yield from probe(f"{activation.name} of z{level + 1}", activation.f, z)
        yield from probe(f"slope of {activation.name} of z{level + 1}", activation.df, z)
    yield from probe(
        f"gradient of {problem.loss.name}", lambda y: problem.loss.gradient(y, t), signals.output
    )

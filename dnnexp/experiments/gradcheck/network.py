"""The measurement of a network: derivatives, the adjoint test, products of second order, the error curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.problem import Problem
from dnnexp.experiments.base import Metrics, RunContext
from dnnexp.experiments.gradcheck import along, entries, products, quotients
from dnnexp.experiments.gradcheck.blame import explain
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.findings import Finding, probe
from dnnexp.experiments.gradcheck.measured import Measured
from dnnexp.experiments.gradcheck.sweep import sweep


def measure(config: GradcheckConfig, context: RunContext) -> Measured:
    """By every entry, or along random directions."""
    problem = draw(config, context)
    found = (entries if config.directions is None else along).measure(config, problem, context)
    swept = sweep(config, problem, context)
    tensors = [*found.tensors, *products.measure(config, problem, context), *swept.slopes]

    def diagnose(accused: str | None, wrong: list[Metrics]) -> Metrics:
        return explain(problem, found.gradients, found.jacobians, accused, wrong)

    broken = tuple(non_finite(problem))
    return Measured(
        tensors,
        found.coverage,
        rounding.explain(problem) + quotients.explain(config),
        diagnose,
        swept.metrics,
        swept.arrays,
        found.kinks,
        found.rechecked,
        broken or tuple(inspect(problem)),
        not broken,
    )


def draw(config: GradcheckConfig, context: RunContext) -> Problem:
    """Parameters, inputs and targets, each from its own stream."""
    network, streams = config.built, context.streams
    x = streams("input").standard_normal((config.batch, network.widths[0]))
    t = config.loss.example_targets(streams("targets"), config.batch, network.widths[-1])
    parameters = network.draw(config.initializer, streams("weights"), streams("biases"), x)
    return Problem(network, parameters, x, t, config.loss)


def non_finite(problem: Problem) -> Iterator[Finding]:
    """Where the forward pass, the loss included, is first not finite."""
    for name, array in _passed(problem):
        broken = ~np.isfinite(array)
        if broken.any():
            first = np.unravel_index(int(broken.argmax()), array.shape)
            index = [int(i) for i in first] if array.ndim else ""
            some = f", {broken.sum():,} of {array.size:,} there" if array.ndim else ""
            text = f"{array[first]} is the first number of the forward pass that is not finite{some}"
            yield Finding("non_finite", f"{name}{index}", f"{text}: no derivative is defined")
            return


def _passed(problem: Problem) -> Iterator[tuple[str, Any]]:
    """All numbers of the forward pass, in their order."""
    signals = problem.signals()
    for level, layer in enumerate(problem.network.layers(problem.parameters), start=1):
        yield f"W{level}", layer.weights
        yield f"b{level}", layer.biases
        yield f"z{level}", signals.pre[level - 1]
        yield f"a{level}", signals.post[level]
    yield "the loss", np.asarray(problem.loss.value(signals.output, problem.t))


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

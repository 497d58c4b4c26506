"""The run of `gradcheck`: every derivative by every method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import Floats
from dnnexp.core.faults import backward, jacobian_backward
from dnnexp.core.parameter_derivatives import (
    Problem,
    central_derivatives,
    central_jacobian,
    complex_derivatives,
    complex_jacobian,
    forward_derivatives,
)
from dnnexp.experiments.base import Request, Result, Work
from dnnexp.experiments.gradcheck import recheck
from dnnexp.experiments.gradcheck.blame import explain
from dnnexp.experiments.gradcheck.checks import Derivatives, verdict
from dnnexp.experiments.gradcheck.config import GradcheckConfig
from dnnexp.experiments.gradcheck.sweep import EPSILON, round_off, sweep


def run(config: GradcheckConfig, request: Request) -> Result:
    """Differentiate by every method, compare, and measure the error against the step."""
    with np.errstate(all="ignore"):
        problem = _problem(config, request)
        by_method, crossed = _parameter_derivatives(config, problem, request)
        jacobians, crossed_inputs = _jacobians(config, problem)
        outputs = problem.network.widths[-1]
        kinks, taken = int(crossed.sum()) + int(crossed_inputs.sum()) * outputs, 0
        unsure, unsure_inputs = np.zeros_like(crossed), np.zeros((), bool)
        if "central" in config.methods:
            limit = config.tolerances.central
            looked = recheck.parameters(problem, by_method, crossed, limit)
            by_method["central"], crossed, unsure, taken = looked
            looked = recheck.inputs(problem, jacobians, crossed_inputs, limit)
            jacobians["central"], crossed_inputs, unsure_inputs = looked[:3]
            taken += looked.taken
        swept, arrays = sweep(config, problem, request)
        tensors = _tensors(config, problem, by_method, crossed, unsure)
        tensors.append(_input_tensor(config, problem, jacobians, crossed_inputs, unsure_inputs))
    found, wrong = verdict(config, tensors, kinks)
    diagnosis = explain(problem, by_method, jacobians, found["culprit"], wrong) if wrong else None
    more = {"diagnosis": diagnosis, "rechecked": taken, "tolerance": rounding.explain(problem)}
    metrics = found | more | swept
    return Result(config, metrics, arrays, passed=metrics["passed"])


def _problem(config: GradcheckConfig, request: Request) -> Problem:
    """Parameters, inputs and targets, each from its own stream."""
    network, streams = config.network.build(), request.streams
    x = streams("input").standard_normal((config.batch, network.widths[0]))
    t = config.loss.example_targets(streams("targets"), config.batch, network.widths[-1])
    parameters = network.draw(config.initializer, streams("weights"), streams("biases"), x)
    return Problem(network, parameters, x, t, config.loss)


def _parameter_derivatives(
    config: GradcheckConfig, problem: Problem, request: Request
) -> tuple[dict[str, Floats], Floats]:
    """∂E/∂θ by every method, `(P,)` each, and which of them central differences cannot give."""
    count = problem.network.parameter_count
    crossed = np.zeros(count, bool)

    def progress(method: str) -> Callable[[int], None]:
        done = 0

        def add(more: int) -> None:
            nonlocal done
            done += more
            request.progress(Work(method, done, count))

        return add

    found: dict[str, Floats] = {}
    if "backward" in config.methods:
        p = problem
        signals = p.signals()
        pull = p.loss.gradient(signals.output, p.t)
        found["backward"], _ = backward(p.network, p.parameters, signals, pull, config.inject, to_input=False)
    if "forward" in config.methods:
        found["forward"] = forward_derivatives(problem, progress("forward"))
    if "central" in config.methods:
        found["central"], crossed = central_derivatives(
            problem, config.central_step, progress=progress("central")
        )
    if "complex" in config.methods:
        found["complex"] = complex_derivatives(problem, progress=progress("complex"))
    return found, crossed


def _jacobians(config: GradcheckConfig, problem: Problem) -> tuple[dict[str, Floats], Floats]:
    """∂y/∂x by every method, `(batch, n_L, n_0)`, and the inputs that crossed a kink, `(batch, n_0)`."""
    network, parameters, signals = problem.network, problem.parameters, problem.signals()
    crossed = np.zeros(problem.x.shape, bool)
    found: dict[str, Floats] = {}
    if "backward" in config.methods:
        found["backward"] = jacobian_backward(network, parameters, signals, config.inject)
    if "forward" in config.methods:
        found["forward"] = network.jacobian_forward(parameters, signals)
    if "central" in config.methods:
        found["central"], crossed = central_jacobian(problem, config.central_step)
    if "complex" in config.methods:
        found["complex"] = complex_jacobian(problem)
    return found, crossed


def _tensors(
    config: GradcheckConfig, problem: Problem, by_method: dict[str, Floats], crossed: Floats, unsure: Any
) -> list[Derivatives]:
    """The parameter vectors cut into W1 b1 … WL bL."""
    # where ∂E/∂y is 0, the terms of the loss still round
    noise = round_off(problem, config.central_step) + EPSILON * float(np.linalg.norm(problem.t))
    layers = {method: problem.network.layers(vector) for method, vector in by_method.items()}
    hidden = problem.network.layers(unsure)
    bounds = problem.network.layers(rounding.gradient_bound(problem))
    return [
        Derivatives(
            f"{letter}{level + 1}",
            {method: found[level][place] for method, found in layers.items()},
            bounds[level][place],
            mask[place],
            hidden[level][place],
            noise,
        )
        for level, mask in enumerate(problem.network.layers(crossed))
        for place, letter in enumerate("Wb")
    ]


def _input_tensor(
    config: GradcheckConfig, problem: Problem, jacobians: dict[str, Floats], crossed: Floats, unsure: Any
) -> Derivatives:
    """dy/dx."""
    noise = EPSILON * float(np.abs(problem.signals().output).max()) / config.central_step
    bound = rounding.jacobian_bound(problem)
    return Derivatives("dy/dx", jacobians, bound, crossed[:, None, :], unsure, noise)

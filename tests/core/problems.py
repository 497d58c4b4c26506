"""Problems to differentiate, and a slow count of the kinks that are crossed on the way."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from dnnexp.core.activations import Activation, HardTanh, Identity, ReLU, ReLU6, Sigmoid, Tanh
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network, Signals
from dnnexp.core.parameter_derivatives import central_derivatives, complex_derivatives, forward_derivatives
from dnnexp.core.perturbation import Progress, no_progress
from dnnexp.core.problem import Problem

KINKED: list[tuple[Activation, ...]] = [
    (ReLU(), ReLU(), ReLU()),
    (ReLU(), Tanh(), Identity()),
    (Tanh(), ReLU(), Sigmoid()),
    (Sigmoid(), Identity(), ReLU()),
    (ReLU6(), HardTanh(), ReLU6()),  # two kinks each
    (HardTanh(), Identity(), HardTanh()),
]


def problem_of(
    widths: tuple[int, ...], activations: tuple[Activation, ...], loss: Loss, batch: int = 3, seed: int = 0
) -> Problem:
    network, generator = Network(widths, activations), np.random.default_rng(seed)
    return Problem(
        network,
        generator.standard_normal(network.parameter_count),
        generator.standard_normal((batch, widths[0])),
        loss.example_targets(generator, batch, widths[-1]),
        loss,
    )


def backward(problem: Problem) -> Floats:
    return np.asarray(problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss))


def by_central(problem: Problem, progress: Progress = no_progress, places: Integers | None = None) -> Floats:
    return central_derivatives(problem, places=places, progress=progress).value


def by_forward(problem: Problem, progress: Progress = no_progress, places: Integers | None = None) -> Floats:
    return forward_derivatives(problem, places=places, progress=progress)


def by_complex(problem: Problem, progress: Progress = no_progress, places: Integers | None = None) -> Floats:
    return complex_derivatives(problem, places=places, progress=progress)


METHODS = {"forward": by_forward, "central": by_central, "complex": by_complex}


def moved(problem: Problem, place: int, shift: float) -> Signals:
    """The forward pass with one parameter moved."""
    parameters = problem.parameters.copy()
    parameters[place] += shift
    return problem.network.forward(parameters, problem.x)


def sides_changed(problem: Problem, there: Signals, samples: Iterable[int]) -> list[list[bool]]:
    """Unit by unit, for each layer: whether its pre-activation of any of the samples changed side."""
    here, samples = problem.signals(), list(samples)
    return [
        [
            any(
                (before[s, unit] > kink) != (after[s, unit] > kink)
                for s in samples
                for kink in activation.kinks
            )
            for unit in range(before.shape[1])
        ]
        for activation, before, after in zip(problem.network.activations, here.pre, there.pre, strict=True)
    ]


def joined(masks: Iterable[list[list[bool]]]) -> list[list[bool]]:
    """Whether any of the masks holds, unit by unit."""
    return [[any(unit) for unit in zip(*layer, strict=True)] for layer in zip(*masks, strict=True)]


def as_lists(units: tuple[Any, ...]) -> list[list[bool]]:
    return [layer.tolist() for layer in units]

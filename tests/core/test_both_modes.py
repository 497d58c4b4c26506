"""Forward and reverse mode agree to 1e-12 of each tensor's largest entry, whatever the network.

One tangent a parameter and one pass back add the same products in another order. Over n terms and L layers
that differs by about L √n u: for 20 layers of 300 units 4e-14, a few times that for the largest of many.
"""

import zlib
from itertools import pairwise

import numpy as np
import pytest

from dnnexp.core.activations import Activation, ReLU, Tanh
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network, affine
from dnnexp.core.parameter_derivatives import forward_derivatives
from dnnexp.core.problem import Problem
from tests.core.conftest import label
from tests.core.problems import backward

TOLERANCE = 1e-12
ALL = 1500  # up to so many parameters, all are compared
EACH = 4  # beyond, so many of each tensor, and its largest

SHAPES = {
    "1 layer of 1": (1, 1),
    "1 layer of 300": (300, 300),
    "2 layers, narrow after wide": (300, 1, 300),
    "3 layers, wide after narrow": (1, 300, 2, 3),
    "5 layers of 100": (100,) * 6,
    "10 layers of 1 to 40": (7, 40, 3, 12, 1, 30, 5, 5, 20, 2, 9),
    "20 layers of 8": (8,) * 21,
    "20 layers of 30": (30,) * 21,
}
WIDE = {"20 layers of 300": (300,) * 21, "20 layers of 1 to 300": (1, 300, 2, 200, 30, 3) * 3 + (100, 10, 1)}


def scaled_problem(widths: tuple[int, ...], activation: Activation, loss: Loss, batch: int = 2) -> Problem:
    """Every layer's weights scaled so that its pre-activations have mean square 1 on the batch."""
    generator = np.random.default_rng(zlib.crc32(f"{widths} {label(activation)} {loss.name}".encode()))
    network = Network(widths, (activation,) * (len(widths) - 1))
    parameters = 0.1 * generator.standard_normal(network.parameter_count)
    a = x = generator.standard_normal((batch, widths[0]))
    for layer in network.layers(parameters):
        layer.weights[:] = generator.standard_normal(layer.weights.shape)
        layer.weights[:] /= np.sqrt((affine(a, layer) ** 2).mean())
        a = activation.f(affine(a, layer))
    return Problem(network, parameters, x, loss.example_targets(generator, batch, widths[-1]), loss)


def tensors(widths: tuple[int, ...]) -> list[slice]:
    """Where W1, b1, …, WL, bL stand."""
    counts = [count for n_in, n_out in pairwise(widths) for count in (n_out * n_in, n_out)]
    ends = np.cumsum([0, *counts]).tolist()
    return [slice(first, last) for first, last in pairwise(ends)]


def compared(problem: Problem, gradient: Floats) -> Integers:
    """All parameters, or of a large network some of every tensor, the largest entry among them."""
    if problem.network.parameter_count <= ALL:
        return np.arange(problem.network.parameter_count)
    generator, chosen = np.random.default_rng(0), []
    for tensor in tensors(problem.network.widths):
        entries = np.abs(gradient[tensor])
        chosen.append(tensor.start + np.append(generator.integers(len(entries), size=EACH), entries.argmax()))
    return np.concatenate(chosen)


def assert_modes_agree(problem: Problem) -> None:
    reverse = backward(problem)
    places = compared(problem, reverse)
    error = np.abs(forward_derivatives(problem, places) - reverse[places])
    for number, tensor in enumerate(tensors(problem.network.widths)):
        inside = (places >= tensor.start) & (places < tensor.stop)
        largest = np.abs(reverse[tensor]).max()
        assert error[inside].max() <= TOLERANCE * largest, f"tensor {number}: {error[inside].max():.1e}"


def assert_jacobians_agree(problem: Problem) -> None:
    """dy/dx from either end, and what the pass back makes of ∂E/∂y."""
    network, signals = problem.network, problem.signals()
    forward = network.jacobian_forward(problem.parameters, signals)
    reverse = network.jacobian_backward(problem.parameters, signals)
    assert np.abs(forward - reverse).max() <= TOLERANCE * np.abs(reverse).max()
    cotangent = problem.loss.gradient(signals.output, problem.t)
    to_input = network.backward(problem.parameters, signals, cotangent)[1]
    error = np.abs(np.einsum("sn,snm->sm", cotangent, forward) - to_input)
    assert error.max() <= TOLERANCE * np.abs(to_input).max()


@pytest.mark.parametrize("widths", SHAPES.values(), ids=SHAPES)
def test_both_modes_agree(plain_activation: Activation, widths: tuple[int, ...]) -> None:
    problem = scaled_problem(widths, plain_activation, SquaredError())
    assert_modes_agree(problem)
    assert_jacobians_agree(problem)


@pytest.mark.parametrize("widths", SHAPES.values(), ids=SHAPES)
def test_both_modes_agree_for_every_loss(loss: Loss, widths: tuple[int, ...]) -> None:
    problem = scaled_problem(widths, Tanh(), loss)
    assert_modes_agree(problem)
    assert_jacobians_agree(problem)


@pytest.mark.parametrize("sigma", [Tanh(), ReLU()])
@pytest.mark.parametrize("widths", WIDE.values(), ids=WIDE)
def test_both_modes_agree_in_wide_deep_networks(widths: tuple[int, ...], sigma: Activation) -> None:
    assert_modes_agree(scaled_problem(widths, sigma, SquaredError()))


@pytest.mark.slow
@pytest.mark.parametrize("widths", WIDE.values(), ids=WIDE)
def test_both_modes_agree_in_wide_deep_networks_of_every_loss(
    activation: Activation, loss: Loss, widths: tuple[int, ...]
) -> None:
    problem = scaled_problem(widths, activation, loss)
    assert_modes_agree(problem)
    assert_jacobians_agree(problem)


def test_the_networks_above_are_alive(plain_activation: Activation) -> None:
    """Else they would show nothing: no tensor's largest derivative is 0, or beyond 1e±30."""
    gradient = backward(scaled_problem(WIDE["20 layers of 300"], plain_activation, SquaredError()))
    largest = [np.abs(gradient[tensor]).max() for tensor in tensors(WIDE["20 layers of 300"])]
    assert 1e-30 < min(largest) <= max(largest) < 1e30

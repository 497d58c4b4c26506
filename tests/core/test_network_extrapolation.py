from dataclasses import replace

import numpy as np
import pytest

from dnnexp.core import network_extrapolation, perturbation
from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.network_extrapolation import (
    extrapolated_derivatives,
    extrapolated_jacobian,
    rounding_noise,
)
from dnnexp.core.parameter_derivatives import central_derivatives
from dnnexp.core.problem import Problem
from dnnexp.registry import find


def problem_of(
    activation: Activation, loss: Loss, std: float, widths: tuple[int, ...] = (6, 8, 8, 4), seed: int = 0
) -> Problem:
    network, generator = Network(widths, (activation,) * (len(widths) - 1)), np.random.default_rng(seed)
    return Problem(
        network,
        std * generator.standard_normal(network.parameter_count),
        generator.standard_normal((4, widths[0])),
        loss.example_targets(generator, 4, widths[-1]),
        loss,
    )


def everything(problem: Problem) -> Integers:
    return np.arange(problem.network.parameter_count)


def backward(problem: Problem) -> Floats:
    return np.asarray(problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss))


SINE = find("activation", "sine")(frequency=30.0)
HARD = {
    "tanh, std 1": (Tanh(), 1.0),
    "tanh, std 3": (Tanh(), 3.0),
    "sigmoid, std 3": (Sigmoid(), 3.0),
    "relu, std 3": (ReLU(), 3.0),
    "sine of 30, std 0.3": (SINE, 0.3),
    "sine of 30, std 3": (SINE, 3.0),
}
hard = pytest.mark.parametrize(("units", "std"), HARD.values(), ids=HARD)


@hard
@pytest.mark.parametrize("seed", range(3))
def test_every_parameter_agrees_with_backward(units: Activation, std: float, loss: Loss, seed: int) -> None:
    """Within the stated error, which is below 1e-5 of the largest derivative, sine networks included.

    There the fixed step of `central_derivatives` is off by as much as the derivative.
    """
    problem = problem_of(units, loss, std, seed=seed)
    found, expected = extrapolated_derivatives(problem, everything(problem)), backward(problem)
    assert (np.abs(found.value - expected) <= found.error).all()
    assert found.error.max() <= 1e-5 * np.abs(expected).max()


@hard
def test_the_jacobian_agrees_with_backward(units: Activation, std: float) -> None:
    problem = problem_of(units, SquaredError(), std)
    found = extrapolated_jacobian(problem)
    expected = problem.network.jacobian_backward(problem.parameters, problem.signals())
    assert found.value.shape == found.error.shape == found.order.shape == expected.shape
    assert (np.abs(found.value - expected) <= found.error).all()
    assert found.error.max() <= 1e-5 * np.abs(expected).max()


def test_every_activation(activation: Activation) -> None:
    problem = problem_of(activation, SquaredError(), 0.7)
    found, expected = extrapolated_derivatives(problem, everything(problem)), backward(problem)
    assert (np.abs(found.value - expected) <= found.error).all()
    assert found.error.max() <= 1e-7 * np.abs(expected).max()


def test_a_deep_network_of_sines_is_told_from_noise() -> None:
    """Slopes of 1e7 that turn within 1e-7: with steps down to 4e-9 only, one of them came out 0 ± 1e-4."""
    for seed in range(3):
        problem = problem_of(SINE, find("loss", "softmax_cross_entropy")(), 0.3, (6, 8, 8, 8, 8, 4), seed)
        found = extrapolated_derivatives(problem, everything(problem))
        assert (np.abs(found.value - backward(problem)) <= found.error).all()


def test_a_wrong_slope_is_found() -> None:
    """A backward pass that is off by 1e-6 lies outside the error; a single step is off by more for many."""
    problem = problem_of(SINE, SquaredError(), 0.3)
    found, wrong = extrapolated_derivatives(problem, everything(problem)), backward(problem) * (1 + 1e-6)
    assert np.mean(np.abs(found.value - wrong) > found.error) > 0.9
    single = np.abs(central_derivatives(problem)[0] - backward(problem))
    assert np.mean(single > 1e-6 * np.abs(wrong)) > 0.25


def test_a_unit_on_its_kink() -> None:
    """y = relu(w x + b) at w = b = 0, x = t = 1: the slopes −1 and 0 of both sides lie within the error."""
    network = Network((1, 1), (ReLU(),))
    problem = Problem(network, np.zeros(2), np.ones((1, 1)), np.ones((1, 1)), SquaredError())
    found = extrapolated_derivatives(problem, np.arange(2))
    for slope in (-1.0, 0.0):
        assert (np.abs(found.value - slope) <= found.error).all()


def test_a_small_derivative_beside_a_large_loss() -> None:
    problem = problem_of(Tanh(), SquaredError(), 1.0, (3, 4, 2))
    problem = replace(problem, network=Network((3, 4, 2), (Tanh(), Identity())))
    problem.t[:, 0] = 1e8
    last = everything(problem)[-6:-2]  # the weights of the second output
    found = extrapolated_derivatives(problem, last)
    expected = backward(problem)[last]
    assert (np.abs(found.value - expected) <= found.error).all()


def test_a_saturated_softmax() -> None:
    """Where p = 1 − 1e-13, terms of (1 − p) ∂y/∂θ cancel but for ε ∂y/∂θ: its size is in the error."""
    problem = problem_of(Tanh(), find("loss", "softmax_cross_entropy")(), 1.0, (3, 4, 2))
    problem = replace(problem, network=Network((3, 4, 2), (Tanh(), Identity())), t=np.eye(2)[[0, 0, 0, 0]])
    problem.parameters[-2:] = 30, 0
    found = extrapolated_derivatives(problem, everything(problem))
    y = problem.signals().output
    other = 1 / (1 + np.exp(y[:, 0] - y[:, 1]))  # 1 − p without cancellation
    cotangent = np.stack([-other, other], axis=1)
    expected = problem.network.backward(problem.parameters, problem.signals(), cotangent)[0]
    assert (np.abs(found.value - expected) <= found.error).all()
    assert found.error.max() <= 1e-13


def test_the_noise_of_a_linear_unit() -> None:
    """y = w x of size 1e3 rounds by ε y, which moves E = ½ (y − t)² by |y − t| ε y, here 1e6 ε."""
    network = Network((1, 1), (Identity(),))
    problem = Problem(network, np.array([1e3, 0.0]), np.ones((1, 1)), np.zeros((1, 1)), SquaredError())
    assert 0.5 < rounding_noise(problem, 0) / (1e6 * np.finfo(float).eps) < 5


# --- Which parameters, in which blocks ---------------------------------------------------------------------


def test_selected_parameters() -> None:
    """In any order, twice or not at all; each as it is alone, but for rounding within the error."""
    problem = problem_of(Sigmoid(), SquaredError(), 1.0)
    whole = extrapolated_derivatives(problem, everything(problem))
    places = np.array([163, 0, 47, 48, 55, 56, 0, 119, 120, 160])
    found = extrapolated_derivatives(problem, places)
    alone = [extrapolated_derivatives(problem, np.array([place])) for place in places]
    error = whole.error[places]
    assert (np.abs(found.value - whole.value[places]) <= error).all()
    assert (np.abs(found.value - np.concatenate([one.value for one in alone])) <= error).all()
    assert found.value[1] == found.value[6]
    assert extrapolated_derivatives(problem, np.empty(0, np.int64)).value.shape == (0,)


@pytest.mark.parametrize("networks", [1, 20])
def test_the_size_of_blocks_is_of_no_consequence(networks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(Sigmoid(), SquaredError(), 1.0, (3, 4, 2))
    expected = extrapolated_derivatives(problem, everything(problem))
    monkeypatch.setattr(perturbation, "block_size", lambda problem, memory: networks)
    counts: list[int] = []
    found = extrapolated_derivatives(problem, everything(problem), counts.append)
    assert (np.abs(found.value - expected.value) <= expected.error).all()
    assert sum(counts) == problem.network.parameter_count
    assert min(counts) > 0


def test_overflow_is_a_result_and_no_warning() -> None:
    problem = problem_of(Identity(), SquaredError(), 1e160)
    found = extrapolated_derivatives(problem, everything(problem))
    assert np.isinf(found.error).any()
    assert not np.isfinite(found.value[np.isinf(found.error)]).any()


# --- The short ladder --------------------------------------------------------------------------------------


def largest(problem: Problem, derivatives: Floats) -> Floats:
    """For each parameter, the largest derivative of its tensor."""
    sizes = np.empty_like(derivatives)
    layers = zip(problem.network.layers(derivatives), problem.network.layers(sizes), strict=True)
    for layer, places in layers:
        for tensor, place in zip(layer, places, strict=True):
            place[...] = np.abs(tensor).max()
    return sizes


@hard
@pytest.mark.parametrize("enough", [1e-4, 1e-6, 1e-9])
def test_the_short_ladder_states_its_error(units: Activation, std: float, enough: float, loss: Loss) -> None:
    """And what is not accepted has the error of the whole ladder, but for blocks of other shapes.

    Ten steps on the steepest sines agreed to 1e-4 of the largest derivative and were off by all of it.
    """
    problem = problem_of(units, loss, std)
    found, expected = extrapolated_derivatives(problem, everything(problem), enough=enough), backward(problem)
    whole = extrapolated_derivatives(problem, everything(problem))
    assert (np.abs(found.value - expected) <= found.error).all()
    assert (found.error <= np.maximum(enough * largest(problem, expected), 2 * whole.error)).all()


def beside_a_kink(seed: int, distance: float) -> Problem:
    """A ReLU network with a unit of every layer this close to its kink, on either side, for one sample."""
    problem, generator = problem_of(ReLU(), SquaredError(), 1.0, seed=seed), np.random.default_rng(seed)
    a = problem.x
    for layer in problem.network.layers(problem.parameters):
        unit, side = generator.integers(len(layer.biases)), generator.choice([-1, 1])
        z = a @ layer.weights.T + layer.biases
        layer.biases[unit] -= z[0, unit] - side * distance
        a = np.maximum(a @ layer.weights.T + layer.biases, 0)
    return problem


@pytest.mark.parametrize("exponent", range(-9, 0))
@pytest.mark.parametrize("seed", range(4))
def test_the_short_ladder_does_not_step_over_a_kink(exponent: int, seed: int) -> None:
    """Wherever it lies between two of its steps."""
    for distance in np.array([1, 2, 5]) * 10.0**exponent:
        problem = beside_a_kink(seed, distance)
        found = extrapolated_derivatives(problem, everything(problem), enough=1e-6)
        assert (np.abs(found.value - backward(problem)) <= found.error).all()


def test_memory_and_chunks_are_of_no_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(Sigmoid(), SquaredError(), 1.0)
    expected = extrapolated_derivatives(problem, everything(problem), enough=1e-6)
    monkeypatch.setattr(network_extrapolation, "_PARAMETERS_PER_PART", 7)
    counts: list[int] = []
    found = extrapolated_derivatives(problem, everything(problem), counts.append, 1e-6, 1e-3)
    assert (np.abs(found.value - expected.value) <= expected.error).all()
    assert sum(counts) == problem.network.parameter_count

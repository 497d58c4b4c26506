from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_STEP, scaled_step
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import (
    central_derivatives,
    central_fourth_derivatives,
    complex_derivatives,
    forward_derivatives,
)
from dnnexp.core.problem import Problem
from tests.core.problems import (
    KINKED,
    METHODS,
    as_lists,
    backward,
    by_central,
    by_complex,
    by_forward,
    joined,
    moved,
    problem_of,
    sides_changed,
)

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]


def assert_tensors_close(
    network: Network, found: Floats, expected: Floats, tolerance: float, floor: float
) -> None:
    """Each of W1, b1, …, WL, bL relative to its own largest entry, or to `floor` where that is larger."""
    for layer, other in zip(network.layers(found), network.layers(expected), strict=True):
        for tensor, reference in zip(layer, other, strict=True):
            bound = tolerance * max(np.abs(tensor).max(), np.abs(reference).max(), floor)
            assert np.abs(tensor - reference).max() <= bound


def assert_all_methods_agree(problem: Problem) -> None:
    """Forward and complex to rounding; central to 1e-6 but for what crosses a kink.

    Numbers are near 1, so that what is smaller than the floors is round-off of a sum over the network.
    """
    expected = backward(problem)
    assert_tensors_close(problem.network, forward_derivatives(problem), expected, 1e-12, 1e-2)
    assert_tensors_close(problem.network, complex_derivatives(problem), expected, 1e-12, 1e-2)
    central, crossed, _ = central_derivatives(problem)
    central[crossed] = expected[crossed]
    assert_tensors_close(problem.network, central, expected, 1e-6, 1e-2)


# --- The derivatives ---------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_method_gives_the_backward_gradient(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    assert_all_methods_agree(data.draw(problems(loss)))


@pytest.mark.parametrize(
    "widths", [(1, 1), (3, 1), (1, 4), (1, 1, 1, 1), (4, 1, 4), (3, 5, 2), (2, 6, 6, 6, 1)], ids=str
)
@pytest.mark.parametrize("batch", [1, 4])
def test_every_shape_of_network(loss: Loss, widths: tuple[int, ...], batch: int) -> None:
    """One layer (its block is the last one, too), width 1, wide after narrow and narrow after wide."""
    assert_all_methods_agree(problem_of(widths, (Tanh(),) * (len(widths) - 1), loss, batch))


def test_every_activation(activation: Activation) -> None:
    for widths in ((3, 1), (2, 6, 6, 3)):
        assert_all_methods_agree(problem_of(widths, (activation,) * (len(widths) - 1), SquaredError(), 4))


def test_a_derivative_by_hand() -> None:
    """y = w₂ (w₁ x + b₁) + b₂ with w₁ = 2, b₁ = 1, w₂ = 3, b₂ = −1, x = 5, t = 30: z₁ = 11, y = 32, δ = 2.

    E is a quadratic in each parameter, for which central differences are exact but for rounding.
    """
    network = Network((1, 1, 1), (Identity(), Identity()))
    parameters = np.array([2.0, 1.0, 3.0, -1.0])
    problem = Problem(network, parameters, np.array([[5.0]]), np.array([[30.0]]), SquaredError())
    for method in METHODS.values():
        np.testing.assert_allclose(method(problem), [30, 6, 22, 2], rtol=1e-8)


def test_a_small_derivative_beside_a_large_loss() -> None:
    """One output misses its target by 1e8: the loss is 1e16, in which a perturbation of the other is nothing.

    E(θ + h) − E(θ − h), subtracted, would give noise of 1e5 for the other output's parameters.
    """
    problem = problem_of((3, 4, 2), (Tanh(), Identity()), SquaredError())
    problem.t[:, 0] = 1e8
    assert problem.loss.value(problem.signals().output, problem.t) > 1e16
    found, expected = (
        problem.network.layers(derivatives)[-1] for derivatives in (by_central(problem), backward(problem))
    )
    assert np.abs(expected.weights[1]).max() < 10
    np.testing.assert_allclose(found.weights[1], expected.weights[1], rtol=1e-6)
    np.testing.assert_allclose(found.biases[1], expected.biases[1], rtol=1e-6)


@pytest.mark.parametrize("step", [1e-2, 1e-3])
def test_the_central_step_is_the_one_given(step: float) -> None:
    """Against whole forward passes at θ ± h, one parameter after the other."""
    problem = problem_of((2, 3, 2), (Tanh(), Sigmoid()), SquaredError())
    found = central_derivatives(problem, step).value
    for place, h in enumerate(scaled_step(problem.parameters, step)):
        values = [problem.loss.value(moved(problem, place, shift).output, problem.t) for shift in (h, -h)]
        assert found[place] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-10)


def test_the_complex_step_is_the_one_given() -> None:
    """A step so coarse that its truncation shows."""
    problem = problem_of((2, 3, 2), (Tanh(), Tanh()), SquaredError())
    coarse, fine = complex_derivatives(problem, 1e-2), complex_derivatives(problem, 1e-3)
    errors = [np.abs(found - backward(problem)).max() for found in (coarse, fine)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)  # order 2


def test_the_orders_of_the_differences() -> None:
    """A step ten times as long errs 10² and 10⁴ times as much, here within a tenth of the exponent."""
    problem = problem_of((3, 4, 4, 2), (Tanh(), Sigmoid(), Tanh()), SquaredError())
    for method, order in ((central_derivatives, 2), (central_fourth_derivatives, 4)):
        errors = [np.linalg.norm(method(problem, step).value - backward(problem)) for step in (3e-2, 3e-3)]
        assert np.log10(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_the_default_fourth_order_step_is_more_accurate() -> None:
    problem = problem_of((3, 4, 4, 2), (Tanh(), Sigmoid(), Tanh()), SquaredError())
    second, fourth = (
        np.abs(method(problem).value - backward(problem)).max()
        for method in (central_derivatives, central_fourth_derivatives)
    )
    assert fourth < second / 10


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_chosen_places_are_those_of_all(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """In any order, twice or not at all; to the rounding of products of other shapes, over the step."""
    problem = data.draw(problems(loss))
    last = problem.network.parameter_count - 1
    places = np.array(data.draw(st.lists(st.integers(0, last), max_size=12)), dtype=np.int64)
    size = max(1, np.abs(backward(problem)).max())
    for exact in (by_forward, by_complex):
        some, whole = exact(problem, places=places), exact(problem)
        np.testing.assert_allclose(some, whole[places], rtol=0, atol=1e-12 * size)
    for method in (central_derivatives, central_fourth_derivatives):
        few, every = method(problem, places=places), method(problem)
        np.testing.assert_allclose(few.value, every.value[places], rtol=0, atol=1e-8 * size)
        np.testing.assert_array_equal(few.crossed, every.crossed[places])
        assert not any((a & ~b).any() for a, b in zip(few.units, every.units, strict=True))


# --- Kinks -------------------------------------------------------------------------------------------------


def crossings(problem: Problem, step: float, furthest: int = 1) -> tuple[list[bool], list[list[bool]]]:
    """Brute force: for which parameters any unit changes side of a kink, and which units for any of them."""
    found, samples = [], range(len(problem.x))
    for place, h in enumerate(scaled_step(problem.parameters, step)):
        shifts = [sign * multiple * h for multiple in range(1, furthest + 1) for sign in (1, -1)]
        found.append(
            joined(sides_changed(problem, moved(problem, place, shift), samples) for shift in shifts)
        )
    return [any(any(layer) for layer in units) for units in found], joined(found)


@pytest.mark.parametrize("activations", KINKED, ids=str)
@pytest.mark.parametrize("step", [0.05, 0.2, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_the_crossed_kinks_and_their_units(
    activations: tuple[Activation, ...], step: float, seed: int
) -> None:
    problem = problem_of((2, 3, 3, 2), activations, SquaredError(), batch=2, seed=seed)
    for method, furthest in ((central_derivatives, 1), (central_fourth_derivatives, 2)):
        found = method(problem, step)
        assert (found.crossed.tolist(), as_lists(found.units)) == crossings(problem, step, furthest)


@pytest.mark.parametrize("activations", KINKED, ids=str)
def test_the_masks_above_hold_both_answers(activations: tuple[Activation, ...]) -> None:
    """Else they would show nothing: with the longest step a tenth of the parameters cross, but not all."""
    found = [
        crossings(problem_of((2, 3, 3, 2), activations, SquaredError(), batch=2, seed=seed), 0.8)[0]
        for seed in range(5)
    ]
    assert 0.1 < np.mean(found) < 0.9


def test_across_a_kink_the_quotient_is_no_derivative_and_says_so() -> None:
    """y = relu(w x) with w = h/2, x = t = 1: y₊ = 3h/2, y₋ = 0, so the quotient is 3/4 of the slope −1."""
    h = CENTRAL_STEP
    network, x = Network((1, 1), (ReLU(),)), np.array([[1.0]])
    problem = Problem(network, np.array([h / 2, 0.0]), x, np.array([[1.0]]), SquaredError())
    central, crossed, _ = central_derivatives(problem)
    assert crossed.all()
    np.testing.assert_allclose(central, -0.75, rtol=1e-5)
    np.testing.assert_allclose(backward(problem), -1, rtol=1e-5)


def test_smooth_activations_have_no_kinks_to_cross() -> None:
    problem = problem_of((2, 3, 2), (Tanh(), Sigmoid()), SquaredError())
    assert not central_derivatives(problem, 10.0)[1].any()
    assert not any(layer.any() for layer in central_derivatives(problem, 10.0).units)

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import scaled_step
from dnnexp.core.input_derivatives import central_fourth_jacobian, central_jacobian, complex_jacobian
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.problem import Problem
from tests.core.problems import KINKED, as_lists, joined, problem_of, sides_changed

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]


@settings(max_examples=40)
@given(data=st.data())
def test_the_jacobians_are_the_product_of_the_layers(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    problem = data.draw(problems(loss))
    expected = problem.network.jacobian_backward(problem.parameters, problem.signals())
    size = max(np.abs(expected).max(), 1e-2)
    assert complex_jacobian(problem).shape == expected.shape
    np.testing.assert_allclose(complex_jacobian(problem), expected, rtol=0, atol=1e-12 * size)
    central, crossed, _ = central_jacobian(problem)
    assert central.shape == expected.shape
    assert crossed.shape == problem.x.shape
    error = np.where(crossed[:, None, :], 0, central - expected)
    assert np.abs(error).max() <= 1e-6 * size


@pytest.mark.parametrize("activations", KINKED, ids=str)
@pytest.mark.parametrize("step", [0.01, 0.3])
@pytest.mark.parametrize("furthest", [1, 2])
def test_the_inputs_that_cross_kinks_and_the_units(
    activations: tuple[Activation, ...], step: float, furthest: int
) -> None:
    """Brute force: one input of one sample moved at a time, and only that sample's units looked at."""
    problem = problem_of((3, 3, 3, 2), activations, SquaredError(), batch=4)
    found = (central_jacobian, central_fourth_jacobian)[furthest - 1](problem, step)
    h, masks = scaled_step(problem.x, step), []
    for s, j in np.ndindex(problem.x.shape):
        sides = []
        for shift in range(-furthest, furthest + 1):
            x = problem.x.copy()
            x[s, j] += shift * h[s, j]
            sides.append(sides_changed(problem, problem.network.forward(problem.parameters, x), [s]))
        masks.append(joined(sides))
        assert found.crossed[s, j] == any(any(layer) for layer in masks[-1])
    assert as_lists(found.units) == joined(masks)


def test_smooth_activations_have_no_kinks_to_cross() -> None:
    problem = problem_of((2, 3, 2), (Tanh(), Sigmoid()), SquaredError())
    found = central_jacobian(problem, 10.0)
    assert not found.crossed.any()
    assert not any(layer.any() for layer in found.units)


def test_the_input_step_is_the_one_given() -> None:
    problem = problem_of((2, 3, 2), (Tanh(), Tanh()), SquaredError())
    expected = problem.network.jacobian_forward(problem.parameters, problem.signals())
    methods: dict[str, Callable[[float], Floats]] = {
        "central": lambda step: central_jacobian(problem, step)[0],
        "complex": lambda step: complex_jacobian(problem, step),
    }
    for method in methods.values():
        errors = [np.abs(method(step) - expected).max() for step in (1e-2, 1e-3)]
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)  # order 2


def test_the_fourth_order() -> None:
    problem = problem_of((2, 3, 2), (Tanh(), Tanh()), SquaredError())
    expected = problem.network.jacobian_forward(problem.parameters, problem.signals())
    errors = [np.abs(central_fourth_jacobian(problem, step).value - expected).max() for step in (3e-2, 3e-3)]
    assert np.log10(errors[0] / errors[1]) == pytest.approx(4, abs=0.1)
    assert np.abs(central_fourth_jacobian(problem).value - expected).max() < 1e-10

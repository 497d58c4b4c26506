"""Hessian-vector products: by hand, by another library, by each other, in single and in double precision."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import GELU, Activation, Identity, ReLU, Sigmoid, Softplus, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.losses import Linear, Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.core.rounding import gradient_bound, hessian_bound
from dnnexp.core.second_order import (
    central_of_gradient,
    complex_of_gradient,
    extrapolated_of_gradient,
    forward_over_reverse,
)
from dnnexp.registry import find
from tests.core.rounding_problems import assert_bounded, in_double, problem_of
from tests.core.rounding_problems import examples as networks

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]
DOCUMENT = json.loads((Path(__file__).parent / "recorded" / "hessians.json").read_text(encoding="utf-8"))
EXACT = {"forward_over_reverse": forward_over_reverse, "complex_of_gradient": complex_of_gradient}
NOISE = 0.1
"""A standard deviation of rounding, as part of its bound."""


def directions(problem: Problem, count: int = 2) -> Floats:
    """Random ones of length 1: `(P, count)`."""
    drawn = np.random.default_rng(1).standard_normal((count, problem.parameters.size)).T
    return np.asfortranarray(drawn / np.linalg.norm(drawn, axis=0)).astype(problem.parameters.dtype)


def off_kinks(problem: Problem) -> bool:
    """Whether no pre-activation is within 1e-3 of a kink."""
    layers = zip(problem.network.activations, problem.signals().pre, strict=True)
    return all((np.abs(z - kink) > 1e-3).all() for activation, z in layers for kink in activation.kinks)


# --- Against what is known ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EXACT.values(), ids=EXACT.keys())
def test_a_linear_layer_with_squared_error(method: Callable[[Problem, Floats], Floats]) -> None:
    """E = ½ Σ |W x + b − t|²: each unit's block of H is Σ (x, 1)(x, 1)ᵀ, whatever θ and t are."""
    problem = problem_of((Identity(),), SquaredError(), (3, 2), 0, dtype=np.float64)
    extended = np.hstack([problem.x, np.ones((len(problem.x), 1))])
    block, expected = extended.T @ extended, np.zeros((8, 8))
    for unit in range(2):
        places = [3 * unit, 3 * unit + 1, 3 * unit + 2, 6 + unit]
        expected[np.ix_(places, places)] = block
    np.testing.assert_allclose(method(problem, np.eye(8)), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("method", EXACT.values(), ids=EXACT.keys())
def test_two_units_by_hand(method: Callable[[Problem, Floats], Floats]) -> None:
    """y = w₂ σ(w₁ x), E = t y: E₁₁ = t w₂ σ'' x², E₁₂ = t σ' x, E₂₂ = 0; s(1 − s)(1 − 2s) is σ''."""
    w, x, t = np.array([0.7, 0.0, -1.3, 0.0]), 0.9, 2.0
    problem = Problem(
        Network((1, 1, 1), (Sigmoid(), Identity())), w, np.array([[x]]), np.array([[t]]), Linear()
    )
    s = 1 / (1 + np.exp(-w[0] * x))
    slope, curve = s * (1 - s), s * (1 - s) * (1 - 2 * s)
    found = method(problem, np.eye(4))[np.ix_([0, 2], [0, 2])]
    expected = [[t * w[2] * curve * x**2, t * slope * x], [t * slope * x, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case['activation']}-{case['loss']}") for case in DOCUMENT["cases"]]
)
@pytest.mark.parametrize("method", EXACT.values(), ids=EXACT.keys())
def test_products_of_pytorch(case: dict[str, Any], method: Callable[[Problem, Floats], Floats]) -> None:
    """Recorded by `tests/core/recorded/hessians.py`; numbers are near 1."""
    widths = tuple(DOCUMENT["widths"])
    network = Network(widths, (find("activation", case["activation"])(),) * (len(widths) - 1))
    parameters, x, t = (np.array(case[name]) for name in ("parameters", "x", "t"))
    problem = Problem(network, parameters, x, t, find("loss", case["loss"])())
    expected = np.array(case["product"])
    floor = 1e-13 * np.abs(expected).max()
    np.testing.assert_allclose(method(problem, np.array(case["v"])), expected, rtol=1e-12, atol=floor)


# --- Against each other ------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(data=st.data())
def test_every_method_gives_the_same_and_h_is_symmetric(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    """Some columns of the Hessian, and differences of gradients along the same parameters."""
    problem = data.draw(problems(loss))
    count = problem.network.parameter_count
    places = np.random.default_rng(0).permutation(count)[:6]
    columns = np.eye(count)[:, places]
    bound, hessian = hessian_bound(problem, columns), forward_over_reverse(problem, columns)
    assert_bounded(complex_of_gradient(problem, columns), hessian, 2 * bound)
    assert_bounded(hessian[places].T, hessian[places], bound[places] + bound[places].T)
    central = central_of_gradient(problem, columns)
    smooth = ~central.crossed
    size = np.abs(hessian).max() + np.abs(gradient_bound(problem)).max() + 1
    if off_kinks(problem):
        assert np.abs(central.value - hessian)[:, smooth].max(initial=0) < 1e-4 * size


def test_random_networks(plain_activation: Activation) -> None:
    """Flat and wide, deep and narrow; two methods differ by twice the bound at most."""
    for problem in networks(plain_activation, np.float64):
        v = directions(problem)
        found, bound = forward_over_reverse(problem, v), hessian_bound(problem, v)
        assert_bounded(complex_of_gradient(problem, v), found, 2 * bound)


@pytest.mark.parametrize("part", [Tanh(), Sigmoid(), Softplus(), GELU()], ids=str)
def test_differences_of_gradients(loss: Loss, part: Activation) -> None:
    """Central ones to 1e-8 of the largest; extrapolated ones to their stated error, which is small."""
    problem = problem_of((part,) * 3, loss, (5, 6, 4, 3), 0, dtype=np.float64)
    v = directions(problem)
    exact, central = forward_over_reverse(problem, v), central_of_gradient(problem, v)
    largest = np.abs(exact).max()
    assert not central.crossed.any()
    np.testing.assert_allclose(central.value, exact, rtol=0, atol=1e-8 * largest)
    found = extrapolated_of_gradient(problem, v, NOISE * gradient_bound(problem))
    assert (np.abs(found.value - exact) <= found.error + hessian_bound(problem, v)).all()
    assert found.error.max() < 1e-6 * largest


def test_the_order_of_the_differences_is_two() -> None:
    problem = problem_of((Tanh(), Tanh()), SquaredError(), (3, 4, 2), 0, dtype=np.float64)
    v = directions(problem, 1)
    exact = forward_over_reverse(problem, v)
    coarse, fine = (np.abs(central_of_gradient(problem, v, h).value - exact).max() for h in (0.02, 0.01))
    assert coarse / fine == pytest.approx(4, rel=0.01)


# --- Shapes, lengths, kinks --------------------------------------------------------------------------------


def test_directions_alone_and_side_by_side(loss: Loss) -> None:
    """Equal to the bits but for products of other shapes; nothing that is handed in changes."""
    problem = problem_of((Tanh(), GELU(), Softplus()), loss, (3, 4, 5, 2), 0, dtype=np.float64)
    v = directions(problem, 3)
    for array in (problem.parameters, problem.x, problem.t, v):
        array.flags.writeable = False
    noise = NOISE * gradient_bound(problem)
    methods: dict[str, Callable[[Floats], Any]] = {
        "forward": lambda v: forward_over_reverse(problem, v),
        "complex": lambda v: complex_of_gradient(problem, v),
        "central": lambda v: central_of_gradient(problem, v).value,
        "extrapolated": lambda v: extrapolated_of_gradient(problem, v, noise).value,
        "bound": lambda v: hessian_bound(problem, v),
    }
    for name, method in methods.items():
        together, alone = method(v), [method(column) for column in v.T]
        assert together.shape == v.shape
        tolerance = 1e-8 if name in {"central", "extrapolated"} else 1e-13
        np.testing.assert_allclose(together, np.stack(alone, axis=1), rtol=0, atol=tolerance, err_msg=name)
    assert central_of_gradient(problem, v[:, 0]).crossed.shape == ()


@pytest.mark.parametrize("length", [1e-30, 1e-3, 1e3, 1e30])
def test_a_direction_may_have_any_length(length: float) -> None:
    """H (c v) = c H v: the steps are relative. Guards: complex steps so long that they truncate."""
    problem = problem_of((Tanh(), Tanh()), SquaredError(), (3, 4, 2), 0, dtype=np.float64)
    v, noise = directions(problem, 2), NOISE * gradient_bound(problem)
    v[:, 1] = 0
    exact = forward_over_reverse(problem, v)
    np.testing.assert_array_equal(exact[:, 1], 0)
    for found, tolerance in (
        (forward_over_reverse(problem, length * v), 1e-13),
        (complex_of_gradient(problem, length * v), 1e-13),
        (central_of_gradient(problem, length * v).value, 1e-8),
        (extrapolated_of_gradient(problem, length * v, noise).value, 1e-8),
    ):
        np.testing.assert_allclose(found / length, exact, rtol=0, atol=tolerance)


def test_a_kink_on_the_way_is_told_of() -> None:
    """The first unit has z = 1e-7 of its ReLU's kink, the second one z = 1; only a bias moves."""
    network = Network((1, 2), (ReLU(),))
    problem = Problem(
        network, np.array([0.0, 0.0, 1e-7, 1.0]), np.ones((1, 1)), np.zeros((1, 2)), SquaredError()
    )
    found = central_of_gradient(problem, np.eye(4)[:, 2:], step=1e-5)
    np.testing.assert_array_equal(found.crossed, [True, False])
    np.testing.assert_array_equal(found.units[0], [True, False])
    assert not central_of_gradient(problem, np.eye(4)[:, 2:], step=1e-8).crossed.any()


def test_at_a_kink_extrapolation_states_half_the_jump() -> None:
    """E = ½ relu(b)² at b = 0: E'' is 0 on the left and 1 on the right."""
    problem = Problem(
        Network((1, 1), (ReLU(),)), np.zeros(2), np.ones((1, 1)), np.zeros((1, 1)), SquaredError()
    )
    found = extrapolated_of_gradient(problem, np.array([0.0, 1.0]), NOISE * gradient_bound(problem))
    assert found.error[1] >= max(abs(found.value[1] - 0), abs(found.value[1] - 1))


# --- Bounds ------------------------------------------------------------------------------------------------


def test_the_errors_of_single_precision_are_within_their_bounds(plain_activation: Activation) -> None:
    """But for underflow: below 1e-18 the complex step of a slope leaves the range of single precision."""
    for problem in networks(plain_activation):
        v = directions(problem)
        wide, bound = in_double(problem), hessian_bound(problem, v)
        exact = forward_over_reverse(wide, v.astype(np.float64))
        found = forward_over_reverse(problem, v)
        assert found.dtype == np.float32
        assert_bounded(found, exact, bound + 1e-15)


@pytest.mark.parametrize("part", [Tanh(), Sigmoid(), ReLU()], ids=str)
@pytest.mark.parametrize("widths", [(10, 10, 10), (30,) * 11, (100,) * 6], ids=str)
def test_a_bound_is_near_the_largest_error(part: Activation, widths: tuple[int, ...]) -> None:
    """The median bound of a tensor within 100, in any within 200 times the largest error."""
    problem = problem_of((part,) * (len(widths) - 1), SquaredError(), widths, 0, scale=1.3)
    v = directions(problem, 1)
    error = np.abs(
        forward_over_reverse(problem, v) - forward_over_reverse(in_double(problem), v.astype(np.float64))
    )
    layers = zip(*(problem.network.layers(a[:, 0]) for a in (hessian_bound(problem, v), error)), strict=True)
    found = [np.median(b) / e.max() for pair in layers for b, e in zip(*pair, strict=True)]
    assert 1 < np.median(found) < 100
    assert max(found) < 200


def test_an_overflow_is_bounded_by_nothing() -> None:
    problem = problem_of((Identity(), Identity()), SquaredError(), (3, 3, 2), 0, dtype=np.float64)
    bound = hessian_bound(replace(problem, parameters=1e160 * problem.parameters), directions(problem))
    assert np.isinf(bound).any()
    assert not np.isnan(bound).any()

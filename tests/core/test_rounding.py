"""Bounds on rounding against the rounding itself: of single precision, and of double by a wider one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import scaled_step
from dnnexp.core.input_derivatives import central_jacobian
from dnnexp.core.losses import Linear, Loss, SoftmaxCrossEntropy, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import central_derivatives, complex_derivatives, forward_derivatives
from dnnexp.core.problem import Problem
from dnnexp.core.rounding import (
    directional_quotient_bound,
    explain,
    gradient_bound,
    jacobian_bound,
    jacobian_quotient_bound,
    output_bound,
    quotient_bound,
)
from dnnexp.registry import parts
from tests.core.rounding_problems import assert_bounded, examples, in_double, problem_of

U = np.finfo(np.float64).eps / 2
WIDER = bool(np.finfo(np.longdouble).eps < 1e-3 * np.finfo(np.float64).eps)


def backward(problem: Problem) -> Any:
    return problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss)


def jacobian(problem: Problem) -> Any:
    return problem.network.jacobian_forward(problem.parameters, problem.signals())


# --- No error exceeds its bound ----------------------------------------------------------------------------


def test_the_errors_of_single_precision(plain_activation: Activation) -> None:
    """Against the same passes in double precision: gradients, Jacobians, outputs."""
    for problem in examples(plain_activation):
        network, wide, bound = problem.network, in_double(problem), gradient_bound(problem)
        assert_bounded(backward(problem), backward(wide), bound)
        if network.parameter_count < 1000:
            assert_bounded(forward_derivatives(problem), backward(wide), bound)
        by_input, signals = jacobian_bound(problem), problem.signals()
        assert_bounded(network.jacobian_forward(problem.parameters, signals), jacobian(wide), by_input)
        assert_bounded(network.jacobian_backward(problem.parameters, signals), jacobian(wide), by_input)
        y, exact = signals.output, wide.signals().output
        assert_bounded(y, exact, output_bound(problem))


def plain_gradient(problem: Problem, dtype: Any) -> Any:
    """Forward and back in a wider precision, formula by formula."""
    network = problem.network
    parameters, x, t = (a.astype(dtype) for a in (problem.parameters, problem.x, problem.t))
    layers, a, z = network.layers(parameters), [x], []
    for layer, activation in zip(layers, network.activations, strict=True):
        z.append(np.einsum("sj,ij->si", a[-1], layer.weights) + layer.biases)
        a.append(activation.f(z[-1]))
    back, found = problem.loss.gradient(a[-1], t), list[Any]()
    for level in reversed(range(network.depth)):
        delta = back * network.activations[level].df(z[level])
        found[:0] = [np.einsum("si,sj->ij", delta, a[level]).ravel(), delta.sum(axis=0)]
        back = np.einsum("si,ij->sj", delta, layers[level].weights)
    assert found[0].dtype == dtype
    return np.concatenate(found)


@pytest.mark.skipif(not WIDER, reason="no precision here is wider than double")
def test_the_errors_of_double_precision(activation: Activation) -> None:
    """Backward, forward and the complex step against a wider precision."""
    try:
        activation.f(np.zeros(1, np.longdouble))
    except (TypeError, ValueError):
        pytest.skip("it knows single and double precision only")
    for problem in examples(activation, np.float64):
        if problem.network.parameter_count < 1000:
            exact, bound = plain_gradient(problem, np.longdouble), gradient_bound(problem)
            for found in (backward(problem), forward_derivatives(problem), complex_derivatives(problem)):
                assert_bounded(found, exact, bound)


@pytest.mark.parametrize("name", ["tanh", "softplus", "sine", "gelu"])
def test_the_errors_of_difference_quotients(name: str) -> None:
    """Against double precision at the same steps, so that truncation is the same, and rounding is left."""
    for problem in examples(parts("activation")[name]()):
        if problem.network.parameter_count > 1000:
            continue
        wide, step = in_double(problem), 1e-2
        own, of_inputs = gradient_bound(problem), jacobian_bound(problem)
        bound = quotient_bound(problem, scaled_step(problem.parameters, step)) + own
        found, exact = central_derivatives(problem, step)[0], central_derivatives(wide, step)[0]
        assert_bounded(found, exact, bound)
        found, exact = central_jacobian(problem, step)[0], central_jacobian(wide, step)[0]
        bound = jacobian_quotient_bound(problem, scaled_step(problem.x, step)) + of_inputs
        assert_bounded(found, exact, bound)
        v = np.random.default_rng(0).standard_normal(problem.parameters.shape).astype(np.float32)
        along, h = np.abs(v) @ own, 2.0**-10
        one, other = (quotient(p, np.asarray(h, p.x.dtype) * v) / (2 * h) for p in (problem, wide))
        assert abs(one - other) <= directional_quotient_bound(problem, h) + along


def quotient(problem: Problem, shift: Any) -> float:
    """E(θ + shift) − E(θ − shift)."""
    up, down = (problem.network.forward(problem.parameters + s, problem.x).output for s in (shift, -shift))
    return float(problem.loss.difference(up, down, problem.t))


@pytest.mark.parametrize("part", [Sigmoid(), Tanh(), ReLU()], ids=str)
@pytest.mark.parametrize("weight", [0.1, -0.07, 1 / 3])
def test_equal_units_round_alike(part: Activation, weight: float) -> None:
    """Constant weights: errors of the units are one and the same, and add up."""
    problem = problem_of((part,) * 4, SquaredError(), (20, 40, 40, 40, 2), 1)
    problem.parameters[:] = weight
    problem.x[:] = 0.3
    wide, bound = in_double(problem), gradient_bound(problem)
    assert_bounded(backward(problem), backward(wide), bound)
    step = 2.0**-7
    found, exact = (central_derivatives(given, step) for given in (problem, wide))
    same_sides = ~(found.crossed | exact.crossed)
    bound = quotient_bound(problem, scaled_step(wide.parameters, step)) + bound
    assert_bounded(found.value[same_sides], exact.value[same_sides], bound[same_sides])


def test_a_saturated_softmax() -> None:
    """p − t cancels where p is 1 but for some roundings. Guards: errors in proportion to a one-hot t."""
    for seed in range(20):
        problem = problem_of((Tanh(), Identity()), SoftmaxCrossEntropy(), (3, 5, 3), seed, scale=6.0)
        assert_bounded(backward(problem), backward(in_double(problem)), gradient_bound(problem))


def test_two_methods_differ_by_two_bounds_at_most(activation: Activation) -> None:
    """In double precision: backward, forward and the complex step, of those that SciPy computes, too."""
    for problem in examples(activation, np.float64):
        if problem.network.parameter_count < 1000:
            bound, found = gradient_bound(problem), backward(problem)
            assert_bounded(forward_derivatives(problem), found, 2 * bound)
            assert_bounded(complex_derivatives(problem), found, 2 * bound)


# --- Bounds are of use -------------------------------------------------------------------------------------


def tightness(problem: Problem) -> list[float]:
    """The median bound over the largest error, of every tensor."""
    network, bound = problem.network, gradient_bound(problem)
    error = np.abs(backward(problem) - backward(in_double(problem)))
    return [
        float(np.median(of_bound) / of_error.max())
        for bounds, errors in zip(network.layers(bound), network.layers(error), strict=True)
        for of_bound, of_error in zip(bounds, errors, strict=True)
    ]


@pytest.mark.parametrize("part", [Tanh(), Sigmoid(), ReLU()], ids=str)
@pytest.mark.parametrize("widths", [(10, 10, 10), (30,) * 11, (100,) * 6], ids=str)
def test_a_bound_is_near_the_largest_error(part: Activation, widths: tuple[int, ...]) -> None:
    """Within 200 times. In the last, absolute values through the layers would give a million times."""
    problem = problem_of((part,) * (len(widths) - 1), SquaredError(), widths, 0, scale=1.3)
    found = tightness(problem)
    assert 1 < np.median(found) < 50
    assert max(found) < 200


def linear_problem(x: Floats, t: Floats) -> Problem:
    """E = Σ t w x of one output: ∂E/∂w = Σ t x."""
    network = Network((x.shape[1], 1), (Identity(),))
    return Problem(network, np.full(x.shape[1] + 1, 0.1), x, t, Linear())


def test_an_entry_whose_terms_cancel_has_the_bound_of_its_terms() -> None:
    """1e8 − 1e8 + 1 may be off by the rounding of 1e8."""
    problem = linear_problem(np.array([[1e8], [1.0], [-1e8]]), np.ones((3, 1)))
    bound = gradient_bound(problem)[0]
    assert U * 1e8 < bound < 200 * U * 1e8


def test_an_entry_whose_terms_are_tiny_has_a_tiny_bound() -> None:
    """Beside one of 1e8; so that a fault in it is seen."""
    problem = linear_problem(np.array([[1e8, 1e-8], [2e8, 3e-8]]), np.ones((2, 1)))
    large, tiny, _ = gradient_bound(problem)
    np.testing.assert_allclose(backward(problem)[:2], [3e8, 4e-8])
    assert U * 3e8 < large < 200 * U * 3e8
    assert U * 4e-8 < tiny < 200 * U * 4e-8


def test_a_fault_in_a_tiny_entry_of_a_deep_network_is_seen() -> None:
    """An input of 1e-12: its weights' derivatives, 1e-12 of the others', 1e-9 off."""
    problem = problem_of((Tanh(),) * 5, SquaredError(), (20,) * 6, 0, dtype=np.float64)
    problem.x[:, 3] *= 1e-12
    bound, found = (
        problem.network.layers(v)[0].weights for v in (gradient_bound(problem), backward(problem))
    )
    assert np.abs(found[:, 3]).max() < 1e-10 * np.abs(found).max()
    seen = 1e-9 * np.abs(found[:, 3]) > bound[:, 3]
    assert seen.mean() > 0.8


def test_within_rounding_of_a_kink_both_slopes_are_possible() -> None:
    """z = 0.1 + 0.2 − 0.3 is 3e-17, 6e-17 or 0, as the sum is taken; z = 0.1 is on one side."""
    network, x = Network((3, 1), (ReLU(),)), np.ones((1, 3))
    near, far = (
        Problem(network, np.array([0.1, 0.2, last, 0.0]), x, np.ones((1, 1)), SquaredError())
        for last in (-0.3, -0.2)
    )
    assert (gradient_bound(near) >= 1).all()
    assert (jacobian_bound(near)[0, 0] >= [0.1, 0.2, 0.3]).all()
    assert (gradient_bound(far) < 1e-14).all()


def test_what_is_exactly_at_a_kink_stays_there() -> None:
    """Weights and biases of 0: no sum rounds, every method takes the slope that df has there."""
    network = Network((3, 4, 2), (ReLU(), ReLU()))
    problem = Problem(network, np.zeros(26), np.ones((2, 3)), np.ones((2, 2)), SquaredError())
    assert gradient_bound(problem).max() < 1e-300
    assert jacobian_bound(problem).max() < 1e-300


# --- The rest ----------------------------------------------------------------------------------------------


def test_shapes_and_repetition(loss: Loss) -> None:
    """The signs are drawn, but always the same; nothing that is handed in changes."""
    problem = problem_of((Tanh(), Sigmoid()), loss, (3, 4, 2), 0, dtype=np.float64)
    for array in (problem.parameters, problem.x, problem.t):
        array.flags.writeable = False
    batch, count = len(problem.x), problem.network.parameter_count
    first, again = gradient_bound(problem), gradient_bound(problem)
    np.testing.assert_array_equal(first, again)
    assert first.shape == (count,)
    assert jacobian_bound(problem).shape == (batch, 2, 3)
    assert output_bound(problem).shape == (batch, 2)
    assert jacobian_quotient_bound(problem, problem.x).shape == (batch, 2, 3)
    assert quotient_bound(problem, problem.parameters).shape == (count,)


def test_a_quotient_errs_less_the_less_is_run_again() -> None:
    """And in inverse proportion to the step; a parameter of the last layer moves its own unit only."""
    problem = problem_of((Tanh(), Tanh(), Identity()), Linear(), (5, 5, 5, 2), 0, dtype=np.float64)
    problem.t[:, 1] = 0
    h = np.full(problem.parameters.shape, 1e-6)
    bound = quotient_bound(problem, h)
    np.testing.assert_allclose(quotient_bound(problem, h / 10), 10 * bound, rtol=0.01, atol=1e-300)
    first, second, last = problem.network.layers(bound)
    assert min(first.biases[0], second.biases[0]) > last.biases[0]
    assert last.biases[1] < 1e-5 * last.biases[0]


def test_the_precision_is_that_of_the_problem() -> None:
    problem = problem_of((Tanh(), Tanh()), SquaredError(), (4, 4, 2), 0)
    ratio = gradient_bound(problem) / gradient_bound(in_double(problem))
    np.testing.assert_allclose(ratio, 2.0**29, rtol=0.2)


@pytest.mark.parametrize("scale", [1e160, np.nan])
def test_an_overflow_is_bounded_by_nothing(scale: float) -> None:
    problem = problem_of((Identity(), Identity()), SquaredError(), (3, 3, 2), 0, dtype=np.float64)
    problem = replace(problem, parameters=scale * problem.parameters)
    assert np.isinf(gradient_bound(problem)).any()
    assert not np.isnan(gradient_bound(problem)).any()


def test_the_explanation_has_its_numbers() -> None:
    problem = problem_of((Tanh(),) * 3, SquaredError(), (20, 300, 5, 2), 0)
    text = explain(problem)
    for number in ("float32", "u = 6e-08", "λ = 2", "n up to 301", "5 u", "3 layers"):
        assert number in text
    assert "float64 (u = 1.1e-16)" in explain(in_double(problem))

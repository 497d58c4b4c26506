from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core import parameter_derivatives
from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_STEP, scaled_step
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import (
    Problem,
    Progress,
    central_derivatives,
    central_jacobian,
    complex_derivatives,
    complex_jacobian,
    forward_derivatives,
)

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]


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


def by_central(problem: Problem, progress: Progress = lambda done: None) -> Floats:
    return central_derivatives(problem, progress=progress)[0]


def by_forward(problem: Problem, progress: Progress = lambda done: None) -> Floats:
    return forward_derivatives(problem, progress)


def by_complex(problem: Problem, progress: Progress = lambda done: None) -> Floats:
    return complex_derivatives(problem, progress=progress)


METHODS = {"forward": by_forward, "central": by_central, "complex": by_complex}


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
    central, crossed = central_derivatives(problem)
    central[crossed] = expected[crossed]
    assert_tensors_close(problem.network, central, expected, 1e-6, 1e-2)


# --- The derivatives ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_method_gives_the_backward_gradient(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    assert_all_methods_agree(data.draw(problems(loss)))


@pytest.mark.parametrize(
    "widths", [(1, 1), (3, 1), (1, 4), (1, 1, 1, 1), (4, 1, 4), (3, 5, 2), (2, 6, 6, 6, 1)], ids=str
)
@pytest.mark.parametrize("batch", [1, 4])
def test_every_shape_of_network(
    activation: Activation, loss: Loss, widths: tuple[int, ...], batch: int
) -> None:
    """One layer (its block is the last one, too), width 1, wide after narrow and narrow after wide."""
    assert_all_methods_agree(problem_of(widths, (activation,) * (len(widths) - 1), loss, batch))


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
    found, _ = central_derivatives(problem, step)
    for place, h in enumerate(scaled_step(problem.parameters, step)):
        values = [problem.loss.value(moved(problem, place, shift).output, problem.t) for shift in (h, -h)]
        assert found[place] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-10)


def moved(problem: Problem, place: int, shift: float) -> Any:
    """The forward pass with one parameter moved."""
    parameters = problem.parameters.copy()
    parameters[place] += shift
    return problem.network.forward(parameters, problem.x)


def test_the_complex_step_is_the_one_given() -> None:
    """A step so coarse that its truncation shows."""
    problem = problem_of((2, 3, 2), (Tanh(), Tanh()), SquaredError())
    coarse, fine = complex_derivatives(problem, 1e-2), complex_derivatives(problem, 1e-3)
    errors = [np.abs(found - backward(problem)).max() for found in (coarse, fine)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)  # order 2


# --- Kinks -------------------------------------------------------------------------------------------------


def crossings(problem: Problem, step: float) -> list[bool]:
    """Brute force: for which parameters any pre-activation of any layer, sample and unit changes side."""
    here, found = problem.signals(), []
    for place, h in enumerate(scaled_step(problem.parameters, step)):
        crossed = False
        for shift in (h, -h):
            there = moved(problem, place, shift)
            for activation, z, z_moved in zip(problem.network.activations, here.pre, there.pre, strict=True):
                for before, after in zip(z.ravel().tolist(), z_moved.ravel().tolist(), strict=True):
                    crossed |= any((before > kink) != (after > kink) for kink in activation.kinks)
        found.append(crossed)
    return found


KINKED: list[tuple[Activation, ...]] = [
    (ReLU(), ReLU(), ReLU()),
    (ReLU(), Tanh(), Identity()),
    (Tanh(), ReLU(), Sigmoid()),
    (Sigmoid(), Identity(), ReLU()),
]


@pytest.mark.parametrize("activations", KINKED, ids=str)
@pytest.mark.parametrize("step", [0.05, 0.2, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_the_mask_of_crossed_kinks(activations: tuple[Activation, ...], step: float, seed: int) -> None:
    problem = problem_of((2, 3, 3, 2), activations, SquaredError(), batch=2, seed=seed)
    assert central_derivatives(problem, step)[1].tolist() == crossings(problem, step)


@pytest.mark.parametrize("activations", KINKED, ids=str)
def test_the_masks_above_hold_both_answers(activations: tuple[Activation, ...]) -> None:
    """Else they would show nothing: with the longest step a tenth of the parameters cross, but not all."""
    found = [
        crossings(problem_of((2, 3, 3, 2), activations, SquaredError(), batch=2, seed=seed), 0.8)
        for seed in range(5)
    ]
    assert 0.1 < np.mean(found) < 0.9


def test_across_a_kink_the_quotient_is_no_derivative_and_says_so() -> None:
    """y = relu(w x) with w = h/2, x = t = 1: y₊ = 3h/2, y₋ = 0, so the quotient is 3/4 of the slope −1."""
    h = CENTRAL_STEP
    network, x = Network((1, 1), (ReLU(),)), np.array([[1.0]])
    problem = Problem(network, np.array([h / 2, 0.0]), x, np.array([[1.0]]), SquaredError())
    central, crossed = central_derivatives(problem)
    assert crossed.all()
    np.testing.assert_allclose(central, -0.75, rtol=1e-5)
    np.testing.assert_allclose(backward(problem), -1, rtol=1e-5)


def test_smooth_activations_have_no_kinks_to_cross() -> None:
    problem = problem_of((2, 3, 2), (Tanh(), Sigmoid()), SquaredError())
    assert not central_derivatives(problem, 10.0)[1].any()
    assert not central_jacobian(problem, 10.0)[1].any()


# --- Blocks, progress, failures ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("numbers", [1, 40, 1000])
def test_the_size_of_blocks_is_of_no_consequence(
    method: Callable[[Problem], Floats], numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the rounding of products of other shapes, which central differences magnify by 1 / h."""
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), ReLU(), Tanh()), SquaredError())
    expected = method(problem)
    monkeypatch.setattr(parameter_derivatives, "_BLOCK_NUMBERS", numbers)
    np.testing.assert_allclose(
        method(problem), expected, rtol=0, atol=1e-9 if method is by_central else 1e-14
    )


@pytest.mark.parametrize("numbers", [1, 40])
def test_masks_do_not_depend_on_the_size_of_blocks(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of((3, 5, 4, 2), (ReLU(), ReLU(), ReLU()), SquaredError())
    _, expected = central_derivatives(problem, 0.1)
    monkeypatch.setattr(parameter_derivatives, "_BLOCK_NUMBERS", numbers)
    np.testing.assert_array_equal(central_derivatives(problem, 0.1)[1], expected)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("numbers", [1, 40, 2**18])
def test_progress_adds_up_to_the_parameters(
    method: Callable[[Problem, Progress], Floats], numbers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameter_derivatives, "_BLOCK_NUMBERS", numbers)
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), ReLU(), Tanh()), SquaredError())
    counts: list[int] = []
    method(problem, counts.append)
    assert min(counts) > 0
    assert sum(counts) == problem.network.parameter_count
    if numbers == 1:
        assert counts == [1] * problem.network.parameter_count


class CoreMeltdownError(Exception):
    """What goes wrong in these tests."""


@dataclass(frozen=True)
class Treacherous(Tanh):
    """Fails for every argument but a matrix: the unperturbed forward pass works, that of a block does not."""

    def f(self, z: Any) -> Any:
        if z.ndim != 2 or np.iscomplexobj(z):
            raise CoreMeltdownError
        return super().f(z)


@pytest.mark.parametrize("method", [by_central, by_complex])
def test_an_exception_in_a_block_is_raised(method: Callable[[Problem], Floats]) -> None:
    problem = problem_of((3, 5, 4, 2), (Sigmoid(), Treacherous(), Treacherous()), SquaredError())
    problem.signals()
    with pytest.raises(CoreMeltdownError):
        method(problem)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("error", [CoreMeltdownError, KeyboardInterrupt])
def test_an_interruption_stops_the_work(
    method: Callable[[Problem, Progress], Floats],
    error: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without waiting for the blocks that are still in the queue."""
    monkeypatch.setattr(parameter_derivatives, "_BLOCK_NUMBERS", 1)
    problem = problem_of((30, 30, 30), (Sigmoid(), Tanh()), SquaredError(), batch=20)
    started: list[int] = []
    block = parameter_derivatives._block

    def counted(*arguments: Any) -> Any:
        started.append(1)
        return block(*arguments)

    def interrupt(done: int) -> None:
        raise error

    monkeypatch.setattr(parameter_derivatives, "_block", counted)
    with pytest.raises(error):
        method(problem, interrupt)
    assert len(started) < problem.network.parameter_count


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_overflow_is_a_result_and_no_warning(method: Callable[[Problem], Floats]) -> None:
    """In the threads, where the caller's `errstate` does not reach."""
    problem = problem_of((2, 3, 2), (Identity(), Identity()), SquaredError())
    problem = replace(problem, parameters=1e160 * problem.parameters)
    with np.errstate(all="ignore"):
        assert not np.isfinite(method(problem)).all()


# --- The Jacobian by inputs --------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_jacobians_are_the_product_of_the_layers(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    problem = data.draw(problems(loss))
    expected = problem.network.jacobian_backward(problem.parameters, problem.signals())
    size = max(np.abs(expected).max(), 1e-2)
    assert complex_jacobian(problem).shape == expected.shape
    np.testing.assert_allclose(complex_jacobian(problem), expected, rtol=0, atol=1e-12 * size)
    central, crossed = central_jacobian(problem)
    assert central.shape == expected.shape
    assert crossed.shape == problem.x.shape
    error = np.where(crossed[:, None, :], 0, central - expected)
    assert np.abs(error).max() <= 1e-6 * size


@pytest.mark.parametrize("activations", KINKED, ids=str)
@pytest.mark.parametrize("step", [0.01, 0.3])
def test_the_mask_of_inputs_that_cross_kinks(activations: tuple[Activation, ...], step: float) -> None:
    """Brute force: one input of one sample moved at a time, and only that sample's units looked at."""
    problem = problem_of((3, 3, 3, 2), activations, SquaredError(), batch=4)
    _, crossed = central_jacobian(problem, step)
    h, here = scaled_step(problem.x, step), problem.signals()
    for s, j in np.ndindex(problem.x.shape):
        expected = False
        for sign in (1, -1):
            x = problem.x.copy()
            x[s, j] += sign * h[s, j]
            there = problem.network.forward(problem.parameters, x)
            for activation, z, z_moved in zip(activations, here.pre, there.pre, strict=True):
                for kink, unit in product(activation.kinks, range(z.shape[1])):
                    expected |= bool((z[s, unit] > kink) != (z_moved[s, unit] > kink))
        assert crossed[s, j] == expected


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

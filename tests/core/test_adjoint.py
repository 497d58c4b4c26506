"""The adjoint test: right passes stand it, to rounding, and each fault is caught in each layer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Identity, Tanh
from dnnexp.core.adjoint import Sides, adjoint, symmetry
from dnnexp.core.arrays import Floats
from dnnexp.core.faults import Fault
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from tests.core.faults.networks import ACTIVATIONS, every_fault, problem_of, square
from tests.core.rounding_problems import examples as networks
from tests.core.rounding_problems import in_double


def vectors(problem: Problem, count: int = 3, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Standard normal u, v and w in the problem's precision."""
    generator, widths, batch = np.random.default_rng(seed), problem.network.widths, len(problem.x)
    shapes = ((count, batch, widths[-1]), (problem.parameters.size, count), (count, batch, widths[0]))
    u, v, w = (generator.standard_normal(shape).astype(problem.x.dtype) for shape in shapes)
    return u, v, w


def excess(sides: Sides) -> Any:
    """|left − right| over what rounding explains."""
    return np.abs(sides.left - sides.right) / (2 * sides.bound)


def double(arrays: tuple[Any, ...]) -> Any:
    return tuple(array.astype(np.float64) for array in arrays)


# --- What is right -----------------------------------------------------------------------------------------


def test_by_hand() -> None:
    """y = w x with w = 2, x = 3: J (ẇ, ḃ, ẋ) = 3 ẇ + ḃ + 2 ẋ."""
    problem = Problem(
        Network((1, 1), (Identity(),)),
        np.array([2.0, 0.0]),
        np.array([[3.0]]),
        np.zeros((1, 1)),
        SquaredError(),
    )
    sides = adjoint(problem, np.array([[[10.0]]]), np.array([[1.0], [0.5]]), np.array([[[-4.0]]]))
    np.testing.assert_allclose(sides.left, [10 * (3 + 0.5 - 8)], rtol=1e-15)
    np.testing.assert_allclose(sides.right, sides.left, rtol=1e-15)
    assert 0 < sides.bound[0] < 1e-12


def test_forward_and_reverse_mode_are_adjoint(activation: Activation) -> None:
    """Flat and wide, deep and narrow, weights from 0.01 to 3 times as large as usual, batches of 1 to 16."""
    for problem in networks(activation, np.float64):
        assert excess(adjoint(problem, *vectors(problem, 1))).max() <= 1


def test_the_hessian_is_symmetric(plain_activation: Activation) -> None:
    for problem in networks(plain_activation, np.float64):
        (_, v, _), (_, u, _) = (vectors(problem, 1, seed) for seed in (0, 1))
        assert excess(symmetry(problem, u, v)).max() <= 1


@pytest.mark.parametrize("scale", [10.0, 100.0])
def test_saturated_networks(scale: float) -> None:
    problem = problem_of((6,) * 5, (Tanh(),) * 4, batch=1)
    problem = replace(problem, parameters=scale * problem.parameters)
    assert excess(adjoint(problem, *vectors(problem))).max() <= 1


def test_the_errors_of_single_precision_are_within_their_bounds(activation: Activation) -> None:
    """Each side against double precision; but for underflow."""
    for problem in networks(activation):
        given = vectors(problem, 1)
        sides, exact = adjoint(problem, *given), adjoint(in_double(problem), *double(given))
        for found in (sides.left, sides.right):
            assert (np.abs(found - exact.left) <= sides.bound + 1e-15).all()


def test_a_bound_is_near_the_errors() -> None:
    """The median of many, in single precision: within 500 times, though a sum of 50,000 terms."""
    problem = problem_of((100,) * 6, (Tanh(),) * 5)
    problem = replace(
        problem, **{name: getattr(problem, name).astype(np.float32) for name in ("parameters", "x", "t")}
    )
    given = vectors(problem, 8)
    sides, exact = adjoint(problem, *given), adjoint(in_double(problem), *double(given))
    for found in (sides.left, sides.right):
        assert 2 < np.median(sides.bound / np.abs(found - exact.left)) < 500


# --- What is wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", list(every_fault()), ids=str)
@pytest.mark.parametrize("name", ["tanh", "gelu", "mixed"])
def test_every_fault_is_caught_in_every_layer(fault: Fault, name: str) -> None:
    """By each of three pairs, by far: the sides differ by more than a million bounds."""
    problem = square(ACTIVATIONS[name])
    assert fault.cannot_show(problem.network, len(problem.x)) is None
    assert excess(adjoint(problem, *vectors(problem), fault)).min() > 1e6


@pytest.mark.parametrize("batch", [1, 4])
def test_what_cannot_show_is_not_caught(batch: int) -> None:
    """And every fault that can is."""
    problem = problem_of((3, 5, 5, 2), (Tanh(), Identity(), Tanh()), batch)
    for fault in every_fault(3):
        hidden = fault.cannot_show(problem.network, batch)
        if hidden is not None and "square" in hidden:
            continue  # such a pass back cannot be made
        found = excess(adjoint(problem, *vectors(problem), fault))
        assert (found.max() <= 1) == (hidden is not None), fault


def test_a_wrong_gradient_of_inputs_is_caught_by_w_alone() -> None:
    """A wrong w^(1)ᵀ moves ∂E/∂x only: with w = 0 it does not show."""
    problem, fault = (
        square(ACTIVATIONS["tanh"]),
        next(f for f in every_fault() if f.name == "transposed_weight"),
    )
    u, v, w = vectors(problem)
    assert excess(adjoint(problem, u, v, 0 * w, fault)).max() <= 1
    assert excess(adjoint(problem, u, 0 * v, w, fault)).min() > 1e6


# --- The rest ----------------------------------------------------------------------------------------------


def test_loss_and_targets_do_not_matter(loss: Loss) -> None:
    problem = problem_of((3, 4, 2), (Tanh(), Tanh()), loss=loss)
    given = vectors(problem)
    other = replace(problem, loss=SquaredError(), t=0 * problem.t)
    for one, another in zip(adjoint(problem, *given), adjoint(other, *given), strict=True):
        np.testing.assert_array_equal(one, another)


def test_what_overflows_is_nan_with_an_infinite_bound() -> None:
    problem = problem_of((3, 3, 2), (Identity(), Identity()))
    problem = replace(problem, parameters=1e200 * problem.parameters)
    with np.errstate(all="ignore"):
        sides = adjoint(problem, *vectors(problem))
    assert np.isnan(sides.left).all()
    assert np.isinf(sides.bound).all()

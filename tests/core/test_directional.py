"""Derivatives along directions against ∇E·v by the pass back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.directional import (
    Direction,
    central_along,
    central_fourth_along,
    complex_along,
    extrapolated_along,
    forward_along,
    miss_probability,
    outputs_along,
)
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network, Signals
from dnnexp.core.problem import Problem
from dnnexp.registry import find
from tests.core.problems import KINKED, as_lists, joined, problem_of, sides_changed

# (whether parameters move, whether inputs do)
MOVED = pytest.mark.parametrize(
    "moved", [(True, False), (False, True), (True, True)], ids=["parameters", "inputs", "both"]
)


def scaled(
    activation: Activation, loss: Loss, widths: tuple[int, ...] = (5, 6, 4, 3), seed: int = 0
) -> Problem:
    """Weights of variance 1/n: signals near 1 in every layer."""
    problem = problem_of(widths, (activation,) * (len(widths) - 1), loss, seed=seed)
    for layer in problem.network.layers(problem.parameters):
        layer.weights[:] /= np.sqrt(layer.weights.shape[1])
    return problem


def direction_of(problem: Problem, moved: tuple[bool, bool], seed: int = 1) -> Direction:
    """A random one, of length 1 in parameters and in inputs."""
    generator = np.random.default_rng(seed)
    v, w = (generator.standard_normal(like.shape) for like in (problem.parameters, problem.x))
    by_parameters, by_inputs = moved
    return Direction(
        v / np.linalg.norm(v) if by_parameters else None, w / np.linalg.norm(w) if by_inputs else None
    )


def backward(problem: Problem, direction: Direction) -> tuple[float, float]:
    """∇E·v + ∂E/∂x·w, and the length of the gradient that it is the shadow of."""
    signals = problem.signals()
    pull = problem.loss.gradient(signals.output, problem.t)
    gradients = problem.network.backward(problem.parameters, signals, pull)
    pairs = [(g, v) for g, v in zip(gradients, direction, strict=True) if v is not None]
    size = np.sqrt(sum(float((g**2).sum()) for g, _ in pairs))
    return sum(float((g * v).sum()) for g, v in pairs), float(size)


# --- Every method ------------------------------------------------------------------------------------------


@MOVED
def test_every_method_is_the_gradient_along(
    plain_activation: Activation, loss: Loss, moved: tuple[bool, bool]
) -> None:
    """Forward and complex to rounding; differences to their truncation, but for kinks; extrapolation says."""
    problem = scaled(plain_activation, loss)
    direction = direction_of(problem, moved)
    expected, size = backward(problem, direction)
    assert forward_along(problem, direction) == pytest.approx(expected, abs=1e-13 * size, rel=0)
    assert complex_along(problem, direction).value == pytest.approx(expected, abs=1e-13 * size, rel=0)
    for method, tolerance in ((central_along, 1e-8), (central_fourth_along, 1e-9)):
        found = method(problem, direction)
        if not found.crossed:
            assert found.value == pytest.approx(expected, abs=tolerance * size, rel=0)
    extrapolated = extrapolated_along(problem, direction)
    assert extrapolated.value.shape == extrapolated.error.shape == extrapolated.order.shape == (1,)
    assert abs(extrapolated.value[0] - expected) <= extrapolated.error[0] <= 1e-7 * size


@MOVED
@pytest.mark.parametrize("order", [2, 4])
def test_the_orders_of_the_differences(moved: tuple[bool, bool], order: int) -> None:
    """A step ten times as long errs 10² and 10⁴ times as much, within a tenth of the exponent."""
    method = {2: central_along, 4: central_fourth_along}[order]
    problem = scaled(Tanh(), SquaredError())
    direction = direction_of(problem, moved)
    expected, _ = backward(problem, direction)
    errors = [abs(method(problem, direction, step).value - expected) for step in (1e-1, 1e-2)]
    assert np.log10(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@MOVED
@pytest.mark.parametrize("std", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(10))
def test_extrapolation_states_its_error(moved: tuple[bool, bool], std: float, seed: int) -> None:
    """Weak and saturated networks, kinks, and waves so short that no fixed step would do."""
    problems = [
        scaled(part, loss, seed=seed)
        for part in (Sigmoid(), ReLU(), find("activation", "sine")(frequency=30.0))
        for loss in (SquaredError(), find("loss", "softmax_cross_entropy")())
    ]
    for problem in problems:
        problem.parameters[:] *= std
        direction = direction_of(problem, moved, seed)
        found = extrapolated_along(problem, direction)
        assert abs(found.value[0] - backward(problem, direction)[0]) <= found.error[0]


def test_nothing_moves_along_no_direction() -> None:
    problem = scaled(Tanh(), SquaredError())
    assert forward_along(problem, Direction()) == central_along(problem, Direction()).value == 0


def test_what_is_handed_in_does_not_change() -> None:
    problem = scaled(Tanh(), SquaredError())
    direction = direction_of(problem, (True, True))
    for array in (problem.parameters, problem.x, problem.t, *direction):
        assert array is not None
        array.flags.writeable = False
    methods: list[Callable[[Problem, Direction], Any]] = [
        forward_along,
        central_along,
        central_fourth_along,
        complex_along,
        extrapolated_along,
    ]
    for method in methods:
        method(problem, direction)


# --- Kinks -------------------------------------------------------------------------------------------------


def at(problem: Problem, direction: Direction, shift: float) -> Signals:
    """The pass at a point of the line."""
    theta, x = (
        point if along is None else point + shift * along
        for point, along in zip((problem.parameters, problem.x), direction, strict=True)
    )
    return problem.network.forward(theta, x)


@MOVED
@pytest.mark.parametrize("activations", KINKED, ids=str)
@pytest.mark.parametrize("step", [0.1, 1.0])
@pytest.mark.parametrize("furthest", [1, 2])
def test_the_units_that_cross_kinks(
    moved: tuple[bool, bool], activations: tuple[Activation, ...], step: float, furthest: int
) -> None:
    """Those that a slow loop finds on another side at any of the points."""
    method = (central_along, central_fourth_along)[furthest - 1]
    for seed in range(8):
        problem = problem_of((3, 4, 4, 2), activations, SquaredError(), batch=2, seed=seed)
        direction = direction_of(problem, moved, seed)
        found = method(problem, direction, step)
        points = [at(problem, direction, sign * m * step) for m in range(1, furthest + 1) for sign in (1, -1)]
        expected = joined(sides_changed(problem, point, range(2)) for point in points)
        assert as_lists(found.units) == expected
        assert found.crossed == any(any(layer) for layer in expected)


@MOVED
def test_the_masks_above_hold_both_answers(moved: tuple[bool, bool]) -> None:
    """Else they would show nothing: with the longer step a tenth of the lines cross, but not all."""
    found = []
    for activations in KINKED:
        for seed in range(8):
            problem = problem_of((3, 4, 4, 2), activations, SquaredError(), batch=2, seed=seed)
            found.append(central_along(problem, direction_of(problem, moved, seed), 1.0).crossed)
    assert 0.1 < np.mean(found) < 0.9


def test_across_a_kink_the_quotient_is_no_derivative_and_says_so() -> None:
    """y = relu(w x), w = h/2, x = t = 1, along w: y₊ = 3h/2, y₋ = 0, so the quotient is 3/4 of −1."""
    h = 1e-3
    problem = Problem(
        Network((1, 1), (ReLU(),)), np.array([h / 2, 0.0]), np.ones((1, 1)), np.ones((1, 1)), SquaredError()
    )
    found = central_along(problem, Direction(np.array([1.0, 0.0])), h)
    assert found.crossed
    assert found.value == pytest.approx(-0.75, rel=1e-2)


# --- Many points at once -----------------------------------------------------------------------------------


@MOVED
@pytest.mark.parametrize("memory", [1e-9, 1e-3, 32.0])
def test_outputs_are_those_of_single_passes(moved: tuple[bool, bool], memory: float) -> None:
    problem = scaled(Sigmoid(), SquaredError())
    direction = direction_of(problem, moved)
    shifts = np.linspace(-1, 1, 7)
    found = outputs_along(problem, direction, shifts, memory)
    expected = [at(problem, direction, shift).output for shift in shifts]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@MOVED
def test_extrapolation_does_not_depend_on_the_memory(moved: tuple[bool, bool]) -> None:
    problem = scaled(Sigmoid(), SquaredError())
    direction = direction_of(problem, moved)
    few, many = (extrapolated_along(problem, direction, memory) for memory in (1e-9, 32.0))
    assert abs(few.value - many.value) <= many.error


def test_overflow_is_a_result_and_no_warning() -> None:
    problem = scaled(Identity(), SquaredError())
    problem = replace(problem, parameters=1e160 * problem.parameters)
    found = extrapolated_along(problem, direction_of(problem, (True, False)))
    assert np.isinf(found.error).all()


# --- The chance to miss ------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [0.0, 1e-9, 0.1, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("directions", [1, 3])
def test_the_chance_to_miss_in_closed_form(t: float, directions: int) -> None:
    """P(|v_k| ≤ t): on a circle (2/π) arcsin t, on the sphere t (Archimedes), in five dimensions (3t − t³)/2.

    In one dimension v is ±1.
    """
    for entries, chance in ((2, 2 / np.pi * np.arcsin(t)), (3, t), (5, (3 * t - t**3) / 2)):
        found = miss_probability(entries, t, directions)
        assert found == pytest.approx(chance**directions, rel=1e-12, abs=1e-300)
    assert miss_probability(1, t, directions) == (t >= 1)


@pytest.mark.parametrize("threshold", [1.0, 7.0, 1e200, float("inf")])
@pytest.mark.parametrize("entries", [1, 2, 1000])
def test_what_no_direction_could_show_is_missed(threshold: float, entries: int) -> None:
    """Guards: a threshold of 1e200 overflowed when squared."""
    assert miss_probability(entries, threshold, 5) == 1


@pytest.mark.parametrize("entries", [1, 3, 50])
def test_without_directions_everything_is_missed(entries: int) -> None:
    assert miss_probability(entries, 0.1, 0) == 1


@pytest.mark.parametrize("entries", [2, 10, 200])
@pytest.mark.parametrize("directions", [1, 3])
def test_the_chance_to_miss_in_a_simulation(entries: int, directions: int) -> None:
    """A frequency p̂ of n trials has a deviation of √(p (1 − p) / n): within five of them."""
    trials, threshold = 4000, 0.8 / np.sqrt(entries)
    v = np.random.default_rng(0).standard_normal((trials, directions, entries))
    v /= np.linalg.norm(v, axis=-1, keepdims=True)
    chance = miss_probability(entries, threshold, directions)
    assert 0.05 < chance < 0.95
    missed = (np.abs(v[..., 0]) <= threshold).all(axis=1).mean()
    assert missed == pytest.approx(chance, abs=5 * np.sqrt(chance * (1 - chance) / trials))

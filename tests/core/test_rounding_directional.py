"""The bound on derivatives along directions against the rounding of single precision."""

from dataclasses import replace

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Tanh
from dnnexp.core.directional import Direction, forward_along
from dnnexp.core.losses import SquaredError
from dnnexp.core.problem import Problem
from dnnexp.core.rounding import directional_bound
from tests.core.rounding_problems import examples, in_double, problem_of


def directions(problem: Problem) -> list[Direction]:
    """Of parameters, of few parameters, of inputs, of both; in the problem's precision."""
    generator, dtype = np.random.default_rng(0), problem.x.dtype
    v, w = (generator.standard_normal(like.shape) for like in (problem.parameters, problem.x))
    few = v * (generator.random(v.shape) < 0.05)
    v, few, w = (
        np.asarray(array / max(float(np.linalg.norm(array)), 1e-300), dtype) for array in (v, few, w)
    )
    return [Direction(v), Direction(few), Direction(None, w), Direction(v, w)]


def backward(problem: Problem, direction: Direction) -> float:
    signals = problem.signals()
    pull = problem.loss.gradient(signals.output, problem.t)
    gradients = problem.network.backward(problem.parameters, signals, pull)
    return sum(
        float((g * along).sum()) for g, along in zip(gradients, direction, strict=True) if along is not None
    )


def shares(problem: Problem) -> list[float]:
    """Each error over its bound: backward and forward along four directions, against double precision."""
    wide, found = in_double(problem), []
    for direction in directions(problem):
        v, w = (None if along is None else along.astype(np.float64) for along in direction)
        exact, bound = forward_along(wide, Direction(v, w)), directional_bound(problem, direction)
        found += [abs(method(problem, direction) - exact) / bound for method in (backward, forward_along)]
    return found


def test_the_errors_of_single_precision(plain_activation: Activation) -> None:
    """Of 500 networks the largest was 0.07 of its bound, the median 0.003."""
    for problem in examples(plain_activation):
        assert max(shares(problem)) < 0.5


@pytest.mark.parametrize("weight", [0.1, -0.07, 1 / 3])
def test_equal_units_round_alike(weight: float) -> None:
    """Constant weights: errors of the units are one and the same, and add up."""
    problem = problem_of((Tanh(),) * 4, SquaredError(), (50, 200, 200, 200, 2), 1)
    problem.parameters[:] = weight
    problem.x[:] = 0.3
    assert max(shares(problem)) < 0.5


@pytest.mark.parametrize("widths", [(10, 10, 10), (30,) * 11, (100,) * 6], ids=str)
def test_the_bound_is_of_use(widths: tuple[int, ...]) -> None:
    """In single precision below a hundredth of a derivative's usual size, the gradient's length over √P."""
    for seed in range(3):
        problem = problem_of((Tanh(),) * (len(widths) - 1), SquaredError(), widths, seed, scale=1.3)
        gradient = problem.network.gradient(problem.parameters, problem.x, problem.t, problem.loss)
        usual = float(np.linalg.norm(gradient)) / np.sqrt(gradient.size)
        assert directional_bound(problem, directions(problem)[0]) < 1e-2 * usual


def test_it_is_repeatable_and_in_proportion() -> None:
    """To the direction's length, and to one rounding of the problem's precision."""
    problem = problem_of((Tanh(),) * 3, SquaredError(), (4, 5, 5, 2), 0)
    v = np.random.default_rng(0).standard_normal(problem.parameters.shape)
    bound = directional_bound(problem, Direction(v))
    assert bound == directional_bound(problem, Direction(v))
    assert directional_bound(problem, Direction(2 * v)) == pytest.approx(2 * bound, rel=1e-6)
    assert directional_bound(in_double(problem), Direction(v)) == pytest.approx(bound * 2.0**-29, rel=0.2)


def test_an_overflow_is_bounded_by_nothing() -> None:
    problem = problem_of((Tanh(), Tanh()), SquaredError(), (3, 3, 2), 0, dtype=np.float64)
    problem = replace(problem, t=np.full_like(problem.t, np.nan))
    assert directional_bound(problem, directions(problem)[0]) == np.inf

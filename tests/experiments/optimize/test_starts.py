"""Starts: their order, the draws that do not depend on others, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from dnnexp.core.arrays import Floats
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.objectives import Branin, ExpressionObjective, NetworkTraining, Objective, Quadratic, Valley
from dnnexp.experiments.optimize.starts import Starts, UniformStarts

BOX = UniformStarts((-3.0, 5.0), (-1.0, 6.0), 4)
NETWORK = NetworkTraining(data=Moons(samples=20), hidden=(3,), batch=None)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def inside(points: Floats, low: Floats, high: Floats) -> bool:
    return bool(((points >= low[:, None]) & (points <= high[:, None])).all())


def test_points_come_first_then_uniform_draws_then_the_objectives_own() -> None:
    starts = Starts(points=((100.0, 200.0), (300.0, 400.0)), uniform=BOX, own=5)
    found = starts.draw(generator(), Branin())
    assert starts.count == 11
    assert found.shape == (2, 11)
    assert found[:, :2].T.tolist() == [[100, 200], [300, 400]]
    assert inside(found[:, 2:6], np.array([-3.0, 5.0]), np.array([-1.0, 6.0]))
    assert inside(found[:, 6:], *Branin().domain())
    assert not inside(found[:, 6:], np.array([-3.0, 5.0]), np.array([-1.0, 6.0]))


def test_draws_do_not_depend_on_what_stands_beside_or_behind_them() -> None:
    """More points, more draws, and draws of another kind behind leave the first draws what they were."""
    alone = Starts(uniform=BOX).draw(generator(), Branin())
    with_more = Starts(points=((1.0, 2.0),), uniform=UniformStarts(BOX.low, BOX.high, 9), own=2)
    assert np.array_equal(with_more.draw(generator(), Branin())[:, 1:5], alone)


@given(st.integers(0, 2**32), st.integers(1, 5), st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_a_scalar_corner_is_one_for_all_coordinates(
    seed: int, dimension: int, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assume(low < high)
    wide = UniformStarts((low,) * dimension, (high,) * dimension, 3)
    scalar = UniformStarts(low, high, 3)
    found = scalar.draw(generator(seed), dimension, 3)
    assert np.array_equal(found, wide.draw(generator(seed), dimension, 3))
    assert inside(found, np.full(dimension, low), np.full(dimension, high))


@pytest.mark.parametrize("starts", [Starts(uniform=UniformStarts(-5.0, 10.0, 2000)), Starts(own=2000)])
def test_draws_are_uniform(starts: Starts) -> None:
    """By Kolmogorov and Smirnov: with this seed, no p-value of a coordinate is below 1e-3."""
    low, high = (-5.0, -5.0), (10.0, 10.0)
    if starts.own:
        low, high = (tuple(corner.tolist()) for corner in Branin().domain())
    for row, left, right in zip(starts.draw(generator(), Branin()), low, high, strict=True):
        assert stats.kstest(row, stats.uniform(left, right - left).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("starts", "objective"),
    [
        (Starts(uniform=BOX), Valley()),
        (Starts(points=((1.0, 2.0),), uniform=BOX, own=2), Valley()),
        (Starts(points=((1.0, 2.0),)), Valley()),
        (Starts(own=4), NETWORK),
    ],
)
def test_others_are_drawn_in_the_same_way_and_are_others(starts: Starts, objective: Objective) -> None:
    """From the uniform box where there is one, else as the objective draws."""
    found = starts.draw(generator(0), objective)
    others = starts.draw_others(generator(1), objective, 50)
    assert others.shape == (objective.dimension, 50)
    assert not {tuple(column) for column in others.T} & {tuple(column) for column in found.T}
    if starts.uniform:
        assert inside(others, np.array([-3.0, 5.0]), np.array([-1.0, 6.0]))
    elif box := objective.domain():
        assert inside(others, *box)


def test_networks_start_in_fortran_order() -> None:
    """The parameters of a network are contiguous: the stacked computation would copy them at every step."""
    found = Starts(own=4).draw(generator(), NETWORK)
    assert found.flags.f_contiguous
    assert found.shape == (NETWORK.dimension, 4)
    assert np.array_equal(found, NETWORK.draw(generator(), 4))


@pytest.mark.parametrize(
    ("starts", "objective", "expected"),
    [
        (Starts(points=((1.0, 2.0), (1.0,))), Valley(), (("points", 1), "has 1 coordinates")),
        (
            Starts(uniform=UniformStarts((0.0, 0.0), 1.0, 3)),
            Quadratic(3),
            (("uniform", "low"), "has 2 coordinates"),
        ),
        (Starts(uniform=UniformStarts(0.0, (1.0,), 3)), Valley(), (("uniform", "high"), "has dimension 2")),
        (Starts(own=2), ExpressionObjective("x**2", ("x",)), (("own",), "no domain to draw from")),
    ],
)
def test_what_does_not_fit_the_objective(
    starts: Starts, objective: Objective, expected: tuple[tuple[str | int, ...], str]
) -> None:
    ((path, text),) = starts.problems(objective)
    assert path == expected[0]
    assert expected[1] in text


def test_what_fits_has_no_complaint() -> None:
    starts = Starts(points=((1.0, 2.0),), uniform=UniformStarts(0.0, (1.0, 2.0), 3), own=1)
    assert list(starts.problems(Valley())) == []
    assert list(Starts(own=1).problems(NETWORK)) == []


def test_there_is_a_start() -> None:
    with pytest.raises(ValueError, match="has no start"):
        Starts()

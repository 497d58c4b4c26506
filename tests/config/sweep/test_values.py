"""Spaced and drawn values."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dnnexp.config.schema import read
from dnnexp.config.sweep.values import Distribution, Spacing


@pytest.mark.parametrize(("low", "high", "count"), [(1e-4, 1, 9), (3, 0.2, 5), (1e-300, 1e300, 7), (2, 7, 2)])
def test_logarithmic_values_are_numpys(low: float, high: float, count: int) -> None:
    values = Spacing(log=(low, high), count=count).values()
    np.testing.assert_allclose(values, np.geomspace(low, high, count), rtol=1e-11)
    assert (values[0], values[-1]) == (low, high)


@pytest.mark.parametrize(("low", "high", "count"), [(0, 1, 11), (-1.5, 0.25, 8), (3, -3, 4)])
def test_linear_values_are_numpys(low: float, high: float, count: int) -> None:
    values = Spacing(linear=(low, high), count=count).values()
    np.testing.assert_allclose(values, np.linspace(low, high, count), rtol=1e-15, atol=1e-16)


def test_values_are_as_a_person_would_write_them() -> None:
    assert Spacing(linear=(0, 1), count=11).values() == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert Spacing(log=(1e-4, 1.0), count=5).values() == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [
        (Spacing(linear=(10, 100), count=4), [10, 40, 70, 100]),
        (Spacing(log=(1, 1000), count=4), [1, 10, 100, 1000]),
        (Spacing(linear=(1, 2), count=3), [1.0, 1.5, 2.0]),
        (Spacing(linear=(1.0, 3), count=3), [1.0, 2.0, 3.0]),
    ],
)
def test_they_are_integers_where_the_ends_are_and_all_are(spacing: Spacing, expected: list[Any]) -> None:
    """An integer key, such as `steps`, takes no 40.0."""
    assert [(type(value), value) for value in spacing.values()] == [
        (type(value), value) for value in expected
    ]


DISTRIBUTIONS = {
    "uniform": (Distribution(uniform=(-2.0, 3.0)), stats.uniform(-2, 5)),
    "log_uniform": (Distribution(log_uniform=(1e-4, 10)), stats.loguniform(1e-4, 10)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_are_distributed_as_they_are_called(name: str) -> None:
    """Kolmogorov-Smirnov; one fixed stream, so the outcome does not vary."""
    distribution, expected = DISTRIBUTIONS[name]
    assert stats.kstest(distribution.draws(2000, "0/x"), expected.cdf).pvalue > 0.01


def test_integers_are_drawn_evenly_with_both_ends() -> None:
    drawn = Distribution(integers=(3, 7)).draws(5000, "0/x")
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [3, 4, 5, 6, 7]
    assert stats.chisquare(counts).pvalue > 0.01


def test_choices_are_drawn_evenly() -> None:
    drawn = Distribution(choice=("a", "b", None)).draws(3000, "0/x")
    counts = [drawn.count(value) for value in ("a", "b", None)]
    assert sum(counts) == 3000
    assert stats.chisquare(counts).pvalue > 0.01


def test_draws_follow_from_the_stream() -> None:
    distribution = Distribution(uniform=(0, 1))
    assert distribution.draws(5, "0/x") == distribution.draws(9, "0/x")[:5]
    assert distribution.draws(5, "0/x") != distribution.draws(5, "1/x")


def test_large_integers_are_drawn_within_their_bounds() -> None:
    """As floats, 2**63 - 1 is 2**63."""
    drawn = Distribution(integers=(2**63 - 3, 2**63 - 1)).draws(200, "0/x")
    assert set(drawn) == {2**63 - 3, 2**63 - 2, 2**63 - 1}


def test_rounding_keeps_logarithmic_draws_within_bounds() -> None:
    low, high = 1 / 3, math.nextafter(1 / 3, 1)
    assert all(low <= value <= high for value in Distribution(log_uniform=(low, high)).draws(50, "0/x"))


@pytest.mark.parametrize(
    ("cls", "tree", "path", "message"),
    [
        (Spacing, {"count": 3}, (), "must hold one of linear, log; none given"),
        (Spacing, {"linear": [0, 1], "log": [1, 2], "count": 3}, (),
         "must hold one of linear, log; linear and log given"),
        (Spacing, {"log": [0, 1], "count": 3}, ("log",), "must be two different numbers above 0"),
        (Spacing, {"linear": [1, 1], "count": 3}, ("linear",), "must be two different numbers"),
        (Spacing, {"linear": [1, 2, 3], "count": 3}, ("linear",), "must be two different numbers"),
        (Spacing, {"linear": [1, 2], "count": 1}, ("count",), "must be at least 2, not 1"),
        (Distribution, {}, (), "must hold one of uniform, log_uniform, integers, choice; none given"),
        (Distribution, {"uniform": [1, 0]}, ("uniform",), "must be two numbers, the lower one first"),
        (Distribution, {"integers": [1, 2.5]}, ("integers", 1), "must be an integer, not 2.5"),
        (Distribution, {"log_uniform": [0, 1]}, ("log_uniform",), "must be two numbers above 0"),
        (Distribution, {"choice": []}, ("choice",), "needs at least 1 item, 0 given"),
        (Distribution, {"unform": [0, 1], "choice": [1]}, ("unform",),
         "unknown key; did you mean 'uniform'? allowed: uniform, log_uniform, integers, choice"),
    ],
)  # fmt: skip
def test_invalid_values_are_problems(cls: type, tree: Any, path: tuple[str, ...], message: str) -> None:
    assert read(cls, tree) == (None, [(path, message)])

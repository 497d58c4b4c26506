"""Statistics over the starts, against their definitions, other methods and what is known of the bootstrap."""

from __future__ import annotations

import math
import statistics as standard
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import QUANTILES, quantile, quantiles
from dnnexp.experiments.optimize import statistics
from dnnexp.experiments.optimize.statistics import RESAMPLES, Bootstrap, median, running_time, spent

EPSILON = float(np.finfo(np.float64).eps)
NUMBERS = st.floats(-1e300, 1e300) | st.just(math.inf)
SHARES = st.sampled_from(sorted(QUANTILES.values())) | st.floats(0, 1)


def bootstrap(runs: int, seed: int = 0) -> Bootstrap:
    return Bootstrap(lambda: np.random.default_rng(seed), runs)


def defined_quantile(values: list[float], share: float) -> float:
    """Between the order statistics at ⌊h⌋ and ⌈h⌉, h = share · (n − 1), in exact arithmetic."""
    ordered, place = sorted(values), share * (len(values) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    if math.isinf(high) or low == high:
        return high
    return float(Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(place - math.floor(place)))


# --- Quantiles ---------------------------------------------------------------------------------------------


@given(st.lists(NUMBERS, min_size=1, max_size=9), st.lists(SHARES, min_size=1, max_size=3))
def test_quantiles_beside_infinities(values: list[float], shares: list[float]) -> None:
    found = quantile(np.array(values), shares)
    tame = max((abs(x) for x in values if math.isfinite(x)), default=0.0)
    for share, value in zip(shares, found, strict=True):
        # a difference, a product and a sum are rounded, of numbers up to twice the largest
        assert value == pytest.approx(defined_quantile(values, share), rel=0, abs=8 * EPSILON * tame)


@given(st.lists(NUMBERS | st.just(math.nan), min_size=1, max_size=9))
def test_the_median_against_the_standard_library(values: list[float]) -> None:
    counted = [math.inf if math.isnan(x) else x for x in values]
    tame = max((abs(x) for x in counted if math.isfinite(x)), default=0.0)
    expected = standard.median(counted)
    assert median(np.array(values)) == pytest.approx(expected, rel=0, abs=8 * EPSILON * tame)


def test_quantiles_are_over_the_last_axis() -> None:
    values = np.array([[[1.0, 2.0, np.inf], [3.0, 1.0, 2.0]]])
    assert quantile(values, [0.5, 1.0]).tolist() == [[[2.0, 2.0]], [[math.inf, 3.0]]]
    assert median(values).tolist() == [[2.0, 2.0]]


def test_named_quantiles_of_nothing_and_of_infinities() -> None:
    assert quantiles([], ("min", "max")) == {"min": None, "max": None}
    assert quantiles([1.0, np.inf, np.nan], ("min", "median", "max")) == {
        "min": 1.0,
        "median": None,
        "max": None,
    }


# --- Running time ------------------------------------------------------------------------------------------


def test_spent_until_reached_diverged_or_ended() -> None:
    """Five runs of 10 steps; the last reached the target and diverged later."""
    reached, diverged = np.array([[3, 0, -1, -1, 4]]), np.array([-1, -1, 6, -1, 7])
    trajectory = Trajectory(np.zeros((1, 5)), None, np.zeros((2, 5)), reached, diverged)
    assert spent(trajectory, 0, 10).tolist() == [3, 0, 6, 10, 4]


def test_running_time_by_hand() -> None:
    """COCO's aRT: 3 + 10 + 10 + 7 evaluations, of which two runs came of it."""
    assert running_time(np.array([3, 10, 10, 7]), np.array([True, False, False, True])) == 15
    assert running_time(np.array([10, 10]), np.array([False, False])) == math.inf
    assert running_time(np.array([0, 0]), np.array([True, True])) == 0


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), min_size=3, max_size=3), min_size=1)
)
def test_running_time_of_many_samples(rows: list[list[tuple[int, bool]]]) -> None:
    evaluations = np.array([[count for count, _ in row] for row in rows])
    reached = np.array([[is_reached for _, is_reached in row] for row in rows])
    for found, row in zip(running_time(evaluations, reached), rows, strict=True):
        successes = sum(is_reached for _, is_reached in row)
        total = sum(count for count, _ in row)
        assert found == (total / successes if successes else math.inf)


# --- The bootstrap -----------------------------------------------------------------------------------------


def test_a_single_run_has_no_interval() -> None:
    assert bootstrap(1).interval(median, np.array([3.0])) is None


def test_equal_runs_have_an_interval_without_width() -> None:
    assert bootstrap(6).interval(median, np.full(6, 3.0)) == [3.0, 3.0]


@settings(max_examples=40)
@given(st.lists(NUMBERS, min_size=11, max_size=11), st.integers(0, 2**32))
def test_the_interval_of_the_median_against_a_plain_loop(values: list[float], seed: int) -> None:
    """Of 11 runs the median is one of them, so that nothing is rounded; 24.975 is next to place 25."""
    generator = np.random.default_rng(seed)
    medians = []
    for _ in range(1000):
        chosen = generator.integers(11, size=11)
        medians.append(sorted(values[place] for place in chosen)[5])
    ends = [sorted(medians)[25], sorted(medians)[974]]
    expected = [end if math.isfinite(end) else None for end in ends]
    assert bootstrap(11, seed).interval(median, np.array(values)) == expected


def test_the_interval_of_a_statistic_of_two_samples() -> None:
    """The runs of a resample keep their evaluations and whether they reached the target together."""
    evaluations, reached = np.array([5, 20, 7, 20]), np.array([True, False, True, False])
    generator = np.random.default_rng(3)
    times = []
    for _ in range(1000):
        chosen = generator.integers(4, size=4).tolist()
        successes = sum(bool(reached[place]) for place in chosen)
        total = sum(int(evaluations[place]) for place in chosen)
        times.append(total / successes if successes else math.inf)
    expected = [sorted(times)[25], None]  # in one of 16 resamples nothing is reached
    assert bootstrap(4, 3).interval(running_time, evaluations, reached) == expected


@pytest.mark.parametrize("rows", [1, 7, 333, 999])
def test_chunks_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).standard_normal(8)
    whole = bootstrap(8).interval(median, values)
    monkeypatch.setattr(statistics, "_CHUNK_NUMBERS", 8 * rows)
    assert bootstrap(8).interval(median, values) == whole
    assert bootstrap(8).interval(median, values) == whole


@pytest.mark.parametrize(
    ("finite", "expected"), [(26, [25.0, None]), (25, [None, None]), (975, [25.0, 974.0])]
)
def test_an_end_right_beside_infinity(finite: int, expected: list[float | None]) -> None:
    """Of resamples with the statistics 0, 1, 2, …, the last of them infinite."""

    def counted(samples: Any) -> Any:
        found = np.arange(len(samples), dtype=np.float64)
        return np.where(found < finite, found, np.inf)

    assert bootstrap(2).interval(counted, np.zeros(2)) == expected


def test_the_interval_of_the_median_covers_the_order_statistics_that_theory_names() -> None:
    """P(median of a resample ≤ x₍ₖ₎) = P(Bin(n, k/n) > n/2) (Efron 1982, section 10.2), here n = 25.

    Of the places k, both ends take those next to the shares 0.025 and 0.975; the share found of 1000
    resamples is off by 4 standard deviations at most.
    """
    n = 25
    found = bootstrap(n).interval(median, np.arange(1.0, n + 1))
    assert found is not None
    for end, share in zip(found, (0.025, 0.975), strict=True):
        assert end is not None
        slack = 4 * math.sqrt(share * (1 - share) / RESAMPLES)
        below, up_to = (stats.binom.sf(n // 2, n, k / n) for k in (end - 1, end))
        assert below < share + slack
        assert up_to > share - slack


def test_the_interval_of_the_mean_covers_as_often_as_theory_says() -> None:
    """Of n normal numbers it is about mean ± 1.96 s √((n−1)/n) / √n; Student's t says how often that covers.

    The count of 600 is within 4 standard deviations, and 0.005 for what 1000 resamples are off.
    """
    n, samples = 40, 600
    generator = np.random.default_rng(0)
    covered = 0
    for seed, values in enumerate(generator.standard_normal((samples, n))):
        low, high = bootstrap(n, seed).interval(lambda x: x.mean(axis=-1), values) or (None, None)
        assert low is not None
        assert high is not None
        covered += low <= 0 <= high
    expected = 1 - 2 * stats.t.sf(stats.norm.ppf(0.975) * math.sqrt((n - 1) / n), n - 1)
    slack = 4 * math.sqrt(expected * (1 - expected) / samples) + 0.005
    assert covered / samples == pytest.approx(expected, abs=slack)

"""Histograms, against numpy's of the whole array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats, Integers, Numbers
from dnnexp.experiments.activations.histograms import BINS, histogram

PIECE = 2**15
LARGEST = 1e300


def drawn(size: int, dtype: Any = np.float64) -> Numbers:
    return np.asarray(np.random.default_rng(0).gamma(2.0, size=size) - 3, dtype)


def counted(values: Numbers) -> tuple[Integers, Floats]:
    """Counts and edges; all finite values are counted, and bins have a width."""
    with np.errstate(all="ignore"):
        found = histogram("key", values)
    counts, edges = found["key.counts"], found["key.edges"]
    assert counts.sum() == np.isfinite(values).sum()
    assert (len(counts), len(edges)) == (BINS, BINS + 1)
    assert (np.diff(edges) > 0).all()
    return counts, edges


def agree(values: Numbers) -> None:
    """With numpy's counts in the same edges; values within rounding of an edge may be on either side."""
    counts, edges = counted(values)
    finite = np.clip(values[np.isfinite(values)].astype(np.float64), -LARGEST, LARGEST)
    places = BINS * ((finite - edges[0]) / (edges[-1] - edges[0]))
    rounding = 8 * np.finfo(np.float64).eps * BINS * max(np.abs(edges)) / (edges[-1] - edges[0])
    near = np.abs(places[:, None] - np.arange(BINS + 1)).min(axis=1) <= rounding
    moved = np.abs(np.cumsum(counts - np.histogram(finite, edges)[0]))
    assert moved.max() <= near.sum()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1, 2, 1000, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
def test_counts_are_numpys(size: int, dtype: Any) -> None:
    values = drawn(size, dtype)
    agree(values)
    edges = counted(values)[1]
    if size > 1:
        assert (edges[0], edges[-1]) == (values.min(), values.max())


def test_all_axes_are_counted_together() -> None:
    values = drawn(3 * 4 * 5)
    assert counted(values.reshape(3, 4, 5))[0].tolist() == counted(values)[0].tolist()


@settings(max_examples=100)
@given(
    st.lists(st.floats(-1e308, 1e308) | st.sampled_from([np.inf, -np.inf, np.nan]), min_size=1, max_size=30)
)
def test_counts_of_any_values(values: list[float]) -> None:
    agree(np.array(values))


@settings(max_examples=100)
@given(
    st.lists(st.floats(width=32), min_size=1, max_size=30),
    st.sampled_from([1.0, 1e-20, 1e-38, 1e-44]),
)
def test_counts_of_any_values_in_single_precision(values: list[float], scale: float) -> None:
    with np.errstate(all="ignore"):
        agree(np.array(values, np.float32) * np.float32(scale))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(9) * 1e-312,
        drawn(99) * 1e-300,
        drawn(99) * 1e300,
        np.array([-1.7e308, 0.0, 1.7e308]),
        (drawn(99) * 1e-40).astype(np.float32),
        np.array([-3.4e38, 0.0, 3.4e38], np.float32),
        1 + np.arange(99) * 2**-52,
        np.array([0.0] * 9 + [1e-200]),
    ],
    ids=["subnormal", "tiny", "huge", "all", "subnormal32", "all32", "near one", "one other"],
)
def test_values_at_the_ends_of_the_range(values: Numbers) -> None:
    """Subnormal ones, and those that fill the range of single precision, used to end in an exception."""
    agree(values)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.5, 1e-310, 1e30])
def test_a_constant_is_in_the_middle(value: float, dtype: Any) -> None:
    """Of bins half a unit, or half of itself, to each side."""
    counts, edges = counted(np.full(7, value, dtype))
    exact, half = float(dtype(value)), max(0.5, abs(float(dtype(value))) / 2)
    np.testing.assert_allclose([edges[0], edges[-1]], [exact - half, exact + half], 1e-15)
    assert counts[BINS // 2 - 1] + counts[BINS // 2] == 7


def test_nothing_finite_is_an_empty_histogram() -> None:
    assert counted(np.array([np.nan, np.inf]))[0].tolist() == [0] * BINS


def test_infinities_are_left_out_and_do_not_stretch_the_bins() -> None:
    counts, edges = counted(np.array([np.nan, -np.inf, 1.0, 2.0, 3.0, np.inf]))
    assert (edges[0], edges[-1]) == (1, 3)
    assert (counts[0], counts[30], counts[-1]) == (1, 1, 1)

"""What is told of a layer beside moments: shares, spreads, effective rank, correlation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dnnexp.core.activations import HardTanh, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.core.inputs import PairsInput
from dnnexp.experiments.activations import statistics
from dnnexp.experiments.activations.statistics import correlation, describe, fractions, geometry
from dnnexp.experiments.base import QUANTILES


def drawn(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape)


def rank(*outputs: Numbers) -> Floats:
    rows = np.stack(outputs)
    found: Floats = geometry(rows, rows)["effective_rank"]
    return found


# --- Shares ------------------------------------------------------------------------------------------------


def test_fractions_by_hand() -> None:
    """Two networks, two samples, three units."""
    post = np.array([[[0.0, 0.98, 0.0], [0.0, -0.5, 0.3]], [[-0.97, 0.97, -1.0], [1.0, 0.1, 0.2]]])
    found = fractions(Tanh(), post)
    assert found["zero_fraction"].tolist() == [3 / 6, 0]
    assert found["saturated_fraction"].tolist() == [1 / 6, 2 / 6]
    assert found["dead_fraction"].tolist() == [1 / 3, 0]


@pytest.mark.parametrize("activation", [Sigmoid(), HardTanh(), ReLU()])
def test_fractions_against_a_plain_loop(activation: Any) -> None:
    post = activation.f(3 * drawn(4, 2, 5) - 1)
    found = fractions(activation, post)
    low, high = activation.saturation or (-math.inf, math.inf)
    for run, batch in enumerate(post.tolist()):
        values = [value for row in batch for value in row]
        assert found["zero_fraction"][run] == sum(value == 0 for value in values) / 10
        is_dead = [all(value == 0 for value in column) for column in zip(*batch, strict=True)]
        assert found["dead_fraction"][run] == sum(is_dead) / 5
        if activation.saturation:
            assert found["saturated_fraction"][run] == sum(not low <= v <= high for v in values) / 10
    assert (found["saturated_fraction"] is None) == (activation.saturation is None)


def test_a_network_with_an_output_that_is_not_a_number_has_no_fractions() -> None:
    """An infinite one is a number: saturated, and not 0."""
    post = np.zeros((3, 2, 4))
    post[1, 0, 0], post[2, 0, 0] = math.nan, math.inf
    found = fractions(Tanh(), post)
    for name, shares in (("zero", [1, 7 / 8]), ("dead", [1, 3 / 4]), ("saturated", [0, 1 / 8])):
        assert found[f"{name}_fraction"][[0, 2]].tolist() == shares
        assert math.isnan(found[f"{name}_fraction"][1])


def test_one_sample_tells_of_no_dead_unit_no_spread_and_no_correlation() -> None:
    post = drawn(3, 1, 4)
    assert fractions(ReLU(), post)["dead_fraction"] is None
    found = geometry(post, post)
    assert found["sample_std"] is None
    assert found["correlation"] is None
    np.testing.assert_allclose(found["unit_std"], post[:, 0].std(axis=1), 1e-14)
    np.testing.assert_allclose(found["effective_rank"], 1, 1e-14)


# --- Spreads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e200])
@pytest.mark.parametrize("shape", [(3, 2, 1), (3, 6, 5), (2, 40, 700)])
def test_spreads_are_root_mean_variances(shape: tuple[int, ...], scale: float) -> None:
    """Over samples for each unit, and over units for each sample; of values of any size."""
    post = drawn(*shape) + 0.5
    found = geometry(post * scale, post * scale)
    np.testing.assert_allclose(found["sample_std"], scale * np.sqrt(post.var(axis=1).mean(axis=1)), 1e-13)
    units = scale * np.sqrt(post.var(axis=2).mean(axis=1))
    np.testing.assert_allclose(found["unit_std"], units, 1e-13)


def test_equal_samples_and_equal_units_have_no_spread() -> None:
    """Of numbers that are exact in binary: means are rounded elsewhere."""
    same_samples = np.broadcast_to(np.array([0.5, -2.0, 3.0, 0.25]), (1, 8, 4))
    assert geometry(same_samples, same_samples)["sample_std"] == 0
    same_units = same_samples.swapaxes(1, 2)
    assert geometry(same_units, same_units)["unit_std"] == 0


# --- Effective rank ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "width"), [(4, 9), (9, 4), (5, 5), (1, 7), (7, 1)])
def test_the_effective_rank_of_orthogonal_rows_or_columns_is_their_number(batch: int, width: int) -> None:
    frame = np.linalg.qr(drawn(max(batch, width), min(batch, width)))[0]
    outputs = frame if batch > width else frame.T
    np.testing.assert_allclose(rank(outputs, 1e200 * outputs, 1e-200 * outputs), min(batch, width), 1e-13)


def test_the_effective_rank_of_an_outer_product_is_one() -> None:
    np.testing.assert_allclose(rank(np.outer(drawn(6), drawn(8)), np.ones((6, 8))), 1, 1e-13)


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=6), st.integers(0, 2**32), st.booleans())
def test_the_effective_rank_of_a_spectrum(spectrum: list[float], seed: int, is_wide: bool) -> None:
    """(Σ s²)² / Σ s⁴ of the singular values s: at least 1, at most their number."""
    count = len(spectrum)
    left = np.linalg.qr(drawn(count, count, seed=seed))[0]
    right = np.linalg.qr(drawn(count + 3, count, seed=seed + 1))[0]
    outputs = left * np.array(spectrum) @ right.T
    squares = np.array(spectrum) ** 2
    expected = squares.sum() ** 2 / np.square(squares).sum()
    assert rank(outputs if is_wide else outputs.T)[0] == pytest.approx(expected, rel=1e-12)
    assert 1 <= expected <= count + 1e-9


def test_outputs_of_zero_have_no_rank_and_do_not_disturb() -> None:
    with np.errstate(invalid="ignore"):
        found = rank(np.zeros((3, 4)), np.eye(3, 4))
    assert math.isnan(found[0])
    assert found[1] == pytest.approx(3)


# --- Correlation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 1e-3, 30.0, 60.0, 90.0, 135.0, 180.0])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_correlation_of_pairs_is_the_cosine_of_their_angle(angle: float, scale: float) -> None:
    rows = scale * PairsInput(angle=angle, samples=20).draw(np.random.default_rng(0), 30)
    assert float(correlation(rows)) == pytest.approx(math.cos(math.radians(angle)), abs=1e-14)


def test_the_correlation_is_a_mean_over_pairs_and_leaves_an_odd_row_out() -> None:
    rows = np.array([[[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [1.0, 0.0], [5.0, 5.0]]])
    assert geometry(rows, rows)["correlation"].tolist() == [0.5]


def test_pairs_with_a_row_of_zeros_do_not_count() -> None:
    """A layer of narrow rectifiers is dead for some samples only."""
    rows = np.array([[[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]])
    assert correlation(rows)[0] == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("wrong", [0.0, math.nan, math.inf])
def test_a_network_without_correlation_leaves_the_others_alone(wrong: float) -> None:
    rows = np.broadcast_to(np.eye(2, 3), (3, 2, 3)).copy()
    rows[1] = wrong
    with np.errstate(invalid="ignore"):
        found = correlation(rows)
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == [0, 0]


# --- What looks at some values only ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1000, 1024), (2, 700, 600), (1, 3, 2**19)])
def test_quantiles_of_large_layers_are_those_of_a_sample(shape: tuple[int, ...]) -> None:
    """The share below the p-quantile of n of independent values is within 5 √(p (1 − p) / n) of p.

    Steps are up to 7 here: 2 would do for the second shape, but shares a factor with the width, as 3 to 6 do.
    """
    values = drawn(*shape)
    found = describe(values)
    for name, share in QUANTILES.items():
        slack = 5 * math.sqrt(share * (1 - share) / (values[0].size / 7))
        for run, quantile in enumerate(found[name]):
            below = (values[run] <= quantile).mean()
            assert abs(below - share) <= slack + 1 / values[run].size, name


@pytest.mark.parametrize("width", [2, 6, 64, 210, 1024])
def test_every_unit_is_met_as_often_as_any_other(width: int) -> None:
    """A step that shares a factor with the width would meet a few units only."""
    batch = 3 * statistics._SAMPLED_VALUES // width
    post = np.broadcast_to(np.arange(width, dtype=np.float64), (1, batch, width))
    found = describe(post)
    for name in ("q05", "q25", "median", "q75", "q95"):
        assert found[name][0] == pytest.approx(np.quantile(np.arange(width), QUANTILES[name]), abs=1)


def test_spreads_of_large_layers_look_at_their_first_rows() -> None:
    """2**18 values are 256 rows of 1024; the variance of 256 normal numbers is off by √(2/255)."""
    post = drawn(1, 600, 1024)
    found = geometry(post, post)
    np.testing.assert_allclose(found["sample_std"], np.sqrt(post[:, :256].var(axis=1).mean(axis=1)), 1e-13)
    low, high = stats.chi2.ppf([1e-6, 1 - 1e-6], 256 * 1023) / (256 * 1024)
    assert low <= found["unit_std"][0] ** 2 <= high

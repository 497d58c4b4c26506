"""Moments and quantiles of layers, against scipy and numpy on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dnnexp.core.arrays import Numbers
from dnnexp.experiments.activations import statistics
from dnnexp.experiments.activations.statistics import MOMENTS, root_mean_square
from dnnexp.experiments.base import QUANTILES

PIECE = 2**16
SHAPES = [
    (1, 1, 2),
    (3, 5, 7),
    (500, 4, 6),
    (2, 1, PIECE - 1),
    (2, 1, PIECE),
    (2, 1, PIECE + 1),
    (2, 2, PIECE),
    (2, 257, 510),
    (70_000, 1, 3),
]
"""Below, at and above the size of a piece; rows that fill several, pieces that hold many rows."""
ROUNDINGS = 200
"""Of the values' precision: what sums and powers of some 1e5 values may be off by, relative to them."""


def describe(values: Numbers) -> dict[str, Any]:
    """As a run does: what is not finite needs no warning."""
    with np.errstate(all="ignore"):
        return statistics.describe(values)


def drawn(shape: tuple[int, ...], dtype: Any = np.float64, seed: int = 0) -> Numbers:
    """Skewed, and with a mean that is not 0."""
    return np.random.default_rng(seed).gamma(2.0, size=shape).astype(dtype)


def expected(values: Numbers) -> dict[str, Any]:
    """By scipy, in extended precision, so that neither scale nor rounding matters."""
    rows = values.reshape(len(values), -1).astype(np.longdouble)
    return {
        "mean": rows.mean(axis=1),
        "std": rows.std(axis=1),
        "skew": stats.skew(rows, axis=1),
        "kurtosis": stats.kurtosis(rows, axis=1, fisher=False),
        "mean_square": np.square(rows).mean(axis=1),
    }


def agree(found: dict[str, Any], values: Numbers) -> None:
    """Within roundings of the values, which are larger than their spread where that is small."""
    known = {name: numbers.astype(np.float64) for name, numbers in expected(values).items()}
    condition = np.sqrt(known["mean_square"]) / known["std"]
    tolerance = ROUNDINGS * float(np.finfo(values.dtype).eps) * np.maximum(1, condition)
    for name, numbers in known.items():
        slack = tolerance * np.maximum(np.abs(numbers), name == "skew")  # a skew near 0 is a difference
        assert (np.abs(found[name] - numbers) <= slack).all(), name


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_moments_are_scipys(shape: tuple[int, ...], dtype: Any) -> None:
    values = drawn(shape, dtype)
    agree(describe(values), values)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_quantiles_are_numpys(shape: tuple[int, ...], dtype: Any) -> None:
    """None of the rows is so long that only some of its values are looked at."""
    values = drawn(shape, dtype)
    found = describe(values)
    for name, share in QUANTILES.items():
        whole = np.quantile(values.reshape(len(values), -1).astype(np.float64), share, axis=1)
        np.testing.assert_allclose(found[name], whole, 4 * float(np.finfo(dtype).eps), err_msg=name)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        *((scale, np.float64) for scale in (1e-300, 1e-160, 1e-80, 1e80, 1e150)),
        *((scale, np.float32) for scale in (1e-36, 1e-20, 1e10, 1e20, 1e30, 1e37)),
    ],
)
def test_no_power_overflows_or_underflows(scale: float, dtype: Any) -> None:
    """Skew and kurtosis were NaN from 1e110 on, and the spread was 0 below 1e-190."""
    values = drawn((2, 30, 40), dtype) * dtype(scale)
    found = describe(values)
    known = expected(values)
    tolerance = ROUNDINGS * float(np.finfo(dtype).eps)
    for name in ("mean", "std", "skew", "kurtosis"):
        np.testing.assert_allclose(found[name], known[name].astype(np.float64), tolerance, err_msg=name)
    if 1e-150 < scale < 1e150:
        np.testing.assert_allclose(found["mean_square"], known["mean_square"].astype(float), tolerance)


def test_subnormal_values_in_single_precision() -> None:
    """They have two or three digits each, and so has the mean that is subtracted: half a unit, of 140."""
    values = (drawn((2, 30, 40)) * 1e-43).astype(np.float32)
    found, known = describe(values), expected(values)
    for name in ("mean", "std", "skew", "kurtosis"):
        np.testing.assert_allclose(found[name], known[name].astype(float), 4 * 0.5 / 100, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -1 / 3, 1e-30, 1e30])
def test_a_constant_row_has_no_spread(value: float, dtype: Any) -> None:
    """The mean of 100,000 numbers 0.1 is not 0.1 in floating point; theirs here is."""
    constant = np.full((1, 100, 1000), value, dtype)
    found = describe(np.concatenate([constant, drawn(constant.shape, dtype)]))
    assert found["std"][0] == 0
    assert {float(found[name][0]) for name in ("mean", *QUANTILES)} == {float(dtype(value))}
    assert found["mean_square"][0] == float(dtype(value)) ** 2
    assert np.isnan(found["skew"][0])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 3, PIECE // 2)])
def test_a_row_that_is_not_finite_leaves_the_others_alone(wrong: float, shape: tuple[int, ...]) -> None:
    """Also in its own piece."""
    values = drawn(shape)
    clean = describe(values)
    values[1, 2, 3] = wrong
    found = describe(values)
    others = [0, 2, 3]
    for name in (*MOMENTS, "min", "max"):
        np.testing.assert_array_equal(found[name][others], clean[name][others], err_msg=name)
    for name in set(QUANTILES) - {"min", "max"}:  # interpolated by another formula beside an infinity
        np.testing.assert_allclose(found[name][others], clean[name][others], 1e-15, err_msg=name)
    assert not np.isfinite([found[name][1] for name in MOMENTS]).any()


numbers = st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda x: round(x, 6))


@settings(max_examples=60)
@given(st.lists(st.lists(numbers, min_size=6, max_size=6), min_size=1, max_size=5), st.integers(-200, 200))
def test_moments_of_any_values_follow_their_scale(rows: list[list[float]], exponent: int) -> None:
    """Powers of two scale without rounding; what is not the value of a power stays, bit for bit."""
    values = np.array(rows).reshape(-1, 2, 3)
    found, scaled = describe(values), describe(np.ldexp(values, exponent))
    for name in ("mean", "std", "min", "max", "median"):
        np.testing.assert_array_equal(np.ldexp(found[name], exponent), scaled[name], err_msg=name)
    for name in ("skew", "kurtosis"):
        np.testing.assert_array_equal(found[name], scaled[name], err_msg=name)
    second = found["std"] ** 2 + found["mean"] ** 2
    np.testing.assert_allclose(found["mean_square"], np.square(values).mean(axis=(1, 2)), 1e-13)
    np.testing.assert_allclose(second, found["mean_square"], 1e-13)


@pytest.mark.parametrize("shape", [(3, 7), (3, 7, 11), (2, 3, PIECE)])
def test_root_mean_square(shape: tuple[int, ...]) -> None:
    values = drawn(shape) - 2
    axes = tuple(range(1, len(shape)))
    np.testing.assert_allclose(root_mean_square(values), np.sqrt(np.square(values).mean(axis=axes)), 1e-14)

"""Independent entries: their bounds and their moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.config.schema import read
from dnnexp.core.arrays import Floats
from dnnexp.core.inputs import NormalInput, UniformInput


def correlations(rows: Floats) -> Floats:
    """Those of any two different columns."""
    return np.asarray(np.corrcoef(rows.T))[~np.eye(rows.shape[1], dtype=bool)]


def test_the_normal_input_is_standard_normal_and_uncorrelated() -> None:
    """5 standard errors: 1/√n of the mean, 1/√2n of the standard deviation, 1/√samples of a correlation."""
    samples, width = 10_000, 5
    drawn = NormalInput(samples).draw(np.random.default_rng(0), width)
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    assert abs(drawn.std() - 1) < 5 / np.sqrt(2 * drawn.size)
    assert np.abs(correlations(drawn)).max() < 5 / np.sqrt(samples)


@pytest.mark.parametrize(
    ("part", "mean", "std"),
    [(UniformInput(samples=10_000), 0, 1), (UniformInput(0, 1, 10_000), 0.5, math.sqrt(1 / 12))],
    ids=["default", "0 to 1"],
)
def test_the_uniform_input_has_the_moments_of_its_interval(
    part: UniformInput, mean: float, std: float
) -> None:
    """5 standard errors: σ/√n of the mean, σ²√(0.8/n) of the variance, 1/√samples of a correlation."""
    drawn = part.draw(np.random.default_rng(0), 5)
    assert abs(drawn.mean() - mean) < 5 * std / np.sqrt(drawn.size)
    assert abs(drawn.var() - std**2) < 5 * std**2 * np.sqrt(0.8 / drawn.size)
    assert np.abs(correlations(drawn)).max() < 5 / np.sqrt(part.samples)


@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=2, unique=True), st.integers(0, 2**32))
def test_the_uniform_input_keeps_to_its_interval(ends: list[float], seed: int) -> None:
    low, high = sorted(ends)
    drawn = UniformInput(low, high, samples=20).draw(np.random.default_rng(seed), 3)
    assert ((low <= drawn) & (drawn <= high)).all()


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"low": 1, "high": 1}, "must be below high, but low is 1 and high 1"),
        ({"high": -2}, "must be below high, but low is -1.73205 and high -2"),
    ],
)
def test_an_interval_that_is_none_is_refused(tree: dict[str, float], text: str) -> None:
    assert read(UniformInput, tree) == (None, [(("low",), text)])

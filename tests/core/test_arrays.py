import math

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import clamp_below, coordinate_sum, real


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**32))
def test_a_coordinate_sum_is_the_sum(d: int, runs: int, seed: int) -> None:
    """Against math.fsum, which is exact: pairwise sums err by at most ⌈log₂ d⌉ ε Σ|x| (Higham 1993)."""
    x = np.random.default_rng(seed).standard_normal((d, runs))
    total = coordinate_sum(x)
    assert total.shape == (1, runs)
    for run in range(runs):
        bound = math.ceil(math.log2(d)) * 2.3e-16 * math.fsum(abs(x[:, run]))
        assert abs(total[0, run] - math.fsum(x[:, run])) <= bound


@pytest.mark.parametrize("d", range(1, 40))
def test_a_coordinate_sum_of_one_run_has_the_bits_it_has_beside_others(d: int) -> None:
    """Guards: numpy's sum over the first axis of (10, 1) and (10, 2) differed in the last bit."""
    x = np.random.default_rng(d).standard_normal((d, 3, 7))
    together = coordinate_sum(x)
    for run in range(7):
        alone = coordinate_sum(x[:, :1, run : run + 1].copy())
        np.testing.assert_array_equal(alone, together[:, :1, run : run + 1])


def test_a_coordinate_sum_takes_arrays_of_the_standard() -> None:
    total = coordinate_sum(array_api_strict.reshape(array_api_strict.arange(10.0), (5, 2)))
    np.testing.assert_array_equal(np.asarray(total), [[20.0, 25.0]])


@pytest.mark.parametrize(
    ("z", "expected"), [(3.0, 3.0), (1.0, 1.0), (0.5, 1.0), (-math.inf, 1.0), (math.inf, math.inf)]
)
def test_clamping_keeps_what_is_above(z: float, expected: float) -> None:
    assert clamp_below(np.array([z]), 1.0) == expected
    assert clamp_below(np.array([z + 0j]), 1.0).real == expected


def test_clamping_keeps_the_imaginary_part_above_only_and_nan() -> None:
    clamped = clamp_below(np.array([3 + 2j, 0 + 2j, complex(math.nan, 0)]), 1.0)
    np.testing.assert_array_equal(clamped, [3 + 2j, 1, complex(math.nan, 0)])
    assert np.isnan(clamp_below(np.array([math.nan]), 1.0)).all()


def test_the_real_part_of_a_real_array_is_itself() -> None:
    x = array_api_strict.asarray([1.0, 2.0])
    assert real(x) is x
    np.testing.assert_array_equal(np.asarray(real(array_api_strict.asarray([1 + 2j]))), [1.0])

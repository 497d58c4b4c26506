import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, erfc

from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.quadrature import expectation, pair_expectation

SIGMAS = np.sqrt(np.logspace(-8, 8, 33))


def relu(u: Floats) -> Floats:
    return np.maximum(u, 0.0)


def hard_tanh(u: Floats) -> Floats:
    return np.clip(u, -1.0, 1.0)


@pytest.mark.parametrize(("power", "moment"), [(0, 1), (2, 1), (4, 3), (6, 15)])
def test_the_moments_of_a_gaussian(power: int, moment: int) -> None:
    value, error = expectation(lambda u: u**power, SIGMAS)
    np.testing.assert_allclose(value, moment * SIGMAS**power, rtol=2e-15)
    assert (error < 1e-14 * value).all()


@pytest.mark.parametrize("kink", [-5.0, -1.0, 1e-6, 0.3, 6.0])
def test_a_ramp_that_begins_at_a_kink(kink: float) -> None:
    """E[max(0, u − k)] = σ n(k/σ) − k Q(k/σ) for the density n and the upper tail Q."""
    sigma = np.array([0.5, 1.0, 10.0, 1e4])
    k = kink / sigma
    exact = sigma * (np.exp(-k * k / 2) / math.sqrt(2 * math.pi) - k * erfc(k / math.sqrt(2)) / 2)
    value, error = expectation(lambda u: np.maximum(u - kink, 0), sigma, (kink,))
    # the closed form cancels where the kink lies far out; what lies beyond the cut is absolute
    np.testing.assert_allclose(value, exact, rtol=1e-14, atol=1e-18)
    assert (np.abs(value - exact) <= error + 1e-18).all()


def test_a_step_whose_place_is_not_told_is_found() -> None:
    value, error = expectation(lambda u: (u > 0.3) * 1.0, np.array([0.5, 1.0, 100.0]))
    exact = erfc(0.3 / np.array([0.5, 1.0, 100.0]) / math.sqrt(2)) / 2
    np.testing.assert_allclose(value, exact, rtol=1e-14)
    assert (np.abs(value - exact) <= error).all()


@pytest.mark.parametrize(
    ("slope", "kinks", "by"),
    [(lambda u: (np.abs(u) < 1) * 1.0, (-1.0, 1.0), 0.38), (lambda u: np.cosh(u) ** -2, (), -0.14)],
    ids=["hard_tanh", "tanh"],
)
def test_gauss_hermite_fails_where_this_holds(
    slope: Callable[[Floats], Floats], kinks: tuple[float, ...], by: float
) -> None:
    """Guards the reason for the panels: E[φ′²] at q = 50 by Gauss-Hermite with 256 nodes."""
    z, weights = np.polynomial.hermite_e.hermegauss(256)
    hermite = weights @ slope(math.sqrt(50) * z) ** 2 / weights.sum()
    value, error = expectation(lambda u: slope(u) ** 2, math.sqrt(50), kinks)
    assert hermite / value - 1 == pytest.approx(by, abs=0.01)
    assert error < 1e-14 * value


@pytest.mark.parametrize("q", [1e-8, 1.0, 1e2, 1e4, 1e6, 1e8])
def test_a_wave_is_followed_however_fast(q: float) -> None:
    """E[sin²] = (1 − e^(−2q)) / 2. The argument's own rounding is ε u: 1e-11 at u = 1e5, and averages out."""
    exact = -math.expm1(-2 * q) / 2
    value, error = expectation(lambda u: np.sin(u) ** 2, math.sqrt(q))
    np.testing.assert_allclose(value, exact, rtol=2e-14)
    assert abs(value - exact) <= error


def shifted(u: Floats) -> Floats:
    return np.tanh(u - 4.5)


@pytest.mark.parametrize(
    ("function", "kinks", "tolerance"),
    [
        *((np.tanh, (), tolerance) for tolerance in (1e-3, 1e-9, 1e-15)),
        *((hard_tanh, (-1.0, 1.0), tolerance) for tolerance in (1e-3, 1e-15)),
        *((lambda u: np.abs(u) ** 1.5, (), tolerance) for tolerance in (1e-3, 1e-6, 1e-9, 1e-12, 1e-15)),
        *((function, (), 1e-15) for function in (np.sin, shifted)),
    ],
)
def test_the_error_estimate_is_honest(
    function: Callable[[Floats], Floats], kinks: tuple[float, ...], tolerance: float
) -> None:
    """The error is below its estimate, and that within a few panels' tolerances.

    A singularity at 0, where panels end, makes the errors real; the wave and the shifted step are found by
    halving. The reference has the tolerance 1e-15, and more panels.
    """
    stream = np.random.default_rng(0)
    sigma, mean = 10 ** stream.uniform(-2, 2, 1000), 3 * stream.standard_normal(1000)
    exact = expectation(function, sigma, (*kinks, -1.0, 1.0, 4.5, -1e-3, 1e-3, -1e-6, 1e-6), mean)
    coarse = expectation(function, sigma, kinks, mean, tolerance)
    assert (np.abs(coarse.value - exact.value) <= coarse.error + exact.error).all()
    size = expectation(lambda u: np.abs(function(u)), sigma, (*kinks, 4.5), mean).value
    assert (coarse.error <= 30 * tolerance * size).all()


def test_shapes_broadcast_and_a_number_gives_a_number() -> None:
    assert expectation(relu, 1.0).value.shape == ()
    assert expectation(relu, np.ones((2, 1)), mean=np.zeros(3)).value.shape == (2, 3)
    assert expectation(relu, np.ones(0)).value.shape == (0,)
    assert pair_expectation(relu, np.ones((2, 1)), np.zeros(3), (0.0,)).value.shape == (2, 3)
    assert pair_expectation(relu, 1.0, 0.0, (0.0,)).error.shape == ()


def test_no_spread_is_the_function_itself() -> None:
    mean = np.array([-2.0, 0.0, 0.5, 1e4])
    value = expectation(hard_tanh, 0.0, (-1.0, 1.0), mean).value
    np.testing.assert_allclose(value, hard_tanh(mean), rtol=4e-16)


def test_not_a_number_stays_one() -> None:
    value = expectation(np.tanh, np.array([1.0, np.nan])).value
    np.testing.assert_array_equal(np.isnan(value), [False, True])


CORRELATIONS = np.concatenate(
    [np.linspace(-1, 1, 41), 1 - np.logspace(-15, -1, 29), np.logspace(-15, -1, 29) - 1, [1e-300, -1e-9]]
)


def angle(c: Floats) -> Floats:
    """arccos c, exact near ±1."""
    return 2 * np.arctan2(np.sqrt(1 - c), np.sqrt(1 + c))


@pytest.mark.parametrize("sigma", [1e-100, 1.0, 1e3])
def test_pairs_of_rectifiers(sigma: float) -> None:
    """Cho and Saul 2009: (sin θ + (π − θ) cos θ) / 2π and, of the slopes, (π − θ) / 2π."""
    theta = angle(CORRELATIONS)
    exact = sigma**2 * (np.sin(theta) + (math.pi - theta) * CORRELATIONS) / (2 * math.pi)
    value, error = pair_expectation(relu, sigma, CORRELATIONS, (0.0,))
    np.testing.assert_allclose(value, exact, rtol=0, atol=2e-15 * sigma**2)
    assert (np.abs(value - exact) <= error).all()
    value, error = pair_expectation(lambda u: (u > 0) * 1.0, sigma, CORRELATIONS, (0.0,))
    np.testing.assert_allclose(value, (math.pi - theta) / (2 * math.pi), rtol=0, atol=2e-15)
    assert (np.abs(value - (math.pi - theta) / (2 * math.pi)) <= error).all()


@pytest.mark.parametrize("sigma", [1e-3, 1.0, 10.0, 100.0])
def test_pairs_of_error_functions(sigma: float) -> None:
    """(2/π) asin(2cq / (1 + 2q)) and, of the slopes, 4 / (π √((1 + 2q)² − 4c²q²)): Williams 1997."""
    q, c = sigma**2, CORRELATIONS
    root = np.sqrt((1 + 2 * q * (1 - c)) * (1 + 2 * q * (1 + c)))
    value, error = pair_expectation(erf, sigma, c)
    exact = 2 / math.pi * np.arctan2(2 * c * q, root)
    np.testing.assert_allclose(value, exact, rtol=0, atol=1e-14 * exact.max())
    assert (np.abs(value - exact) <= error).all()
    value, error = pair_expectation(lambda u: 2 / math.sqrt(math.pi) * np.exp(-u * u), sigma, c)
    np.testing.assert_allclose(value, 4 / (math.pi * root), rtol=0, atol=2e-14)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 5.0])
def test_pairs_of_waves(sigma: float) -> None:
    """E[sin u₁ sin u₂] = e^(−q) sinh(cq)."""
    q, c = sigma**2, np.linspace(-1, 1, 21)
    value, error = pair_expectation(np.sin, sigma, c)
    exact = (np.exp(-q * (1 - c)) - np.exp(-q * (1 + c))) / 2
    np.testing.assert_allclose(value, exact, rtol=0, atol=2e-14)
    assert (np.abs(value - exact) <= error).all()


@given(sigma=st.floats(1e-3, 1e3), c=st.floats(-1, 1), low=st.floats(-3, 3), width=st.floats(0.1, 10))
def test_a_pair_is_bounded_by_its_square(sigma: float, c: float, low: float, width: float) -> None:
    """|E[g(u₁) g(u₂)]| ≤ E[g²] (Cauchy and Schwarz), with equality at c = 1; kinks anywhere."""
    kinks = (low, low + width)

    def ramp(u: Floats) -> Floats:
        return np.clip(u, *kinks)

    square = expectation(lambda u: ramp(u) ** 2, sigma, kinks).value
    value = pair_expectation(ramp, sigma, np.array([c, 1.0]), kinks).value
    assert abs(value[0]) <= square * (1 + 1e-14)
    np.testing.assert_allclose(value[1], square, rtol=1e-14)


@pytest.mark.slow
def test_it_is_as_fast_as_interactive_plots_need() -> None:
    """A loose bound on the order of magnitude, by processor time: milliseconds, not seconds."""
    start = time.process_time()
    expectation(lambda u: np.tanh(u) ** 2, np.sqrt(np.logspace(-4, 4, 50)))
    pair_expectation(np.tanh, 1.0, np.linspace(-1, 1, 50))
    assert time.process_time() - start < 1

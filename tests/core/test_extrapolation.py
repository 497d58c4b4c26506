import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf

from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.core.extrapolation import (
    Extrapolated,
    extrapolate,
    observed_order,
    step_ladder,
)

Scalar = Callable[[Floats], Floats]

# name: f, f', and the half width of where it is looked at
SMOOTH: dict[str, tuple[Scalar, Scalar, float]] = {
    "sin": (np.sin, np.cos, 3),
    "exp": (np.exp, np.exp, 3),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, 3),
    "erf": (erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-(x**2)), 2),
    "x^9": (lambda x: x**9, lambda x: 9 * x**8, 1.5),
    "cubic": (lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2, 2),
    "Runge": (lambda x: 1 / (1 + 25 * x**2), lambda x: -50 * x / (1 + 25 * x**2) ** 2, 1),
    "fast": (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x), 2),
    "faster": (lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x), 2),
    "slow": (lambda x: np.sin(x / 1000), lambda x: np.cos(x / 1000) / 1000, 2),
    "sharp": (lambda x: np.tanh(300 * x), lambda x: 300 * (1 - np.tanh(300 * x) ** 2), 0.02),
    "periodic": (lambda x: np.sin(64 * math.tau * x), lambda x: 64 * math.tau * np.cos(64 * math.tau * x), 2),
}
smooth = pytest.mark.parametrize("name", SMOOTH)
NEAR_ONE = ("sin", "exp", "tanh", "erf", "x^9", "cubic", "Runge", "slow")
CASES, FEWER = 10_000, 4_000


def derivatives(f: Scalar, x: Floats, noise: Floats | float | None = None) -> Extrapolated:
    """Of f at every x by itself; noise as of one rounding of x and one of f(x)."""
    h = step_ladder(x)
    with np.errstate(all="ignore"):
        ahead, here, behind = f(x + h), f(x), f(x - h)
        if noise is None:
            noise = EPSILON * (np.abs(here) + np.abs(x * (ahead - behind) / (2 * h)))
        return extrapolate(h, ahead - behind, noise, (ahead - here) + (behind - here))


def points(name: str, count: int = CASES) -> Floats:
    return np.random.default_rng(3).uniform(-1, 1, count) * SMOOTH[name][2]


def assert_honest(found: Extrapolated, expected: Floats) -> None:
    """The error is below the stated one in more than 99.9 % of the cases, and never above ten times it."""
    off = np.abs(found.value - expected)
    assert np.isfinite(found.error).all()
    assert np.mean(off > found.error) < 1e-3
    assert (off <= 10 * found.error).all()


# --- Smooth functions --------------------------------------------------------------------------------------


@smooth
def test_the_stated_error_holds_and_is_small(name: str) -> None:
    """Below 1e-9 of the largest derivative however fast f turns; below 1e-8 where all is near 1."""
    f, df, _ = SMOOTH[name]
    found, expected = derivatives(f, points(name)), df(points(name))
    assert_honest(found, expected)
    assert found.error.max() <= 1e-9 * np.abs(expected).max()
    if name in NEAR_ONE:
        assert found.error.max() <= 1e-8


@settings(max_examples=200)
@given(name=st.sampled_from(list(SMOOTH)), at=st.floats(-1, 1))
def test_any_point(name: str, at: float) -> None:
    f, df, width = SMOOTH[name]
    x = np.array([at * width])
    found = derivatives(f, x)
    assert abs(found.value - df(x)) <= 10 * found.error + 1e-300


@settings(max_examples=50)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(-1, 1))
def test_any_scale(size: float, frequency: float, at: float) -> None:
    """f = a sin ωx; the best error is that of ε a a hundredfold at a step near 1 / ω."""
    x = np.array([at])
    found = derivatives(lambda x: size * np.sin(frequency * x), x)
    expected = size * frequency * np.cos(frequency * x)
    assert abs(found.value - expected) <= 10 * found.error
    assert found.error <= 1e-8 * size * max(frequency, 1)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 6, 9])
def test_polynomials_are_exact_to_rounding(degree: int) -> None:
    x = np.linspace(-1, 1, 101)
    found = derivatives(lambda x: x**degree, x)
    expected = degree * x ** max(degree - 1, 0)
    assert np.abs(found.value - expected).max() <= 1e-14 * max(degree, 1)
    assert found.error.max() <= 1e-11


def test_a_derivative_of_zero() -> None:
    """Of a constant, and at the top of a wave: |value| within an error that is small."""
    x = np.zeros(1)
    for f in (lambda x: 3 + 0 * x, np.cos, lambda x: x**2, lambda x: x**4 - 1):
        found = derivatives(f, x)
        assert abs(found.value) <= found.error
        assert found.error <= 1e-12


def test_outside_its_domain_a_function_is_left_out() -> None:
    """log is NaN for steps beyond x; exp(1000 x) overflows. No warning comes of it."""
    x = np.geomspace(1e-3, 10, 1000)
    assert_honest(derivatives(np.log, x), 1 / x)
    assert_honest(derivatives(lambda x: np.exp(1000 * x), 1e-2 * x), 1000 * np.exp(10 * x))


def test_where_nothing_is_a_number() -> None:
    found = derivatives(lambda x: np.nan * x, np.array([1.0]))
    assert np.isnan(found.value).all()
    assert np.isinf(found.error).all()
    assert np.isnan(found.order).all()


# --- Orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sin", "exp", "tanh", "erf", "fast"])
def test_the_orders_of_the_two_quotients(name: str) -> None:
    """2 ± 0.1 and 4 ± 0.2, at points where f‴ and f⁽⁵⁾ do not vanish."""
    f, df, width = SMOOTH[name]
    x = np.array([0.11, 0.13, 0.17]) * width
    h = step_ladder(x)
    noise = 4 * EPSILON * (1 + np.abs(f(x))) * (30 if name == "fast" else 1) / h

    def difference(h: Floats) -> Floats:
        return f(x + h) - f(x - h)

    central, fourth = difference(h) / (2 * h), (8 * difference(h) - difference(2 * h)) / (12 * h)
    second, fourth = (observed_order(h, quotient, df(x), noise) for quotient in (central, fourth))
    np.testing.assert_allclose(second, 2, atol=0.1)
    np.testing.assert_allclose(fourth, 4, atol=0.2)
    np.testing.assert_allclose(derivatives(f, x).order, 2, atol=0.1)


def test_the_order_is_not_seen_where_there_is_no_truncation() -> None:
    x = np.array([0.3])
    assert np.isnan(derivatives(lambda x: x**2, x).order)
    assert np.isnan(derivatives(lambda x: 1e12 + np.sin(x), x).order)
    assert derivatives(lambda x: x**9, 0 * x).order == pytest.approx(8, abs=0.1)


# --- Kinks -------------------------------------------------------------------------------------------------


def bent(at: Floats, offset: float) -> Scalar:
    return lambda x: offset + np.sin(x) + np.maximum(x - at, 0)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_a_kink_near(offset: float) -> None:
    """At distances from 1e-12 to 1: steps shrink below it, down to where rounding hides it."""
    x = points("sin", FEWER)
    distance = 10 ** np.random.default_rng(4).uniform(-12, 0, FEWER)
    found = derivatives(bent(x + distance, offset), x)
    assert_honest(found, np.cos(x))
    resolved = distance > 1e-5
    noise = EPSILON * (1 + offset) / distance
    assert (found.error <= 1e4 * noise)[resolved].all()


def test_a_kink_at_the_point_is_never_averaged() -> None:
    """The slopes cos x and cos x + 1 of both sides lie within the error."""
    x = points("sin", FEWER)
    found = derivatives(bent(x, 0.0), x)
    for slope in (np.cos(x), np.cos(x) + 1):
        assert (np.abs(found.value - slope) <= found.error).all()


@pytest.mark.parametrize("f", [np.abs, lambda x: np.maximum(x, 0), lambda x: np.sqrt(np.abs(x))])
def test_a_kink_at_zero(f: Scalar) -> None:
    """|x| and its like: every central difference is the same, and nothing but the bend tells."""
    assert derivatives(f, np.zeros(1)).error >= 0.5


def test_without_a_bend_the_kink_is_not_seen() -> None:
    """What the docstring says of it."""
    h = step_ladder(np.zeros(1))
    assert extrapolate(h, np.zeros_like(h)).error == 0


def test_a_jump_at_the_point() -> None:
    assert derivatives(np.sign, np.zeros(1)).error >= 1


def test_a_bend_of_higher_order_is_no_kink() -> None:
    """x|x| has slope 0 at 0; the steps shrink."""
    found = derivatives(lambda x: x * np.abs(x), np.zeros(1))
    assert abs(found.value) <= found.error <= 1e-8


@pytest.mark.parametrize("size", [1e-3, 0.3, 2.0])
def test_both_sides_of_a_rectifier(size: float) -> None:
    found = derivatives(lambda x: np.maximum(x, 0), np.array([size, -size]))
    np.testing.assert_allclose(found.value, [1, 0], atol=1e-14)
    assert found.error.max() <= 1e-11


# --- Noise -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-3])
def test_noise_that_nobody_told_of(size: float) -> None:
    """The error follows the noise: the best step for it, h near 1, leaves about the noise itself."""
    x, generator = points("sin", FEWER), np.random.default_rng(5)
    found = derivatives(lambda x: np.sin(x) + size * generator.standard_normal(x.shape), x)
    assert_honest(found, np.cos(x))
    assert np.median(found.error) <= 300 * size


@pytest.mark.parametrize("offset", [1e4, 1e8, 1e12])
def test_a_small_derivative_beside_a_large_value(offset: float) -> None:
    x = points("sin", FEWER)
    found = derivatives(lambda x: offset + np.sin(x) / 1000, x)
    assert_honest(found, np.cos(x) / 1000)
    assert np.median(found.error) <= 1000 * EPSILON * offset


def test_rounding_so_coarse_that_nothing_moves() -> None:
    """1e16 + sin x is a constant for most steps: zero, with an error that admits the slope."""
    x = points("sin", FEWER)
    found = derivatives(lambda x: 1e16 + np.sin(x), x)
    assert (np.abs(found.value - np.cos(x)) <= found.error).all()


def test_more_noise_means_more_error() -> None:
    x = points("sin", 100)
    errors = [derivatives(np.sin, x, noise).error for noise in (1e-16, 1e-10, 1e-4)]
    assert (errors[0] < errors[1]).all()
    assert (errors[1] < errors[2]).all()


# --- Entries -----------------------------------------------------------------------------------------------


def test_entries_do_not_depend_on_one_another() -> None:
    """Bit for bit, over more entries than are done at a time."""
    x = points("cubic", 5000)
    together = derivatives(lambda x: x * x * x - 2 * x, x)
    for k in (0, 17, 2047, 2048, 4999):
        alone = derivatives(lambda x: x * x * x - 2 * x, x[k : k + 1])
        for whole, single in zip(together, alone, strict=True):
            np.testing.assert_array_equal(whole[k], single[0])


def test_no_entries() -> None:
    assert all(part.shape == (0,) for part in derivatives(np.sin, np.empty(0)))


@given(st.floats(-1e12, 1e12))
def test_steps_lead_to_numbers_on_both_sides(x: float) -> None:
    h = step_ladder(np.array([x]))[:, 0]
    assert (((x + h) - x == h) | (h >= abs(x) / 2)).all()
    assert (((x - h) - x == -h) | (h >= abs(x) / 2)).all()
    assert h[0] == pytest.approx(max(1, abs(x)))
    assert h[-1] > 0

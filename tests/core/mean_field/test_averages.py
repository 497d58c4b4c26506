"""The averages of every registered activation, against closed forms, QUADPACK and one another."""

import math

import numpy as np
import pytest
from scipy.special import erfc

from dnnexp.core.activations import Activation, HardTanh, ReLU, ReLU6, Sigmoid, Tanh
from dnnexp.core.mean_field.averages import (
    growth_of_square,
    output_mean,
    output_std,
    product,
    product_of_derivatives,
    saturated_probability,
    square,
    squared_derivative,
)
from dnnexp.core.mean_field.quadrature import expectation
from tests.core.mean_field.oracles import closed_square, closed_squared_slope, quadpack

Q = np.logspace(-8, 8, 65)
EPSILON = float(np.finfo(np.float64).eps)


def test_squares_and_squared_slopes(plain_activation: Activation) -> None:
    """Where there is a closed form, to the estimated error, a few roundings; else to QUADPACK's accuracy.

    A wave's argument is itself rounded, by ε √q.
    """
    for exact_form, function, average in (
        (closed_square, plain_activation.f, square),
        (closed_squared_slope, plain_activation.df, squared_derivative),
    ):
        exact = exact_form(plain_activation, Q)
        if exact is None:
            q = Q[::8]
            value, error = average(plain_activation, q)
            exact = np.array([quadpack(function, float(each), plain_activation.kinks) for each in q])
            np.testing.assert_allclose(value, exact, rtol=2e-13)
            assert (error <= 1e-14 * value).all()
        else:
            value, error = average(plain_activation, Q)
            assert (np.abs(value - exact) <= error + EPSILON * (2 + np.sqrt(Q)) * exact).all()
            assert (np.abs(value - exact) <= 4e-15 * (1 + np.sqrt(Q) / 100) * exact).all()


def test_the_growth_is_the_derivative_of_the_square(activation: Activation) -> None:
    """Central differences in ln q: truncation is near h² = 1e-8, rounding near 1e-16 / h = 1e-12."""
    q, h = np.logspace(-2, 3, 21), 1e-4
    rise = square(activation, q * math.exp(h)).value - square(activation, q * math.exp(-h)).value
    scale = square(activation, q).value / q
    np.testing.assert_allclose(
        growth_of_square(activation, q).value / scale, rise / (2 * h) / q / scale, rtol=0, atol=2e-7
    )


def test_the_growth_contains_the_second_derivative() -> None:
    """Stein: E[z φ φ′] / √q = E[φ′²] + E[φ φ″], for the tanh, whose φ″ = −2 tanh (1 − tanh²)."""
    curved = expectation(lambda u: -2 * np.tanh(u) ** 2 * Tanh().df(u), np.sqrt(Q)).value
    direct = squared_derivative(Tanh(), Q).value + curved
    np.testing.assert_allclose(growth_of_square(Tanh(), Q).value, direct, rtol=0, atol=4e-15)


def test_the_limit_of_small_variance(activation: Activation) -> None:
    """At q = 0 there are the limits: slopes on both sides of a kink at 0 count half each."""
    np.testing.assert_allclose(square(activation, 0.0).value, activation.f(np.zeros(1))[0] ** 2, rtol=1e-15)
    slopes = activation.df(np.array([-1e-9, 1e-9])) ** 2
    np.testing.assert_allclose(squared_derivative(activation, 0.0).value, slopes.mean(), rtol=1e-8)
    near = growth_of_square(activation, 1e-8).value
    np.testing.assert_allclose(growth_of_square(activation, 0.0).value, near, rtol=0, atol=1e-3)
    assert growth_of_square(ReLU(), 0.0).value == pytest.approx(0.5, rel=1e-15)
    assert growth_of_square(Sigmoid(), 0.0).value == pytest.approx(1 / 16, rel=1e-9)


def test_the_variance_of_outputs_is_the_square_less_the_mean(activation: Activation) -> None:
    q = np.logspace(-2, 4, 25)
    squares, mean, std = (
        square(activation, q).value,
        output_mean(activation, q).value,
        output_std(activation, q),
    )
    np.testing.assert_allclose(std**2, squares - mean**2, rtol=0, atol=4e-15 * squares.max())
    np.testing.assert_allclose(std**2 + mean**2, squares, rtol=1e-14)


def test_a_small_scatter_beside_a_large_mean() -> None:
    """Guards against E[φ²] − E[φ]², which at q = 1e-14 has two digits: the std is φ′(0) √q."""
    np.testing.assert_allclose(output_std(Sigmoid(), 1e-14), 1e-7 / 4, rtol=1e-8)


def test_the_mean_of_the_rectifier() -> None:
    np.testing.assert_allclose(output_mean(ReLU(), Q).value, np.sqrt(Q / (2 * math.pi)), rtol=1e-15)


def test_saturation_is_the_mass_beyond_the_ends() -> None:
    """P(|u| > artanh 0.97) of the tanh, at many q: guards against a step hidden between two nodes."""
    q = np.logspace(-2, 4, 500)
    exact = erfc(math.atanh(0.97) / np.sqrt(2 * q))
    found = saturated_probability(Tanh(), q)
    assert found is not None
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-20)


def test_the_saturation_of_what_meets_its_bounds() -> None:
    """The ends lie by less than 1e-5 before the kinks; at q = 4, P(|u| > 1), P(u > 6)."""
    hard = saturated_probability(HardTanh(), 4.0)
    assert hard == pytest.approx(math.erfc((1 - 2e-6) / math.sqrt(8)), rel=1e-12)
    six = saturated_probability(ReLU6(), 4.0)
    assert six == pytest.approx(math.erfc(6 * (1 - 1e-6) / math.sqrt(8)) / 2, rel=1e-12)
    assert saturated_probability(ReLU(), 1.0) is None


@pytest.mark.parametrize("q", [1e-4, 0.5, 20.0])
def test_pairs_by_mehlers_series(plain_activation: Activation, q: float) -> None:
    """E[g(u₁) g(u₂)] = Σ cⁿ aₙ², aₙ = E[g(√q z) hₙ(z)] with normalised Hermite polynomials.

    At |c| ≤ 0.6 eighty terms leave 0.6⁸⁰ = 2e-18. The coefficients come from 200 Gauss nodes on each of many
    fixed pieces between the kinks.
    """
    ends = np.unique(
        np.clip([*np.linspace(-12, 12, 25), *np.divide(plain_activation.kinks, math.sqrt(q))], -12, 12)
    )
    nodes, weights = np.polynomial.legendre.leggauss(200)
    half = np.diff(ends)[:, None] / 2
    z = ((ends[:-1] + ends[1:])[:, None] / 2 + half * nodes).ravel()
    density = (half * weights).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    c = np.array([-0.6, -0.2, 0.0, 1e-3, 0.4, 0.6])
    for function, pair in ((plain_activation.f, product), (plain_activation.df, product_of_derivatives)):
        terms = density * function(math.sqrt(q) * z)
        before, hermite, series = np.zeros_like(z), np.ones_like(z), np.zeros_like(c)
        for n in range(80):
            series += c**n * (terms @ hermite) ** 2
            before, hermite = hermite, (z * hermite - math.sqrt(n) * before) / math.sqrt(n + 1)
        value, error = pair(plain_activation, q, c)
        size = terms @ function(math.sqrt(q) * z)
        np.testing.assert_allclose(value, series, rtol=0, atol=2e-14 * size)
        assert (error <= 1e-13 * size).all()


@pytest.mark.parametrize("q", [1e-4, 20.0])
def test_pairs_of_slopes_are_the_derivative_of_pairs(plain_activation: Activation, q: float) -> None:
    """Price's theorem, dE[φ(u₁) φ(u₂)]/dc = q E[φ′(u₁) φ′(u₂)], integrated over all c = cos θ."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    theta = np.concatenate([(nodes + 1) * math.pi / 4, (nodes + 3) * math.pi / 4])
    slopes = product_of_derivatives(plain_activation, q, np.cos(theta)).value
    integral = q * (np.tile(weights, 2) * math.pi / 4) @ (np.sin(theta) * slopes)
    low, middle, high = product(plain_activation, q, np.array([-1.0, 0.0, 1.0])).value
    np.testing.assert_allclose(high - low, integral, rtol=0, atol=1e-10 * high)
    np.testing.assert_allclose(middle, output_mean(plain_activation, q).value ** 2, rtol=0, atol=1e-14 * high)
    np.testing.assert_allclose(high, square(plain_activation, q).value, rtol=1e-14)


def test_pairs_near_one_lose_the_squared_slope(activation: Activation) -> None:
    """E[φ²] − E[φ(u₁) φ(u₂)] = q (1 − c) E[φ′²] to first order in √(1 − c), also where kinks are near."""
    q, rest = 2.0, np.array([1e-6, 1e-8])
    loss = square(activation, q).value - product(activation, q, 1 - rest).value
    expected = q * rest * squared_derivative(activation, q).value
    np.testing.assert_allclose(loss, expected, rtol=5e-3)
    slopes = product_of_derivatives(activation, q, 1 - rest).value
    np.testing.assert_allclose(slopes, squared_derivative(activation, q).value, rtol=5e-3)

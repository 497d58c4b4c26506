import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.mean_field import (
    chi_1,
    correlation_map,
    fixed_correlation,
    fixed_variance,
    layer_correlations,
    layer_variances,
)
from dnnexp.core.mean_field.correlation import chi
from dnnexp.registry import parts


def test_the_correlation_map_of_the_rectifier() -> None:
    """c′ = (√(1−c²) + (π − arccos c) c) / π at σ_b = 0: Cho and Saul 2009; 1/π at c = 0."""
    c = np.linspace(-1, 1, 41)
    exact = (np.sqrt(1 - c**2) + (math.pi - np.arccos(c)) * c) / math.pi
    for q in (1e-6, 1.0, 1e6):
        np.testing.assert_allclose(correlation_map(ReLU(), c, q, 2.0, 0.0), exact, rtol=0, atol=4e-15)
    assert correlation_map(ReLU(), 0.0, 1.0, 2.0, 0.0) == pytest.approx(1 / math.pi, rel=1e-14)


def test_the_correlation_map_of_the_identity_is_a_line() -> None:
    c = np.linspace(-1, 1, 21)
    np.testing.assert_allclose(
        correlation_map(Identity(), c, 1.0, 0.75, 0.25), 0.75 * c + 0.25, rtol=0, atol=4e-15
    )


def test_one_stays_one(activation: Activation) -> None:
    for q in (0.1, 3.0, 50.0):
        assert correlation_map(activation, 1.0, q, 1.5, 0.1) == pytest.approx(1, rel=4e-15)


@given(data=st.data(), q=st.floats(1e-3, 50), sigma_b2=st.floats(0, 1))
def test_the_map_is_convex_and_rises_from_zero_to_one(data: st.DataObject, q: float, sigma_b2: float) -> None:
    activation = data.draw(st.sampled_from([cls() for cls in parts("activation").values()]))
    c = np.array(sorted(data.draw(st.tuples(*[st.floats(0, 1)] * 3))))
    low, middle, high = correlation_map(activation, c, q, 1.5, sigma_b2)
    assert low >= -1e-14
    assert low <= middle + 1e-14
    assert middle <= high + 1e-14
    assert high <= 1 + 1e-14
    # the middle lies below the chord
    assert (middle - low) * (c[2] - c[1]) <= (high - middle) * (c[1] - c[0]) + 1e-13


def test_odd_activations_mirror_the_correlation() -> None:
    c = np.linspace(0, 1, 11)
    up, down = correlation_map(Tanh(), np.array([c, -c]), 2.0, 1.5, 0.0)
    np.testing.assert_allclose(up, -down, rtol=0, atol=1e-15)


def test_chi_is_the_slope_of_the_map_at_the_fixed_variance() -> None:
    """Central differences of c′: truncation near h² = 1e-8."""
    w, b, h = 2.5, 0.05, 1e-4
    q = float(fixed_variance(Tanh(), w, b))
    c = np.array([-0.5, 0.0, 0.4, 0.9])
    rise = correlation_map(Tanh(), c + h, q, w, b) - correlation_map(Tanh(), c - h, q, w, b)
    np.testing.assert_allclose(chi(Tanh(), c, q, w), rise / (2 * h), rtol=1e-6)
    assert chi(Tanh(), 1.0, q, w) == pytest.approx(chi_1(Tanh(), q, w), rel=1e-14)


def test_a_fixed_correlation_is_one_and_iteration_goes_there(plain_activation: Activation) -> None:
    for w, b in ((0.7, 0.05), (2.5, 0.05), (6.0, 0.3)):
        q = float(fixed_variance(plain_activation, w, b))
        c = fixed_correlation(plain_activation, q, w, b)
        if math.isinf(q):
            assert c is None
            continue
        assert c is not None
        assert (c == 1) == (chi_1(plain_activation, q, w) <= 1)
        assert correlation_map(plain_activation, c, q, w, b) == pytest.approx(c, abs=1e-13)
        slope = float(chi(plain_activation, c, q, w))
        assert slope <= 1
        reached = 0.5
        for _ in range(20):
            reached = float(correlation_map(plain_activation, reached, q, w, b))
        # convex on [0, 1]: from above it falls at least as fast as the chord, whose slope is below χ₁
        assert abs(reached - c) <= abs(0.5 - c)
        if slope < 0.3 and c < 0.5:
            assert reached == pytest.approx(c, abs=1e-8)


def test_the_rate_of_approach_to_the_fixed_correlation_is_chi() -> None:
    w, b = 2.5, 0.05
    q = float(fixed_variance(Tanh(), w, b))
    c = fixed_correlation(Tanh(), q, w, b)
    assert c is not None
    ratio = (float(correlation_map(Tanh(), c + 1e-5, q, w, b)) - c) / 1e-5
    assert ratio == pytest.approx(float(chi(Tanh(), c, q, w)), rel=1e-4)


def test_order_chaos_and_what_is_neither() -> None:
    def c_star(activation: Activation, w: float, b: float) -> float | None:
        return fixed_correlation(activation, float(fixed_variance(activation, w, b)), w, b)

    assert c_star(Tanh(), 1.5, 0.05) == 1  # ordered
    assert c_star(ReLU(), 2.0, 0.0) == 1  # critical
    assert c_star(Sigmoid(), 1.0, 0.0) == 1
    assert c_star(Tanh(), 2.0, 0.0) == 0  # chaotic and odd
    assert c_star(Identity(), 1.0, 0.0) is None  # all correlations stay
    assert c_star(Identity(), 0.9, 0.1) == 1
    assert c_star(Tanh(), 0.5, 0.0) is None  # nothing is left to be correlated
    assert c_star(ReLU(), 2.5, 0.1) is None  # the variance diverges


def test_just_beyond_criticality() -> None:
    """1 − c* ≈ 2 (χ₁ − 1) / C″(1) grows from 0 with χ₁ − 1, and χ at c* is as far below 1 as χ₁ above."""
    for factor in (1.03, 1.001):
        w, b = 1.760955 * factor, 0.05
        q = float(fixed_variance(Tanh(), w, b))
        c = fixed_correlation(Tanh(), q, w, b)
        assert c is not None
        beyond = float(chi_1(Tanh(), q, w)) - 1
        assert 0 < 1 - c < 10 * beyond
        assert 1 - chi(Tanh(), c, q, w) == pytest.approx(beyond, rel=5 * beyond)


def test_correlations_through_layers() -> None:
    """Two inputs through a linear network with bias: the covariance is ρ at the input, w ρ + b, …"""
    activations, w, b = [Identity()] * 3, [2.0, 0.5, 3.0], [0.1, 0.2, 0.3]
    q, covariance, expected = layer_variances(activations, w, b, 0.4), 0.4 * np.array([-0.5, 0.0, 1.0]), []
    for sigma_w2, sigma_b2, variance in zip(w, b, q, strict=True):
        covariance = sigma_w2 * covariance + sigma_b2
        expected.append(covariance / variance)
    c = layer_correlations(activations, w, b, q, 0.4, np.array([-0.5, 0.0, 1.0]))
    np.testing.assert_allclose(c, expected, rtol=1e-14)

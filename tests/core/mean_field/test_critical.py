import math

import numpy as np
import pytest

from dnnexp.core.activations import (
    GELU,
    Activation,
    Erf,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Sine,
    Softplus,
    Softsign,
    Tanh,
)
from dnnexp.core.mean_field import (
    chi_1,
    critical_at_bias,
    critical_at_variance,
    critical_line,
    fixed_variance,
    phase_diagram,
    variance_map,
)


@pytest.mark.parametrize(
    ("q", "sigma_w2", "sigma_b2"), [(0.5, 1.687975, 0.038041), (1.0, 2.153303, 0.150965)]
)
def test_critical_points_of_the_tanh_by_variance(q: float, sigma_w2: float, sigma_b2: float) -> None:
    """The issue's numbers, to their last digit."""
    point = critical_at_variance(Tanh(), q)
    assert point is not None
    assert point.sigma_w2 == pytest.approx(sigma_w2, abs=5e-7)
    assert point.sigma_b2 == pytest.approx(sigma_b2, abs=5e-7)
    assert fixed_variance(Tanh(), point.sigma_w2, point.sigma_b2) == pytest.approx(q, rel=1e-13)


def test_a_critical_point_of_the_tanh_by_bias() -> None:
    """The issue's numbers, to their last digit."""
    point = critical_at_bias(Tanh(), 0.05)
    assert point.sigma_w2 == pytest.approx(1.760955, abs=5e-7)
    assert point.q_star == pytest.approx(0.570048, abs=5e-7)


def test_the_wave_and_the_error_function_have_closed_lines() -> None:
    """Sine: σ_w² = 2 / (1 + e^(−2q)), σ_b² = q − tanh q. erf: σ_w² = π √(1 + 4q) / 4."""
    q = np.logspace(-2, 2, 17)
    line = critical_line(Sine(), q)
    np.testing.assert_allclose(line.sigma_w2, 2 / (1 + np.exp(-2 * q)), rtol=1e-14)
    np.testing.assert_allclose(line.sigma_b2 / q, 1 - np.tanh(q) / q, rtol=0, atol=4e-15)
    line = critical_line(Erf(), q)
    root = np.sqrt(1 + 4 * q)
    np.testing.assert_allclose(line.sigma_w2, math.pi * root / 4, rtol=1e-14)
    exact = 1 - root * np.arctan2(2 * q, root) / (2 * q)
    np.testing.assert_allclose(line.sigma_b2 / q, exact, rtol=0, atol=4e-15)


@pytest.mark.parametrize("sigma_b2", [1e-6, 0.05, 1.0, 20.0])
def test_at_a_critical_point_the_slope_is_one_and_the_variance_stays(
    plain_activation: Activation, sigma_b2: float
) -> None:
    highest = np.nanmax(critical_line(plain_activation, np.logspace(-6, 6, 61)).sigma_b2, initial=-1)
    if highest < sigma_b2:
        with pytest.raises(ValueError, match=plain_activation.name):
            critical_at_bias(plain_activation, sigma_b2)
        return
    q, w, b, parallel = critical_at_bias(plain_activation, sigma_b2)
    assert b == sigma_b2
    assert chi_1(plain_activation, q, w) == pytest.approx(1, rel=4e-15)
    assert variance_map(plain_activation, q, w, b) == pytest.approx(q, rel=1e-13)
    if parallel < 0.99:
        assert fixed_variance(plain_activation, w, b, q * 1.001) == pytest.approx(q, rel=1e-9)
    by_variance = critical_at_variance(plain_activation, q)
    assert by_variance is not None
    assert by_variance[:2] == (q, w)
    assert by_variance.sigma_b2 == pytest.approx(b, abs=1e-13 * q)


def test_the_rectifiers_are_critical_without_bias_at_every_variance() -> None:
    for activation, sigma_w2 in ((ReLU(), 2.0), (LeakyReLU(slope=0.5), 1.6), (Identity(), 1.0)):
        line = critical_line(activation, np.logspace(-8, 8, 9))
        np.testing.assert_allclose(line.sigma_w2, sigma_w2, rtol=4e-15)
        np.testing.assert_array_equal(line.sigma_b2, 0)
        assert critical_at_bias(activation, 0.0, q=3.0) == pytest.approx((3.0, sigma_w2, 0.0, 1.0), rel=4e-15)


def test_without_bias_a_signal_of_no_variance_is_critical() -> None:
    for activation, sigma_w2 in ((Tanh(), 1.0), (Erf(), math.pi / 4), (Softsign(), 1.0), (GELU(), 4.0)):
        expected = pytest.approx((0.0, sigma_w2, 0.0, 1.0), rel=4e-15)
        assert critical_at_bias(activation, 0.0) == expected


def test_a_repelling_critical_point_is_told_by_its_slope() -> None:
    """gelu has χ_∥ > 1 on its line up to σ_b² = 0.17 or so, where both are 1."""
    low, high = critical_at_bias(GELU(), 0.15), critical_at_bias(GELU(), 0.2)
    assert low.chi_parallel > 1 > high.chi_parallel
    assert 0.15 < 0.173 < 0.2


def test_the_sigmoid_is_critical_at_large_variances_only() -> None:
    """σ_w² near 100: what initializations give it is far inside order."""
    assert critical_at_variance(Sigmoid(), 1.0) is None
    line = critical_line(Sigmoid(), np.array([1.0, 40.0, 50.0]))
    np.testing.assert_array_equal(np.isnan(line.sigma_w2), [True, True, False])
    assert critical_at_bias(Sigmoid(), 0.0).sigma_w2 == pytest.approx(103.0, abs=0.1)


@pytest.mark.parametrize(
    ("function", "sigma_b2", "message"),
    [
        (ReLU(), 0.05, r"sigma_b2: 0.05 given; relu is critical only at 0"),
        (Softplus(), 0.05, "sigma_b2: 0.05 given; softplus is never critical"),
        (Tanh(), -1.0, "sigma_b2: -1.0 given; it must be at least 0 and finite"),
        (Tanh(), math.nan, "sigma_b2: nan given; it must be at least 0 and finite"),
    ],
)
def test_no_critical_point_is_refused_with_the_reason(
    function: Activation, sigma_b2: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        critical_at_bias(function, sigma_b2)


def test_a_critical_variance_is_positive() -> None:
    with pytest.raises(ValueError, match=r"q_star: 0\.0 given; it must be positive and finite"):
        critical_at_variance(Tanh(), 0.0)


def test_the_phase_diagram_of_the_rectifier() -> None:
    """χ₁ = σ_w²/2; below 2 the variance is σ_b² / (1 − σ_w²/2), beyond it diverges."""
    diagram = phase_diagram(ReLU(), np.array([0.5, 1.9, 2.5]), np.array([0.0, 0.3]))
    np.testing.assert_allclose(diagram.chi_1, [[0.25, 0.95, 1.25]] * 2, rtol=4e-15)
    np.testing.assert_allclose(diagram.q_star, [[0, 0, np.inf], [0.4, 6, np.inf]], rtol=1e-13)
    np.testing.assert_array_equal(diagram.is_chaotic, [[False, False, True]] * 2)


def test_the_phases_of_the_tanh_meet_at_the_critical_line() -> None:
    for sigma_b2 in (0.01, 0.05, 0.5):
        w = critical_at_bias(Tanh(), sigma_b2).sigma_w2
        diagram = phase_diagram(Tanh(), np.array([w * 0.999, w * 1.001]), np.array([sigma_b2]))
        np.testing.assert_array_equal(diagram.is_chaotic, [[False, True]])


def test_a_phase_diagram_is_the_single_points(plain_activation: Activation) -> None:
    w, b = np.array([0.5, 1.5, 3.0]), np.array([0.0, 0.2])
    diagram = phase_diagram(plain_activation, w, b, mean_square=0.5)
    for row, sigma_b2 in enumerate(b):
        for column, sigma_w2 in enumerate(w):
            q = fixed_variance(plain_activation, sigma_w2, sigma_b2, sigma_w2 * 0.5 + sigma_b2)
            np.testing.assert_allclose(diagram.q_star[row, column], q, rtol=1e-13)

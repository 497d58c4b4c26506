import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Array, Floats, namespace
from dnnexp.core.mean_field import (
    chi_1,
    chi_parallel,
    depth_scale,
    fixed_variance,
    layer_variances,
    output_std,
    saturated_probability,
    variance_map,
)
from dnnexp.core.mean_field.averages import squared_derivative


class Cosine(Activation):
    """cos(2u), whose variance map falls: E[φ²] = (1 + e^(−8q)) / 2. Not registered."""

    def f(self, z: Array) -> Array:
        return namespace(z).cos(2 * z)

    def df(self, z: Array) -> Array:
        return -2 * namespace(z).sin(2 * z)


def test_the_variance_map_of_the_rectifier() -> None:
    """q′ = σ_w² q / 2 + σ_b², χ₁ = χ_∥ = σ_w² / 2: He et al. 2015."""
    q = np.array([0.0, 1e-8, 0.3, 1.0, 1e8])
    np.testing.assert_allclose(variance_map(ReLU(), q, 3.0, 0.2), 1.5 * q + 0.2, rtol=1e-15)
    np.testing.assert_allclose(chi_1(ReLU(), q, 3.0), 1.5, rtol=1e-15)
    np.testing.assert_allclose(chi_parallel(ReLU(), q, 3.0), 1.5, rtol=1e-15)


def test_the_layers_of_a_tanh_network() -> None:
    """The issue's numbers, to their last digit: σ_w² = 1, σ_b = 0, q¹ = 1."""
    q = layer_variances([Tanh()] * 5, [1.0] * 5, [0.0] * 5, 1.0)
    np.testing.assert_allclose(q, [1, 0.394294, 0.236450, 0.166656, 0.127905], rtol=0, atol=5e-7)


def test_the_first_layer_sees_the_input_and_each_its_own_variances() -> None:
    q = layer_variances([ReLU(), Identity(), ReLU()], [2.0, 4.0, 3.0], [0.1, 0.2, 0.3], 0.5)
    np.testing.assert_allclose(q, [1.1, 4 * 1.1 / 2 + 0.2, 3 * 2.4 + 0.3], rtol=1e-15)


def test_the_tanh_with_gain_five_thirds() -> None:
    """The issue's numbers for the gain that libraries recommend, σ_w = 5/3."""
    q = fixed_variance(Tanh(), (5 / 3) ** 2, 0.0)
    assert q == pytest.approx(1.178480, abs=5e-7)
    assert chi_1(Tanh(), q, (5 / 3) ** 2) == pytest.approx(1.209831, abs=5e-7)
    assert output_std(Tanh(), q) == pytest.approx(0.651347, abs=5e-7)
    assert saturated_probability(Tanh(), q) == pytest.approx(0.053935, abs=5e-7)


def test_a_fixed_point_is_one_and_iteration_goes_there(plain_activation: Activation) -> None:
    w, b = np.array([[0.3], [1.0], [2.5]]), np.array([0.0, 0.05, 1.0])
    found = fixed_variance(plain_activation, w, b, 0.7)
    is_finite = np.isfinite(found)
    mapped = variance_map(plain_activation, found, w, b)
    np.testing.assert_allclose(mapped[is_finite], found[is_finite], rtol=4e-15, atol=1e-30)
    q = np.full((3, 3), 0.7)
    for _ in range(400):
        q = np.minimum(variance_map(plain_activation, q, w, b), 1e12)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(is_finite, chi_parallel(plain_activation, np.where(is_finite, found, 0), w), 2)
    is_quick = np.abs(slope) < 0.95  # 0.95^400 = 1e-9
    np.testing.assert_allclose(q[is_quick], found[is_quick], rtol=1e-8, atol=1e-8)
    is_diverging = np.isinf(found)
    assert (q[is_diverging] > 1).all()
    assert (variance_map(plain_activation, q, w, b) >= q * (1 - 1e-14))[is_diverging].all()


@pytest.mark.parametrize("epsilon", [1e-2, 1e-4, 1e-6])
def test_the_fixed_point_is_exact_where_iteration_takes_for_ever(epsilon: float) -> None:
    """The identity at σ_w² = 1 − ε has q* = σ_b² / ε, after 30/ε iterations; the rectifier at 2(1 − ε), too.

    q*′ = q* is known to ε_machine, so q* to ε_machine/ε.
    """
    for activation, sigma_w2 in ((Identity(), 1 - epsilon), (ReLU(), 2 * (1 - epsilon))):
        exact = 0.3 / (1 - sigma_w2 * float(squared_derivative(activation, 1.0).value))
        assert fixed_variance(activation, sigma_w2, 0.3) == pytest.approx(exact, rel=2e-15 / epsilon)


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 1e-7])
def test_just_beyond_criticality_the_tanh_has_a_small_fixed_point(epsilon: float) -> None:
    """q* = ε/2 + O(ε²) at σ_w² = 1 + ε without bias, from q′ = σ_w² (q − 2q² + …); 0 below."""
    q = float(fixed_variance(Tanh(), 1 + epsilon, 0.0))
    assert q == pytest.approx(epsilon / 2, rel=2 * epsilon + 1e-15 / epsilon)
    assert fixed_variance(Tanh(), 1 - epsilon, 0.0) == 0
    assert fixed_variance(Tanh(), 1.0, 0.0) == 0


def test_the_fixed_point_is_the_one_that_the_start_leads_to() -> None:
    """The rectifier at its critical point keeps any q; above it the variance diverges, below it dies out."""
    start = np.array([1e-3, 0.3, 3.0])
    np.testing.assert_allclose(fixed_variance(ReLU(), 2.0, 0.0, start), start, rtol=1e-14)
    np.testing.assert_array_equal(fixed_variance(ReLU(), np.array([1.9, 2.1]), 0.0), [0, np.inf])
    np.testing.assert_array_equal(fixed_variance(ReLU(), 2.0, np.array([1e-6, 1.0])), [np.inf, np.inf])
    assert fixed_variance(Tanh(), 2.0, 0.0, 0.0) == 0


def test_the_fixed_point_is_the_same_from_either_side() -> None:
    low, high = fixed_variance(Tanh(), 2.0, 0.0, np.array([1e-20, 1e20]))
    assert low == pytest.approx(high, rel=1e-14)


def test_a_repelling_fixed_point_parts_the_starts() -> None:
    """gelu at σ_w² = 2.2, σ_b = 0.2 has an attracting q* and, above it, one from which q grows for ever."""
    from dnnexp.registry import find

    gelu = find("activation", "gelu")()
    q = np.logspace(-3, 3, 4001)
    turns = np.flatnonzero(np.diff(np.sign(variance_map(gelu, q, 2.2, 0.04) - q)))
    assert len(turns) == 2
    lower, upper = q[turns]
    found = fixed_variance(gelu, 2.2, 0.04, np.array([lower / 100, upper * 0.98, upper * 1.02]))
    np.testing.assert_allclose(found[:2], lower, rtol=4e-3)
    assert found[2] == np.inf


def test_a_falling_map_comes_to_rest() -> None:
    """With cos(2u) the slope at q* is −4 σ_w² e^(−8q*)."""
    for w in (0.01, 0.1, 0.3, 10.0):
        q = float(fixed_variance(Cosine(), w, 0.0, 5.0))
        assert q == pytest.approx(w * (1 + math.exp(-8 * q)) / 2, rel=1e-14)
        assert chi_parallel(Cosine(), q, w) == pytest.approx(-4 * w * math.exp(-8 * q), rel=1e-12)


def test_no_map_falls_fast_enough_for_a_cycle(activation: Activation) -> None:
    """d ln E[φ²] / d ln q ≥ −½, since √q E[φ²] = ∫ φ(u)² exp(−u²/2q) du / √(2π) rises with q."""
    q = np.logspace(-6, 6, 49)
    assert (chi_parallel(activation, q, 1.0) * q / variance_map(activation, q, 1.0, 0.0) >= -0.5).all()


@given(q=st.floats(1e-6, 1e6), factor=st.floats(1.001, 10))
def test_the_variance_map_rises_with_the_variance(q: float, factor: float) -> None:
    """For every monotone activation that keeps its sign on either side of 0."""
    for activation in (ReLU(), Tanh(), Sigmoid()):
        low, high = variance_map(activation, np.array([q, factor * q]), 1.0, 0.0)
        assert high >= low * (1 - 1e-15)


def test_depth_scales_exist_between_zero_and_one_only() -> None:
    assert depth_scale(math.exp(-1 / 7)) == pytest.approx(7)
    for chi in (None, -0.5, 0.0, 1 - 1e-15, 1.0, 2.0, math.inf, math.nan):
        assert depth_scale(chi) is None


def test_numbers_and_arrays_have_their_shapes() -> None:
    assert variance_map(ReLU(), 1.0, 2.0, 0.0).shape == ()
    assert fixed_variance(ReLU(), 1.0, 0.5).shape == ()
    shapes: tuple[Floats, ...] = (np.ones((4, 1)), np.zeros(3))
    assert fixed_variance(Tanh(), *shapes).shape == (4, 3)
    assert fixed_variance(Tanh(), np.ones(0), 0.0).shape == (0,)

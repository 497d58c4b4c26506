import math
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Identity, ReLU, Tanh
from dnnexp.core.mean_field import (
    Limit,
    chi_1,
    gradient_growth,
    layer_variances,
    limit,
    output_std,
    propagation,
)


def test_a_network_of_equal_layers() -> None:
    found = propagation(Tanh(), 1.5, 0.05, 0.8, 4)
    q = layer_variances([Tanh()] * 4, [1.5] * 4, [0.05] * 4, 0.8)
    np.testing.assert_array_equal(found.q, q)
    np.testing.assert_allclose(found.output_mean, 0, atol=1e-16)
    np.testing.assert_array_equal(found.output_std, output_std(Tanh(), q))
    slopes = chi_1(Tanh(), q, 1.5)
    np.testing.assert_array_equal(found.chi_1, slopes)
    expected = [slopes[0] * slopes[1] * slopes[2], slopes[1] * slopes[2], slopes[2], 1]
    np.testing.assert_allclose(found.gradient_growth, expected, rtol=1e-15)
    assert found.limit == limit(Tanh(), 1.5, 0.05, 0.8)
    np.testing.assert_array_equal(found.sigma_w2, 1.5)
    np.testing.assert_array_equal(found.sigma_b2, 0.05)


def test_layers_of_different_kinds() -> None:
    """A layer's χ₁ has its own activation and the next one's σ_w²."""
    found = propagation([ReLU(), Identity(), Tanh()], [2.0, 3.0, 0.5], [0.0, 0.1, 0.2], 1.0, 3)
    np.testing.assert_allclose(found.q, [2, 3.1, 0.5 * 3.1 + 0.2], rtol=1e-15)
    np.testing.assert_allclose(found.chi_1[:2], [1.5, 0.5], rtol=1e-15)
    np.testing.assert_allclose(found.gradient_growth, [0.75, 0.5, 1], rtol=1e-15)
    np.testing.assert_allclose(found.output_mean[0], math.sqrt(2 / (2 * math.pi)), rtol=1e-15)
    assert found.limit == Limit()


def test_the_limit_in_order() -> None:
    found = limit(Tanh(), 1.5, 0.05)
    assert found.c_star == 1
    assert found.chi_1 is not None
    assert 0 < found.chi_1 < 1
    assert found.xi_c == pytest.approx(-1 / math.log(found.chi_1), rel=1e-14)
    assert found.chi_parallel is not None
    assert found.xi_q == pytest.approx(-1 / math.log(found.chi_parallel), rel=1e-14)


def test_the_limit_in_chaos() -> None:
    found = limit(Tanh(), 2.5, 0.05)
    assert found.chi_1 is not None
    assert found.chi_1 > 1
    assert found.c_star is not None
    assert 0 < found.c_star < 1
    assert found.xi_c is not None


def test_the_limit_at_criticality() -> None:
    """The rectifier: q* is the first layer's; c* = 1 is neared at no rate, and neither depth exists."""
    found = limit(ReLU(), 2.0, 0.0, 0.7)
    assert found[:4] == pytest.approx((1.4, 1.0, 1.0, 1.0), rel=1e-14)
    assert found[4:] == (None, None)


def test_the_limit_of_a_signal_that_dies_out() -> None:
    found = limit(Tanh(), 0.5, 0.0)
    assert found[:3] == pytest.approx((0.0, 0.5, 0.5), rel=1e-14)
    assert found.xi_q == pytest.approx(1 / math.log(2), rel=1e-14)
    assert found.c_star is None
    assert found.xi_c is None


def test_the_limit_of_a_signal_that_diverges() -> None:
    assert limit(ReLU(), 2.5, 0.1) == Limit()


def test_a_diverging_network_has_finite_theory() -> None:
    """Guards against overflow: 100 in σ_w², as the reference's standard normal weights at width 100 have."""
    found = propagation(ReLU(), 100.0, 1.0, 1.0, 100)
    assert found.q[4] == pytest.approx(50.0**5 * 2 + sum(50.0**k for k in range(5)), rel=0.02)
    assert (found.q[30:] >= 1e29).all()
    assert np.isfinite(found.q).all()
    np.testing.assert_allclose(found.gradient_growth[:2], [50.0**99, 50.0**98], rtol=1e-12)


def test_every_activation_has_its_theory(activation: Activation) -> None:
    for w, b in ((0.0, 0.0), (1.0, 0.0), (2.0, 0.1), (100.0, 1.0)):
        found = propagation(activation, w, b, 1.0, 6)
        for row in found[:-1]:
            assert np.shape(row) == (6,)
            assert np.isfinite(row).all()
        assert (found.q >= 0).all()
        assert all(value is None or math.isfinite(value) for value in found.limit)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma_w2": -1.0}, r"sigma_w2: -1\.0 given; it must be at least 0 and finite"),
        ({"sigma_b2": math.inf}, "sigma_b2: inf given"),
        ({"mean_square": math.nan}, "mean_square: nan given"),
        ({"sigma_w2": [1.0, 2.0]}, "sigma_w2: 2 given for 3 layers"),
        ({"activations": [Tanh()]}, "activations: 1 given for 3 layers"),
        ({"depth": 0}, "depth: 0 given"),
    ],
)
def test_what_is_no_network_is_refused(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"activations": Tanh(), "sigma_w2": 1.0, "sigma_b2": 0.0, "mean_square": 1.0}
    with pytest.raises(ValueError, match=message):
        propagation(**(arguments | {"depth": 3} | changes))


def test_the_last_layer_has_no_growth_of_its_own() -> None:
    np.testing.assert_array_equal(gradient_growth(np.array([5.0])), [1])

"""What could go wrong with theory in the experiment: unequal fans, samples, rapid waves."""

import numpy as np
import pytest

from dnnexp.core.activations import ReLU, Sine, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import He, Initializer, LayerInitializer, LeCun, Normal, Orthogonal
from dnnexp.core.inputs import PairsInput
from dnnexp.experiments.activations.theory import Theory, theory


def unit_inputs(width: int) -> Floats:
    """With mean square 1."""
    return PairsInput(angle=60.0, samples=10).draw(np.random.default_rng(0), width)


def of_rectifier(initializer: Initializer) -> Theory:
    found = theory(ReLU(), LayerInitializer(initializer), (20, 20, 20), unit_inputs(20))
    assert found is not None
    return found


def test_rounding_of_unequal_fans_leaves_the_limit() -> None:
    """fan_in · (gain² / fan_in) is gain² but for the last digit."""
    item, widths = LayerInitializer(LeCun(), Normal(std=0.3)), (64, 200, 49, 30, 10)
    found = theory(Tanh(), item, widths, unit_inputs(64))
    equal = theory(Tanh(), item, (64, 64, 64), unit_inputs(64))
    assert found is not None
    assert equal is not None
    assert len(set(found.sigma_w2)) > 1
    assert (found.limit.q_star, found.limit.chi_1) == pytest.approx((equal.limit.q_star, equal.limit.chi_1))


def test_the_limit_counts_every_sample_alike() -> None:
    """24 samples make groups of two sizes; a rectifier at its critical point keeps their mean."""
    x = np.random.default_rng(0).standard_normal((24, 10))
    found = theory(ReLU(), LayerInitializer(He()), (10, 10, 10), x)
    assert found is not None
    assert found.limit.q_star == pytest.approx(2 * np.mean(x**2), rel=1e-9)
    np.testing.assert_allclose(found.layers["q"], 2 * np.mean(x**2), rtol=1e-9)


def test_norms_scatter_in_theory_with_independent_weights_only() -> None:
    assert np.isfinite(of_rectifier(He()).layers["norm_scatter"]).all()
    assert np.isnan(of_rectifier(Orthogonal()).layers["norm_scatter"]).all()


def test_waves_too_rapid_for_quadrature_have_no_theory() -> None:
    x = np.ones((2, 5))
    assert theory(Sine(1e4), LayerInitializer(LeCun()), (5, 5), x) is None
    slower = theory(Sine(40.0), LayerInitializer(LeCun()), (5, 5), x)
    assert slower is not None
    assert np.isnan(slower.layers["correlation"]).all()
    assert slower.correlation_map() == {}

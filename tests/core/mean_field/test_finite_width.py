import math
from itertools import pairwise

import numpy as np
import pytest

from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field import output_norm_variance, pre_activation_norm_variance


def squared_norms(widths: list[int], slope: float, count: int) -> tuple[Floats, Floats]:
    """|z^L|² and |a^L|² of `count` networks with zero biases, at one input: `(count,)` each."""
    stream = np.random.default_rng(7)
    a = np.broadcast_to(stream.standard_normal(widths[0]), (count, widths[0]))
    for n_in, n_out in pairwise(widths):
        weights = stream.standard_normal((count, n_out, n_in)) * math.sqrt(2 / n_in)
        z = (weights @ a[..., None])[..., 0]
        a = np.where(z > 0, z, slope * z)
    return np.sum(z**2, axis=1), np.sum(a**2, axis=1)


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_the_scatter_of_norms_over_networks(slope: float) -> None:
    """Within 5 standard errors of the second moment, as the sample's own scatter gives them."""
    widths, count = [3, 20, 12, 30], 20_000
    norms = squared_norms(widths, slope, count)
    predicted = (
        pre_activation_norm_variance(widths[1:], slope),
        output_norm_variance(widths[1:], slope),
    )
    for norm, variance in zip(norms, predicted, strict=True):
        relative = (norm / norm.mean() - 1) ** 2
        assert abs(relative.mean() - variance) < 5 * relative.std() / math.sqrt(count)
        assert relative.std() / math.sqrt(count) < variance / 25  # the sample tells it to 4 %


def test_the_rectifier_at_width_100_and_depth_5() -> None:
    """(1 + 5/n)^L − 1: a relative standard deviation of about 0.5, as the issue says."""
    assert output_norm_variance([100] * 5) == pytest.approx(1.05**5 - 1, rel=1e-14)
    assert pre_activation_norm_variance([100] * 5) == pytest.approx(1.02 * 1.05**4 - 1, rel=1e-14)
    assert math.sqrt(output_norm_variance([100] * 5)) == pytest.approx(0.53, abs=0.005)
    assert math.sqrt(pre_activation_norm_variance([100] * 5)) == pytest.approx(0.49, abs=0.005)


def test_the_scatter_grows_with_depth_over_width() -> None:
    """Hanin 2018: through Σ 1/n alone, for large widths; no rounding away of small variances."""
    assert output_norm_variance([1000] * 100) == pytest.approx(math.expm1(5 * 0.1), rel=2e-2)
    assert output_norm_variance([10**12]) == pytest.approx(5e-12, rel=1e-9)


def test_a_single_layer_is_chi_squared() -> None:
    assert pre_activation_norm_variance([50]) == pytest.approx(2 / 50, rel=1e-14)

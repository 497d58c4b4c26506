"""The regions in which outputs count as saturated."""

import numpy as np
import pytest

from dnnexp.core.activations import Activation
from dnnexp.registry import find


def test_saturation_is_where_the_slope_is_small(activation: Activation) -> None:
    """Outputs outside the interval occur at both ends, and have less than a tenth of the largest slope.

    A lower end at 0 may be left out: those outputs are counted as zeros.
    """
    if activation.saturation is None:
        pytest.skip(f"{activation.name} does not saturate")
    low, high = activation.saturation
    z = np.linspace(-200, 200, 100_000)  # even, so that no kink is a point
    f, df = activation.f(z), activation.df(z)
    saturated = (f < low) | (f > high)
    assert low <= activation.f(np.zeros(1))[0] <= high
    assert saturated[0] or f[0] == 0
    assert saturated[-1]
    assert df[saturated].max() < df.max() / 10


def test_saturation_is_near_the_bounds(activation: Activation) -> None:
    """Within 1.5 % of the range: tanh's 0.97; 1 % for the others."""
    if activation.saturation is None:
        pytest.skip(f"{activation.name} does not saturate")
    low, high = activation.saturation
    least, greatest = activation.f(np.array([-1e300, 1e300]))
    margin = 0.015001 * (greatest - least)
    assert least <= low <= least + margin
    assert greatest - margin <= high < greatest


def test_what_has_two_bounds_that_it_nears_saturates(activation: Activation) -> None:
    """A slope of 0 at both ends, and outputs that go on: not one-sided, as a rectifier is."""
    z = np.array([-1e300, -1e200, 1e200, 1e300])
    f, df = activation.f(z), activation.df(z)
    has_bounds = (df == 0).all() and f[0] == f[1] != f[2] == f[3]
    assert (activation.saturation is not None) == has_bounds


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("sigmoid", (0.01, 0.99)),
        ("tanh", (-0.97, 0.97)),
        ("softsign", (-0.98, 0.98)),
        ("erf", (-0.98, 0.98)),
        ("relu", None),
    ],
)
def test_the_documented_saturation_regions(name: str, interval: tuple[float, float] | None) -> None:
    assert find("activation", name).saturation == interval


@pytest.mark.parametrize("name", ["hard_sigmoid", "hard_tanh", "relu6"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hard_forms_are_saturated_on_their_flat_parts(name: str, dtype: str) -> None:
    """Also in single precision, where 1 − 1e-6 is still below 1."""
    activation = find("activation", name)()
    (start, end), (low, high) = activation.kinks, activation.saturation
    before, after = start + np.array([-1, 1e-4], dtype), end + np.array([-1e-4, 1], dtype)
    assert (activation.f(after) > high).tolist() == [False, True]
    assert (activation.f(before) < low).tolist() == [name != "relu6", False]

import math
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest

from dnnexp.core.activations import Activation, ReLU
from dnnexp.core.arrays import Floats
from dnnexp.registry import find


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


ORACLES: dict[str, Callable[[float], float]] = {
    "sigmoid": sigmoid,
    "relu": lambda z: max(0.0, z),
    "tanh": math.tanh,
    "identity": lambda z: z,
}
"""The functions on Python floats."""

EXTREMES = [-1e4, -800.0, -700.0, -100.0, -30.0, -1e-300, 0.0, 1e-300, 30.0, 100.0, 700.0, 800.0, 1e4]
EPSILON = float(np.finfo(np.float64).eps)


@pytest.fixture
def arguments() -> Floats:
    """Moderate and extreme pre-activations."""
    return np.concatenate([np.random.default_rng(0).uniform(-40, 40, 2000), EXTREMES])


def off_kinks(activation: Activation, z: Floats) -> Floats:
    return z[~np.isin(z, activation.kinks)]


def test_f_is_the_function(activation: Activation, arguments: Floats) -> None:
    if activation.name not in ORACLES:
        pytest.skip(f"no independent form of {activation.name}")
    expected = [ORACLES[activation.name](z) for z in arguments.tolist()]
    # a few roundings; below the smallest normal number the sigmoid is held at it
    np.testing.assert_allclose(activation.f(arguments), expected, rtol=4 * EPSILON, atol=3e-308)


def test_df_is_the_derivative_off_the_kinks(activation: Activation, arguments: Floats) -> None:
    """The complex step's own result underflows where it is below 1e-308 / step."""
    z, step = off_kinks(activation, arguments), 1e-20
    quotient = activation.f(z + 1j * step).imag / step
    np.testing.assert_allclose(activation.df(z), quotient, rtol=16 * EPSILON, atol=1e-280)


def test_df_is_the_derivative_by_central_differences(activation: Activation) -> None:
    """Independent of complex arithmetic; truncation h² |f‴| / 6 and round-off ε |f| / h are near 1e-10."""
    z, h = np.random.default_rng(1).uniform(-5, 5, 1000), 1e-5
    for kink in activation.kinks:
        z = z[np.abs(z - kink) > 2 * h]
    quotient = (activation.f(z + h) - activation.f(z - h)) / (2 * h)
    np.testing.assert_allclose(activation.df(z), quotient, rtol=1e-9, atol=1e-9)


def test_df_is_analytic_as_f_is(activation: Activation, arguments: Floats) -> None:
    """A derivative of a complex argument continues the real one: df(z + ih) → df(z)."""
    z = off_kinks(activation, arguments)
    continued = activation.df(z + 1e-20j)
    np.testing.assert_allclose(continued.real, activation.df(z), rtol=4 * EPSILON)
    assert np.abs(continued.imag).max() < 1e-19


def test_f_of_complex_arguments_continues_f(activation: Activation, arguments: Floats) -> None:
    # complex exponentials and quotients cost a few roundings more than real ones
    np.testing.assert_allclose(
        activation.f(arguments + 0j).real, activation.f(arguments), rtol=8 * EPSILON, atol=3e-308
    )


def test_a_kink_is_a_jump_of_the_slope_and_df_is_a_one_sided_slope(activation: Activation) -> None:
    if not activation.kinks:
        pytest.skip(f"{activation.name} is smooth")
    for kink in activation.kinks:
        near = kink + np.array([-1e-6, 0, 1e-6])
        left, right = np.diff(activation.f(near)) / np.diff(near)
        assert abs(right - left) > 1e-3
        assert np.isclose(activation.df(near)[1], [left, right], rtol=1e-6).any()


def test_the_slope_is_continuous_but_for_the_kinks(activation: Activation) -> None:
    """On a fine grid the slope moves by more than 1e-2 a step at a kink only: |σ″| < 5 elsewhere."""
    z = np.linspace(-5, 5, 10_000)  # even, so that 0 lies between two points
    jumps = np.flatnonzero(np.abs(np.diff(activation.df(z))) > 1e-2)
    np.testing.assert_array_equal(jumps, np.searchsorted(z, sorted(activation.kinks)) - 1)


def test_the_rectifier_has_slope_zero_at_its_kink() -> None:
    np.testing.assert_array_equal(ReLU().df(np.array([-0.0, 0.0, 5e-324])), [0, 0, 1])
    assert ReLU().df(np.array([0j])) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_extremes_are_finite_and_raise_no_warning(activation: Activation, dtype: str) -> None:
    z = np.array(EXTREMES).astype(dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        f, df = activation.f(z), activation.df(z)
    assert f.dtype == df.dtype == dtype
    assert f.shape == df.shape == z.shape
    assert np.isfinite(f).all()
    assert np.isfinite(df).all()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision_has_the_accuracy_of_single_precision(activation: Activation, dtype: str) -> None:
    z = np.random.default_rng(2).uniform(-20, 20, 1000).astype(np.float32)
    rtol = 16 * float(np.finfo(np.float32).eps)
    exact = z.astype(np.float64)
    np.testing.assert_allclose(activation.f(z.astype(dtype)).real, activation.f(exact), rtol=rtol)
    np.testing.assert_allclose(activation.df(z.astype(dtype)).real, activation.df(exact), rtol=rtol)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 3, 4)], ids=str)
def test_any_shape_is_kept_and_the_argument_is_not_changed(
    activation: Activation, shape: tuple[int, ...]
) -> None:
    z = np.asarray(np.random.default_rng(3).standard_normal(shape))
    before = z.copy()
    assert np.shape(activation.f(z)) == shape
    assert np.shape(activation.df(z)) == shape
    np.testing.assert_array_equal(z, before)


def test_nan_stays_nan(activation: Activation) -> None:
    """Guards: a diverged network had finite outputs behind a rectifier that turned NaN into 0."""
    assert np.isnan(activation.f(np.array([np.nan]))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_arrays_of_the_standard_give_the_numbers_of_numpy(
    activation: Activation, arguments: Floats, dtype: str
) -> None:
    z = arguments.astype(dtype)
    strict = array_api_strict.asarray(z)
    for function in (activation.f, activation.df):
        result: Any = function(strict)
        assert result.dtype == strict.dtype
        np.testing.assert_array_equal(np.asarray(result), function(z))


def test_saturation_is_where_the_slope_is_small(activation: Activation) -> None:
    """Outputs outside the interval occur at both ends, and have less than a tenth of the largest slope."""
    if activation.saturation is None:
        pytest.skip(f"{activation.name} does not saturate")
    low, high = activation.saturation
    z = np.linspace(-20, 20, 10_001)
    f, df = activation.f(z), activation.df(z)
    saturated = (f < low) | (f > high)
    assert low < activation.f(np.zeros(1))[0] < high
    assert saturated[0]
    assert saturated[-1]
    assert df[saturated].max() < df.max() / 10


@pytest.mark.parametrize(
    ("name", "interval"), [("sigmoid", (0.01, 0.99)), ("tanh", (-0.97, 0.97)), ("relu", None)]
)
def test_the_documented_saturation_regions(name: str, interval: tuple[float, float] | None) -> None:
    assert find("activation", name).saturation == interval

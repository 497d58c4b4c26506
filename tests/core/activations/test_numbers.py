"""Every activation with numbers of every kind: extreme, of single precision, complex, of another library."""

from typing import Any

import array_api_strict
import numpy as np

from dnnexp.core.activations import Activation
from tests.core.activations.accuracy import arguments, assert_within, bound, extremes, second_derivative


def test_extremes_are_finite_and_raise_no_warning(activation: Activation) -> None:
    for dtype in ["float32", "float64", "complex64", "complex128"]:
        z = extremes(dtype)
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            f, df = activation.f(z), activation.df(z)
        assert f.dtype == df.dtype == dtype
        assert f.shape == df.shape == z.shape
        assert np.isfinite(f).all()
        assert np.isfinite(df).all()


def test_single_precision_has_the_accuracy_of_single_precision(activation: Activation) -> None:
    for dtype in ["float32", "complex64"]:
        z = np.random.default_rng(2).uniform(-20, 20, 1000).astype(np.float32)
        exact = z.astype(np.float64)
        f, df, second = activation.f(exact), activation.df(exact), second_derivative(activation, exact)
        assert_within(activation.f(z.astype(dtype)).real, f, bound(f, exact, df, 16, np.float32))
        assert_within(activation.df(z.astype(dtype)).real, df, bound(df, exact, second, 16, np.float32))


def test_any_shape_is_kept_and_the_argument_is_not_changed(activation: Activation) -> None:
    for shape in [(), (0,), (3,), (2, 3), (2, 3, 4)]:
        z = np.asarray(np.random.default_rng(3).standard_normal(shape))
        before = z.copy()
        assert np.shape(activation.f(z)) == shape
        assert np.shape(activation.df(z)) == shape
        assert np.shape(activation.d2f(z)) == shape
        np.testing.assert_array_equal(z, before)


def test_nan_stays_nan(activation: Activation) -> None:
    """Guards: a diverged network had finite outputs behind a rectifier that turned NaN into 0."""
    assert np.isnan(activation.f(np.array([np.nan]))).all()


def test_arrays_of_the_standard_give_the_numbers_of_numpy(activation: Activation) -> None:
    for dtype in ["float32", "float64", "complex128"]:
        z = arguments(dtype)
        strict = array_api_strict.asarray(z)
        real = [] if dtype == "complex128" else [activation.d2f]
        for function in (activation.f, activation.df, *real):
            result: Any = function(strict)
            assert result.dtype == strict.dtype
            np.testing.assert_array_equal(np.asarray(result), function(z))

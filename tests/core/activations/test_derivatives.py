"""Every activation's derivative, by the complex step, by differences, and at its kinks."""

from collections.abc import Callable

import numpy as np
import pytest

from dnnexp.core.activations import Activation, ReLU
from dnnexp.core.arrays import Floats
from dnnexp.registry import parts
from tests.core.activations.accuracy import (
    STEP,
    arguments,
    assert_within,
    bound,
    off_kinks,
    second_derivative,
)


def test_df_is_the_derivative_off_the_kinks(activation: Activation) -> None:
    """The complex step's own result underflows where it is below 1e-308 / step."""
    z = off_kinks(activation, arguments())
    df, quotient = activation.df(z), activation.f(z + 1j * STEP).imag / STEP
    assert_within(df, quotient, bound(df, z, second_derivative(activation, z), 16) + 1e-280)


def test_df_is_the_derivative_by_central_differences(activation: Activation) -> None:
    """Independent of complex arithmetic; truncation h² |f‴| / 6 and round-off ε |f| / h are near 1e-10."""
    z, h = np.random.default_rng(1).uniform(-8, 8, 1000), 1e-5
    for kink in activation.kinks:
        z = z[np.abs(z - kink) > 2 * h]
    quotient = (activation.f(z + h) - activation.f(z - h)) / (2 * h)
    np.testing.assert_allclose(activation.df(z), quotient, rtol=1e-9, atol=1e-9)


def test_df_is_analytic_as_f_is(activation: Activation) -> None:
    """A derivative of a complex argument continues the real one: df(z + ih) → df(z)."""
    z = off_kinks(activation, arguments())
    continued = activation.df(z + 1j * STEP).real
    assert_within(continued, activation.df(z), bound(continued, z, second_derivative(activation, z), 8))


def test_d2f_is_the_second_derivative(activation: Activation) -> None:
    """By central differences, as above."""
    z, h = np.random.default_rng(1).uniform(-8, 8, 1000), 1e-5
    for kink in activation.kinks:
        z = z[np.abs(z - kink) > 2 * h]
    quotient = (activation.df(z + h) - activation.df(z - h)) / (2 * h)
    np.testing.assert_allclose(activation.d2f(z), quotient, rtol=1e-8, atol=1e-8)


def test_d2f_of_straight_pieces_is_zero(activation: Activation) -> None:
    """Exactly, at the kinks, too, so that no rounding gets into a Hessian that is 0."""
    z = np.concatenate([np.linspace(-9, 9, 1801), [-1e300, -900, 900, 1e300], activation.kinks])
    if len(np.unique(activation.df(z))) <= 2:
        np.testing.assert_array_equal(activation.d2f(z), 0)
    if activation.name in {"elu", "selu", "celu"}:
        np.testing.assert_array_equal(activation.d2f(z[z > 0]), 0)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sigmoid", lambda z: logistic(z) * logistic(-z) * (logistic(-z) - logistic(z))),
        ("tanh", lambda z: -2 * np.tanh(z) / np.cosh(z) ** 2),
        ("softplus", lambda z: logistic(z) * logistic(-z)),
        ("silu", lambda z: logistic(z) * logistic(-z) * (2 - z * np.tanh(z / 2))),
        ("gelu", lambda z: (2 - z**2) * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)),
        ("erf", lambda z: -4 * z * np.exp(-(z**2)) / np.sqrt(np.pi)),
        ("softsign", lambda z: -2 * np.sign(z) / (1 + np.abs(z)) ** 3),
        ("elu", lambda z: np.where(z > 0, 0, np.exp(z))),
        ("sine", lambda z: -np.sin(z)),
        ("hard_swish", lambda z: np.where(np.abs(z) < 3, 1 / 3, 0)),
    ],
)
def test_d2f_in_closed_form(name: str, formula: Callable[[Floats], Floats]) -> None:
    """To some roundings of the formula, or of slopes near 1 that cancel where it changes sign."""
    z = np.random.default_rng(0).uniform(-20, 20, 1000)
    np.testing.assert_allclose(parts("activation")[name]().d2f(z), formula(z), rtol=1e-12, atol=1e-15)


def logistic(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-z)))


def test_f_of_complex_arguments_continues_f(activation: Activation) -> None:
    """Complex exponentials and quotients cost some roundings more than real ones."""
    z = arguments()
    f = activation.f(z)
    allowed = bound(f, z, activation.df(z), activation.complex_roundings)
    assert_within(activation.f(z + 0j).real, f, allowed)


def test_at_a_kink_the_slope_jumps_or_turns_and_df_is_a_slope_of_one_side(activation: Activation) -> None:
    for kink in activation.kinks:
        near = kink + np.array([-1e-6, 0, 1e-6])
        left, right = np.diff(activation.f(near)) / np.diff(near)
        h = 1e-4
        second = np.diff(activation.df(kink + h * np.array([-2, -1, 1, 2])))[[0, 2]] / h
        assert max(abs(right - left), abs(second[1] - second[0])) > 0.1
        assert np.isclose(activation.df(near)[1], [left, right], rtol=0, atol=1e-5).any()


def test_the_complex_step_at_a_kink_goes_to_the_side_of_df(activation: Activation) -> None:
    """Guards: a gradient of zeros where all units of an ELU were at 0, by the complex step only."""
    kinks = np.array(activation.kinks)
    quotient = activation.f(kinks + 1j * STEP).imag / STEP
    np.testing.assert_allclose(quotient, activation.df(kinks), rtol=1e-15)


def test_the_slope_neither_jumps_nor_turns_but_at_the_kinks(activation: Activation) -> None:
    """On a grid of step d, second differences of the slope are d² |σ⁗|, below 5e-5, but for the kinks.

    Where the second derivative jumps they are at least d / 4 times the jump, 1e-4.
    """
    z = np.linspace(-8, 8, 20_000)  # even, so that no kink is a point
    found = z[1:-1][np.abs(np.diff(activation.df(z), 2)) > 5e-5]
    kinks, step = np.array(activation.kinks), z[1] - z[0]
    apart = np.abs(np.subtract.outer(found, kinks))  # (found, kinks)
    assert (apart.min(axis=1, initial=np.inf) <= step).all()
    assert (apart.min(axis=0, initial=np.inf) <= step).all()


def test_the_rectifier_has_slope_zero_at_its_kink() -> None:
    np.testing.assert_array_equal(ReLU().df(np.array([-0.0, 0.0, 5e-324])), [0, 0, 1])
    assert ReLU().df(np.array([0j])) == 0

"""Every activation's derivative, by the complex step, by differences, and at its kinks."""

import numpy as np

from dnnexp.core.activations import Activation, ReLU
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


def test_the_complex_step_of_df_is_the_second_derivative(activation: Activation) -> None:
    """By central differences, as above."""
    z, h = np.random.default_rng(1).uniform(-8, 8, 1000), 1e-5
    for kink in activation.kinks:
        z = z[np.abs(z - kink) > 2 * h]
    quotient = (activation.df(z + h) - activation.df(z - h)) / (2 * h)
    np.testing.assert_allclose(second_derivative(activation, z), quotient, rtol=1e-8, atol=1e-8)


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

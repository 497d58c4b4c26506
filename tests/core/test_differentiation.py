import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import (
    CENTRAL_STEP,
    COMPLEX_STEP,
    Central,
    Complex,
    GradientMethod,
    central_gradient,
    complex_gradient,
    hessian,
    scaled_step,
)
from dnnexp.core.objectives import TestFunction, Valley

EPSILON = float(np.finfo(np.float64).eps)
POINT = np.array([[0.7], [-1.3]])


def wavy(x: Floats) -> Floats:
    """e^x sin y: every derivative exists, and none vanishes at `POINT`."""
    return np.asarray(np.exp(x[0]) * np.sin(x[1]))


def slope_of_wavy(x: Floats) -> Floats:
    return np.stack([np.exp(x[0]) * np.sin(x[1]), np.exp(x[0]) * np.cos(x[1])])


def points(objective: TestFunction, shape: tuple[int, ...]) -> Floats:
    low, high = (corner.reshape((-1,) + (1,) * len(shape)) for corner in objective.domain())
    return np.random.default_rng(0).uniform(low, high, (objective.dimension, *shape))


def test_every_method_gives_the_gradient(gradient: GradientMethod, objective: TestFunction) -> None:
    """Relative to the largest slope there: round-off ε |f| / (|∇f| h) of differences is below 1e-7.

    Truncation is h² f‴ / 6f' with h = 6e-6 |x|: for waves of frequency ω, (ω h)² / 6. That is 2e-6 in the
    domain of Griewank (ω = 1, |x| = 600) and 3e-7 in Ackley's (2π, 33).
    """
    for shape in [(), (4,), (3, 4)]:
        x = points(objective, shape)
        before = x.copy()
        found, expected = gradient.of(objective)(x), objective.gradient(x)
        assert found.shape == x.shape
        atol = 1e-5 * np.abs(objective.gradient(points(objective, (1000,)))).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
        np.testing.assert_array_equal(x, before)


def test_the_complex_step_gives_the_gradient_to_rounding(objective: TestFunction) -> None:
    x = points(objective, (50,))
    found, expected = complex_gradient(objective.value, x), objective.gradient(x)
    # an argument of a wave has the rounding of its size, ε |x|
    size = 8 * max(1.0, float(np.abs(x).max()))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=size * EPSILON * np.abs(expected).max())


def test_a_method_takes_the_step_it_is_given() -> None:
    """A step so coarse that its truncation shows: d(x³/3) = x² + h²/3, and x² − h²/3 for the complex step."""

    class Cubic(Valley):
        def value(self, x: Floats) -> Floats:
            return np.asarray((x**3).sum(axis=0) / 3)

    x = np.array([[0.5, 0.25]]).T
    np.testing.assert_allclose(Central(step=0.5).of(Cubic())(x), x**2 + 0.25 / 3, rtol=1e-14)
    np.testing.assert_allclose(Complex(step=0.5).of(Cubic())(x), x**2 - 0.25 / 3, rtol=1e-14)


def test_central_differences_converge_with_order_two_until_round_off_takes_over() -> None:
    """Error h² |f‴| / 6 on the one branch, ε |f| / h on the other: slopes 2 and −1 against log h."""
    x, exact = POINT, slope_of_wavy(POINT)

    def error(step: float) -> float:
        return float(np.abs(central_gradient(wavy, x, step) - exact).max())

    coarse = [error(10.0**-k) for k in (1, 2, 3)]
    assert math.log10(coarse[0] / coarse[1]) == pytest.approx(2, abs=0.02)
    assert math.log10(coarse[1] / coarse[2]) == pytest.approx(2, abs=0.02)
    # at x = (0.7, −1.3) the third derivatives are ∓e^x sin y and e^x cos y; 1.3 is |x| > 1 as a scale
    truncation = (1e-2 * 1.3) ** 2 / 6 * abs(math.exp(0.7) * math.cos(1.3))
    assert abs(central_gradient(wavy, x, 1e-2) - exact)[1, 0] == pytest.approx(truncation, rel=1e-3)
    assert error(1e-8) > 10 * error(CENTRAL_STEP)
    assert error(1e-11) > 100 * error(1e-8)


def test_the_default_step_is_near_the_best() -> None:
    """Over many points, the median error of the default is within a factor 10 of the best of a fine grid."""
    x = np.random.default_rng(1).uniform(-1, 1, (2, 200))

    def error(step: float) -> float:
        return float(np.median(np.abs(central_gradient(wavy, x, step) - slope_of_wavy(x))))

    assert error(CENTRAL_STEP) < 10 * min(error(step) for step in np.geomspace(1e-10, 1e-1, 91))
    assert math.isclose(CENTRAL_STEP, EPSILON ** (1 / 3))


@pytest.mark.parametrize("step", [1e-8, 1e-20, 1e-100, COMPLEX_STEP])
def test_the_complex_step_has_no_round_off_branch(step: float) -> None:
    np.testing.assert_allclose(complex_gradient(wavy, POINT, step), slope_of_wavy(POINT), rtol=4 * EPSILON)


@given(st.floats(-1e12, 1e12), st.floats(1e-12, 1e-1))
def test_a_scaled_step_is_the_exact_difference_of_two_numbers(x: float, step: float) -> None:
    h = float(scaled_step(np.array([x]), step)[0])
    wanted = step * max(1.0, abs(x))
    assert h > 0
    if x + wanted != x:
        assert (x + h) - x == h
        # off by no more than the rounding of x + h
        assert abs(h - wanted) <= math.ulp(abs(x) + wanted)
    else:
        assert h == wanted


@pytest.mark.parametrize("x", [0.0, 1.0, -1.0, 1e10])
def test_a_step_too_small_to_move_x_stays_positive(x: float) -> None:
    """No quotient divides by 0."""
    assert scaled_step(np.array([x]), 1e-30)[0] == 1e-30 * max(1.0, abs(x))


def test_the_step_grows_with_the_coordinate() -> None:
    """Each coordinate by itself: |x| = 1e6 takes a step 1e6 times as long, |x| < 1 the same as 1."""
    x = np.array([[0.0], [-0.5], [1.0], [-1e6]])
    np.testing.assert_allclose(scaled_step(x, 1e-5), [[1e-5], [1e-5], [1e-5], [10.0]], rtol=1e-10)


def test_differences_of_large_coordinates() -> None:
    """f = x² at 1e8: with an unscaled step of 6e-6 the quotient would be off by 1e-2 and more."""
    x = np.array([[1e8]])
    found = central_gradient(lambda x: np.asarray((x**2).sum(axis=0)), x)
    np.testing.assert_allclose(found, 2e8, rtol=1e-9)


class Cubic:
    """x³ y, whose Hessian is known."""

    def gradient(self, x: Any) -> Any:
        """3 x² y and x³."""
        return np.stack([3 * x[0] ** 2 * x[1], x[0] ** 3])


def test_the_hessian_of_a_polynomial() -> None:
    x, y = 0.7, -1.3
    expected = [[6 * x * y, 3 * x**2], [3 * x**2, 0]]
    np.testing.assert_allclose(hessian(cast(Any, Cubic()), np.array([x, y])), expected, rtol=1e-14)

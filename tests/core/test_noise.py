"""The noise of values whose noise is known."""

import numpy as np
import pytest

from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.core.noise import SAMPLES, estimate, judge, sampled

SINGLE = float(np.finfo(np.float32).eps)
X = np.random.default_rng(5).standard_normal((4, 500))


def smooth(x: Floats) -> Floats:
    return np.asarray(np.exp(np.sin(x)).sum(axis=0))


def inside(x: Floats) -> Floats:
    """Computed in single precision."""
    return np.asarray(np.exp(np.sin(x.astype(np.float32))).sum(axis=0), dtype=np.float64)


def at_the_end(x: Floats) -> Floats:
    """Rounded to single precision."""
    return np.asarray(smooth(x).astype(np.float32), dtype=np.float64)


def in_a_term(x: Floats) -> Floats:
    """One term in single precision, one in double, whose rounding shows at smaller steps."""
    return np.asarray(inside(x) + 0.5 * (x**2).sum(axis=0))


def relative(values: Floats) -> Floats:
    return np.asarray(estimate(values) / np.abs(values).max(axis=0))


@pytest.mark.parametrize("sigma", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("samples", [7, 8, 9])
def test_normal_noise_on_a_smooth_function_is_measured(sigma: float, samples: int) -> None:
    """Moré and Wild: mostly within a factor of 2, nearly always within 4."""
    k = np.arange(samples)[:, None]
    noise = np.random.default_rng(1).standard_normal((samples, 2000))
    values = 1 + 1e-2 * sigma * (k + 0.1 * k**2) + sigma * noise
    ratio = estimate(values) / sigma
    assert np.median(ratio) == pytest.approx(1.0, abs=0.15)
    assert np.mean((ratio > 0.5) & (ratio < 2)) > 0.9
    assert np.mean((ratio > 0.25) & (ratio < 4)) > 0.995


def test_a_linear_trend_that_outweighs_the_noise_is_cancelled() -> None:
    k = np.arange(SAMPLES)[:, None]
    noise = np.random.default_rng(2).uniform(-1, 1, (SAMPLES, 2000))  # of deviation 1/√3
    assert np.median(estimate(1e5 + 50 * k + noise)) == pytest.approx(1 / np.sqrt(3), rel=0.15)


def test_entries_of_any_shape_are_independent() -> None:
    values = np.random.default_rng(3).standard_normal((SAMPLES, 5, 7)) * 1e-9 + 1
    found = estimate(values)
    assert found.shape == (5, 7)
    assert found[2, 3] == estimate(values[:, 2, 3])
    assert estimate(values[:, 0, 0]).shape == ()


def test_a_constant_has_no_noise() -> None:
    assert estimate(np.full((SAMPLES, 2), 3.0)).tolist() == [0, 0]


@pytest.mark.parametrize("values", [1 + np.arange(9.0), 1e5 + np.arange(9.0) ** 2], ids=["line", "parabola"])
def test_without_noise_one_rounding_is_assumed(values: Floats) -> None:
    assert not judge(values).found
    assert estimate(values) == EPSILON * values.max() / 2


def test_the_smallest_step_of_a_staircase_is_its_noise() -> None:
    values = 1 + 0.01 * np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    assert not judge(values).found
    assert 0.01 / 4 < float(estimate(values)) < 0.01


def test_values_that_are_not_finite_have_no_noise_to_speak_of() -> None:
    values = np.ones((SAMPLES, 3))
    values[4, 1], values[0, 2] = np.nan, np.inf
    assert np.isnan(estimate(values)).tolist() == [False, True, True]


def test_tiny_values_do_not_vanish_when_squared() -> None:
    noise = np.random.default_rng(4).standard_normal(SAMPLES)
    assert estimate(1e-200 * (1 + 1e-6 * noise)) == pytest.approx(
        1e-200 * estimate(1 + 1e-6 * noise), rel=1e-6
    )


def test_too_few_values() -> None:
    with pytest.raises(ValueError, match=r"noise: 4 values of f\(x \+ k h v\) are given, at least 5 needed"):
        estimate(np.ones(4))


@pytest.mark.parametrize("function", [smooth, np.sin, np.square])
def test_double_precision_is_recognised(function: np.ufunc) -> None:
    """One rounding has the deviation ε|f|/√48 to ε|f|/√12; few of them add up, and that of x is amplified."""
    found = relative(sampled(function, 1 + np.abs(X)))
    assert np.median(found) < EPSILON
    assert found.max() < 1e-12  # sin near its zero π
    assert np.quantile(found, 0.01) > EPSILON / 16


@pytest.mark.parametrize("function", [inside, at_the_end, in_a_term])
def test_single_precision_is_recognised(function: np.ufunc) -> None:
    found = relative(sampled(function, X))
    assert SINGLE / 16 < np.median(found) < SINGLE  # ε/√48 to ε/√12 each, of x and of four terms
    assert np.mean(found > SINGLE / 32) > 0.97
    assert found.max() < 4 * SINGLE


def test_whole_gradients_are_served() -> None:
    """Half of the entries in single precision: each has its own step."""

    def gradient(x: Floats) -> Floats:
        return np.concatenate([np.cos(x[:2]), np.cos(x[2:]).astype(np.float32)])

    values = sampled(gradient, X)
    assert values.shape == (SAMPLES, 4, 500)
    found = np.median(relative(values), axis=1)
    assert (found[:2] < EPSILON).all()
    assert (found[2:] > SINGLE / 16).all()


def test_one_point_and_its_zero_coordinates_serve_too() -> None:
    found = estimate(sampled(lambda x: np.exp(x).sum(axis=0), np.array([0.0, 1.0, 0.0])))
    assert found.shape == ()
    assert EPSILON / 16 < found / (2 + np.e) < EPSILON


def test_the_points_lie_on_a_line_close_to_x() -> None:
    seen: list[Floats] = []

    def function(x: Floats) -> Floats:
        seen.append(x)
        return smooth(x)

    x = X.copy()
    sampled(function, x)
    assert (x == X).all()
    assert max(float(np.max(np.abs(point - x) / np.abs(x))) for point in seen) < 1e-5

"""The exact mean values of linear rules: closed forms, runs without noise, and many runs with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Array, Floats
from dnnexp.core.moments import mean_values
from dnnexp.core.objectives import Quadratic
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum, Nesterov, Optimizer
from dnnexp.core.schedules import Cosine, Step
from dnnexp.core.stepping import Recording, Trajectory, descend

QUADRATIC = Quadratic(3, 10.0)
STEPS = np.array([0, 1, 2, 3, 10, 25, 50])
RULES: list[Optimizer] = [
    GradientDescent(0.05),
    GradientDescent(0.05, schedule=Step(7, 0.5)),
    Momentum(0.02, 0.8, schedule=Cosine(warmup=5)),
    Momentum(0.02, 0.8, dampening=0.4),
    Momentum(0.02, 0.8, velocity="raw", schedule=Cosine()),
    Momentum(0.02, 0.8, dampening=0.4, velocity="raw", schedule=Step(7, 0.5)),
    Nesterov(0.02, 0.8, schedule=Cosine()),
    Nesterov(0.02, 0.8, velocity="raw", schedule=Step(7, 0.5)),
    Nesterov(0.02, 0.8, form="rewritten", schedule=Cosine()),
    Nesterov(0.02, 0.8, velocity="raw", form="rewritten", schedule=Cosine()),
]


def predicted(rule: Optimizer, start: Floats, std: float) -> Floats:
    found = mean_values(rule, QUADRATIC.eigenvalues(), (start**2).mean(axis=1), std, STEPS)
    assert found is not None
    return found


def measured(rule: Optimizer, start: Floats, std: float) -> Trajectory:
    noise = np.random.default_rng(4)

    def slope(x: Array, step: int) -> Array:
        return QUADRATIC.gradient(x) + std * noise.standard_normal(x.shape)

    return descend(rule, QUADRATIC.value, slope, start, Recording(STEPS, np.array([]), False))


@given(
    rate=st.floats(1e-3, 0.19),
    std=st.floats(0, 10),
    squares=st.lists(st.floats(0, 100), min_size=3, max_size=3),
)
def test_gradient_descent_in_closed_form(rate: float, std: float, squares: list[float]) -> None:
    """E[x²] after k steps is a²ᵏ E[x₀²] + η² σ² (1 − a²ᵏ) / (1 − a²) with a = 1 − η λ."""
    curvatures, start = QUADRATIC.eigenvalues(), np.array(squares)
    shrink = (1 - rate * curvatures) ** 2
    powers = shrink ** STEPS[:, None]  # (K, d)
    spread = (rate * std) ** 2 * (1 - powers) / (1 - shrink)
    expected = (curvatures * (powers * start + spread)).sum(axis=1) / 2
    found = mean_values(GradientDescent(rate), curvatures, start, std, STEPS)
    assert found is not None
    # 1 − a² cancels at small η λ: 1e-3 loses three digits of sixteen
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_without_noise_it_is_what_a_run_does(rule: Optimizer) -> None:
    """Mean values of the runs, to the roundings of 50 steps."""
    start = np.random.default_rng(3).standard_normal((3, 5))
    run = measured(rule, start, 0.0).value.mean(axis=1)
    np.testing.assert_allclose(predicted(rule, start, 0.0), run, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_with_noise_it_is_the_mean_of_many_runs(rule: Optimizer) -> None:
    """Within 5 standard errors at each of 7 steps: all ten tests fail by chance once in 25 000 times."""
    start = np.ones((3, 4000))
    values = measured(rule, start, 2.0).value
    error = values.std(axis=1) / np.sqrt(4000)
    assert (np.abs(values.mean(axis=1) - predicted(rule, start, 2.0)) <= 5 * error + 1e-12).all()


def test_a_mean_that_overflows_is_not_finite() -> None:
    found = mean_values(GradientDescent(1e9), np.ones(1), np.ones(1), 1.0, np.array([0, 1, 100]))
    assert found is not None
    assert np.isfinite(found).tolist() == [True, True, False]


def test_rules_that_are_not_linear_have_none() -> None:
    assert mean_values(Adam(), np.ones(1), np.ones(1), 1.0, STEPS) is None

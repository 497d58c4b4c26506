"""Theory beside measurement: rates and limits against closed forms and against what runs do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.data.synthetic import Teacher
from dnnexp.core.objectives import (
    Beale,
    Booth,
    Branin,
    ExpressionObjective,
    Himmelblau,
    LeastSquares,
    Matyas,
    Objective,
    Quadratic,
    Rosenbrock,
    StyblinskiTang,
    ThreeHumpCamel,
)
from dnnexp.core.optimizers import GradientDescent, Momentum, Nesterov, Optimizer, replaced
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Record
from dnnexp.experiments.optimize.rates import fitted_rate
from dnnexp.experiments.optimize.starts import Starts, UniformStarts

Run = Callable[..., Result]
EVEN = Record(spacing="linear", count=400)
RULES: dict[str, Optimizer] = {
    "descent": GradientDescent(0.038),
    "momentum": Momentum(0.03, 0.7),
    "raw": Momentum(0.03, 0.7, velocity="raw"),
    "damped": Momentum(0.03, 0.7, dampening=0.4),
    "damped raw": Momentum(0.03, 0.7, dampening=0.4, velocity="raw"),
    "nesterov": Nesterov(0.015, 0.7),
    "nesterov raw": Nesterov(0.015, 0.7, velocity="raw"),
    "rewritten": Nesterov(0.015, 0.7, form="rewritten"),
    "rewritten raw": Nesterov(0.015, 0.7, velocity="raw", form="rewritten"),
}


def of(result: Result, label: str = "rule") -> Any:
    return result.metrics["optimizers"][label]["theory"]


def radius(rule: Any, curvature: float) -> float:
    """The largest root z of what a rule's x_k = zᵏ must solve on ½ λ x²."""
    rate, keep = rule.learning_rate * curvature, getattr(rule, "momentum", 0.0)
    if isinstance(rule, Nesterov):
        roots = np.roots([1, -(1 + keep) * (1 - rate), keep * (1 - rate)])
    else:
        rate *= 1 - getattr(rule, "dampening", 0.0)
        roots = np.roots([1, -(1 + keep - rate), keep])
    return float(np.abs(roots).max())


# --- Rates on quadratics -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quadratic(run: Run) -> Result:
    """Eigenvalues 1, 50^⅓, 50^⅔, 50; all fast modes have died away in the second half of the steps."""
    objective = Quadratic(4, 50.0)
    return run(objective=objective, optimizers=RULES, starts=Starts(own=8), steps=1200, record=EVEN)


@pytest.mark.parametrize("label", RULES)
def test_predicted_and_fitted_rate_on_a_quadratic(quadratic: Result, label: str) -> None:
    """Within 1 % in the number of steps, as `gap` says: |ln fitted − ln predicted| / |ln predicted|."""
    found, rule = of(quadratic, label), RULES[label]
    expected = max(radius(rule, curvature) for curvature in Quadratic(4, 50.0).eigenvalues())
    # no double root is near: the roots are as exact as their coefficients
    assert found["predicted_rate"] == pytest.approx(expected, rel=1e-12)
    assert found["gap"] < 0.01
    logs = math.log(found["fitted_rate"]), math.log(found["predicted_rate"])
    assert found["gap"] == pytest.approx(abs(logs[0] - logs[1]) / abs(logs[1]), rel=1e-6, abs=1e-12)
    assert found["note"] == ""


@pytest.mark.parametrize("label", RULES)
def test_the_rate_against_the_fall_of_the_values(quadratic: Result, label: str) -> None:
    """f falls by ρ² a step, from 1e-6 to 1e-150 or near its end; the fit is in the second half of that.

    A median may stand up to a hundredfold below the envelope of its swings, which is 1.4 % of ln 1e-144.
    """
    steps, rate = quadratic.arrays["evaluations"], of(quadratic, label)["fitted_rate"]
    middle = np.median(quadratic.arrays[f"{label}.value"], axis=1)
    first, last = (int(np.argmax(middle < level)) for level in (1e-6, max(1e-150, 10 * middle[-1])))
    slope = math.log(middle[last] / middle[first]) / (2 * (steps[last] - steps[first]))
    assert math.log(rate) == pytest.approx(slope, rel=0.02)


@pytest.mark.parametrize("label", ["descent", "momentum", "rewritten"])
def test_the_drawn_line_falls_by_the_predicted_rate_through_the_values(quadratic: Result, label: str) -> None:
    steps, line = quadratic.arrays["evaluations"], quadratic.arrays[f"{label}.theory"]
    middle = np.median(quadratic.arrays[f"{label}.value"], axis=1)
    drawn = np.isfinite(line)
    slopes = np.diff(np.log(line[drawn])) / np.diff(steps[drawn])
    np.testing.assert_allclose(slopes, 2 * math.log(of(quadratic, label)["predicted_rate"]), rtol=1e-9)
    assert (np.abs(line / middle - 1)[drawn] < 1e-12).any()  # it goes through a median
    if label == "descent":  # which does not swing: near the values from there on
        late = drawn & (steps > steps[drawn][-1] / 2)
        np.testing.assert_allclose(line[late], middle[late], rtol=0.01)


def test_the_best_rates_of_a_quadratic(run: Run) -> None:
    """(κ−1)/(κ+1) and (√κ−1)/(√κ+1) with κ = 9 (Polyak 1964); a double root is known to √ε."""
    rules = {"descent": GradientDescent(0.2), "momentum": Momentum(0.25, 0.25)}
    found = run(objective=Quadratic(3, 9.0), optimizers=rules, starts=Starts(own=3), steps=50)
    assert of(found, "descent")["predicted_rate"] == pytest.approx(0.8, rel=1e-13)
    assert of(found, "momentum")["predicted_rate"] == pytest.approx(0.5, abs=1e-7)


def test_least_squares_has_the_rate_of_its_covariance(run: Run) -> None:
    """The Hessian is XᵀX/n, with a column of ones for the bias in X."""
    objective = LeastSquares(data=Teacher(samples=60, features=3, noise=0.5))
    result = run(objective=objective, optimizers={"rule": GradientDescent(0.4)}, starts=Starts(own=4))
    prepared = objective.prepare(Streams(1))
    assert isinstance(prepared, LeastSquares)
    features = prepared.split.train.features
    x = np.column_stack([features, np.ones(len(features))])
    eigenvalues = np.linalg.eigvalsh(x.T @ x / len(x))
    assert of(result)["predicted_rate"] == pytest.approx(np.abs(1 - 0.4 * eigenvalues).max(), rel=1e-12)
    assert of(result)["stability_limit"] == pytest.approx(2 / eigenvalues[-1], rel=1e-12)
    assert of(result)["gap"] < 0.05  # the loss at the minimum is not 0, and rounding hides the last steps


# --- Other objectives with a Hessian -----------------------------------------------------------------------


def numeric_hessian(objective: Objective, point: Floats) -> Floats:
    """Central differences of the gradient, good to about 1e-9 of it."""
    step = 1e-5
    sides = (point[:, None] + sign * step * np.eye(len(point)) for sign in (1, -1))
    plus, minus = (objective.gradient(side) for side in sides)
    return np.asarray((plus - minus) / (2 * step))


@pytest.mark.parametrize(
    ("objective", "near", "steps"),
    [
        (Rosenbrock(2), (1.0, 1.0), 20_000),
        (Booth(), (1.0, 3.0), 300),
        (Himmelblau(), (3.0, 2.0), 150),
        (Matyas(), (0.0, 0.0), 1000),
        (ThreeHumpCamel(), (0.0, 0.0), 200),
        (Beale(), (3.0, 0.5), 3000),
        (Branin(), (math.pi, 2.275), 60),
        (StyblinskiTang(2), (-2.9035340277711, -2.9035340277711), 60),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("momentum", [0.0, 0.25])
def test_the_rate_at_the_minimum_of_other_objectives(
    run: Run, objective: Objective, near: tuple[float, float], steps: int, momentum: float
) -> None:
    """At learning rates that leave one mode, the slow one, without a swing: it is fitted in few steps."""
    slow, fast = np.linalg.eigvalsh(numeric_hessian(objective, np.array(near)))
    rule = Momentum(min(1.6 / (slow + fast), (1 - math.sqrt(momentum)) ** 2 / (4 * slow)), momentum)
    low, high = (tuple(x + shift for x in near) for shift in (-0.01, 0.01))
    starts = Starts(uniform=UniformStarts(low, high, 5))
    result = run(objective=objective, optimizers={"rule": rule}, starts=starts, steps=steps, record=EVEN)
    found = of(result)
    assert found["predicted_rate"] == pytest.approx(max(radius(rule, slow), radius(rule, fast)), rel=1e-7)
    assert found["gap"] < 0.01
    assert found["stability_limit"] == pytest.approx(rule.stability_limit(fast), rel=1e-7)


def test_of_several_minima_the_one_that_most_runs_end_next_to(run: Run) -> None:
    """Himmelblau's four have other curvatures; one run goes to (3, 2), two to (−2.8, 3.1)."""
    points = ((3.1, 2.1), (-2.7, 3.0), (-2.9, 3.2))
    result = run(
        objective=Himmelblau(), optimizers={"rule": GradientDescent(0.01)}, starts=Starts(points), record=EVEN
    )
    there = np.array([-2.805118086952745, 3.131312518250573])
    curvatures = np.linalg.eigvalsh(numeric_hessian(Himmelblau(), there))
    assert of(result)["stability_limit"] == pytest.approx(2 / curvatures[1], rel=1e-7)
    assert of(result)["predicted_rate"] == pytest.approx(np.abs(1 - 0.01 * curvatures).max(), rel=1e-7)
    assert of(result)["gap"] < 0.01


# --- The stability limit -----------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    st.sampled_from([label for label in RULES if label != "descent"]) | st.just("descent"),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.floats(1e-3, 1e3),
)
def test_just_below_the_limit_runs_converge_and_just_above_they_do_not(
    run: Run, label: str, momentum: float, dampening: float, curvature: float
) -> None:
    """At 0.99 and 1.01 of it. The slowest case, gradient descent, takes factors of −0.98 and −1.02 a step.

    1500 steps make f 1e-26 and 1e25 times as large.
    """
    rule = RULES[label]
    if label != "descent":
        rule = replaced(rule, momentum=momentum)
    if "damped" in label:
        rule = replaced(rule, dampening=dampening)
    limit = rule.stability_limit(curvature)
    assert limit is not None
    rules = {
        "below": replaced(rule, learning_rate=0.99 * limit),
        "above": replaced(rule, learning_rate=1.01 * limit),
    }
    objective = ExpressionObjective(f"{curvature / 2!r} * x**2", ("x",), minimizer=(0.0,))
    result = run(objective=objective, optimizers=rules, starts=Starts(points=((1.0,),)), steps=1500)
    start = curvature / 2
    assert result.arrays["below.value"][-1, 0] < 1e-9 * start
    assert result.arrays["above.value"][-1, 0] > 1e9 * start
    for name in rules:
        assert of(result, name)["stability_limit"] == pytest.approx(limit, rel=1e-12)
    assert of(result, "below")["predicted_rate"] < 1 < of(result, "above")["predicted_rate"]
    assert of(result, "above")["note"] == "does not converge: the learning rate is not below the limit"


# --- Fitted rates ------------------------------------------------------------------------------------------


def geometric(rate: float, steps: Integers) -> Floats:
    """f − f* where the distance shrinks by a rate."""
    return np.asarray(rate ** (2.0 * steps), dtype=np.float64)


@given(
    st.floats(0.5, 0.999),
    st.floats(1e-3, 1e3),
    st.integers(30, 300),
    st.sampled_from(("linear", "log", "every")),
)
def test_a_geometric_sequence_has_its_own_rate(rate: float, first: float, last: int, spacing: Any) -> None:
    """Exact but for the rounding of logarithms up to 400 in size, over 15 steps at least."""
    steps = Record(spacing=spacing, count=100).steps(last)
    fit = fitted_rate(steps, first * geometric(rate, steps), 0.0)
    assert fit is not None
    assert fit[0] == pytest.approx(rate, rel=1e-12)
    assert fit[1] == pytest.approx(0, abs=1e-9)


@given(st.floats(0.5, 0.9), st.integers(40, 200))
def test_what_is_not_above_the_floor_does_not_count(rate: float, end: int) -> None:
    steps = np.arange(2 * end)
    values = geometric(rate, steps)
    floor = float(values[end])
    values[end:] = floor * np.random.default_rng(end).random(end)
    fit = fitted_rate(steps, values, floor)
    assert fit is not None
    assert fit[0] == pytest.approx(rate, rel=1e-12)


def test_the_fit_is_of_the_second_half_and_tells_a_change_of_rate() -> None:
    steps = np.arange(101)
    early = np.where(steps < 50, geometric(0.8, steps), 0.8**100 * geometric(0.9, steps - 50))
    assert fitted_rate(steps, early, 0.0) == pytest.approx((0.9, 0.0), rel=1e-12, abs=1e-9)
    late = np.where(steps < 75, geometric(0.8, steps), 0.8**150 * geometric(0.9, steps - 75))
    fit = fitted_rate(steps, late, 0.0)
    assert fit is not None
    assert 0.8 < fit[0] < 0.9
    slopes = np.log([0.8, 0.9])  # of the two halves; relative to twice that of the whole
    assert fit[1] == pytest.approx(abs(slopes[0] - slopes[1]) / abs(2 * math.log(fit[0])), rel=0.01)


def test_too_few_steps_have_no_rate() -> None:
    steps = np.arange(100)
    values = geometric(0.9, steps)
    assert fitted_rate(steps, values, 2.0) is None  # nothing above the floor
    assert fitted_rate(steps, values, float(values[18])) is None  # the second half of 0 … 17: 9 to 17
    assert fitted_rate(steps, values, float(values[19])) is not None  # of 0 … 18: 9 to 18
    assert fitted_rate(steps, np.ones(100), 0.0) == (1, 0)

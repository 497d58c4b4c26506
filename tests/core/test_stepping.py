from dataclasses import fields, replace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core import stepping
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import Analytic, GradientMethod
from dnnexp.core.objectives import Objective, Quadratic, Rosenbrock, Valley
from dnnexp.core.optimizers import AdaGrad, Adam, GradientDescent, Optimizer, stack
from dnnexp.core.stepping import Recording, Trajectory, descend, recorded_steps, steady

VALLEY = Valley()
START = np.array([[-80.0, 3.0, 50.0], [60.0, -4.0, 0.0]])
SPACINGS: tuple[Literal["linear", "log", "every"], ...] = ("linear", "log", "every")


def every(steps: int, thresholds: tuple[float, ...] = ()) -> Recording:
    """A recording of every step with its point."""
    return Recording(np.arange(steps + 1), np.array(thresholds), keep_points=True)


def on_the_valley(rule: Optimizer, recording: Recording, start: Floats = START) -> Trajectory:
    return descend(rule, VALLEY.value, steady(VALLEY.gradient), start, recording)


def points(trajectory: Trajectory) -> Floats:
    assert trajectory.point is not None
    return trajectory.point


# --- Recording schedules -----------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.sampled_from(("linear", "log")), st.integers(2, 500))
def test_a_schedule_ascends_from_0_to_the_last_step(
    steps: int, spacing: Literal["linear", "log"], count: int
) -> None:
    recorded = recorded_steps(steps, spacing, count)
    assert recorded.dtype == np.int64
    assert recorded[0] == 0
    assert recorded[-1] == steps
    assert (np.diff(recorded) > 0).all()
    assert len(recorded) <= count + 1


@given(st.integers(0, 1000), st.integers(2, 500))
def test_every_step(steps: int, count: int) -> None:
    assert recorded_steps(steps, "every", count).tolist() == list(range(steps + 1))


@given(st.integers(0, 400), st.sampled_from(SPACINGS))
def test_a_count_that_suffices_records_every_step(
    steps: int, spacing: Literal["linear", "log", "every"]
) -> None:
    assert recorded_steps(steps, spacing, steps + 1).tolist() == list(range(steps + 1))


@given(st.integers(10, 10**9), st.integers(2, 500))
def test_linear_steps_are_even_to_rounding(steps: int, count: int) -> None:
    recorded = recorded_steps(steps, "linear", count)
    if count <= steps:
        assert len(recorded) == count
        assert np.ptp(np.diff(recorded)) <= 2  # two roundings, half a step each, at both ends


@given(st.integers(1000, 10**9), st.integers(3, 500))
def test_logarithmic_steps_have_equal_ratios_to_rounding(steps: int, count: int) -> None:
    """Where the ratio moves by more than rounding does; below, whole steps leave no choice."""
    recorded = recorded_steps(steps, "log", count)
    assert recorded[1] == 1
    ratio = steps ** (1 / (count - 2))
    inner = recorded[1:]
    large = inner[:-1] > 2 / (ratio - 1) if ratio > 1 else inner[:-1] < 0
    found = (inner[1:] / inner[:-1])[large]
    slack = 1 / inner[:-1][large]
    assert (np.abs(found / ratio - 1) <= slack).all()


def test_recorded_values_and_points_are_those_of_their_steps() -> None:
    whole = on_the_valley(Adam(0.1), every(500))
    for spacing in SPACINGS:
        steps = recorded_steps(500, spacing, 17)
        sparse = on_the_valley(Adam(0.1), Recording(steps, np.array([]), keep_points=True))
        np.testing.assert_array_equal(sparse.value, whole.value[steps])
        np.testing.assert_array_equal(points(sparse), points(whole)[steps])
        np.testing.assert_array_equal(sparse.final, points(whole)[-1])


def test_points_are_kept_where_asked_for_only() -> None:
    assert on_the_valley(Adam(), Recording(np.array([0, 5]), np.array([]), keep_points=False)).point is None


def test_a_trajectory_is_what_the_rule_does_by_hand() -> None:
    """x ← x − η (x/10, 2y), in a loop over single numbers."""
    trajectory = on_the_valley(GradientDescent(0.1), every(50))
    for run in range(START.shape[1]):
        x, y = START[:, run].tolist()
        for step in range(51):
            np.testing.assert_allclose(points(trajectory)[step, :, run], [x, y], rtol=1e-14)
            assert trajectory.value[step, run] == pytest.approx(x * x / 20 + y * y, rel=1e-13)
            x, y = x - 0.1 * x / 10, y - 0.1 * 2 * y
    assert (trajectory.diverged_step == -1).all()


# --- Thresholds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 64, 2**15])
def test_thresholds_are_reached_where_a_search_finds_them(
    optimizer: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the buffer: it must not lose a step at its edges."""
    monkeypatch.setattr(stepping, "_BUFFER_NUMBERS", size * START.size)
    rule = replace(optimizer, learning_rate=50 * optimizer.learning_rate)
    thresholds = (1e6, 1000.0, 7.2, 1e-3, -1.0)
    trajectory = on_the_valley(rule, every(300, thresholds))
    for threshold, reached in zip(thresholds, trajectory.reached_step, strict=True):
        for run in range(START.shape[1]):
            hits = [k for k, value in enumerate(trajectory.value[:, run]) if value <= threshold]
            assert reached[run] == (hits[0] if hits else -1)
    assert (trajectory.reached_step[0] == 0).all()  # reached by the start
    assert (trajectory.reached_step[-1] == -1).all()  # below the minimum


def test_a_threshold_is_reached_by_equality() -> None:
    start = np.array([[0.0], [2.0]])  # η = 1/4 halves y at every step: f = 4, 1, 1/4
    trajectory = on_the_valley(GradientDescent(0.25), every(4, (4.0, 1.0, 0.25)), start)
    assert trajectory.reached_step[:, 0].tolist() == [0, 1, 2]


# --- Divergence --------------------------------------------------------------------------------------------

TOO_FAST = 1.5
"""A learning rate that multiplies y by −2 at every step: f overflows after about 510 of them."""


def first_nonfinite(start: float) -> int:
    """The step at which y² overflows, by Python floats."""
    y, step = start, 0
    while np.isfinite(y) and y * y != float("inf"):
        y, step = -2 * y, step + 1
    return step


@pytest.mark.parametrize("size", [1, 100, 2**15])
def test_a_diverged_run_is_frozen_at_its_last_finite_point(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "_BUFFER_NUMBERS", size * START.size)
    trajectory = on_the_valley(GradientDescent(TOO_FAST), every(1200, (1.0,)))
    expected = [first_nonfinite(60.0), first_nonfinite(-4.0), -1]  # the third starts at y = 0
    assert trajectory.diverged_step.tolist() == expected
    for run, step in enumerate(expected[:2]):
        assert np.isfinite(trajectory.value[:step, run]).all()
        assert (trajectory.value[step:, run] == np.inf).all()
        assert np.isfinite(points(trajectory)[:, :, run]).all()
        held = points(trajectory)[step - 1, :, run]
        assert held[1] == START[1, run] * (-2.0) ** (step - 1)
        assert (points(trajectory)[step:, :, run] == held).all()
        np.testing.assert_array_equal(trajectory.final[:, run], held)


def test_a_diverging_neighbour_changes_no_bit(optimizer: Optimizer) -> None:
    """The same runs without it have the same numbers before and after it has diverged."""
    beside = np.column_stack([START, [np.inf, 0.0], [1e200, 1e200]])
    with_it = on_the_valley(optimizer, every(300, (1e3, 1.0)), beside)
    assert (with_it.diverged_step[3:] == 0).all()
    assert_same(with_it.runs(slice(0, 3)), on_the_valley(optimizer, every(300, (1e3, 1.0))))


def assert_same(one: Trajectory, other: Trajectory) -> None:
    """Bit for bit."""
    for field in fields(Trajectory):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


def test_a_run_that_diverges_later_changes_no_bit() -> None:
    trajectory = on_the_valley(GradientDescent(TOO_FAST), every(1200))
    assert_same(
        trajectory.runs(slice(2, 3)), on_the_valley(GradientDescent(TOO_FAST), every(1200), START[:, 2:])
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_a_divergence(bad: float) -> None:
    """Even where the point is finite, and where the value alone would count as a success (−inf)."""

    def value(x: Floats) -> Floats:
        return np.where(x[0] < 1, bad, x[0])

    start = np.array([[3.5, 0.5]])
    trajectory = descend(GradientDescent(1.0), value, steady(np.ones_like), start, every(6, (2.0,)))
    assert trajectory.diverged_step.tolist() == [3, 0]
    np.testing.assert_array_equal(trajectory.value[:, 0], [3.5, 2.5, 1.5] + [np.inf] * 4)
    np.testing.assert_array_equal(points(trajectory)[:, 0, 0], [3.5, 2.5] + [1.5] * 5)
    assert (trajectory.value[:, 1] == np.inf).all()
    assert (points(trajectory)[:, 0, 1] == 0.5).all()
    assert trajectory.reached_step.tolist() == [[2, -1]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_start_that_is_not_finite(bad: float) -> None:
    """Guards: a start that must not be written to was written to."""
    start = np.array([[bad, 1.0], [0.0, 1.0]])
    start.flags.writeable = False
    trajectory = on_the_valley(GradientDescent(0.1), every(5), start)
    assert trajectory.diverged_step.tolist() == [0, -1]
    assert (trajectory.value[:, 0] == np.inf).all()
    np.testing.assert_array_equal(points(trajectory)[:, :, 0], np.tile([bad, 0.0], (6, 1)))
    assert (np.diff(trajectory.value[:, 1]) < 0).all()


def test_a_gradient_that_is_not_finite_is_a_divergence_of_its_step() -> None:
    def gradient(x: Floats) -> Floats:
        return np.where(x > 2, 1.0, np.nan)

    trajectory = descend(GradientDescent(1.0), VALLEY.value, steady(gradient), np.full((2, 1), 4.0), every(5))
    assert trajectory.diverged_step.tolist() == [3]
    np.testing.assert_array_equal(trajectory.final, [[2.0], [2.0]])


def test_stepping_stops_when_every_run_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A billion steps of nothing are not taken, and what was asked for is there all the same."""
    monkeypatch.setattr(stepping, "_BUFFER_NUMBERS", 1000)
    steps = recorded_steps(10**9, "log", 50)
    recording = Recording(steps, np.array([1.0]), keep_points=True)
    trajectory = on_the_valley(GradientDescent(TOO_FAST), recording, START[:, :2])
    assert (trajectory.value[-1] == np.inf).all()
    np.testing.assert_array_equal(points(trajectory)[-1], trajectory.final)
    assert np.isfinite(trajectory.final).all()


# --- Independence of runs ----------------------------------------------------------------------------------


def test_runs_of_any_rule_are_the_same_alone_and_together_and_stacked(optimizer: Any) -> None:
    for objective in (Quadratic(10), Rosenbrock(3)):
        check_independence(optimizer, objective, Analytic())


def test_runs_on_any_objective_are_the_same_alone_and_together_and_stacked(
    objective: Objective, gradient: GradientMethod
) -> None:
    """Guards: in ten dimensions, sums over coordinates of a single run took another order."""
    for rule in (Adam(0.1), AdaGrad(0.1, accumulator="norm")):
        check_independence(rule, objective, gradient)


def check_independence(optimizer: Any, objective: Objective, gradient: GradientMethod) -> None:
    """Bit for bit."""
    steps, runs = 40, 4
    start = uniform_starts(objective, runs)
    thresholds = (1e3, 1.0)

    def run(rule: Optimizer, start: Floats) -> Trajectory:
        return descend(rule, objective.value, steady(gradient.of(objective)), start, every(steps, thresholds))

    together = run(optimizer, start)
    for k in range(runs):
        assert_same(run(optimizer, start[:, k : k + 1].copy()), together.runs(slice(k, k + 1)))
    numbers = {f.name: getattr(optimizer, f.name) for f in fields(optimizer)}
    other = replace(optimizer, **{n: 0.9 * v for n, v in numbers.items() if isinstance(v, float)})
    for count in (1, runs):
        stacked = run(stack([other, optimizer], count), np.tile(start[:, :count], 2))
        assert_same(stacked.runs(slice(count, 2 * count)), together.runs(slice(0, count)))


def uniform_starts(objective: Objective, runs: int) -> Floats:
    domain = objective.domain()
    assert domain is not None
    low, high = domain
    return np.random.default_rng(0).uniform(low[:, None], high[:, None], (objective.dimension, runs))


@pytest.mark.parametrize("size", [1, 3, 2**15])
def test_the_buffer_is_of_no_consequence(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = Quadratic(10)
    start = uniform_starts(objective, 1)
    expected = descend(Adam(0.1), objective.value, steady(objective.gradient), start, every(40, (10.0,)))
    monkeypatch.setattr(stepping, "_BUFFER_NUMBERS", size * start.size)
    assert_same(
        descend(Adam(0.1), objective.value, steady(objective.gradient), start, every(40, (10.0,))), expected
    )


# --- The observer, and what is left alone ------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 2**15])
@pytest.mark.parametrize("steps", [0, 1, 50])
def test_the_observer_sees_every_step_once(steps: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "_BUFFER_NUMBERS", size * START.size)
    seen: list[int] = []
    rows: list[Floats] = []
    columns: list[Floats] = []

    def observe(first: int, points: Floats, values: Floats) -> None:
        assert points.shape == (2, len(values), 3)
        seen.extend(range(first, first + len(values)))
        rows.append(values.copy())
        columns.append(points.transpose(1, 0, 2).copy())

    recording = every(steps)
    trajectory = descend(Adam(0.1), VALLEY.value, steady(VALLEY.gradient), START, recording, observe)
    assert seen == list(range(steps + 1))
    np.testing.assert_array_equal(np.concatenate(rows), trajectory.value)
    np.testing.assert_array_equal(np.concatenate(columns), points(trajectory))


def test_the_observer_sees_frozen_runs_at_their_last_finite_point() -> None:
    def observe(first: int, points: Floats, values: Floats) -> None:
        assert np.isfinite(points).all()
        assert not np.isnan(values).any()
        found.append(bool(np.isinf(values).any()))

    found: list[bool] = []
    descend(GradientDescent(TOO_FAST), VALLEY.value, steady(VALLEY.gradient), START, every(700), observe)
    assert any(found)


def test_no_steps_leave_the_start() -> None:
    trajectory = on_the_valley(Adam(), every(0, (10.0,)))
    np.testing.assert_array_equal(trajectory.final, START)
    np.testing.assert_array_equal(points(trajectory), START[None])
    np.testing.assert_array_equal(trajectory.value, VALLEY.value(START)[None])
    assert trajectory.reached_step.tolist() == [[-1, -1, -1]]


def test_the_start_is_not_changed_and_not_handed_out(optimizer: Optimizer) -> None:
    start = START.copy()
    trajectory = on_the_valley(optimizer, every(20), start)
    np.testing.assert_array_equal(start, START)
    assert not np.shares_memory(trajectory.final, start)
    assert not np.shares_memory(on_the_valley(optimizer, every(0), start).final, start)


def test_runs_of_a_trajectory() -> None:
    trajectory = on_the_valley(Adam(0.1), every(5, (1.0, 1e3)))
    part = trajectory.runs(slice(1, 3))
    assert part.value.shape == (6, 2)
    assert points(part).shape == (6, 2, 2)
    assert part.final.shape == (2, 2)
    assert part.reached_step.shape == (2, 2)
    assert part.diverged_step.shape == (2,)
    np.testing.assert_array_equal(part.final, trajectory.final[:, 1:])
    sparse = on_the_valley(Adam(), Recording(np.array([0, 5]), np.array([]), keep_points=False))
    assert sparse.runs(slice(0, 1)).point is None

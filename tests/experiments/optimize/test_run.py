"""The run of `optimize`: the reference experiment, its arrays, determinism, and what is told on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dnnexp.config.expectations import judge
from dnnexp.config.load import load
from dnnexp.config.shipped import reference
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.objectives import Booth, LogisticRegression, NetworkTraining, Quadratic, Rosenbrock, Valley
from dnnexp.core.optimizers import Adam, GradientDescent, stacking_key
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Line, Result, RunContext, Work
from dnnexp.experiments.optimize.config import Noise, OptimizeConfig, Record
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.tuning import Tune, TuningRange
from dnnexp.registry import Problem, check

optimize = find("optimize")

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
RULES = {"slow": GradientDescent(0.01), "adam": Adam(0.1), "fast": GradientDescent(0.4)}
TUNE = Tune((TuningRange("learning_rate", 1e-3, 1.0),), trials=4, starts=2, method="random")


# --- The reference experiment ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result() -> Result:
    config = load("optimize", reference("optimize"))
    return optimize.run(config, RunContext(Streams(config.seed)))


def test_the_claims_of_the_reference_hold(result: Result) -> None:
    outcomes = judge(result.config.expect, result.metrics, skip=False)
    assert len(outcomes) == 6
    assert [o["claim"] for o in outcomes if o["outcome"] != "holds"] == []


def test_the_first_start_is_the_given_point(result: Result) -> None:
    assert result.arrays["start"].shape == (2, 64)
    assert result.arrays["start"][:, 0].tolist() == [-80, 60]
    assert np.all(np.abs(result.arrays["start"]) <= 100)


def test_arrays_have_the_documented_shapes(result: Result) -> None:
    steps = result.arrays["evaluations"]
    count = len(steps)
    assert (steps[0], steps[-1]) == (0, 20_000)
    for label in result.metrics["optimizers"]:
        assert result.arrays[f"{label}.value"].shape == (count, 64)
        assert result.arrays[f"{label}.final"].shape == (2, 64)
        assert result.arrays[f"{label}.diverged_step"].shape == (64,)
        assert result.arrays[f"{label}.reached_step"].shape == (3, 64)
        assert result.arrays[f"{label}.point"].shape == (count, 2, 64)
        assert result.arrays[f"{label}.theory"].shape == (count,)


def test_gradient_descent_of_the_reference_in_closed_form(result: Result) -> None:
    """On f = x²/20 + y², x shrinks by 1 − η/10 a step, and y by 1 − 2η; 20,000 steps are rounded."""
    steps, start = result.arrays["evaluations"], result.arrays["start"]
    factors = np.stack([(1 - 1e-4) ** steps, (1 - 2e-3) ** steps], axis=1)  # (K, 2)
    expected = factors[:, :, None] * start
    np.testing.assert_allclose(result.arrays["gradient_descent.point"], expected, rtol=1e-11)


# --- Determinism -------------------------------------------------------------------------------------------

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "noise": {"noise": Noise(0.1)},
    "tuned": {"tune": TUNE, "noise": Noise(0.1)},
    "suite": {"objectives": {"a": Valley(), "b": Booth(instance=1)}, "tune": TUNE},
    "network": {
        "objective": NetworkTraining(data=Moons(samples=30), hidden=(3,), batch=7),
        "starts": Starts(own=3),
        "tune": TUNE,
    },
    "logistic": {"objective": LogisticRegression(data=Moons(samples=30)), "starts": Starts(own=3)},
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_config_and_seed_give_the_same_metrics_to_the_byte(
    configure: Configure, run: Run, name: str
) -> None:
    config = configure(optimizers=RULES, steps=40, **CASES[name])
    first, second = run(config), run(config)
    assert json.dumps(first.metrics) == json.dumps(second.metrics)
    assert list(first.arrays) == list(second.arrays)
    for key, value in first.arrays.items():
        assert np.array_equal(value, second.arrays[key], equal_nan=True), key
    assert json.dumps(run(config, seed=2).metrics) != json.dumps(first.metrics)


# --- What is kept ------------------------------------------------------------------------------------------


def test_points_are_kept_in_two_dimensions_unless_said_otherwise(run: Run) -> None:
    def keys(**changes: Any) -> set[str]:
        return set(run(steps=5, **changes).arrays)

    assert "descent.point" in keys()
    assert "descent.point" not in keys(record=Record(points=False))
    assert "descent.point" not in keys(objective=Rosenbrock(3))
    assert "descent.point" in keys(objective=Quadratic(3), record=Record(points=True))


def test_the_landscape_is_of_functions_of_two_variables(run: Run) -> None:
    arrays = run(objective=Booth(), steps=5).arrays
    x, y = np.meshgrid(arrays["_landscape.x"], arrays["_landscape.y"])
    assert np.array_equal(arrays["_landscape.value"], Booth().value(np.stack([x, y])))
    assert arrays["_landscape.x"][0] < 1 < arrays["_landscape.x"][-1]  # the minimizer is (1, 3)
    assert arrays["_landscape.y"][0] < 3 < arrays["_landscape.y"][-1]
    for axis, row in zip(("x", "y"), arrays["start"], strict=True):
        assert arrays[f"_overview.{axis}"][0] <= row.min()
        assert arrays[f"_overview.{axis}"][-1] >= row.max()
    assert "_landscape.value" not in run(objective=Quadratic(3), steps=5).arrays


def test_training_curves_stand_beside_the_values(configure: Configure, run: Run) -> None:
    """Of the loss without penalty, the training curve is the value; the accuracy is a share of rows."""
    result = run(configure(optimizers=RULES, steps=40, **CASES["network"]))
    kept = len(result.arrays["evaluations"])
    for label in RULES:
        assert np.array_equal(result.arrays[f"{label}.train_loss"], result.arrays[f"{label}.value"])
        for part, rows in (("train", 24), ("validation", 6)):
            accuracy = result.arrays[f"{label}.{part}_accuracy"]
            assert accuracy.shape == result.arrays[f"{label}.{part}_loss"].shape == (kept, 3)
            np.testing.assert_allclose(accuracy * rows, np.rint(accuracy * rows), atol=1e-12)


# --- What is told ------------------------------------------------------------------------------------------


def test_trace_and_progress(configure: Configure) -> None:
    seen: list[Any] = []
    optimize.run(configure(steps=250, optimizers=RULES), RunContext(Streams(0), seen.append, trace=100))
    lines = [event.text for event in seen if isinstance(event, Line)]
    adam = [line for line in lines if line.startswith("adam:")]
    assert len(lines) == 3 * 4
    assert [line.split(",")[0] for line in adam] == [f"adam: step {n}" for n in (0, 100, 200, 250)]
    assert ", f = " in adam[0]
    work = [event for event in seen if isinstance(event, Work)]
    assert work[-1] == Work("steps", 750, 750, "adam")
    assert [event.done for event in work] == sorted(event.done for event in work)


def test_asking_for_more_changes_no_number(configure: Configure, run: Run) -> None:
    config = configure(optimizers=RULES, noise=Noise(0.1), tune=TUNE)
    told = optimize.run(config, RunContext(Streams(1), lambda event: None, trace=1))
    assert told.metrics == run(config).metrics


# --- Rules of a user's own ---------------------------------------------------------------------------------


def test_rules_with_an_optional_number_or_a_check_are_stacked_too(run: Run) -> None:
    """`None` beside a number became an object array; the check of a class met arrays."""

    @dataclass(frozen=True)
    class Clipped(GradientDescent):
        """Gradient descent, perhaps clipped."""

        clip: float | None = None

        @check("learning_rate")
        @staticmethod
        def small(learning_rate: float) -> Iterator[Problem]:
            """A rule that an array would not survive."""
            if learning_rate > 1:
                yield ("learning_rate",), "is too large"

    Clipped.name = "clipped"
    rules = {"a": Clipped(0.1), "b": Clipped(0.2), "c": Clipped(0.1, clip=1.0)}
    assert stacking_key(rules["a"]) == stacking_key(rules["b"]) != stacking_key(rules["c"])
    found = run(optimizers=rules).metrics["optimizers"]
    assert found["a"]["final_value"] == found["c"]["final_value"] != found["b"]["final_value"]


@pytest.mark.parametrize(
    ("starts", "rate", "steps"),
    [
        (((0.0, 0.0),), 1e308, 3),  # an iteration matrix of infinite entries
        (((1e300, 1e300), (-1e300, 1.0)), 0.1, 20),
        (((1e160, 0.0), (1.0, 1.0)), 0.1, 20),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_ends_of_what_a_config_admits(
    run: Run, starts: Any, rate: float, steps: int, noise: float
) -> None:
    """They used to end in errors of numpy, or in its warnings."""
    result = run(
        starts=Starts(points=starts),
        optimizers={"descent": GradientDescent(rate)},
        steps=steps,
        noise=Noise(noise),
    )
    for name in ("_landscape", "_overview"):
        for axis in "xy":
            grid = result.arrays[f"{name}.{axis}"]
            assert np.isfinite(grid).all()
            assert (np.diff(grid) > 0).all()

"""Means on quadratics under noise and schedules, beside those of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.data.synthetic import Teacher
from dnnexp.core.objectives import Booth, Ellipsoid, ExpressionObjective, LeastSquares, Objective, Quadratic
from dnnexp.core.optimizers import GradientDescent, Momentum, Nesterov
from dnnexp.core.schedules import Cosine, InverseTime
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Noise
from dnnexp.experiments.optimize.starts import Starts

Run = Callable[..., Result]
RULES = {
    "descent": GradientDescent(0.02),
    "fading": GradientDescent(0.05, schedule=InverseTime(0.1)),
    "ball": Momentum(0.01, 0.8),
    "nesterov": Nesterov(0.01, 0.8, schedule=Cosine()),
}
OBJECTIVES: list[Objective] = [
    Quadratic(5, 10.0),
    Quadratic(5, 10.0, instance=3),
    Booth(),
    ExpressionObjective("x**2/20 + y**2 + 3", ("x", "y"), minimizer=(0.0, 0.0)),
    LeastSquares(data=Teacher(samples=30, features=3)),
]


def noisy(run: Run, objective: Objective, std: float, **changes: Any) -> Result:
    d = objective.dimension
    starts = Starts(points=tuple(tuple(float(i + k % 3) for i in range(d)) for k in range(400)))
    settings = {"noise": Noise(std), "starts": starts, "optimizers": RULES, "steps": 200}
    return run(**settings | {"objective": objective} | changes)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_predicted_means_are_those_of_the_runs(run: Run, objective: Objective) -> None:
    """Within 5 standard errors, which all 20 pass but for one chance in 80 000."""
    result = noisy(run, objective, 0.7)
    for label in RULES:
        found = result.metrics["optimizers"][label]["theory"]
        values = result.arrays[f"{label}.value"][-1] - (result.metrics["minimum"] or 0.0)
        assert found["measured_mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert found["standard_error"] == pytest.approx(values.std(ddof=1) / 20, rel=1e-12)
        assert abs(found["predicted_mean"] - found["measured_mean"]) < 5 * found["standard_error"]
        assert found["note"] == ""


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_a_schedule_without_noise_is_predicted_to_rounding(run: Run, objective: Objective) -> None:
    """The mean of the runs at every recorded step; f* = 3 of a formula has its rounding in f − f*."""
    result = noisy(run, objective, 0.0)
    for label in ("fading", "nesterov"):
        mean = (result.arrays[f"{label}.value"] - (result.metrics["minimum"] or 0.0)).mean(axis=1)
        np.testing.assert_allclose(result.arrays[f"{label}.theory"], mean, rtol=1e-8, atol=1e-13)


def test_without_noise_and_schedule_there_is_a_rate_instead(run: Run) -> None:
    found = noisy(run, Quadratic(5, 10.0), 0.0).metrics["optimizers"]["descent"]["theory"]
    assert found["predicted_mean"] is found["measured_mean"] is None
    assert found["predicted_rate"] == pytest.approx(0.98, rel=1e-12)


def test_a_mean_that_overflows_though_a_run_rests(run: Run) -> None:
    """At the minimum it stays where it is; the other one gets away."""
    starts = Starts(points=((0.0, 0.0), (1.0, 1.0)))
    rule = {"descent": GradientDescent(10.0, schedule=InverseTime(1e-6))}
    result = noisy(run, Ellipsoid(2), 0.0, starts=starts, optimizers=rule, steps=60)
    found = result.metrics["optimizers"]["descent"]["theory"]
    assert found["note"] == "does not converge: the mean overflows"
    assert found["predicted_mean"] is found["measured_mean"] is None
    assert np.isnan(result.arrays["descent.theory"]).all()


def test_one_run_has_no_standard_error(run: Run) -> None:
    result = noisy(run, Quadratic(2), 0.5, starts=Starts(points=((1.0, 1.0),)))
    found = result.metrics["optimizers"]["descent"]["theory"]
    assert found["measured_mean"] is not None
    assert found["standard_error"] is None

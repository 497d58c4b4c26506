"""Where there is no theory, or only a part of it: what the note says, and that nothing else is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.data.synthetic import Moons, Teacher
from dnnexp.core.objectives import (
    ExpressionObjective,
    LeastSquares,
    NetworkTraining,
    Quadratic,
    Rastrigin,
    Rosenbrock,
    TestFunction,
)
from dnnexp.core.optimizers import (
    Adam,
    GradientDescent,
    Lion,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from dnnexp.core.schedules import Constant
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Noise
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.theory import OUTLINE
from dnnexp.registry import parts

Run = Callable[..., Result]
ONE = Starts(points=((1.0, 1.0),))
NUMBERS = ("predicted_rate", "fitted_rate", "gap", "stability_limit")


def theory(run: Run, rule: Optimizer | None = None, **changes: Any) -> tuple[Any, Any]:
    """The metrics and the curve of a rule."""
    defaults = {"optimizers": {"rule": rule or GradientDescent(0.1)}, "objective": Quadratic(2)}
    result = run(**defaults | changes)
    found = result.metrics["optimizers"]["rule"]["theory"]
    assert set(found) == set(OUTLINE)
    return found, result.arrays["rule.theory"]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"rule": Adam()}, "no linear theory of adam"),
        ({"rule": RMSprop()}, "no linear theory of rmsprop"),
        ({"rule": Lion()}, "no linear theory of lion"),
        (
            {"rule": GradientDescent(0.1, schedule=Constant(warmup=5)), "steps": 100_001, "starts": ONE},
            "no theory with a schedule beyond 100,000 steps",
        ),
        ({"rule": Momentum(0.1, weight_decay=0.1)}, "no theory with weight decay or clipping"),
        ({"rule": Momentum(0.1, clip_norm=1.0)}, "no theory with weight decay or clipping"),
        ({"rule": Nesterov(0.1, clip_value=1.0)}, "no theory with weight decay or clipping"),
        ({"noise": Noise(0.1), "steps": 100_001, "starts": ONE}, "no theory with noise beyond 100,000 steps"),
        (
            {
                "objective": LeastSquares(data=Teacher(samples=20, features=2), batch=5),
                "starts": Starts(own=2),
            },
            "no theory with mini-batches",
        ),
        (
            {
                "objective": NetworkTraining(data=Moons(samples=20), hidden=(2,), batch=None),
                "starts": Starts(own=2),
            },
            "no theory: the minimum is not known",
        ),
        (
            {"objective": ExpressionObjective("x**2 + y**2", ("x", "y"))},
            "no theory: the minimum is not known",
        ),
        ({"objective": Quadratic(201)}, "no theory above 200 dimensions"),
    ],
)
def test_where_there_is_none(run: Run, changes: Any, note: str) -> None:
    found, curve = theory(run, **{"steps": 30} | changes)
    assert found == dict.fromkeys(OUTLINE) | {"note": note}
    assert np.isnan(curve).all()


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_limit_is_told_where_every_run_diverged(run: Run, noise: float) -> None:
    """It used to be null just where it says why."""
    found, curve = theory(run, GradientDescent(3.0), steps=3000, noise=Noise(noise))
    told = {"stability_limit": pytest.approx(0.2, rel=1e-13), "note": "every run diverged"}
    assert found == dict.fromkeys(OUTLINE) | told
    assert np.isnan(curve).all()


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"rule": GradientDescent(1e-4, schedule=Constant(warmup=5))}, "no theory with a schedule"),
        ({"noise": Noise(0.1), "rule": GradientDescent(1e-4)}, "no theory with noise"),
    ],
)
def test_means_are_known_on_quadratics_only(run: Run, changes: Any, note: str) -> None:
    found, curve = theory(run, objective=Rosenbrock(2), **changes)
    assert found["note"] == f"{note}, except on quadratics"
    assert found["predicted_mean"] is found["predicted_rate"] is None
    assert np.isnan(curve).all()


def formula(text: str) -> ExpressionObjective:
    """Of x and y, with its minimum at the origin."""
    return ExpressionObjective(text, ("x", "y"), minimizer=(0.0, 0.0))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("(x + y)**2", 0.5),  # 2 / 4; the other eigenvalue is 0
        ("x**2 + y**4", 1.0),
        ("x**4 + y**4", None),
        ("0 * x * y", None),
        ("abs(x) + abs(y)", None),
        ("sqrt(x**2 + y**2)", None),
    ],
)
def test_a_singular_hessian_has_no_linear_rate(run: Run, text: str, limit: float | None) -> None:
    """Without any curvature, the limit was a division by zero, or made of rounding."""
    found, curve = theory(run, objective=formula(text), steps=50)
    note = "the Hessian at the minimum is singular: no linear rate"
    assert found["stability_limit"] == (limit if limit is None else pytest.approx(limit, rel=1e-12))
    assert [found[name] for name in NUMBERS[:3]] + [found["note"]] == [None, None, None, note]
    assert np.isnan(curve).all()


def test_a_hessian_that_does_not_exist(run: Run) -> None:
    """That of √x is infinite at 0."""
    starts = Starts(points=((1.0, 1.0),))
    found, _ = theory(run, objective=formula("sqrt(x) + y**2"), starts=starts, steps=5)
    assert found == dict.fromkeys(OUTLINE) | {"note": "no theory: no Hessian at the minimum"}


def test_a_rate_beyond_the_limit_before_the_runs_diverge(run: Run) -> None:
    """1 − 10 η = −1.5, whose part of the start is in every run."""
    found, curve = theory(run, GradientDescent(0.25), steps=30)
    assert found["predicted_rate"] == pytest.approx(1.5, rel=1e-13)
    assert found["stability_limit"] == pytest.approx(0.2, rel=1e-13)
    assert found["note"] == "does not converge: the learning rate is not below the limit"
    assert found["fitted_rate"] is found["gap"] is None
    assert np.isnan(curve).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": Rosenbrock(2), "rule": GradientDescent(1e-4), "starts": Starts(points=((-1.0, 1.0),))},
        {"objective": Rastrigin(2), "rule": GradientDescent(1e-3), "starts": Starts(points=((3.1, 2.9),))},
    ],
    ids=["far", "another minimum"],
)
def test_runs_that_did_not_get_near(run: Run, changes: Any) -> None:
    found, curve = theory(run, **changes)
    assert found["note"] == "not near the minimum yet, or in another one"
    assert None not in (found["predicted_rate"], found["stability_limit"])
    assert found["fitted_rate"] is found["gap"] is None
    assert np.isnan(curve).all()


def test_too_few_steps_to_fit_a_rate_to(run: Run) -> None:
    found, curve = theory(run, steps=12)
    assert found["note"] == "too few recorded steps above round-off to fit a rate"
    assert found["predicted_rate"] == pytest.approx(0.9, rel=1e-13)
    assert np.isfinite(curve).any()


def test_a_rate_that_still_changes(run: Run) -> None:
    """1 − η λ = 0.999 and 0.99: after 300 steps both modes are there."""
    found, _ = theory(run, GradientDescent(1e-3))
    assert found["note"] == "not asymptotic yet: the rate was still changing"
    assert 0.99 < found["fitted_rate"] < found["predicted_rate"] == pytest.approx(0.999, rel=1e-13)
    assert found["gap"] > 0.1


@pytest.mark.parametrize("rule", [GradientDescent(1.0), Momentum(1.0, 0.0)], ids=["descent", "ball"])
def test_faster_than_any_rate(run: Run, rule: Optimizer) -> None:
    """x ← −x³: no factor a step, and the line of rate 0 warned of a division by zero."""
    objective = ExpressionObjective("x**2 / 2 + x**4 / 4", ("x",), minimizer=(0.0,))
    found, _ = theory(run, rule, objective=objective, starts=Starts(points=((0.9,), (0.5,))))
    assert found["predicted_rate"] == 0
    assert found["gap"] is None
    assert found["stability_limit"] == 2


FUNCTIONS = [cls for cls in parts("objective").values() if issubclass(cls, TestFunction)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda cls: cls.name)
def test_every_test_function_has_theory_or_a_reason(run: Run, function: type[TestFunction]) -> None:
    """From anywhere in its domain, at learning rates that are much too small and much too large."""
    for rate in (1e-6, 1e-2, 10.0):
        found, _ = theory(run, Momentum(rate), objective=function(), starts=Starts(own=4))
        is_complete = None not in (found[name] for name in NUMBERS)
        assert is_complete or found["note"]

"""Suites: every objective by itself, and the optimizers over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.core.data.synthetic import Moons
from dnnexp.core.objectives import (
    Booth,
    Branin,
    Matyas,
    NetworkTraining,
    Objective,
    Quadratic,
    Rosenbrock,
    TestFunction,
    Valley,
)
from dnnexp.core.objectives.instance import Moved
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum, Optimizer
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Noise, OptimizeConfig
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.tuning import Tune, TuningRange

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
RULES: dict[str, Optimizer] = {
    "slow": GradientDescent(1e-3),
    "adam": Adam(0.1),
    "ball": Momentum(0.01),
    "wild": GradientDescent(50.0),
}
PLANAR: dict[str, Objective] = {"valley": Valley(), "booth": Booth(), "again": Valley(), "branin": Branin()}
TUNE = Tune((TuningRange("learning_rate", 1e-3, 1.0),), trials=4, starts=3)


def of_suite(configure: Configure, **changes: Any) -> OptimizeConfig:
    defaults = {"optimizers": RULES, "objectives": PLANAR, "starts": Starts(own=6), "steps": 100}
    return configure(**defaults | changes)


def same(one: Result, other: Result, label: str) -> bool:
    """Whether metrics and arrays of an objective are the same to the bit."""
    names = {name for name in one.arrays if name.startswith(f"{label}.")}
    assert names
    assert names == {name for name in other.arrays if name.startswith(f"{label}.")}
    return one.metrics["objectives"][label] == other.metrics["objectives"][label] and all(
        np.array_equal(one.arrays[name], other.arrays[name], equal_nan=True) for name in names
    )


# --- Each objective by itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"noise": Noise(0.1), "tune": TUNE}], ids=["plain", "noise, tuned"])
def test_other_objectives_change_nobodys_numbers(configure: Configure, run: Run, changes: Any) -> None:
    """Streams go by the objective's label."""
    config = of_suite(configure, **changes)
    whole = run(config)
    for entry in config.objectives:
        assert same(run(replace(config, objectives=(entry,))), whole, entry.label)
    assert same(run(replace(config, objectives=config.objectives[::-1])), whole, "booth")


def test_objectives_of_two_labels_have_starts_of_their_own(configure: Configure, run: Run) -> None:
    result = run(of_suite(configure, steps=1))
    assert not np.array_equal(result.arrays["valley.start"], result.arrays["again.start"])


def test_an_objective_of_a_suite_is_a_run_from_its_starts(configure: Configure, run: Run) -> None:
    """Without noise and tuning, only the drawn starts hang on the label: given as points, all is the same."""
    config = of_suite(configure)
    whole = run(config)
    for entry in config.objectives:
        points = tuple(map(tuple, whole.arrays[f"{entry.label}.start"].T.tolist()))
        alone = run(replace(config, objectives=(), objective=entry.item, starts=Starts(points=points)))
        assert alone.metrics == whole.metrics["objectives"][entry.label]
        for name, value in alone.arrays.items():
            of_whole = whole.arrays[name if name == "evaluations" else f"{entry.label}.{name}"]
            assert np.array_equal(value, of_whole, equal_nan=True), name


def test_a_network_beside_a_test_function(configure: Configure, run: Run) -> None:
    network = NetworkTraining(data=Moons(samples=30), hidden=(3,), batch=10)
    result = run(of_suite(configure, objectives={"network": network, "booth": Booth()}, steps=20))
    found = result.metrics["objectives"]
    assert {"train", "validation"} <= set(found["network"]["optimizers"]["adam"])
    assert not {"train", "validation"} & set(found["booth"]["optimizers"]["adam"])
    assert (found["network"]["minimum"], found["booth"]["minimum"]) == (None, 0)


# --- Over all of them --------------------------------------------------------------------------------------


def test_the_area_is_over_all_triples_of_objective_start_and_target(configure: Configure, run: Run) -> None:
    """∫ F d log₁₀ e over 1 … 100 evaluations e, of 4 objectives, 6 starts and 3 targets.

    F, constant between whole numbers, is the share reached; rounding is of a sum of 99 terms below 1.
    """
    result = run(of_suite(configure))
    for label in RULES:
        reached = np.array([result.arrays[f"{name}.{label}.reached_step"] for name in PLANAR])
        assert reached.shape == (4, 3, 6)
        area = sum(
            np.mean((reached >= 0) & (reached <= e)) * (math.log10(e + 1) - math.log10(e))
            for e in range(1, 100)
        )
        assert result.metrics["ecdf"][label] == pytest.approx(area / 2, abs=1e-13)
    assert 0 == result.metrics["ecdf"]["wild"] < max(result.metrics["ecdf"].values()) < 1


def test_ranking_is_by_area(configure: Configure, run: Run) -> None:
    result = run(of_suite(configure))
    areas = [result.metrics["ecdf"][label] for label in result.metrics["ranking"]]
    assert areas == sorted(areas, reverse=True)
    assert sorted(result.metrics["ranking"]) == sorted(RULES)
    twins = {"b": GradientDescent(0.1), "a": GradientDescent(0.1)}
    assert run(of_suite(configure, optimizers=twins)).metrics["ranking"] == ["b", "a"]  # as in the config


def test_the_area_of_tuned_optimizers_is_that_of_their_tuned_runs(configure: Configure, run: Run) -> None:
    result = run(of_suite(configure, tune=TUNE))
    best = result.metrics["objectives"]["booth"]["optimizers"]["ball"]
    tuned = run(of_suite(configure, objectives={"booth": Booth()}, tune=TUNE)).metrics
    assert best == tuned["objectives"]["booth"]["optimizers"]["ball"]
    rule = Momentum(best["tuning"]["best"]["learning_rate"])
    one = {"objectives": {"booth": Booth()}, "optimizers": {"ball": rule}}
    assert tuned["ecdf"]["ball"] == run(of_suite(configure, **one)).metrics["ecdf"]["ball"]


# --- Instances ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [Quadratic(3, 20.0), Matyas()], ids=lambda function: function.name)
def test_instances_of_a_quadratic_have_its_rate_and_their_own_minimizer(
    configure: Configure, run: Run, function: TestFunction
) -> None:
    """A rotation keeps the eigenvalues, a shift moves the minimum."""
    instances: dict[str, TestFunction] = {f"i{seed}": replace(function, instance=seed) for seed in (0, 1)}
    rule = GradientDescent(1.9 / 20)
    whole = run(
        of_suite(
            configure,
            objectives={"plain": function, **instances},
            optimizers={"rule": rule},
            starts=Starts(own=3),
            steps=1500,
        )
    )
    plain = whole.metrics["objectives"]["plain"]["optimizers"]["rule"]
    ends = []
    for label, instance in instances.items():
        found = whole.metrics["objectives"][label]["optimizers"]["rule"]
        for name in ("predicted_rate", "stability_limit"):
            # an eigenvalue of a matrix that was turned there and back is off by some 10 roundings
            assert found["theory"][name] == pytest.approx(plain["theory"][name], rel=1e-13)
        minimizers = instance.prepare(Streams(0)).minimizers()
        assert minimizers is not None
        # the slowest coordinate has shrunk by 0.9962^1500 or more, from a distance of at most 20
        np.testing.assert_allclose(found["best"]["point"], minimizers[:, 0], atol=0.1)
        ends.append(tuple(np.round(minimizers[:, 0], 3)))
    assert len({*ends, (0,) * function.dimension}) == 3


def test_gradient_descent_does_not_see_a_rotation_but_adam_does(run: Run) -> None:
    """From starts of an instance, and from where it evaluates the function for them."""
    function = Rosenbrock(2)
    instance = replace(function, instance=3)
    moved = instance.prepare(Streams(0))
    assert isinstance(moved, Moved)
    starts = np.array([[-0.5, 0.3, 1.4], [1.2, 0.9, 0.6]])
    rules = {"descent": GradientDescent(1e-3), "adam": Adam(0.01)}
    one, other = (
        run(objective=objective, optimizers=rules, starts=Starts(tuple(map(tuple, x.T.tolist()))), steps=200)
        for objective, x in ((instance, starts), (function, moved._original(starts)))
    )
    # both turn and round at every step; along the valley's floor errors do not grow
    np.testing.assert_allclose(one.arrays["descent.value"], other.arrays["descent.value"], rtol=1e-6)
    assert not np.allclose(one.arrays["adam.value"], other.arrays["adam.value"], rtol=1e-2)

"""The comparison of optimizers: its metrics against their definitions, its claims against a run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from dnnexp.config.expectations import judge
from dnnexp.config.load import load
from dnnexp.config.shipped import reference
from dnnexp.core.objectives import Quadratic, Rosenbrock
from dnnexp.core.optimizers import Adam, GradientDescent, stacking_key
from dnnexp.core.streams import Streams
from dnnexp.experiments import optimize
from dnnexp.experiments.base import Line, Request, Result, Work
from dnnexp.experiments.optimize.config import OptimizeConfig, Record
from dnnexp.experiments.optimize.starts import Starts, UniformStarts
from dnnexp.registry import Complaint, Labelled, check


@pytest.fixture(scope="module")
def result() -> Result:
    config = load("optimize", reference("optimize"))
    return optimize.run(config, Request(Streams(config.seed)))


def small(**changes: Any) -> OptimizeConfig:
    optimizers = (
        Labelled("slow", GradientDescent(0.01)),
        Labelled("adam", Adam(0.1)),
        Labelled("wild", GradientDescent(2.0)),
        Labelled("fast", GradientDescent(0.4)),
    )
    config = OptimizeConfig(
        starts=Starts(uniform=UniformStarts(-2.0, 2.0, 9)), steps=300, optimizers=optimizers
    )
    return replace(config, **changes)


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
        assert result.arrays[f"{label}.point"].shape == (count, 2, 64)


def test_the_best_start_is_in_the_metrics(result: Result) -> None:
    for label, found in result.metrics["optimizers"].items():
        final = result.arrays[f"{label}.value"][-1]
        best = int(final.argmin())
        assert found["best"]["value"] == final[best]
        assert found["best"]["point"] == result.arrays[f"{label}.final"][:, best].tolist()
        assert found["best"]["start"] == result.arrays["start"][:, best].tolist()


def test_metrics_against_their_definitions() -> None:
    config = small(record=Record(spacing="every"))
    result = optimize.run(config, Request(Streams(1)))
    for label, found in result.metrics["optimizers"].items():
        value = result.arrays[f"{label}.value"]
        for target in config.targets:
            entry = found["targets"][repr(target)]
            hits = [np.flatnonzero(run <= target) for run in value.T]
            reached = [int(hit[0]) for hit in hits if hit.size]
            diverged = result.arrays[f"{label}.diverged_step"]
            spent = sum(
                int(hit[0]) if hit.size else (300 if at < 0 else int(at))
                for hit, at in zip(hits, diverged, strict=True)
            )
            assert entry["reached"] == len(reached)
            if reached:
                assert entry["expected_running_time"] == spent / len(reached)
                assert entry["evaluations"]["median"] == np.median(reached)
                assert entry["evaluations"]["max"] == max(reached)
            else:
                assert entry["expected_running_time"] is None
                assert set(entry["evaluations"].values()) == {None}


def test_a_diverging_optimizer_is_a_result() -> None:
    result = optimize.run(small(steps=3000), Request(Streams(1)))
    wild = result.metrics["optimizers"]["wild"]
    assert wild["diverged"] == 9
    assert wild["converged"] == 0
    assert wild["final_value"].pop("median_ci") == [None, None]
    assert set(wild["final_value"].values()) == {None}
    assert wild["best"]["value"] is None
    assert result.metrics["ranking"][-1] == "wild"
    assert np.isfinite(result.arrays["wild.final"]).all()


def test_ranking_goes_by_the_smallest_target_then_by_the_next() -> None:
    result = optimize.run(small(), Request(Streams(1)))
    optimizers = result.metrics["optimizers"]

    def key(label: str) -> list[float]:
        targets = [optimizers[label]["targets"][name] for name in ("1e-06", "0.001", "1.0")]
        times = [entry["expected_running_time"] for entry in targets]
        median = optimizers[label]["final_value"]["median"]
        return [math.inf if x is None else x for x in [*times, median]]

    assert result.metrics["ranking"] == sorted(optimizers, key=key)
    assert result.metrics["ranking"][-1] == "wild"


def test_adding_an_optimizer_changes_nobody_elses_numbers() -> None:
    config = small()
    whole = optimize.run(config, Request(Streams(1)))
    for entry in config.optimizers:
        alone = optimize.run(replace(config, optimizers=(entry,)), Request(Streams(1)))
        assert alone.metrics["optimizers"][entry.label] == whole.metrics["optimizers"][entry.label]
        for key in ("value", "final", "point", "diverged_step"):
            name = f"{entry.label}.{key}"
            assert np.array_equal(alone.arrays[name], whole.arrays[name])


def test_points_are_kept_in_two_dimensions_unless_said_otherwise() -> None:
    def keys(**changes: Any) -> set[str]:
        return set(optimize.run(small(steps=5, **changes), Request(Streams(0))).arrays)

    assert "adam.point" in keys()
    assert "adam.point" not in keys(record=Record(points=False))
    assert "adam.point" not in keys(objective=Rosenbrock(3))
    assert "adam.point" in keys(objective=Quadratic(3), record=Record(points=True))
    assert "_landscape.value" not in keys(objective=Quadratic(3))


def test_outline_has_the_shape_of_the_metrics(result: Result) -> None:
    assert shape(optimize.outline(result.config)) == shape(result.metrics)


def shape(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    return [shape(item) for item in tree] if isinstance(tree, list) else "leaf"


def test_trace_and_progress() -> None:
    seen: list[Any] = []
    optimize.run(small(steps=250), Request(Streams(0), seen.append, trace=100))
    lines = [event.text for event in seen if isinstance(event, Line)]
    adam = [line for line in lines if line.startswith("adam:")]
    assert len(lines) == 4 * 4
    assert [line.split(",")[0] for line in adam] == [f"adam: step {n}" for n in (0, 100, 200, 250)]
    assert ", f = " in adam[0]
    work = [event for event in seen if isinstance(event, Work)]
    assert work[-1] == Work("steps", 1000, 1000, "adam")
    assert [event.done for event in work] == sorted(event.done for event in work)


def test_shrinking_leaves_every_optimizer_and_a_start() -> None:
    config = load("optimize", reference("optimize"))
    tiny = optimize.shrink(config)
    assert tiny.optimizers == config.optimizers
    assert (tiny.steps, tiny.starts.count) == (200, 5)
    assert "10,240,000 gradient evaluations" in optimize.estimate(config)


def test_rules_with_an_optional_number_or_a_check_are_stacked_too() -> None:
    """`None` beside a number became an object array; the check of a class met arrays."""

    @dataclass(frozen=True)
    class Clipped(GradientDescent):
        """Gradient descent, perhaps clipped."""

        clip: float | None = None

        @check("learning_rate")
        @staticmethod
        def small(learning_rate: float) -> Iterator[Complaint]:
            """A rule that an array would not survive."""
            if learning_rate > 1:
                yield ("learning_rate",), "is too large"

    Clipped.name = "clipped"
    rules = {"a": Clipped(0.1), "b": Clipped(0.2), "c": Clipped(0.1, clip=1.0)}
    config = small(optimizers=tuple(Labelled(label, rule) for label, rule in rules.items()))
    assert stacking_key(rules["a"]) == stacking_key(rules["b"]) != stacking_key(rules["c"])
    found = optimize.run(config, Request(Streams(0))).metrics["optimizers"]
    assert found["a"]["final_value"] == found["c"]["final_value"] != found["b"]["final_value"]

"""Metrics against their definitions, from the values of every step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.objectives import NetworkTraining, Quadratic, StyblinskiTang
from dnnexp.core.optimizers import Adam, GradientDescent
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Record
from dnnexp.experiments.optimize.metrics import ecdf_area, ranked
from dnnexp.experiments.optimize.starts import Starts

Run = Callable[..., Result]
RULES = {
    "slow": GradientDescent(0.01),
    "adam": Adam(0.1),
    "wild": GradientDescent(2.0),
    "fast": GradientDescent(0.4),
}


def test_metrics_against_their_definitions(run: Run) -> None:
    result = run(optimizers=RULES, record=Record(spacing="every"))
    for label, found in result.metrics["optimizers"].items():
        value = result.arrays[f"{label}.value"]
        for target in result.config.targets:
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
        smallest = found["targets"][repr(min(result.config.targets))]
        assert found["converged"] == smallest["reached"]
        assert found["runs"] == 9


def test_targets_are_above_the_known_minimum(run: Run) -> None:
    """Styblinski and Tang's function goes down to −39.166 a coordinate."""
    objective, targets = StyblinskiTang(2), (10.0, 1e-3)
    starts = Starts(points=((-2.0, -3.0), (-1.0, -4.0), (2.0, 2.0)))  # the last ends in another minimum
    result = run(objective=objective, starts=starts, targets=targets, record=Record(spacing="every"))
    found = result.metrics["optimizers"]["descent"]["targets"]
    value = result.arrays["descent.value"]
    for target in targets:
        below = value <= 2 * -39.16616570377142 + target
        assert found[repr(target)]["reached"] == below.any(axis=0).sum()


def test_the_best_start_is_in_the_metrics(run: Run) -> None:
    result = run(optimizers=RULES, steps=40)
    for label, found in result.metrics["optimizers"].items():
        final = result.arrays[f"{label}.value"][-1]
        best = min(range(9), key=final.tolist().__getitem__)
        assert found["best"]["value"] == final[best]
        assert found["best"]["point"] == result.arrays[f"{label}.final"][:, best].tolist()
        assert found["best"]["start"] == result.arrays["start"][:, best].tolist()


@pytest.mark.parametrize("dimension", [100, 101])
def test_points_of_more_than_100_coordinates_are_not_in_the_metrics(run: Run, dimension: int) -> None:
    result = run(objective=Quadratic(dimension), steps=2)
    best = result.metrics["optimizers"]["descent"]["best"]
    assert (best["start"] is None) == (best["point"] is None) == (dimension > 100)
    assert best["value"] == min(result.arrays["descent.value"][-1])


def test_a_diverging_optimizer_is_a_result(run: Run) -> None:
    result = run(optimizers=RULES, steps=3000)
    wild = result.metrics["optimizers"]["wild"]
    assert wild["diverged"] == 9
    assert wild["converged"] == 0
    assert wild["final_value"].pop("median_ci") == [None, None]
    assert set(wild["final_value"].values()) == {None}
    assert wild["best"]["value"] is None
    assert wild["best"]["point"] == [None, None]
    assert None not in wild["best"]["start"]
    assert result.metrics["ranking"][-1] == "wild"
    assert np.isfinite(result.arrays["wild.final"]).all()


def test_diverged_runs_count_as_infinite(run: Run) -> None:
    """Two of three starts: the least value is a number, the median is not."""
    starts = Starts(points=((0.5, 0.5), (1e200, 1.0), (1.0, 1e200)))
    found = run(starts=starts).metrics["optimizers"]["descent"]
    assert found["diverged"] == 2
    assert found["final_value"]["min"] < 1e-3
    assert [found["final_value"][name] for name in ("median", "q75", "max")] == [None] * 3
    assert found["targets"]["1.0"]["reached"] == 1
    assert found["targets"]["1.0"]["expected_running_time"] == 0  # the two took no gradient


# --- Learning ----------------------------------------------------------------------------------------------


def network_run(run: Run, rate: float) -> Result:
    objective = NetworkTraining(data=Moons(samples=60), hidden=(4,), batch=10)
    return run(
        objective=objective, starts=Starts(own=9), steps=100, optimizers={"descent": GradientDescent(rate)}
    )


@pytest.mark.parametrize("rate", [0.5, 300.0, 1e3, 1e5])
def test_medians_of_loss_and_accuracy_count_a_diverged_run_as_the_worst(run: Run, rate: float) -> None:
    """One diverged run of nine made them null, beside a final value that had a median."""
    result = network_run(run, rate)
    found, diverged = result.metrics["optimizers"]["descent"], result.arrays["descent.diverged_step"] >= 0
    for part in ("train", "validation"):
        for kind, worst in (("loss", math.inf), ("accuracy", -math.inf)):
            final = np.where(diverged, worst, result.arrays[f"descent.{part}_{kind}"][-1])
            middle = sorted(final)[4]
            assert found[part][kind] == (middle if math.isfinite(middle) else None)
    assert found["train"]["loss"] == found["final_value"]["median"]


def test_the_rates_of_the_test_above_have_no_one_several_and_all_runs_diverged(run: Run) -> None:
    counts = [
        network_run(run, rate).metrics["optimizers"]["descent"]["diverged"] for rate in (0.5, 300.0, 1e3, 1e5)
    ]
    assert counts[0] == 0 < counts[1] < 4.5 < counts[2] < counts[3] == 9


# --- Ranking -----------------------------------------------------------------------------------------------


def entry(times: tuple[float | None, float | None], median: float | None) -> Any:
    """Of the targets 1 and 1e-3."""
    targets = {repr(t): {"expected_running_time": time} for t, time in zip((1.0, 1e-3), times, strict=True)}
    return {"targets": targets, "final_value": {"median": median}}


def test_ranking_by_hand() -> None:
    """The smallest target first; whoever never reached it goes by the next, then by the median."""
    optimizers = {
        "never, diverged": entry((None, None), None),
        "never, high": entry((None, None), 5.0),
        "never, low": entry((None, None), 4.0),
        "larger target, late": entry((20.0, None), 0.5),
        "larger target, soon": entry((10.0, None), 0.6),
        "smallest, late": entry((1.0, 100.0), 1e-9),
        "smallest, soon": entry((90.0, 99.0), 1e-4),
        "smallest, tie": entry((80.0, 99.0), 1e-4),
        "smallest, tie of both": entry((80.0, 99.0), 1e-5),
    }
    assert ranked(optimizers, (1.0, 1e-3)) == [
        "smallest, tie of both",
        "smallest, tie",
        "smallest, soon",
        "smallest, late",
        "larger target, soon",
        "larger target, late",
        "never, low",
        "never, high",
        "never, diverged",
    ]


def test_equal_ones_keep_the_order_of_the_config() -> None:
    optimizers = {label: entry((1.0, None), 2.0) for label in ("b", "a", "c")}
    assert ranked(optimizers, (1.0, 1e-3)) == ["b", "a", "c"]


# --- The area under the ECDF -------------------------------------------------------------------------------


def integrated(reached: list[int], steps: int) -> float:
    """∫ F d log₁₀ e from 1 to `steps`; between whole numbers of evaluations e, F is constant."""
    evaluations = np.arange(1, steps + 1)
    share = np.array([np.mean([0 <= step <= e for step in reached]) for e in evaluations])
    widths: Floats = np.diff(np.log10(evaluations))
    return float(np.sum(share[:-1] * widths) / math.log10(steps))


@given(st.integers(2, 200), st.data())
def test_the_area_against_an_integral(steps: int, data: st.DataObject) -> None:
    reached = data.draw(st.lists(st.integers(-1, steps), min_size=1, max_size=12))
    # a sum of at most 200 terms, each rounded
    assert ecdf_area(np.array(reached), steps) == pytest.approx(integrated(reached, steps), abs=1e-12)


@pytest.mark.parametrize("steps", [0, 1, 2, 10, 10**9])
def test_the_ends_of_the_area(steps: int) -> None:
    assert ecdf_area(np.zeros((3, 4), dtype=int), steps) == 1
    assert ecdf_area(np.full((3, 4), min(steps, 1)), steps) == 1
    assert ecdf_area(np.full((3, 4), -1), steps) == 0
    assert ecdf_area(np.array([0, -1, -1, 1 if steps else -1]), steps) == (0.5 if steps else 0.25)


def test_what_is_reached_with_the_last_evaluation_adds_nothing() -> None:
    assert ecdf_area(np.array([100, 10]), 100) == pytest.approx(0.25, rel=1e-15)

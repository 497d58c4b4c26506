"""The config of `optimize`: what it refuses, how it is made small, how much work it announces."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.dump import dump
from dnnexp.config.load import load
from dnnexp.config.shipped import directory, reference
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.differentiation import Central
from dnnexp.core.objectives import Booth, ExpressionObjective, NetworkTraining, Quadratic, Sphere, Valley
from dnnexp.core.optimizers import Adam, Momentum
from dnnexp.core.stepping import descend
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext, Work
from dnnexp.experiments.optimize.config import OptimizeConfig, Record
from dnnexp.experiments.optimize.starts import Starts, UniformStarts
from dnnexp.experiments.optimize.tuning import Tune, TuningRange
from dnnexp.registry import plain

optimize = find("optimize")

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
RATES = TuningRange("learning_rate", 1e-3, 1.0)
BOX = UniformStarts(-1.0, 1.0, 20)
FORMULA = ExpressionObjective("x**2", ("x",))
NETWORK = NetworkTraining(data=Moons(samples=20), hidden=(2,), batch=4)


# --- What is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"objective": Booth(), "objectives": {"one": Valley()}},
            "objectives: is given together with objective",
        ),
        ({"objectives": {"a": Valley(), "b": Quadratic(3)}, "starts": Starts(((1.0, 2.0),))}, "dimension 3"),
        ({"objective": FORMULA, "starts": Starts(own=2)}, "starts.own: the objective expression has no"),
        ({"objective": Quadratic(101, instance=1)}, "objective.instance: needs a dimension of at most 100"),
        (
            {"objectives": {"a": Valley(), "b": Sphere(200, instance=0)}},
            "objectives.1.instance: needs a dimension of at most 100, not 200",
        ),
        ({"targets": (1.0, 1e-3, 1.0)}, "targets: duplicate target"),
        (
            {"objective": NETWORK, "gradient": Central()},
            "gradient: must be analytic for the objective network",
        ),
        ({"tune": Tune((TuningRange("beta1", 0.1, 0.9),), 3)}, "tune.space: descent has none of the hyper"),
        (
            {"objective": FORMULA, "starts": Starts(((1.0,),)), "tune": Tune((RATES,), 3)},
            "tune: needs starts.uniform: the objective expression draws no starts of its own",
        ),
        ({"objective": Quadratic(3), "animate": True}, "animate: needs one objective of dimension 2"),
        ({"objectives": {"a": Valley()}, "animate": True}, "animate: needs one objective"),
        ({"record": Record(points=False), "animate": True}, "record.points"),
        ({"starts": Starts(own=10**6), "steps": 10**6, "record": Record("every")}, "GiB are allowed"),
    ],
)
def test_what_is_refused(configure: Configure, changes: Any, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        configure(**changes)


def test_tuning_starts_may_be_the_objectives_own(configure: Configure) -> None:
    assert configure(starts=Starts(points=((1.0, 2.0),)), tune=Tune((RATES,), 3)).tune
    assert configure(objective=NETWORK, starts=Starts(own=2), tune=Tune((RATES,), 3)).tune


# --- Made small --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", sorted((directory() / "optimize").glob("*.yaml")), ids=lambda file: file.stem
)
def test_a_shipped_config_made_small_is_a_config(file: Path, tmp_path: Path) -> None:
    """As a file, it is read without an error, and as what it was, claims and all."""
    config = load("optimize", file)
    small = optimize.shrink(config)
    written = tmp_path / "small.yaml"
    written.write_text(dump(plain(small)), encoding="utf-8")
    assert load("optimize", written) == small
    assert optimize.shrink(small) == small
    assert small.optimizers == config.optimizers
    assert small.objectives == config.objectives
    assert 20 <= small.steps <= 200
    assert 1 <= small.starts.count <= 8
    for name in ("points", "uniform", "own"):
        assert bool(getattr(small.starts, name)) == bool(getattr(config.starts, name))
    assert (small.tune is None) == (config.tune is None)


@pytest.mark.parametrize(
    ("starts", "count"),
    [
        (Starts(points=((1.0, 2.0),) * 9, uniform=BOX), 8),
        (Starts(points=((1.0, 2.0),), own=2), 3),
        (Starts(own=50), 4),
    ],
)
def test_at_most_8_starts(configure: Configure, starts: Starts, count: int) -> None:
    assert optimize.shrink(configure(starts=starts)).starts.count == count


def test_a_suite_and_a_costly_objective_take_fewer_steps(configure: Configure) -> None:
    several = {f"valley-{k}": Valley() for k in range(4)}
    assert optimize.shrink(configure(objectives=several)).steps == 50
    costly = optimize.shrink(configure(objective=NETWORK, starts=Starts(own=2)))
    assert (costly.steps, costly.record.count) == (30, 10)


def test_all_trials_are_kept(configure: Configure) -> None:
    """What speaks of a trial used to speak of none in the small config."""
    tune = Tune((RATES, TuningRange("beta1", 0.1, 0.9)), 50, method="random", starts=9)
    small = optimize.shrink(configure(tune=tune, optimizers={"a": Adam()})).tune
    assert small == replace(tune, starts=2)


def test_what_is_small_stays(configure: Configure) -> None:
    config = configure(steps=7, starts=Starts(own=1), tune=Tune((RATES,), 2, starts=1))
    assert optimize.shrink(config) == config


# --- Announced work ----------------------------------------------------------------------------------------


def test_the_estimate_of_the_reference() -> None:
    """8 optimizers, 64 starts, 20,000 steps."""
    text = optimize.estimate(load("optimize", reference("optimize")))
    assert text.startswith("8 optimizers x 64 starts x 20000 steps = 10,240,000 gradient evaluations")


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        ({}, 300 * 9),
        ({"optimizers": {"a": Adam(), "b": Momentum()}, "steps": 7}, 2 * 7 * 9),
        ({"objectives": {"a": Valley(), "b": Booth()}}, 2 * 300 * 9),
        ({"tune": Tune((RATES,), 5, starts=3)}, 300 * (2 * 9 + 5 * 3)),
        (
            {
                "objectives": {"a": Valley(), "b": Booth()},
                "optimizers": {"a": Adam(), "b": Momentum()},
                "tune": Tune((RATES,), 4, starts=2),
                "steps": 20,
            },
            2 * 2 * 20 * (2 * 9 + 4 * 2),
        ),
    ],
)
def test_the_estimate_is_what_the_run_evaluates(
    configure: Configure, changes: Any, total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted where the gradients are asked for."""
    config = configure(**changes)
    counted = 0

    def watched(rule: Any, value: Any, slope: Any, start: Any, *rest: Any) -> Any:
        def counting(x: Any, step: int) -> Any:
            nonlocal counted
            counted += x.shape[1]
            return slope(x, step)

        return descend(rule, value, counting, start, *rest)

    monkeypatch.setattr("dnnexp.experiments.optimize.comparison.descend", watched)
    optimize.run(config, RunContext(Streams(0)))
    assert counted == total
    assert f"= {total:,} gradient evaluations" in optimize.estimate(config)
    assert f"; {len(config.record.steps(config.steps))} steps are recorded" in optimize.estimate(config)


def test_the_stages_that_are_told_of_are_the_work(configure: Configure) -> None:
    """Of two objectives: tuning, then the tuned and untuned steps of each."""
    config = configure(objectives={"a": Valley(), "b": Booth()}, tune=Tune((RATES,), 4, starts=2), steps=20)
    seen: list[Any] = []
    optimize.run(config, RunContext(Streams(0), seen.append))
    totals = {event.stage: (event.done, event.total) for event in seen if isinstance(event, Work)}
    assert totals == {
        "tuning on a": (80, 80),
        "steps on a": (40, 40),
        "tuning on b": (80, 80),
        "steps on b": (40, 40),
    }

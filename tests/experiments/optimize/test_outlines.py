"""The shape of the metrics, known before the run, against the metrics of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dnnexp import experiments
from dnnexp.config.load import load
from dnnexp.config.shipped import directory
from dnnexp.core.data.synthetic import Moons, Teacher
from dnnexp.core.objectives import Booth, LogisticRegression, NetworkTraining, Quadratic, Valley
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.config import Noise, OptimizeConfig
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.tuning import Tune, TuningRange
from dnnexp.registry import find

optimize = experiments.find("optimize")

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
RATES = TuningRange("learning_rate", 1e-3, 1.0)
MOONS = Moons(samples=20)
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one start": {"starts": Starts(points=((1.0, 2.0),))},
    "no step": {"steps": 0},
    "one step": {"steps": 1},
    "all diverged": {"optimizers": {"wild": GradientDescent(50.0)}, "steps": 500},
    "several rules": {
        "optimizers": {
            "a": Adam(schedule=find("schedule", "cosine")()),
            "b": Momentum(clip_norm=1.0),
            "c": GradientDescent(weight_decay=0.1),
        }
    },
    "noise": {"noise": Noise(0.1)},
    "150 dimensions": {"objective": Quadratic(150), "steps": 3},
    "tuned": {"tune": Tune((RATES,), 4), "optimizers": {"a": Adam(), "b": Momentum()}},
    "tuned in two": {
        "tune": Tune((RATES, TuningRange("momentum", 0.1, 0.9)), 9, starts=2, method="grid"),
        "optimizers": {"a": Adam(), "b": Momentum()},
    },
    "tuned at random for time": {
        "tune": Tune((RATES,), 5, method="random", starts=2, score="running_time"),
        "starts": Starts(own=1),
    },
    "suite": {"objectives": {"one": Valley(), "two": Booth()}},
    "suite of one, tuned": {"objectives": {"one": Valley()}, "tune": Tune((RATES,), 3)},
    "network": {
        "objective": NetworkTraining(data=MOONS, hidden=(2,), batch=4),
        "starts": Starts(own=2),
        "steps": 20,
    },
    "network of numbers, without validation": {
        "objective": NetworkTraining(
            data=Teacher(samples=20, features=2, validation=0.0), hidden=(2,), batch=5
        ),
        "starts": Starts(own=2),
        "steps": 5,
    },
    "logistic regression in a suite, tuned": {
        "objectives": {"learn": LogisticRegression(data=MOONS), "valley": Quadratic(3)},
        "starts": Starts(own=2),
        "tune": Tune((RATES,), 2, starts=1),
        "steps": 20,
    },
}
SHIPPED = sorted((directory() / "optimize").glob("*.yaml"))


def misfits(outline: Any, metrics: Any, path: str = "") -> list[str]:
    """Where some metrics are not of the outline: other keys, lengths or types."""
    if isinstance(outline, dict):
        if not isinstance(metrics, dict) or set(metrics) != set(outline):
            return [f"{path}: {metrics} for {list(outline)}"]
        return [line for key in outline for line in misfits(outline[key], metrics[key], f"{path}.{key}")]
    if isinstance(outline, list):
        if not isinstance(metrics, list) or len(metrics) != len(outline):
            return [f"{path}: {metrics} for {len(outline)} items"]
        return [
            line
            for index, pair in enumerate(zip(outline, metrics, strict=True))
            for line in misfits(*pair, f"{path}.{index}")
        ]
    if outline is float:
        fits = metrics is None or (isinstance(metrics, int | float) and not isinstance(metrics, bool))
    else:
        fits = type(metrics) is outline
    return [] if fits else [f"{path}: {metrics!r} for {outline.__name__}"]


@pytest.mark.parametrize("name", CASES)
def test_the_outline_has_the_shape_of_the_metrics(configure: Configure, run: Run, name: str) -> None:
    config = configure(**CASES[name])
    assert misfits(optimize.outline(config), run(config).metrics) == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_of_shipped_configs_made_small(run: Run, file: Path) -> None:
    """The shape does not hang on the number of steps: one will do."""
    small = optimize.shrink(load("optimize", file))
    small = replace(small, steps=min(1, small.steps))
    for config in (small, replace(small, tune=None)) if small.tune else (small,):
        assert misfits(optimize.outline(config), run(config).metrics) == []

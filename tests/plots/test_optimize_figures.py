"""Which plots a result has, and that extreme ones are drawn, too: every warning is an error here."""

import io
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize import figures as optimize
from dnnexp.experiments.optimize.figures.cases import cases
from dnnexp.experiments.optimize.figures.convergence import convergence
from dnnexp.figures import style
from tests.figures.drawn import assert_readable
from tests.plots.rendering import render

Run = Callable[[str], Result]

BASE = """
name: base
objective: valley
starts: {uniform: {low: -10, high: 10, count: 4}}
steps: 30
optimizers: [{name: gradient_descent, learning_rate: 0.1}, adam]
"""
TUNE = "tune: {space: [{hyperparameter: learning_rate, low: 1e-3, high: 100}], trials: 3, starts: 2}\n"
DRAWN = {"convergence.png", "trajectories.png"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BASE, DRAWN),
        (BASE.replace("count: 4", "count: 50"), DRAWN | {"outcomes.png"}),
        (BASE.replace("count: 4", "count: 49"), DRAWN),
        (BASE + "record: {points: false}\n", {"convergence.png"}),
        (BASE + TUNE, DRAWN | {"tuning.png", "learning_rates.png"}),
        (
            BASE.replace("[{name: gradient_descent, learning_rate: 0.1}, adam]", "[momentum, nesterov]")
            + "tune: {space: [{hyperparameter: momentum, low: 0.1, high: 0.9}], trials: 3, starts: 2}\n",
            DRAWN | {"tuning.png"},
        ),
        (BASE + "animate: true\n", DRAWN | {"paths.gif"}),
        (BASE.replace("valley", "{name: sphere, dimension: 3}"), {"convergence.png"}),
        (
            BASE.replace("objective: valley", "objectives: [valley, beale]"),
            {"convergence.png", "ecdf.png", "performance_profile.png"},
        ),
        (
            BASE.replace("valley", "{name: logistic_regression, data: moons}").replace(
                "{uniform: {low: -10, high: 10, count: 4}}", "{own: 3}"
            ),
            {"convergence.png", "training.png"},
        ),
    ],
    ids=[
        "plain",
        "map",
        "no_map",
        "no_points",
        "tuned",
        "momentum_tuned",
        "animated",
        "three",
        "suite",
        "data",
    ],
)
def test_what_applies_is_drawn(run_optimize: Run, text: str, expected: set[str]) -> None:
    assert {name for name, _ in render("optimize", run_optimize(text))} == expected


MANY = ", ".join(f"{{name: adam, label: adam_{i}, learning_rate: {10 ** (-i / 5):.3g}}}" for i in range(25))
LONG = "l" * 100
HOT = "[{name: gradient_descent, learning_rate: 30.0}, {name: momentum, learning_rate: 100.0}]"
COLD = "[{name: gradient_descent, learning_rate: 0.1}, adam]"
ALL = BASE.replace("count: 4", "count: 50") + TUNE
MOVING = ALL + "animate: true\n"
SUITE = BASE.replace("objective: valley", "objectives: [valley, beale]")
LOST = (
    ALL.replace(COLD, HOT)
    .replace("low: 1e-3, high: 100", "low: 1e5, high: 1e6")
    .replace("steps: 30", "steps: 200")
)


@pytest.mark.parametrize(
    "text",
    [
        MOVING.replace("steps: 30", "steps: 0"),
        ALL.replace("steps: 30", "steps: 1"),
        LOST + "animate: true\n",
        LOST.replace("starts: 2", "starts: 2, score: running_time"),
        BASE.replace(COLD, f"[{MANY}]").replace("steps: 30", "steps: 10") + "animate: true\n",
        SUITE.replace("steps: 30", "steps: 0"),
        SUITE.replace(COLD, HOT).replace("steps: 30", "steps: 500"),
        SUITE + "targets: [1e-290]\n",
        ALL + "targets: [1e300]\n",
        BASE.replace("{low: -10, high: 10, count: 4}", "{low: 1e150, high: 1e153, count: 3}")
        + "animate: true\n",
        BASE.replace("uniform: {low: -10, high: 10, count: 4}", "points: [[0, 0]]") + "animate: true\n",
        BASE.replace("name: base", f"name: {LONG}").replace("adam]", f"{{name: adam, label: {LONG}}}]")
        + "animate: true\n",
    ],
    ids=[
        "no_step",
        "one_step",
        "all_diverged",
        "all_diverged_running_time",
        "many",
        "suite_without_steps",
        "suite_all_diverged",
        "nothing_reached",
        "all_reached_at_once",
        "far_away",
        "start_at_the_minimum",
        "long_names",
    ],
)
def test_extremes_are_drawn(run_optimize: Run, text: str) -> None:
    for name, content in render("optimize", run_optimize(text)):
        if name.endswith(".png"):
            image = imread(io.BytesIO(content))
            assert len(np.unique(image.sum(axis=2))) > 10
            assert max(image.shape[:2]) < 2600, (name, image.shape)
        else:
            assert content.startswith(b"GIF89a")


def test_what_is_called_diverged_has_diverged(run_optimize: Run) -> None:
    result = run_optimize(LOST + "animate: true\n")
    for label, found in result.metrics["optimizers"].items():
        assert found["diverged"] == found["untuned"]["diverged"] == found["runs"] == 50
        assert np.isinf(result.arrays[f"{label}.tuning.value"]).all()


DATA = BASE.replace("valley", "{name: network, data: moons, hidden: [3]}").replace(
    "{uniform: {low: -10, high: 10, count: 4}}", "{own: 3}"
)


@pytest.mark.parametrize(
    "text",
    [
        ALL,
        ALL.replace("valley", "himmelblau").replace("name: base", f"name: {LONG}") + "noise: {std: 0.125}\n",
        BASE.replace("name: base", f"name: {LONG}").replace("adam]", f"{{name: adam, label: {LONG}}}]")
        + TUNE,
        BASE.replace(COLD, f"[{MANY}]").replace("steps: 30", "steps: 10")
        + TUNE
        + "record: {points: false}\n",
        SUITE.replace("beale", f"{{name: beale, label: {LONG}}}").replace(
            "adam]", f"{{name: adam, label: {LONG}}}]"
        ),
        SUITE.replace(COLD, f"[{MANY}]").replace("steps: 30", "steps: 10"),
        SUITE + f"targets: [{', '.join(f'1e-{i}' for i in range(40))}]\n",
        DATA + TUNE,
        DATA.replace("name: base", f"name: {LONG}"),
    ],
    ids=[
        "all",
        "minima",
        "long",
        "many",
        "long_suite",
        "many_in_a_suite",
        "many_targets",
        "data",
        "long_data",
    ],
)
def test_texts_are_inside_and_apart(run_optimize: Run, text: str) -> None:
    with matplotlib.rc_context(style.STYLE):
        for _, figure in optimize.figures(run_optimize(text)):
            assert isinstance(figure, Figure)
            assert_readable(figure)


def test_of_many_curves_no_two_look_alike(run_optimize: Run) -> None:
    result = run_optimize(
        BASE.replace(COLD, f"[{MANY}]").replace("steps: 30", "steps: 10") + "animate: true\n"
    )
    (axes,) = convergence(cases(result)[0]).axes
    curves = [line for line in axes.lines if str(line.get_label()).startswith("adam")]
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in curves}
    assert len(looks) == len(curves) == 25

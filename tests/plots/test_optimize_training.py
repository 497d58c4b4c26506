"""Training curves: medians over the starts, a diverged run counted as the worst."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case, cases
from dnnexp.experiments.optimize.figures.training import training

Run = Callable[[str], Result]

NETWORK = """
name: network
objective: {name: network, data: moons, hidden: [4], batch: 16}
starts: {own: 3}
steps: 40
record: {spacing: linear, count: 20}
targets: [0.1]
optimizers: [{name: gradient_descent, learning_rate: 0.1}, {name: adam, learning_rate: 0.01}]
"""


def only(result: Result) -> Case:
    (case,) = cases(result)
    return case


def drawn(axes: Any, thin: bool) -> dict[str, Any]:
    """The curves by colour, thin or thick."""
    return {
        line.get_color(): np.asarray(line.get_ydata())
        for line in axes.lines
        if (line.get_linewidth() < 1) == thin
    }


def test_loss_and_accuracy_are_medians_over_the_starts(run_optimize: Run) -> None:
    result = run_optimize(NETWORK)
    figure = training(only(result))
    assert [axes.get_title("left") for axes in figure.axes] == ["loss", "accuracy"]
    for axes, kind in zip(figure.axes, ("loss", "accuracy"), strict=True):
        for label in result.metrics["ranking"]:
            shade = only(result).style(label)["color"]
            for part, thin in (("validation", False), ("train", True)):
                values = result.arrays[f"{label}.{part}_{kind}"]
                assert np.array_equal(drawn(axes, thin)[shade], np.sort(values, axis=1)[:, 1])
        assert len(axes.collections) == 2


def lost(result: Result, runs: slice) -> Result:
    """The result as if these runs of the first optimizer had diverged from the fifth record on."""
    arrays = dict(result.arrays)
    for part in ("train", "validation"):
        for kind in ("loss", "accuracy"):
            name = f"gradient_descent.{part}_{kind}"
            arrays[name] = arrays[name].copy()
            arrays[name][5:, runs] = np.nan
    return Result(result.config, result.metrics, arrays)


def test_a_diverged_run_counts_as_the_worst(run_optimize: Run) -> None:
    result = run_optimize(NETWORK)
    figure = training(only(lost(result, slice(0, 1))))
    for axes, kind in zip(figure.axes, ("loss", "accuracy"), strict=True):
        rest = result.arrays[f"gradient_descent.validation_{kind}"][5:, 1:]
        expected = rest.max(axis=1) if kind == "loss" else rest.min(axis=1)  # the middle one of three
        shade = only(result).style("gradient_descent")["color"]
        assert np.array_equal(drawn(axes, False)[shade][5:], expected)


def test_where_all_diverged_the_curve_leaves_the_plot(run_optimize: Run) -> None:
    result = run_optimize(NETWORK)
    loss, accuracy = training(only(lost(result, slice(None)))).axes
    shade = only(result).style("gradient_descent")["color"]
    assert drawn(loss, False)[shade][-1] > loss.get_ylim()[1]
    assert drawn(accuracy, False)[shade][-1] < accuracy.get_ylim()[0]


@pytest.mark.parametrize("objective", ["least_squares", "logistic_regression"])
def test_convex_objectives_have_training_curves(run_optimize: Run, objective: str) -> None:
    data = {"least_squares": "teacher", "logistic_regression": "moons"}[objective]
    text = NETWORK.replace(
        "{name: network, data: moons, hidden: [4], batch: 16}", f"{{name: {objective}, data: {data}}}"
    )
    result = run_optimize(text)
    figure = training(only(result))
    kinds = ["loss", "accuracy"] if "adam.train_accuracy" in result.arrays else ["loss"]
    assert [axes.get_title("left") for axes in figure.axes] == kinds
    assert figure.axes[0].get_yscale() == "log"

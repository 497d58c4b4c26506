"""The plots of tuning: what every learning rate ended with, and what a budget of trials buys."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case, cases
from dnnexp.experiments.optimize.figures.tuning import learning_rates, tuning
from dnnexp.figures.palette import THEORY
from dnnexp.figures.style import ALARM

Run = Callable[[str], Result]

TUNED = """
name: tuned
objective: valley
starts: {uniform: {low: -10, high: 10, count: 3}}
steps: 300
tune: {space: [{hyperparameter: learning_rate, low: 1e-3, high: 10}], trials: 9, starts: 5}
optimizers: [{name: gradient_descent}, {name: momentum, momentum: 0.5}, {name: adagrad}]
"""
TWO = TUNED.replace(
    "high: 10}], trials: 9",
    "high: 10}, {hyperparameter: momentum, low: 0.1, high: 0.9}], trials: 9, method: random",
)


def only(result: Result) -> Case:
    (case,) = cases(result)
    return case


def panel(result: Result, label: str) -> Axes:
    ((_, figure),) = learning_rates(only(result))
    (axes,) = [axes for axes in figure.axes if axes.get_title("left").startswith(f"{label}\n")]
    return axes


def lines(axes: Axes, **wanted: Any) -> list[Any]:
    """The lines of which these properties have these values."""
    return [
        line
        for line in axes.lines
        if all(getattr(line, f"get_{key}")() == value for key, value in wanted.items())
    ]


def test_the_curve_is_the_median_over_the_tuning_starts(run_optimize: Run) -> None:
    result = run_optimize(TUNED)
    for label in ("gradient_descent", "momentum", "adagrad"):
        axes = panel(result, label)
        low, high = axes.get_ylim()
        values = np.sort(result.arrays[f"{label}.tuning.value"], axis=1)
        (curve,) = lines(axes, color=only(result).style(label)["color"], marker="None")
        assert np.array_equal(curve.get_xdata(), result.arrays[f"{label}.tuning.learning_rate"])
        third = np.clip(values[:, 2], low / 10, high * 10)  # of five
        assert np.array_equal(curve.get_ydata(), np.maximum(third, 1.3 * low))
        assert len(axes.collections) == 1


def test_lost_trials_are_marked(run_optimize: Run) -> None:
    result = run_optimize(TUNED)
    (marks,) = lines(panel(result, "gradient_descent"), marker="x")
    lost = np.isinf(result.arrays["gradient_descent.tuning.value"]).sum(axis=1) >= 3
    assert 0 < lost.sum() < 9
    assert np.array_equal(marks.get_xdata(), result.arrays["gradient_descent.tuning.learning_rate"][lost])
    (none,) = lines(panel(result, "adagrad"), marker="x")
    assert len(none.get_xdata()) == 0


def test_the_best_trial_has_a_ring_and_an_edge_is_warned_of(run_optimize: Run) -> None:
    result = run_optimize(TUNED)
    edges = 0
    for label, found in result.metrics["optimizers"].items():
        axes = panel(result, label)
        (ring,) = lines(axes, marker="o")
        best = found["tuning"]["best"]["learning_rate"]
        assert list(ring.get_xdata()) == [best]
        text: Any = axes._left_title  # type: ignore[attr-defined]
        assert text.get_text().startswith(f"{label}\nbest η = {best:.3g}")
        assert ("at the edge" in text.get_text()) == found["tuning"]["at_edge"]
        assert (text.get_color() == ALARM) == found["tuning"]["at_edge"]
        edges += found["tuning"]["at_edge"]
    assert 0 < edges < 3


def test_the_stability_limit_of_theory_is_marked(run_optimize: Run) -> None:
    """2/κ for gradient descent, 2 (1 + μ)/κ for momentum (Polyak 1964), κ = 2 in the valley."""
    result = run_optimize(TUNED)
    for label, limit in (("gradient_descent", 1.0), ("momentum", 1.5)):
        dotted = [line for line in panel(result, label).lines if line.get_linewidth() == THEORY["linewidth"]]
        assert [float(np.asarray(line.get_xdata())[0]) for line in dotted] == [np.float64(limit)]
    assert not [
        line for line in panel(result, "adagrad").lines if line.get_linewidth() == THEORY["linewidth"]
    ]


def test_trials_that_differ_in_more_are_dots(run_optimize: Run) -> None:
    result = run_optimize(TWO)
    axes = panel(result, "momentum")
    (dots,) = lines(axes, marker=".", color=only(result).style("momentum")["color"])
    assert dots.get_linestyle() == "None"
    assert np.array_equal(dots.get_xdata(), np.sort(result.arrays["momentum.tuning.learning_rate"]))
    (curve,) = lines(panel(result, "adagrad"), color=only(result).style("adagrad")["color"])
    assert curve.get_linestyle() == "-"


def test_the_budget_is_drawn_as_it_is_recorded(run_optimize: Run) -> None:
    result = run_optimize(TUNED)
    (axes,) = tuning(only(result)).axes
    low, high = axes.get_ylim()
    for line in axes.lines:
        budget = result.arrays[f"{line.get_label()}.tuning.budget"][1]
        assert np.array_equal(np.asarray(line.get_xdata()), np.arange(1, 10))
        shown = np.maximum(np.clip(budget, low / 10, high * 10), 1.3 * low)
        assert np.array_equal(np.asarray(line.get_ydata()), shown)
    assert len(axes.lines) == len(axes.collections) == 3
    scores = {label: result.arrays[f"{label}.tuning.score"].min() for label in result.metrics["ranking"]}
    assert [str(line.get_label()) for line in axes.lines] == sorted(scores, key=lambda label: scores[label])


def test_running_times_are_named_as_such(run_optimize: Run) -> None:
    result = run_optimize(TUNED.replace("starts: 5", "starts: 5, score: running_time"))
    (axes,) = tuning(only(result)).axes
    assert axes.get_ylabel() == "running time to 1e-06, 5 tuning starts"
    seen = np.concatenate([result.arrays[f"{label}.tuning.budget"][1] for label in result.metrics["ranking"]])
    assert axes.get_ylim()[0] < seen.min()
    assert axes.get_ylim()[1] > seen[np.isfinite(seen)].max()

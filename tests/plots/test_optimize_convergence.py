"""The convergence plot: medians and quartiles, theory beside them, what is not drawn is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case, cases, quartiles
from dnnexp.experiments.optimize.figures.convergence import convergence
from dnnexp.figures.palette import THEORY
from dnnexp.figures.style import INK
from tests.figures.drawn import legend_texts, notes

Run = Callable[[str], Result]
INF = float("inf")

PLAIN = """
name: plain
objective: valley
starts: {uniform: {low: -10, high: 10, count: 9}}
steps: 300
targets: [1, 1e-3]
optimizers:
  - {name: gradient_descent, learning_rate: 0.1}
  - {name: gradient_descent, label: wild, learning_rate: 3.0}
  - {name: momentum, learning_rate: 0.05, momentum: 0.5}
  - {name: adam, learning_rate: 0.3, clip_norm: 2.0}
"""
TUNED = PLAIN + "tune: {space: [{hyperparameter: learning_rate, low: 1e-3, high: 1}], trials: 4, starts: 3}\n"


def only(result: Result) -> Case:
    (case,) = cases(result)
    return case


def texts(figure: Figure) -> str:
    """Everything that is written outside of the ticks."""
    (axes,) = figure.axes
    return " | ".join([notes(figure), *legend_texts(figure), *(text.get_text() for text in axes.texts)])


@pytest.mark.parametrize("runs", [1, 2, 3, 4, 5, 8, 101])
def test_quartiles_are_those_of_numpy_where_all_is_finite(runs: int) -> None:
    values = np.random.default_rng(runs).lognormal(size=(7, runs))
    assert np.allclose(quartiles(values), np.quantile(values, [0.25, 0.5, 0.75], axis=1), rtol=1e-14)


def test_quartiles_count_a_diverged_run_as_infinite() -> None:
    """numpy's median of 1, 2 and inf is NaN, as it interpolates between 2 and inf."""
    values = np.array([[1, 2, INF], [1, INF, INF], [INF, INF, INF], [3, 2, np.nan]])
    assert quartiles(values).T.tolist() == [[1.5, 2, INF], [INF, INF, INF], [INF, INF, INF], [2.5, 3, INF]]


def test_curves_and_bands_are_medians_and_quartiles(run_optimize: Run) -> None:
    result = run_optimize(PLAIN)
    (axes,) = convergence(only(result)).axes
    low, high = axes.get_ylim()
    drawn = {str(line.get_label()).split(" ")[0]: line for line in axes.lines}
    ranking = result.metrics["ranking"]
    assert len(axes.collections) == len(ranking)
    for label, band in zip(ranking, axes.collections, strict=True):
        ordered = np.clip(np.sort(result.arrays[f"{label}.value"], axis=1), low / 10, high * 10)
        assert np.array_equal(drawn[label].get_ydata(), ordered[:, 4])  # the fifth of nine
        vertices: Any = band.get_paths()[0].vertices
        for step, run in (
            (0, 2),
            (0, 6),
            (-1, 2),
            (-1, 6),
        ):  # the quartiles of nine are the third and the seventh
            x, y = result.arrays["evaluations"][step], ordered[step, run]
            assert np.isclose(vertices, [x, y], rtol=1e-12, atol=0).all(axis=1).any()


def test_a_curve_that_diverges_leaves_through_the_top(run_optimize: Run) -> None:
    result = run_optimize(PLAIN)
    (axes,) = convergence(only(result)).axes
    (wild,) = [line for line in axes.lines if str(line.get_label()).startswith("wild")]
    assert np.asarray(wild.get_ydata())[-1] > axes.get_ylim()[1]
    assert "wild (9 diverged)" in texts(convergence(only(result)))


def test_predicted_lines_are_those_of_theory(run_optimize: Run) -> None:
    result = run_optimize(PLAIN)
    (axes,) = convergence(only(result)).axes
    lines = [line for line in axes.lines if line.get_linewidth() == THEORY["linewidth"]]
    assert len(lines) == 2
    for label in ("gradient_descent", "momentum"):
        predicted, steps = result.arrays[f"{label}.theory"], result.arrays["evaluations"]
        known = np.flatnonzero(np.isfinite(predicted))
        low, high = axes.get_ylim()
        matching = [
            line
            for line in lines
            if line.get_markerfacecolor() == only(result).colour(label)
            and len(x := np.asarray(line.get_xdata())) > 3
            and set(x) <= set(steps[known])
            and np.allclose(
                np.asarray(line.get_ydata()),
                np.clip(predicted[np.isin(steps, x)], low / 10, high * 10),
                rtol=1e-12,
            )
        ]
        assert len(matching) == 1
        # it is drawn to the end, and left out at most where it is far from the curve
        x = np.asarray(matching[0].get_xdata())
        assert x[-1] == steps[known[-1]]
        skipped = known[steps[known] < x[0]]
        median = np.median(result.arrays[f"{label}.value"], axis=1)
        assert (np.abs(np.log10(predicted[skipped] / median[skipped])) >= 1).all()


def test_it_says_where_no_theory_is_drawn(run_optimize: Run) -> None:
    written = texts(convergence(only(run_optimize(PLAIN))))
    assert "no linear theory: adam" in written
    assert "wild (every run diverged)" in written


def test_the_means_of_noisy_runs_are_drawn_where_they_are_known(run_optimize: Run) -> None:
    """One line for each linear rule, from the first step on, and one entry in the legend for all."""
    quadratic = run_optimize(PLAIN + "noise: {std: 0.25}\n")
    (axes,) = convergence(only(quadratic)).axes
    drawn = [line for line in axes.lines if line.get_color() == INK and len(np.asarray(line.get_xdata())) > 2]
    expected = [quadratic.arrays[f"{label}.theory"] for label in ("gradient_descent", "momentum")]
    assert len(drawn) == 2
    for line in drawn:
        assert any(np.allclose(np.asarray(line.get_ydata()), values) for values in expected)
    assert texts(convergence(only(quadratic))).count("theory: the mean") == 1
    elsewhere = run_optimize(PLAIN.replace("valley", "ackley") + "noise: {std: 0.25}\n")
    assert "no theory with noise, except on quadratics" in texts(convergence(only(elsewhere)))


def test_clipping_and_noise_are_named(run_optimize: Run) -> None:
    assert "adam (clipped: norm 2)" in texts(convergence(only(run_optimize(PLAIN))))
    figure = convergence(only(run_optimize(PLAIN + "noise: {std: 0.25}\n")))
    assert "noise std 0.25" in texts(figure)


def test_tuned_and_untuned_curves_are_drawn(run_optimize: Run) -> None:
    result = run_optimize(TUNED)
    figure = convergence(only(result))
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    thin = [np.asarray(line.get_ydata()) for line in axes.lines if line.get_linewidth() == 0.6]
    assert len(thin) == 4
    for label, drawn in zip(result.metrics["ranking"], thin, strict=True):
        ordered = np.sort(result.arrays[f"{label}.untuned.value"], axis=1)
        assert np.array_equal(drawn, np.clip(ordered[:, 4], low / 10, high * 10))
    best = result.metrics["optimizers"]["momentum"]["tuning"]["best"]["learning_rate"]
    assert f"momentum, η = {best:.3g}" in texts(figure)
    assert "thin: untuned" in texts(figure)


def test_targets_are_named_beside_the_axes_once_each(run_optimize: Run) -> None:
    figure = convergence(only(run_optimize(PLAIN.replace("[1, 1e-3]", "[1, 0.99, 0.1, 1e-3]"))))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["target 0.001", "target 0.1", "target 0.99"]
    heights = [float(np.asarray(line.get_ydata())[0]) for line in axes.lines if line.get_linestyle() == ":"]
    assert sorted(heights) == [0.001, 0.1, 0.99, 1.0]


def test_values_below_zero_of_an_unknown_minimum_are_drawn_on_a_linear_axis(run_optimize: Run) -> None:
    result = run_optimize(
        """
name: negative
objective: {name: expression, expression: "x**2 + y**2 - 5", variables: [x, y]}
starts: {uniform: {low: -3, high: 3, count: 5}}
steps: 50
optimizers: [{name: gradient_descent, learning_rate: 0.1}]
"""
    )
    assert result.metrics["minimum"] is None
    (axes,) = convergence(only(result)).axes
    assert axes.get_yscale() == "linear"
    assert axes.get_ylabel() == "f(x)"
    median = np.sort(result.arrays["gradient_descent.value"], axis=1)[:, 2]
    assert np.array_equal(np.asarray(axes.lines[0].get_ydata()), median)
    assert axes.get_ylim()[0] < -5 < median.max() < axes.get_ylim()[1]

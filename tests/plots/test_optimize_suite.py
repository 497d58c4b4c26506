"""The plots of a suite: panels, ECDF and performance profiles, against counts by hand."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case, cases
from dnnexp.experiments.optimize.figures.suite import (
    ecdf,
    ecdf_curve,
    performance_profile,
    profile_ratios,
    suite_convergence,
)
from dnnexp.registry import Labelled
from tests.figures.drawn import legend_texts, notes

Run = Callable[[str], Result]

SUITE = """
name: suite
objectives: [valley, {name: rosenbrock, dimension: 3}, himmelblau]
starts: {own: 6}
steps: 400
targets: [10, 1, 1e-3]
optimizers:
  - {name: gradient_descent, learning_rate: 3e-3}
  - {name: momentum, learning_rate: 1e-3, momentum: 0.9}
  - {name: adam, learning_rate: 0.1}
"""


def curves(figure: Any) -> dict[str, Any]:
    """The lines of the only axes, by the first word of their labels."""
    (axes,) = figure.axes
    return {str(line.get_label()).split("  ")[0]: line for line in axes.lines}


def height(line: Any, x: float) -> float:
    """How high a line that is drawn as steps is at x."""
    assert line.get_drawstyle() == "steps-post"
    places = np.asarray(line.get_xdata())
    return float(np.asarray(line.get_ydata())[np.flatnonzero(places <= x)[-1]])


def test_the_ecdf_counts_what_is_reached(run_optimize: Run) -> None:
    result = run_optimize(SUITE)
    drawn = curves(ecdf(result, cases(result)))
    for label in result.metrics["ranking"]:
        for budget in (1, 2, 10, 37, 120, 399, 400):
            hits = [
                0 <= step <= budget
                for objective in ("valley", "rosenbrock", "himmelblau")
                for step in result.arrays[f"{objective}.{label}.reached_step"].ravel()
            ]
            assert len(hits) == 3 * 6 * 3
            assert height(drawn[label], budget) == pytest.approx(sum(hits) / len(hits), abs=1e-12)


def test_the_area_under_the_drawn_ecdf_is_the_one_of_the_metrics(run_optimize: Run) -> None:
    result = run_optimize(SUITE)
    for label, area in result.metrics["ecdf"].items():
        x, share = ecdf_curve(cases(result), label, 400)
        drawn = np.sum(np.diff(np.log10(x)) * share[:-1]) / np.log10(400)
        assert drawn == pytest.approx(area, abs=1e-12)
        assert area > 0


def test_the_ecdf_ends_with_the_share_that_the_legend_tells(run_optimize: Run) -> None:
    result = run_optimize(SUITE)
    (axes,) = ecdf(result, cases(result)).axes
    for line in axes.lines:
        share = float(np.asarray(line.get_ydata())[-1])
        assert f"  {share:.0%}, area" in str(line.get_label())


def by_hand(times: dict[str, list[float | None]]) -> tuple[Result, list[Case]]:
    """A result of one objective with these expected running times to its targets."""
    labels, count = list(times), len(next(iter(times.values())))
    optimizers = {
        label: {"targets": {str(i): {"expected_running_time": time} for i, time in enumerate(row)}}
        for label, row in times.items()
    }
    rule = SimpleNamespace(clip_norm=None, clip_value=None)
    config: Any = SimpleNamespace(
        name="hand", targets=tuple(range(count)), optimizers=[Labelled(label, rule) for label in labels]
    )
    metrics: Any = {"objectives": {"one": {"optimizers": optimizers}}, "ranking": labels}
    return Result(config, metrics), [Case("one", "one", config, metrics["objectives"]["one"], {})]


TIMES = {
    "a": [10.0, 20.0, 300.0, None, 0.0],
    "b": [20.0, 20.0, 100.0, None, 3.0],
    "c": [None, 80.0, None, None, None],
}


def test_performance_profiles_are_those_computed_by_hand() -> None:
    """Of five pairs one is reached by none and left out; a time of 0 counts as 1."""
    result, found = by_hand(TIMES)
    ratios = profile_ratios(result, found)
    assert ratios.tolist() == [[1, 1, 3, 1], [2, 1, 1, 3], [np.inf, 4, np.inf, np.inf]]
    drawn = curves(performance_profile(result, found))
    expected = {1: (3, 2, 0), 1.9: (3, 2, 0), 2: (3, 3, 0), 3: (4, 4, 0), 4: (4, 4, 1), 8: (4, 4, 1)}
    for factor, counts in expected.items():
        heights = tuple(height(drawn[label], factor) for label in "abc")
        assert heights == tuple(count / 4 for count in counts), factor


def test_the_profile_says_how_many_pairs_count() -> None:
    (axes,) = performance_profile(*by_hand(TIMES)).axes
    assert "4 of 5" in notes(axes.figure)
    assert [str(line.get_label()) for line in axes.lines] == ["a  best on 3", "b  best on 2", "c  best on 0"]


def test_profiles_of_what_nobody_reached_are_empty() -> None:
    result, found = by_hand({"a": [None, None], "b": [None, None]})
    (axes,) = performance_profile(result, found).axes
    assert all(np.asarray(line.get_ydata()).max() == 0 for line in axes.lines)
    assert "0 of 2" in notes(axes.figure)


def test_there_is_a_panel_for_every_objective(run_optimize: Run) -> None:
    result = run_optimize(SUITE)
    ((_, figure),) = suite_convergence(result, cases(result))
    shown = figure.axes
    titles = [axes.get_title("left") for axes in shown]
    assert titles == ["valley (d = 2)", "rosenbrock (d = 3)", "himmelblau (d = 2)"]
    for axes, case in zip(shown, cases(result), strict=True):
        low, high = axes.get_ylim()
        drawn = {str(line.get_label()): line for line in axes.lines}
        for label in result.metrics["ranking"]:
            median = np.clip(np.median(case.array(f"{label}.value"), axis=1), low / 10, high * 10)
            assert np.allclose(np.asarray(drawn[label].get_ydata()), median, rtol=1e-12)
    assert set(legend_texts(figure)) == set(result.metrics["ranking"])


def test_many_objectives_have_pages(run_optimize: Run) -> None:
    listed = ", ".join(f"{{name: sphere, label: s{i}, dimension: {i}}}" for i in range(1, 27))
    result = run_optimize(
        f"""
name: many
objectives: [{listed}]
starts: {{own: 1}}
steps: 5
optimizers: [adam]
"""
    )
    figures = dict(suite_convergence(result, cases(result)))
    assert list(figures) == ["convergence-1", "convergence-2", "convergence-3"]
    assert sum(len(figure.axes) for figure in figures.values()) == 26
    assert "one start" in notes(figures["convergence-1"])

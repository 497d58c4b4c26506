"""Curves and rows of a sweep: they are the document's medians and quartiles, theory beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from dnnexp.config.sweep import Metric
from dnnexp.experiments.base import Result
from dnnexp.figures import sweep
from dnnexp.figures.style import ALARM, FAINT, INK
from tests.figures.drawn import legend_texts
from tests.figures.sweeps import FAILED, MISSING, grid, swept

RATES = [1e-3, 1e-2, 1e-1, 1.0]


def only(result: Result) -> Any:
    ((_, figure),) = sweep.figures(result.config, result.metrics)
    return figure.axes


def value(setting: Any) -> float:
    return float(setting["x"] * (1 + setting.get("seed", 0)))


def curves(axes: Any) -> list[Any]:
    return [line for line in axes.lines if len(line.get_xdata()) > 1 and line.get_linestyle() != "None"]


def test_a_curve_is_the_median_and_its_band_the_quartiles() -> None:
    result = swept(grid(x=RATES, seed=range(4)), value)
    (axes,) = only(result)
    (curve,) = curves(axes)
    groups = result.metrics["groups"]
    assert np.allclose(curve.get_xdata(), RATES, rtol=1e-12)
    assert np.allclose(curve.get_ydata(), [group["m"] for group in groups], rtol=1e-12)
    corners = np.asarray(axes.collections[0].get_paths()[0].vertices)
    for end in ("low", "high"):
        for group in groups:
            assert np.isclose(corners, [group["x"], group[f"m.{end}"]], rtol=1e-9).all(axis=1).any()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_numbers_that_are_evenly_spaced_have_a_linear_axis() -> None:
    (axes,) = only(swept(grid(x=[1, 2, 3, 4]), value))
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    assert len(axes.collections) == 0


@pytest.mark.parametrize(("scale", "drawn"), [("log", "log"), ("linear", "linear"), ("auto", "linear")])
def test_the_scale_of_a_metric_can_be_chosen(scale: Any, drawn: str) -> None:
    (axes,) = only(swept(grid(x=[1, 2, 3, 4]), value, Metric(value="m", scale=scale)))
    assert axes.get_yscale() == drawn


def test_settings_may_come_in_any_order() -> None:
    (axes,) = only(swept(grid(x=[3, 1, 2]), value))
    (curve,) = curves(axes)
    assert np.array_equal(curve.get_xdata(), [1, 2, 3])
    assert np.allclose(curve.get_ydata(), [1, 2, 3])


def test_theory_is_dashed_in_black() -> None:
    metrics = [Metric(label=f"o.{name}.rate", value=f"o.{name}.rate", theory="t") for name in ("adam", "sgd")]

    def find(setting: Any) -> dict[str, float]:
        x = setting["x"]
        return {
            "o.adam.rate": x,
            "o.sgd.rate": 2 * x,
            "o.adam.rate.theory": 3 * x,
            "o.sgd.rate.theory": 4 * x,
        }

    (axes,) = only(swept(grid(x=[1, 2, 3]), find, *metrics))
    adam, adam_theory, sgd, sgd_theory = curves(axes)
    for line, factor in ((adam, 1), (adam_theory, 3), (sgd, 2), (sgd_theory, 4)):
        assert np.allclose(line.get_ydata(), factor * np.array([1, 2, 3]))
    for line, theory in ((adam, adam_theory), (sgd, sgd_theory)):
        assert to_rgba(theory.get_color()) == to_rgba(INK) != to_rgba(line.get_color())
        assert theory.is_dashed()
        assert theory._dash_pattern != line._dash_pattern
    assert legend_texts(axes.get_figure(root=True)) == ["adam", "sgd", "theory"]
    assert axes.get_title("left") == "o.*.rate"


def test_quantities_have_panels_of_their_own() -> None:
    metrics = [
        Metric(value=value) for value in ("o.adam.final_value.median", "o.adam.rate", "o.sgd.final_value.max")
    ]
    panels = only(swept(grid(x=[1, 2]), lambda _: {metric.label: 1.0 for metric in metrics}, *metrics))
    assert [len(curves(axes)) for axes in panels] == [2, 1]


def test_what_has_no_number_is_a_gap_and_marked() -> None:
    def find(setting: Any) -> Any:
        return {2: None, 4: FAILED, 5: MISSING}.get(setting["x"], 1.0)

    (axes,) = only(swept(grid(x=[1, 2, 3, 4, 5, 6]), find))
    curve = max(curves(axes), key=lambda line: len(line.get_xdata()))
    assert np.array_equal(np.isnan(curve.get_ydata()), [False, True, False, True, True, False])
    marks = {
        line.get_marker(): list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "None"
    }
    assert marks == {"x": [2], "v": [4]}


def test_a_quartile_that_is_not_finite_leaves_through_the_top() -> None:
    result = swept(grid(x=[1, 2], seed=range(4)), value)
    result.metrics["groups"][0]["m.high"] = None
    (axes,) = only(result)
    corners = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert corners[:, 1].max() == axes.get_ylim()[1]


@pytest.mark.parametrize(
    "values", [["u", "v"], [True, False], [1, "auto"], [{"name": "a"}, {"name": "b"}], [None, "x"]]
)
def test_other_values_have_rows(values: list[Any]) -> None:
    result = swept(grid(x=values, seed=range(3)), lambda s: float(10 * values.index(s["x"]) + s["seed"]))
    (axes,) = only(result)
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert np.allclose(points[0].get_xdata(), [1, 11])
    assert np.array_equal(points[0].get_ydata(), [0, 1])
    bars = [path.vertices[:, 0].tolist() for path in axes.collections[0].get_paths()]
    assert np.allclose(bars, [[0.5, 1.5], [10.5, 11.5]])
    assert len(axes.get_yticklabels()) == 2


def test_a_row_without_a_complete_job_says_why() -> None:
    found = {"u": 1.0, "v": FAILED, "w": MISSING}
    (axes,) = only(swept(grid(x=list(found)), lambda s: found[s["x"]]))
    told = {text.get_text(): (text.get_position()[1], text.get_color()) for text in axes.texts}
    assert told == {"failed": (1, ALARM), "missing": (2, FAINT)}


def test_theory_in_rows_is_a_black_stroke() -> None:
    metric = Metric(value="m", theory="t")
    (axes,) = only(swept(grid(x=["u", "v"]), lambda s: {"m": 1.0, "m.theory": 2.0}, metric))
    (stroke,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert np.array_equal(stroke.get_xdata(), [2, 2])
    assert to_rgba(stroke.get_color()) == to_rgba(INK)


def test_repeats_alone_are_points_with_their_median() -> None:
    values = [3.0, 1.0, 2.0, None]
    result = swept(grid(seed=range(4)), lambda s: values[s["seed"]])
    result.metrics["groups"][0] |= {"m": 2.5, "m.low": 1.75, "m.high": None}
    (axes,) = only(result)
    by_marker = {line.get_marker(): np.asarray(line.get_xdata()) for line in axes.lines}
    assert np.array_equal(by_marker["o"], [3, 1, 2, np.nan], equal_nan=True)
    assert by_marker["|"] == [2.5]
    assert len(by_marker["x"]) == 1
    assert [label.get_text() for label in axes.get_yticklabels()] == ["m"]


def test_one_job_is_one_point() -> None:
    (axes,) = only(swept([{}], lambda _: 4.0))
    (point,) = axes.lines
    assert (list(point.get_xdata()), point.get_marker()) == ([4.0], "o")

"""Heat maps, points and parallel coordinates of a sweep: they show the document's medians."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import LogNorm, to_hex
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from dnnexp.config.sweep import Contour, Metric
from dnnexp.experiments.base import Result
from dnnexp.figures import sweep
from dnnexp.figures.style import ALARM, FAINT
from dnnexp.figures.sweep.marks import LOST, Colours
from tests.figures.drawn import legend_texts
from tests.figures.sweeps import FAILED, MISSING, grid, swept


def only(result: Result) -> Any:
    ((_, figure),) = sweep.figures(result.config, result.metrics)
    return figure


def meshes(axes: Any) -> list[Any]:
    return [each for each in axes.collections if isinstance(each, QuadMesh)]


def shown(axes: Any) -> Any:
    """The numbers of a map, `(rows, columns)`; NaN where nothing is drawn."""
    return np.ma.filled(meshes(axes)[1].get_array(), np.nan)


def product(setting: Any) -> float:
    return float(setting["x"] * setting["y"] * (1 + setting.get("seed", 0)))


def legend(figure: Any) -> list[str]:
    return legend_texts(figure)


def test_a_map_shows_medians_first_key_across() -> None:
    result = swept(grid(x=[1, 2, 3], y=[10, 20], seed=range(3)), product)
    figure = only(result)
    axes = figure.axes[0]
    assert np.allclose(shown(axes), 2 * np.outer([10, 20], [1, 2, 3]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["10", "20"]
    assert [text.get_text() for text in axes.texts] == ["20", "40", "60", "40", "80", "120"]
    assert len(figure.axes) == 2


def test_names_go_up_and_numbers_across() -> None:
    axes = only(
        swept(grid(a=["u", "v", "w"], b=[2, 1]), lambda s: float(s["b"] + 10 * "uvw".index(s["a"])))
    ).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("b", "a")
    assert np.allclose(shown(axes), [[1, 2], [11, 12], [21, 22]])
    assert axes.yaxis_inverted()


@pytest.mark.parametrize(("factor", "is_log"), [(1.0, False), (1e3, True)])
def test_colours_are_logarithmic_where_values_span_decades(factor: float, is_log: bool) -> None:
    axes = only(swept(grid(x=[1, factor + 1], y=[1, 2]), product)).axes[0]
    assert isinstance(meshes(axes)[1].norm, LogNorm) is is_log


def test_cells_without_a_number_are_told_apart() -> None:
    found = {(1, 1): None, (1, 2): FAILED, (2, 1): MISSING}
    settings = grid(x=[1, 2, 3], y=[1, 2, 3])[:-1]
    figure = only(swept(settings, lambda s: found.get((s["x"], s["y"]), 1.0)))
    axes = figure.axes[0]
    assert {tuple(cell) for cell in np.argwhere(np.isnan(shown(axes)))} == {(0, 0), (1, 0), (0, 1), (2, 2)}
    lost = meshes(axes)[0]
    assert np.argwhere(~np.ma.getmaskarray(lost.get_array())).tolist() == [[0, 0]]
    assert to_hex(lost.get_cmap()(0.0)).upper() == LOST
    hatched = {patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_hatch()}
    assert hatched == {(-0.5, 0.5), (0.5, -0.5)}
    (crosses,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert (list(crosses.get_xdata()), list(crosses.get_ydata()), crosses.get_color()) == ([0], [1], ALARM)
    assert legend(figure) == ["no finite number", "no complete job", "jobs failed", "not in the sweep"]


def test_zeros_have_a_colour_of_their_own_on_a_log_scale() -> None:
    values = {1: 0.0, 2: 1e-6, 3: 1.0}
    figure = only(swept(grid(x=[1, 2, 3], y=[1, 2]), lambda s: values[s["x"]]))
    mesh = meshes(figure.axes[0])[1]
    colours = mesh.get_cmap()(mesh.norm(mesh.get_array()))[0]
    assert to_hex(colours[0]) != to_hex(colours[1]) != to_hex(colours[2])
    assert legend(figure) == ["0"]


def test_theory_is_a_second_map_in_the_same_colours() -> None:
    metric = Metric(value="m", theory="t")
    figure = only(
        swept(grid(x=[1, 2], y=[1, 2]), lambda s: {"m": product(s), "m.theory": 1e4 * product(s)}, metric)
    )
    measured, theory, _ = figure.axes
    assert (measured.get_title("left"), theory.get_title("left")) == ("measured", "theory")
    assert np.allclose(shown(theory), 1e4 * shown(measured))
    norms = [meshes(axes)[1].norm for axes in (measured, theory)]
    assert [(norm.vmin, norm.vmax) for norm in norms] == [(1, 4e4)] * 2


@pytest.mark.parametrize(("at", "where"), [(10.0**0.25, 0.25), (10.0**1.5, 1.5)])
def test_the_contour_line_lies_where_its_value_is_reached(at: float, where: float) -> None:
    """Between cells whose values are decades apart it is the logarithm that is interpolated."""
    metric = Metric(value="m", contour=Contour(value="c", at=at, label="critical line"))
    settings = grid(x=[1, 2, 3], y=[1, 2, 3])
    figure = only(swept(settings, lambda s: {"m": 1.0, "m.contour": 10.0 ** (s["x"] - 1)}, metric))
    axes = figure.axes[0]
    (path,) = [path for found in axes.collections[2:] for path in found.get_paths() if len(path.vertices)]
    assert np.allclose(path.vertices[:, 0], where, atol=1e-9)
    assert (path.vertices[:, 1].min(), path.vertices[:, 1].max()) == (-0.5, 2.5)
    assert "critical line" in legend(figure)


def test_a_contour_that_cannot_be_drawn_is_said() -> None:
    metric = Metric(value="m", contour=Contour(value="c", at=1))
    settings = [{"x": i, "y": (7 * i) % 10} for i in range(10)]
    figure = only(swept(settings, lambda s: {"m": 1.0, "m.contour": 1.0}, metric))
    assert any("no contour line" in text.get_text() for text in figure.findobj(Text))


def test_few_combinations_are_points_where_they_lie() -> None:
    rng = np.random.default_rng(0)
    settings = [{"x": float(10 ** rng.uniform(-4, 0)), "y": float(rng.uniform())} for _ in range(30)]
    result = swept(settings, lambda s: s["x"] + s["y"])
    axes = only(result).axes[0]
    (dots,) = [each for each in axes.collections if isinstance(each, PathCollection)]
    assert np.allclose(dots.get_offsets(), [[s["x"], s["y"]] for s in settings])
    assert np.allclose(np.asarray(dots.get_array()), [s["x"] + s["y"] for s in settings])
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    least = min(settings, key=lambda s: s["x"] + s["y"])
    ring = axes.lines[-1]
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([least["x"]], [least["y"]])


def test_points_without_a_number_are_told_apart() -> None:
    found = {0: None, 1: FAILED, 2: MISSING}
    settings = [{"x": i, "y": (7 * i) % 10} for i in range(10)]
    figure = only(swept(settings, lambda s: found.get(s["x"], 1.0)))
    lines = {
        (line.get_marker(), str(line.get_markerfacecolor())): list(line.get_xdata())
        for line in figure.axes[0].lines
    }
    assert lines["o", LOST] == [0]
    assert lines["x", ALARM] == [1]
    assert lines["o", "none"] == [3]  # the least of those that have one
    hollow = [line for line in figure.axes[0].lines if line.get_markeredgecolor() == FAINT]
    assert [list(line.get_xdata()) for line in hollow] == [[2]]
    assert legend(figure) == ["least", "no finite number", "no complete job", "jobs failed"]


def parallel_lines(axes: Any) -> tuple[Any, Any]:
    (found,) = [each for each in axes.collections if isinstance(each, LineCollection)]
    return np.array(found.get_segments()), found.get_colors()


def test_parallel_lines_end_at_the_metric_in_its_colour() -> None:
    settings = grid(x=range(3), y=["u", "v"], z=[1.0, 2.0])
    result = swept(settings, lambda s: s["x"] + 10 * s["z"] + 100 * "uv".index(s["y"]))
    axes = only(result).axes[0]
    segments, shades = parallel_lines(axes)
    values = np.array([group["m"] for group in result.metrics["groups"]])
    ordered = np.sort(values)[::-1]
    heights = segments[:, -1, 1]
    slope = (heights[0] - heights[-1]) / (ordered[0] - ordered[-1])
    assert np.allclose(heights, heights[-1] + slope * (ordered - ordered[-1]))
    colours = Colours.of(values, "auto")
    assert [to_hex(shade) for shade in shades] == [to_hex(colours.colour(value)) for value in ordered]


def test_parallel_lines_cross_the_axes_at_their_values() -> None:
    settings = grid(x=range(3), y=["u", "v"], z=[1.0, 2.0])
    result = swept(settings, lambda s: s["x"] + 10 * s["z"] + 100 * "uv".index(s["y"]))
    segments, _ = parallel_lines(only(result).axes[0])
    order = np.argsort([-group["m"] for group in result.metrics["groups"]])
    swept_values: dict[str, list[Any]] = {"x": [0, 1, 2], "y": ["u", "v"], "z": [1.0, 2.0]}
    for key, (column, values) in enumerate(swept_values.items()):
        slots = np.floor(segments[:, key, 1] * len(values)).astype(int)
        assert [values[slot] for slot in slots] == [settings[place][column] for place in order]


def test_the_least_of_the_parallel_lines_is_marked_and_named() -> None:
    settings = grid(x=range(3), y=["u", "v"], z=[1.0, 2.0])
    figure = only(swept(settings, lambda s: abs(s["x"] - 1) + s["z"] + "vu".index(s["y"])))
    thickest = max(figure.axes[0].lines[:2], key=lambda line: line.get_zorder())
    assert thickest.get_linewidth() > 2
    assert np.floor(np.asarray(thickest.get_ydata())[0] * 3) == 1
    told = [text.get_text() for text in figure.findobj(Text) if "least m:" in text.get_text()]
    assert told == ["least m: 1 at x = 1, y = v, z = 1"]


def test_parallel_lines_without_a_number_end_above() -> None:
    found = {0: None, 1: FAILED, 2: MISSING}
    settings = grid(x=range(5), y=[1, 2], z=[1, 2])
    figure = only(swept(settings, lambda s: found.get(s["x"], 1.0 + s["y"])))
    segments, shades = parallel_lines(figure.axes[0])
    ends = {to_hex(shade).upper(): end for shade, end in zip(shades, segments[:, -1, 1], strict=True)}
    assert ends[LOST] > 1
    assert ends[ALARM] > ends[LOST]
    assert len(segments) == 16
    assert {"no number", "failed"} <= {text.get_text() for text in figure.axes[0].texts}

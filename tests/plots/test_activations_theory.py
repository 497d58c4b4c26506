"""Phase diagrams, correlation maps and curves over depth and width show what the arrays and metrics say."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet

from dnnexp.experiments.activations.figures import correlation, depth, phase, scaling
from dnnexp.experiments.base import Result

SMALL = """
network: {layers: [8, 8, 8, 8]}
input: {name: normal, samples: 6}
activations: [relu, tanh]
initializers:
  - {label: he, weights: he}
  - {label: zeros, weights: zeros, biases: zeros}
  - {label: orthogonal, weights: orthogonal}
seeds: 5
"""
SHAPES = """
network: {layers: [8, 8, 8]}
input: {name: normal, samples: 6}
activations: [relu]
initializers: [{label: he, weights: he}]
seeds: 5
"""
Run = Callable[[str], Result]


@pytest.fixture
def result(run_activations: Run) -> Result:
    return run_activations(SMALL)


@pytest.fixture
def shapes(run_activations: Run) -> Result:
    return run_activations(f"{SHAPES}depths: [2, 4, 8]\nwidths: [4, 8]\n")


def points(axes: Any, marker: str) -> list[tuple[float, float]]:
    lines = [line for line in axes.lines if line.get_marker() == marker]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]


def test_the_critical_line_of_relu_is_at_two_and_he_is_on_it(result: Result) -> None:
    ((name, figure),) = phase.figures(result)
    assert name == "phase_diagram"
    axes = figure.axes[0]
    assert axes.get_title("left") == "relu"
    contours = [found for found in axes.collections if isinstance(found, QuadContourSet)]
    (line,) = [found for found in contours if not found.filled]
    vertices = line.get_paths()[0].vertices
    assert isinstance(vertices, np.ndarray)
    assert np.allclose(vertices[:, 0], 2, rtol=1e-9)
    assert np.allclose(points(axes, "o"), [(2, 0)])


def test_weights_of_zero_are_an_arrow_at_the_edge(result: Result) -> None:
    axes = next(phase.figures(result))[1].axes[0]
    assert points(axes, "<") == [(result.arrays["_phase.relu.sigma_w2"][0], 0.0)]


def test_cases_without_variances_are_named_instead(result: Result) -> None:
    figure = next(phase.figures(result))[1]
    places = [result.metrics["cases"][case]["theory"]["sigma_w2"] for case in result.metrics["cases"]]
    notes = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert ("not marked" in notes) == (None in places)
    assert ("relu/orthogonal" in notes) == (
        result.metrics["cases"]["relu/orthogonal"]["theory"]["sigma_w2"] is None
    )


def test_a_diagram_that_is_not_finite_can_be_drawn(result: Result) -> None:
    shape = result.arrays["_phase.tanh.chi_1"].shape
    for value in (np.nan, np.inf, 0.0, 1.0):
        wild = {f"_phase.tanh.{name}": np.full(shape, value) for name in ("chi_1", "q_star")}
        next(phase.figures(replace(result, arrays={**result.arrays, **wild})))[1].savefig(io.BytesIO())


def test_without_theory_there_are_neither_diagram_nor_map(result: Result) -> None:
    kept = {key: value for key, value in result.arrays.items() if "_phase" not in key and ".map." not in key}
    nothing = replace(result, arrays=kept)
    assert not list(phase.figures(nothing))
    assert not list(correlation.figures(nothing))


def test_the_map_its_fixed_point_and_what_was_measured(result: Result) -> None:
    ((name, figure),) = correlation.figures(result)
    assert name == "correlation_map"
    axes = figure.axes[1]
    assert axes.get_title("left") == "tanh"
    drawn = [np.array(line.get_data()) for line in axes.lines]
    curve = [result.arrays[f"tanh/he.map.{name}"] for name in ("c", "next")]
    medians = np.median(result.arrays["tanh/he.correlation"], axis=0)
    fixed = result.metrics["cases"]["tanh/he"]["theory"]["c_star"]
    for expected in (curve, [medians[:-1], medians[1:]], [[fixed], [fixed]]):
        assert any(np.array_equal(line, expected) for line in drawn)


def test_pairs_that_are_undefined_are_left_out() -> None:
    values = [[0.1, np.nan, 0.3, 0.4], [0.1, np.nan, 0.3, 0.4]]
    assert np.allclose(correlation.measured_pairs(values), [[0.3], [0.4]])


def test_one_sample_has_no_correlation_map(run_activations: Run) -> None:
    result = run_activations(SMALL.replace("samples: 6", "samples: 1"))
    assert not list(correlation.figures(result))


def test_no_shapes_no_scaling(result: Result) -> None:
    assert not list(scaling.figures(result))


def test_a_line_a_width_against_depth(shapes: Result) -> None:
    ((name, figure),) = scaling.figures(shapes)
    assert name == "scaling"
    (axes,) = [axes for axes in figure.axes if axes.get_title("left").startswith("q of")]
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(lines) == 2
    assert list(lines[0].get_xdata()) == [2, 4, 8]  # type: ignore[arg-type]
    entries = shapes.metrics["cases"]["relu/he"]["scaling"]
    narrow = [k for k, entry in enumerate(entries, start=1) if entry["width"] == 4]
    last = [np.median(shapes.arrays[f"relu/he.scaling.{k}.pre.mean_square"][:, -1]) for k in narrow]
    assert np.allclose(np.asarray(lines[0].get_ydata(), float), last)


def test_scatter_is_drawn_with_its_theory(shapes: Result) -> None:
    figure = next(scaling.figures(shapes))[1]
    (axes,) = [axes for axes in figure.axes if "|z|²" in axes.get_title("left")]
    entries = [entry for entry in shapes.metrics["cases"]["relu/he"]["scaling"] if entry["width"] == 8]
    for expected in (
        [entry["layers"][-1]["norm_scatter"] for entry in entries],
        [entry["theory"]["norm_scatter"][-1] for entry in entries],
    ):
        assert any(np.allclose(np.asarray(line.get_ydata(), float), expected) for line in axes.lines)


def test_of_one_depth_the_curves_are_against_width(run_activations: Run) -> None:
    result = run_activations(f"{SHAPES}widths: [4, 8, 16]\n")
    axes = next(scaling.figures(result))[1].axes[0]
    assert "width" in next(a.get_xlabel() for a in axes.figure.axes if a.get_xlabel())
    assert list(axes.lines[0].get_xdata()) == [4, 8, 16]  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e-300, 1e300])
def test_scaling_survives_any_value(shapes: Result, value: float) -> None:
    wild = {k: np.full_like(v, value) for k, v in shapes.arrays.items() if ".scaling.3." in k}
    for _, figure in scaling.figures(replace(shapes, arrays={**shapes.arrays, **wild})):
        figure.savefig(io.BytesIO())


def test_a_case_with_nothing_but_zeros_has_no_scaling_figure(run_activations: Run) -> None:
    """It ended in a division by zero panels."""
    zeros = SHAPES.replace("weights: he", "weights: zeros, biases: zeros").replace("samples: 6", "samples: 1")
    assert not list(scaling.figures(run_activations(f"{zeros}widths: [3]\n")))


def test_one_layer_one_sample_one_network_can_be_drawn(run_activations: Run) -> None:
    config = SHAPES.replace("[8, 8, 8]", "[5, 6]").replace("samples: 6", "samples: 1").replace("seeds: 5", "")
    result = run_activations(f"{config}depths: [1]\nwidths: [3]\n")
    for module in (depth, phase, correlation, scaling):
        for _, figure in module.figures(result):
            figure.savefig(io.BytesIO())

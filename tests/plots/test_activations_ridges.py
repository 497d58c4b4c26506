"""A figure a case of many layers: a ridge a layer, on axes that no layer squashes."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from scipy.stats import norm

from dnnexp.experiments.activations.figures import histograms, ridges
from dnnexp.experiments.base import Result

Run = Callable[[str], Result]


def config(depth: int, activation: str, weights: str, more: str = "") -> str:
    return f"""
network: {{layers: {[20] * (depth + 1)}}}
input: {{name: normal, samples: 20}}
activations: [{activation}]
initializers: [{{label: some, weights: {weights}}}]
loss: null
{more}
"""


def draw(result: Result) -> tuple[Figure, list[Axes]]:
    ((name, figure),) = ridges.figures(result)
    assert name == f"{result.config.activations[0].label}.some"
    assert list(histograms.figures(result)) == []
    figure.savefig(io.BytesIO(), format="png")
    return figure, figure.axes


def steps(axes: Axes) -> list[Any]:
    return [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]


def theory(axes: Axes) -> list[Any]:
    return [line for line in axes.lines if to_hex(line.get_color()) == "#000000"]


def texts(axes: Axes) -> list[str]:
    return [text.get_text().strip() for text in axes.texts]


def test_few_layers_have_no_ridges(run_activations: Run) -> None:
    assert list(ridges.figures(run_activations(config(10, "tanh", "lecun")))) == []


def test_a_ridge_a_layer_the_first_on_top(run_activations: Run) -> None:
    result = run_activations(config(30, "tanh", "{name: normal, std: 0.4}"))
    _, (left, right) = draw(result)
    for axes, side in ((left, "pre"), (right, "post")):
        found = steps(axes)
        assert [bars.baseline for bars in found] == list(range(30))
        assert axes.get_ylim()[0] > axes.get_ylim()[1]
        for number, bars in enumerate(found, start=1):
            counts = result.arrays[f"tanh/some.{number}.{side}.counts"]
            assert np.array_equal(bars.edges, result.arrays[f"tanh/some.{number}.{side}.edges"])
            heights = bars.baseline - bars.values
            assert np.allclose(heights / heights.max(), counts / counts.max())
    assert [text.get_text() for text in left.get_yticklabels()] == [str(n) for n in range(1, 31)]
    assert left.get_xlabel() == "pre-activation z"
    assert right.get_xlabel() == "output a"


def test_theory_is_as_high_as_a_normal_density(run_activations: Run) -> None:
    result = run_activations(config(12, "tanh", "{name: normal, std: 0.4}"))
    _, (left, right) = draw(result)
    assert len(theory(left)) == 12
    assert theory(right) == []
    for number, (bars, curve) in enumerate(zip(steps(left), theory(left), strict=True), start=1):
        counts = result.arrays[f"tanh/some.{number}.pre.counts"]
        q = result.metrics["cases"]["tanh/some"]["theory"]["q"][number - 1]
        shares = norm.pdf(curve.get_xdata(), scale=math.sqrt(q)) * (bars.edges[1] - bars.edges[0])
        unit = (bars.baseline - bars.values).max() * counts.sum() / counts.max()
        assert np.allclose(bars.baseline - curve.get_ydata(), unit * shares, atol=1e-9)


def test_layers_of_different_scales_are_drawn_in_their_own(run_activations: Run) -> None:
    result = run_activations(config(30, "identity", "{name: normal, std: 0.1}"))
    _, (left, _) = draw(result)
    assert "std of each layer" in left.get_xlabel()
    low, high = left.get_xlim()
    assert -5 < low < -1.5
    assert 1.5 < high < 5
    for bars in steps(left):
        shares = (bars.baseline - bars.values) / (bars.baseline - bars.values).sum()
        middles = (bars.edges[1:] + bars.edges[:-1]) / 2
        assert shares @ middles == pytest.approx(0, abs=1e-9)
        assert shares @ middles**2 == pytest.approx(1, abs=1e-9)
    assert f"{result.metrics['cases']['identity/some']['layers'][0]['pre']['std']:.1g}" in {
        f"{float(text):.1g}" for text in texts(left) if text[0].isdigit()
    }


def test_one_tail_does_not_widen_the_axes(run_activations: Run) -> None:
    result = run_activations(config(12, "identity", "{name: normal, std: 0.2236}"))
    key = "identity/some.3.pre"
    edges, counts = result.arrays[f"{key}.edges"], np.zeros(60, int)
    counts[:30], counts[-1] = 1000, 1
    arrays = {**result.arrays, f"{key}.counts": counts, f"{key}.edges": edges * 2}
    _, (left, _) = draw(Result(result.config, result.metrics, arrays))
    assert left.get_xlim()[1] < edges[-1] * 2


def test_many_layers_are_thinned_out_evenly(run_activations: Run) -> None:
    result = run_activations(config(150, "tanh", "lecun"))
    _, (left, right) = draw(result)
    assert len(steps(left)) == len(steps(right)) == 60
    labels = [text.get_text() for text in left.get_yticklabels()]
    assert (labels[0], labels[-1]) == ("1", "150")
    assert len(labels) == 30


def test_layers_without_a_finite_value_say_so(run_activations: Run) -> None:
    result = run_activations(config(12, "identity", "{name: normal, std: 1.0e+100}"))
    figure, axes = draw(result)
    assert any("exploding" in text.get_text() for text in figure.texts)
    for side, panel in zip(("pre", "post"), axes, strict=True):
        finite = [n for n in range(1, 13) if result.arrays[f"identity/some.{n}.{side}.counts"].any()]
        assert 0 < len(finite) == len(steps(panel)) < 12
        assert f"layers {finite[-1] + 1} to 12: no finite value" in texts(panel)


def test_layers_that_are_finite_in_part_say_so(run_activations: Run) -> None:
    result = run_activations(config(12, "tanh", "{name: normal, std: 0.4}"))
    key = "tanh/some.5.pre.counts"
    counts = result.arrays[key] // 2
    changed = Result(result.config, result.metrics, {**result.arrays, key: counts})
    _, (left, right) = draw(changed)
    assert f"{1 - counts.sum() / 400:.0%} not finite" in texts(left)
    assert not any("finite" in text for text in texts(right))


def test_constant_layers_are_spikes_with_theory_at_0(run_activations: Run) -> None:
    _, (left, right) = draw(run_activations(config(12, "sigmoid", "zeros")))
    for axes, value in ((left, 0.0), (right, 0.5)):
        assert len(steps(axes)) == 12
        for bars in steps(axes):
            assert bars.edges.mean() == pytest.approx(value, abs=1e-12)
            assert bars.baseline - bars.values[0] > 0
        assert texts(axes).count("0") == 12
    assert all(np.array_equal(curve.get_xdata(), [0, 0]) for curve in theory(left))


def test_every_text_is_inside_the_figure(run_activations: Run) -> None:
    result = run_activations(config(30, "relu", "he", "seeds: 3"))
    figure, _ = draw(result)
    assert any("histograms: 3 networks pooled" in text.get_text() for text in figure.texts)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    for axes in figure.axes:
        for text in [*axes.texts, axes._left_title, axes.xaxis.label, axes.yaxis.label]:  # type: ignore[attr-defined]
            box = text.get_window_extent(canvas.get_renderer())
            assert box.x0 >= 0, text
            assert box.x1 <= width, text
            assert box.y0 >= 0, text
            assert box.y1 <= height, text

"""A figure a case of few layers: what was counted, and what theory expects of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from scipy.stats import norm

from dnnexp.config.load import load
from dnnexp.config.shipped import reference
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.activations.figures import histograms
from dnnexp.experiments.activations.figures.layers import Histogram, chosen
from dnnexp.experiments.activations.figures.layers import histograms as of_layers
from dnnexp.experiments.base import Result, RunContext

Run = Callable[[str], Result]

SMALL = """
network: {layers: [30, 30, 20, 10]}
input: {name: normal, samples: 40}
activations: [relu, tanh, sine, sigmoid]
initializers:
  - {label: he, weights: he}
  - {label: zeros, weights: zeros}
  - {label: bare, weights: {name: uniform, low: 0.5, high: 1}}
"""
HUGE = """
network: {layers: [10, 10, 10, 10]}
input: {name: normal, samples: 10}
activations: [identity]
initializers: [{label: huge, weights: {name: normal, std: 1.0e+150}}]
"""


@pytest.fixture
def result(run_activations: Run) -> Result:
    return run_activations(SMALL)


@pytest.fixture(scope="module")
def of_reference() -> Result:
    config = load("activations", reference("activations"))
    return find("activations").run(config, RunContext(Streams(config.seed)))


def panels(figure: Figure) -> tuple[list[Axes], list[Axes]]:
    """Those of outputs, a layer each, and the strips of pre-activations."""
    outputs = [axes for axes in figure.axes if axes.get_xlabel() == "output a"]
    return outputs, [axes for axes in figure.axes if axes not in outputs]


def steps(axes: Axes) -> list[Any]:
    return [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]


def theory(axes: Axes) -> list[Any]:
    return [line for line in axes.lines if to_hex(line.get_color()) == "#000000"]


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in [*figure.texts, *(t for a in figure.axes for t in a.texts)])


def figure_of(result: Result, case: str) -> Figure:
    return histograms.of_case(result, case)


def test_the_reference_has_forty_histograms_of_outputs(of_reference: Result) -> None:
    found = list(histograms.figures(of_reference))
    outputs = [axes for _, figure in found for axes in panels(figure)[0]]
    assert len(found) == 8
    assert len(outputs) == 40
    assert all(len(steps(axes)) == 1 for axes in outputs)
    assert sum(len(steps(axes)) for _, figure in found for axes in panels(figure)[1]) == 40


def test_the_bars_are_the_shares_that_were_counted(result: Result) -> None:
    for case in result.config.cases:
        outputs, (strip,) = panels(figure_of(result, case))
        assert len(outputs) == 3
        for layer, axes in enumerate(outputs, start=1):
            counts = result.arrays[f"{case}.{layer}.post.counts"]
            (bars,) = steps(axes)
            assert np.allclose(bars.values, counts / counts.sum())
            assert np.array_equal(bars.edges, result.arrays[f"{case}.{layer}.post.edges"])
            assert axes.get_title("left").startswith(f"layer {layer}\n")
        for layer, bars in enumerate(steps(strip), start=1):
            counts = result.arrays[f"{case}.{layer}.pre.counts"]
            heights = bars.baseline - bars.values  # y grows downwards
            is_whole = heights < heights.max()  # a spike is cut
            unit = heights[is_whole].max() / max(1, counts[is_whole].max())
            assert np.allclose(heights[is_whole], unit * counts[is_whole])


def test_pre_activations_have_the_normal_density_of_theory_over_them(result: Result) -> None:
    """A bin's share is its width times the density in its middle, up to the square of its width."""
    figure = figure_of(result, "tanh/he")
    (strip,) = panels(figure)[1]
    assert len(theory(strip)) == 3
    for layer, (bars, curve) in enumerate(zip(steps(strip), theory(strip), strict=True), start=1):
        edges = result.arrays[f"tanh/he.{layer}.pre.edges"]
        counts = result.arrays[f"tanh/he.{layer}.pre.counts"]
        q = result.metrics["cases"]["tanh/he"]["theory"]["q"][layer - 1]
        unit = (bars.baseline - bars.values).max() * counts.sum() / counts.max()  # the height of all
        middles = (edges[1:] + edges[:-1]) / 2
        expected = (edges[1] - edges[0]) * norm.pdf(middles, scale=math.sqrt(q))
        assert np.allclose((bars.baseline - curve.get_ydata()) / unit, expected, atol=5e-4)


def shares_by_formula(name: str, edges: Any, q: float) -> Any:
    """P(a in bin) by the distribution function of the output, per activation."""
    scale = math.sqrt(q)
    functions: dict[str, Callable[[Any], Any]] = {
        "relu": lambda a: np.where(a < 0, 0, norm.cdf(a, scale=scale)),
        "tanh": lambda a: norm.cdf(np.arctanh(np.clip(a, -1, 1)), scale=scale),
        "sigmoid": lambda a: norm.cdf(np.log(a) - np.log1p(-np.minimum(a, 1)), scale=scale),
        "sine": lambda a: np.sum(
            [
                norm.cdf(2 * math.pi * k + np.arcsin(np.clip(a, -1, 1)), scale=scale)
                - norm.cdf(2 * math.pi * k - math.pi - np.arcsin(np.clip(a, -1, 1)), scale=scale)
                for k in range(-9, 10)
            ],
            axis=0,
        ),
    }
    below = functions[name](edges)
    first = below[0] if name == "relu" else 0.0  # the mass at 0 is in the first bin, which begins there
    return np.diff(below) + np.eye(1, len(edges) - 1)[0] * first


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "sine"])
def test_outputs_have_what_theory_expects_over_them(result: Result, name: str) -> None:
    """2¹⁴ quantiles: a share is off by at most one of them at each end of a bin, on each branch."""
    case = f"{name}/he"
    for layer, axes in enumerate(panels(figure_of(result, case))[0], start=1):
        (curve,) = theory(axes)
        edges = result.arrays[f"{case}.{layer}.post.edges"]
        q = result.metrics["cases"][case]["theory"]["q"][layer - 1]
        with np.errstate(divide="ignore"):
            expected = shares_by_formula(name, edges, q)
        assert np.allclose(curve.get_ydata(), expected, atol=8 / 2**14)
        assert np.allclose(curve.get_xdata(), (edges[1:] + edges[:-1]) / 2)


def test_a_case_without_theory_has_no_dashes_and_no_word_of_them(result: Result) -> None:
    figure = figure_of(result, "relu/bare")
    assert not any(theory(axes) for axes in figure.axes)
    assert "theory" not in texts(figure)
    assert "mean-field theory" in texts(figure_of(result, "relu/he"))


def test_a_constant_output_is_drawn_and_described(result: Result) -> None:
    outputs, (strip,) = panels(figure_of(result, "sigmoid/zeros"))
    for axes in outputs:
        assert "constant" in axes.get_title("left")
        assert [text.get_text() for text in axes.texts] == ["every value is 0.5"]
        assert steps(axes)[0].values.max() == 1
        assert theory(axes)[0].get_ydata().max() == 1
    assert [text.get_text() for text in strip.texts].count("every value is 0") == 3


def test_a_constant_is_known_by_its_extremes(run_activations: Run) -> None:
    """The mean of equal numbers rounds, so their standard deviation need not be 0."""
    result = run_activations("""
network: {layers: [3, 1, 1]}
input: {name: normal, samples: 1000}
activations: [tanh]
initializers: [{label: flat, weights: zeros, biases: {name: normal, std: 1}}]
""")
    outputs, _ = panels(figure_of(result, "tanh/flat"))
    assert all("constant" in axes.get_title("left") for axes in outputs)


def test_networks_with_constants_of_their_own_make_no_constant(run_activations: Run) -> None:
    """The medians of least and greatest are equal there, but the pooled values are not."""
    result = run_activations("""
network: {layers: [3, 1]}
input: {name: normal, samples: 10}
seeds: 5
activations: [tanh]
initializers: [{label: flat, weights: zeros, biases: {name: normal, std: 1}}]
""")
    ((axes,), _) = panels(figure_of(result, "tanh/flat"))
    assert "constant" not in axes.get_title("left")
    assert np.count_nonzero(steps(axes)[0].values) == 5


def test_layers_that_overflowed_say_so(run_activations: Run) -> None:
    result = run_activations(HUGE)
    outputs, (strip,) = panels(figure_of(result, "identity/huge"))
    assert [text.get_text() for text in outputs[2].texts] == ["no finite value"]
    assert "layer 3, 100% not finite" in outputs[2].get_title("left")
    assert [text.get_text() for text in strip.texts].count("no finite value") == 1
    assert [len(steps(axes)) for axes in outputs] == [1, 1, 0]


def test_the_share_that_is_not_finite_is_told(result: Result) -> None:
    (whole,) = of_layers(result, "tanh/he", "post", [1])
    counts = whole.counts.copy()
    counts[counts > 0] //= 2
    half = Histogram(1, "post", counts, whole.edges, whole.metrics, None, whole.activation, whole.size)
    assert whole.lost == 0
    assert half.lost == 1 - counts.sum() / (40 * 30)
    assert f"{half.lost:.0%} not finite" in histograms._summary(half)


@pytest.mark.parametrize(("depth", "grid"), [(1, (1, 1)), (5, (1, 5)), (6, (2, 3)), (10, (2, 5))])
def test_panels_fill_a_grid(run_activations: Run, depth: int, grid: tuple[int, int]) -> None:
    result = run_activations(f"""
network: {{layers: {[4] * (depth + 1)}}}
input: {{name: normal, samples: 4}}
activations: [tanh]
initializers: [{{label: he, weights: he}}]
""")
    figure = figure_of(result, "tanh/he")
    outputs, strips = panels(figure)
    assert len(outputs) == depth
    assert len({round(axes.get_position().y0, 6) for axes in outputs}) == len(strips) == grid[0]
    assert len({round(axes.get_position().x0, 6) for axes in outputs}) == grid[1]
    assert clipped(figure) == []


@pytest.mark.parametrize("text", [SMALL, HUGE])
def test_every_text_is_inside_the_figure(run_activations: Run, text: str) -> None:
    for name, figure in histograms.figures(run_activations(text)):
        assert clipped(figure) == [], name


def clipped(figure: Figure) -> list[str]:
    """The texts that are not wholly inside."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text.get_text()
        for text in all_texts(figure)
        if (text.get_text() and (box := text.get_window_extent(canvas.get_renderer())).x0 < -1)
        or box.y0 < -1
        or box.x1 > width + 1
        or box.y1 > height + 1
    ]


def all_texts(figure: Figure) -> Iterator[Any]:
    for axes in figure.axes:
        yield from (*axes.texts, axes._left_title)  # type: ignore[attr-defined]
        if axes.axison:
            yield from (axes.xaxis.label, axes.yaxis.label)
    yield from figure.texts


def test_chosen_layers_are_even_with_both_ends() -> None:
    assert chosen(5, 10) == [1, 2, 3, 4, 5]
    assert chosen(100, 10) == [1, 12, 23, 34, 45, 56, 67, 78, 89, 100]
    assert chosen(1, 10) == [1]

"""All cases at a glance: each has its row, its verdict and its layers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dnnexp.experiments.activations.figures.overview import figures, overview
from dnnexp.experiments.activations.figures.verdicts import colour_of
from dnnexp.experiments.base import Result
from dnnexp.registry import Labelled

Run = Callable[[str], Result]

SMALL = """
network: {layers: [10, 10, 10, 10]}
input: {name: normal, samples: 10}
activations: [identity, sigmoid]
initializers: [{label: he, weights: he}, {label: huge, weights: {name: normal, std: 1.0e+150}}]
"""
NARROW = """
network: {layers: [4, 4]}
input: {name: normal, samples: 4}
activations: [relu]
initializers: [{label: with_a_label_of_some_length, weights: he}]
"""


def test_every_case_has_its_name_its_verdict_and_its_layers(run_activations: Run) -> None:
    result = run_activations(SMALL)
    (axes,) = overview(result).axes
    texts = [text.get_text() for text in axes.texts]
    for case, found in result.metrics["cases"].items():
        row = texts.index(case.replace("/", "\n"))
        verdict = axes.texts[row + 1]
        assert verdict.get_text() == found["verdict"]["name"]
        assert verdict.get_color() == colour_of(found["verdict"]["name"])
    assert {f"layer {layer}" for layer in range(1, 4)} <= set(texts)
    empty = sum(
        not result.arrays[f"{c}.{n}.post.counts"].any() for c in result.config.cases for n in range(1, 4)
    )
    assert texts.count("no finite value") == empty > 0
    assert len(axes.patches) == 12 - empty


def test_of_many_layers_ten_are_shown(run_activations: Run) -> None:
    result = run_activations(f"""
network: {{layers: {[8] * 51}}}
input: {{name: normal, samples: 8}}
activations: [tanh]
initializers: [{{label: he, weights: he}}]
""")
    ((name, figure),) = figures(result)
    (axes,) = figure.axes
    assert name == "overview"
    assert len(axes.patches) == 10
    assert {"layer 1", "layer 50"} <= {text.get_text() for text in axes.texts}


@pytest.mark.parametrize("count", [60, 600])
def test_many_cases_make_a_picture(run_activations: Run, count: int) -> None:
    result = run_activations(NARROW)
    ((case, metrics),), (entry,) = result.metrics["cases"].items(), result.config.initializers
    config = replace(
        result.config, initializers=tuple(Labelled(f"label_{n}", entry.item) for n in range(count))
    )
    arrays = {
        key.replace(case, other): values
        for key, values in result.arrays.items()
        for other in config.cases
        if key.startswith(f"{case}.1.post")
    }
    figure = overview(Result(config, {"cases": dict.fromkeys(config.cases, metrics)}, arrays))
    if count < 100:
        figure.savefig(io.BytesIO(), format="png")
    assert max(figure.get_size_inches() * figure.dpi) < 65535
    assert len(figure.axes[0].patches) == count


def test_the_title_fits_the_narrowest_figure(run_activations: Run) -> None:
    result = run_activations(NARROW)
    figure = overview(result)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    for text in [figure._suptitle, *figure.axes[0].texts]:  # type: ignore[attr-defined]
        box = text.get_window_extent(canvas.get_renderer())
        assert box.x0 >= 0
        assert box.x1 <= figure.get_figwidth() * figure.dpi

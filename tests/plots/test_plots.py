"""The figures: what they show is what the arrays hold, and every text is inside and apart."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread

from dnnexp.config.load import load
from dnnexp.config.shipped import reference
from dnnexp.core.initializers import LayerInitializer, Normal, Zeros
from dnnexp.core.optimizers import GradientDescent
from dnnexp.core.streams import Streams
from dnnexp.experiments import find, names
from dnnexp.experiments.activations import figures as activations
from dnnexp.experiments.activations.config import Widths
from dnnexp.experiments.base import Result, RunContext
from dnnexp.experiments.gradcheck import figures as gradcheck
from dnnexp.experiments.gradcheck.config import StepSweep
from dnnexp.experiments.optimize import figures as optimize
from dnnexp.experiments.optimize.figures.cases import cases
from dnnexp.experiments.optimize.figures.convergence import convergence
from dnnexp.experiments.optimize.figures.paths import trajectories
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.registry import Labelled
from tests.figures.drawn import notes
from tests.plots.rendering import render


def smoke(experiment: str, **changes: Any) -> Result:
    config = replace(find(experiment).shrink(load(experiment, reference(experiment))), **changes)
    return find(experiment).run(config, RunContext(Streams(0)))


@pytest.fixture(scope="module", params=names())
def rendered(request: pytest.FixtureRequest) -> tuple[str, Result, dict[str, bytes]]:
    result = smoke(request.param)
    return request.param, result, dict(render(request.param, result))


def test_every_plot_is_a_png_with_something_on_it(rendered: tuple[str, Result, dict[str, bytes]]) -> None:
    for png in rendered[2].values():
        image = imread(io.BytesIO(png))
        assert min(image.shape[:2]) > 250
        assert len(np.unique(image.sum(axis=2))) > 10


def test_the_files_are_those_documented(rendered: tuple[str, Result, dict[str, bytes]]) -> None:
    experiment, result, found = rendered
    expected = {
        "optimize": {"convergence.png", "trajectories.png"},
        "gradcheck": {"tensors.png", "agreement.png", "errors.png"},
        "activations": {"overview.png", "forward.png", "backward.png"}
        | {"correlation_map.png", "phase_diagram.png"}
        | {f"{case.replace('/', '.')}.png" for case in result.metrics.get("cases", ())},
    }
    assert set(found) == expected[experiment]


def test_the_same_result_gives_the_same_bytes(rendered: tuple[str, Result, dict[str, bytes]]) -> None:
    experiment, result, found = rendered
    name, png = next(iter(render(experiment, result)))
    assert png == found[name]


def figures(experiment: str) -> Iterator[tuple[str, Figure]]:
    module: Any = {"optimize": optimize, "activations": activations, "gradcheck": gradcheck}[experiment]
    yield from module.figures(smoke(experiment))


@pytest.mark.parametrize("experiment", names())
def test_no_text_is_clipped_or_overlaps_another_in_its_axes(experiment: str) -> None:
    for name, figure in figures(experiment):
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        width, height = figure.get_size_inches() * figure.dpi
        renderer = canvas.get_renderer()
        for axes in figure.axes:
            titles = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]  # type: ignore[attr-defined]
            boxes = [
                (text.get_text(), text.get_window_extent(renderer))
                for text in [*titles, *axes.texts]
                if text.get_text() and text.get_visible() and axes.get_visible()
            ]
            for index, (text, box) in enumerate(boxes):
                assert box.x0 >= -1, (name, text)
                assert box.y0 >= -1, (name, text)
                assert box.x1 <= width + 1, (name, text)
                assert box.y1 <= height + 1, (name, text)
                for other, second in boxes[index + 1 :]:
                    assert not box.overlaps(second), (name, text, other)


def test_convergence_draws_median_and_quartiles() -> None:
    result = smoke("optimize")
    (axes,) = convergence(cases(result)[0]).axes
    curves = {line.get_label(): line for line in axes.lines}
    for label in result.metrics["optimizers"]:
        value = result.arrays[f"{label}.value"]
        low, high = axes.get_ylim()
        expected = np.clip(np.median(value, axis=1), low / 10, high * 10)
        assert np.allclose(curves[label].get_ydata(), expected, rtol=1e-12)
        assert np.array_equal(curves[label].get_xdata(), result.arrays["evaluations"])
    assert len(axes.collections) == len(result.metrics["optimizers"])
    assert axes.get_yscale() == "log"
    assert "gradient evaluations" in axes.get_xlabel()


def test_one_start_has_no_band() -> None:
    config = load("optimize", reference("optimize"))
    result = smoke("optimize", starts=replace(config.starts, uniform=None))
    (axes,) = convergence(cases(result)[0]).axes
    assert len(axes.collections) == 0
    assert "one start" in notes(axes.get_figure(root=True))  # type: ignore[arg-type]


def test_divergence_is_drawn_and_named() -> None:
    optimizers = (Labelled("wild", GradientDescent(3.0)), Labelled("tame", GradientDescent(0.1)))
    result = smoke("optimize", optimizers=optimizers, steps=2000)
    assert result.metrics["optimizers"]["wild"]["diverged"] == 5
    titles = [axes.get_title("left") for axes in dict(trajectories(cases(result)[0]))["trajectories"].axes]
    assert "diverged" in titles[0]
    assert dict(render("optimize", result)).keys() == {"convergence.png", "trajectories.png"}


def test_values_of_one_bin_whose_spread_overflows_are_drawn() -> None:
    """One bin held all finite values, and the panel's height became 0."""
    config = load("activations", reference("activations"))
    item = replace(config.initializers[0].item, weights=Normal(std=1e300), biases=Normal(std=1e300))
    result = smoke("activations", initializers=(Labelled("huge", item),))
    assert len(dict(render("activations", result))) > 3


def test_errors_draws_theory_beside_measurement() -> None:
    result = smoke("gradcheck")
    (axes,) = gradcheck.errors(result).axes
    curves = {str(line.get_label()): line for line in axes.lines}
    for name, key in (("truncation", "truncation"), ("round-off", "round_off")):
        (curve,) = [line for label, line in curves.items() if f"theory: {name}" in label]
        assert np.allclose(curve.get_ydata(), np.median(result.arrays[f"sweep.{key}"], axis=0))
    assert "central differences, measured" in curves
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


@pytest.mark.parametrize(
    ("experiment", "changes"),
    [
        ("optimize", {"starts": Starts(points=((0.0, 0.0),))}),
        ("optimize", {"starts": Starts(points=((1e200, 1e200),))}),
        ("optimize", {"targets": (1e300,)}),
        ("optimize", {"steps": 0}),
        ("gradcheck", {"step_sweep": StepSweep(low=0.05, directions=1)}),
        ("gradcheck", {"initializer": LayerInitializer(Zeros(), Zeros())}),
        ("activations", {"network": Widths((3, 1, 1))}),
    ],
)
def test_odd_results_are_drawn_without_a_warning(experiment: str, changes: dict[str, Any]) -> None:
    assert all(len(png) > 1000 for _, png in render(experiment, smoke(experiment, **changes)))

"""Results of gradient checks made by hand, and what holds of every figure of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt, verdict
from dnnexp.experiments.gradcheck.config import Tolerances
from dnnexp.experiments.gradcheck.maps import error_maps
from dnnexp.experiments.gradcheck.targets import AllTargets, NetworkTarget

METHODS = ("backward", "forward", "central", "complex")


def tensor(name: str, shape: tuple[int, ...], methods: Sequence[str] = METHODS, **more: Any) -> Derivatives:
    """Numbers from 1 to 2 that differ by rounding, or in central differences by 1e-9."""
    generator = np.random.default_rng(len(name))
    value = 1 + generator.random(shape)
    sizes = {method: 1e-9 if method.startswith("central") else 1e-16 for method in methods}
    by_method = {m: value + size * generator.standard_normal(shape) for m, size in sizes.items()}
    doubts = {m: Doubt() for m in methods if m.startswith("central")}
    if "richardson" in methods:
        doubts["richardson"] = Doubt(error=np.full(shape, 1e-10))
    return Derivatives(name, by_method, np.full(shape, 1e-14), more.pop("doubts", doubts), **more)


def network(widths: tuple[int, ...], methods: Sequence[str] = METHODS) -> dict[str, Derivatives]:
    """The tensors of a network that is right, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for level, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        shapes |= {f"W{level}": (n_out, n_in), f"b{level}": (n_out,)}
    shapes["dy/dx"] = (2, widths[-1], widths[0])
    return {name: tensor(name, shape, methods) for name, shape in shapes.items()}


def result(tensors: dict[str, Derivatives], widths: tuple[int, ...] | None = None, **facts: Any) -> Result:
    """The result of comparing them; of a network if it has widths."""
    with np.errstate(all="ignore"):  # as in a run
        metrics, wrong = verdict(Tolerances(), [*tensors.values()])
    entries = sum(int(np.prod(each.shape)) for each in tensors.values())
    metrics |= {
        "diagnosis": {"tensor": wrong[-1]["tensor"], "layer": 1, "evidence": "so"} if wrong else None,
        "coverage": {"entries": entries, "compared": entries, "miss_probability": 0.0, "error": None},
        "findings": [],
    }
    config = SimpleNamespace(
        name="hand",
        target=NetworkTarget() if widths else AllTargets(),
        tolerances=Tolerances(),
        network=widths and SimpleNamespace(layers=widths),
    )
    arrays = error_maps([*tensors.values()], metrics)
    return Result(config, metrics | facts, arrays, passed=metrics["passed"])


def texts(figure: Figure) -> str:
    """All that is written in a figure, less the names of axes and ticks."""
    return "\n".join(text.get_text() for text in _texts(figure))


def _texts(figure: Figure) -> list[Text]:
    inside = [text for axes in figure.axes for text in axes.texts]
    return [*figure.texts, *inside, *(text for legend in figure.legends for text in legend.get_texts())]


def written(figure: Figure) -> list[Text]:
    """The texts that are seen once the figure is drawn."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    found = _texts(figure)
    for axes in figure.axes:
        found += [axes.title, axes.xaxis.label, axes.yaxis.label]
        axis: Any
        for axis in (axes.xaxis, axes.yaxis):
            ticks = axis._update_ticks()  # those within the limits only
            found += [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [each for each in found if each.get_text().strip() and each.get_visible()]


def assert_readable(figure: Figure) -> None:
    """Every text is inside the figure, and overlaps no other."""
    width, height = figure.get_size_inches() * figure.dpi
    canvas: Any = FigureCanvasAgg(figure)
    boxes = [(each.get_text(), each.get_window_extent(canvas.get_renderer())) for each in written(figure)]
    for text, box in boxes:
        assert box.x0 >= -2, text
        assert box.y0 >= -2, text
        assert box.x1 <= width + 2, text
        assert box.y1 <= height + 2, text
    for (text, box), (other, second) in combinations(boxes, 2):
        apart = box.padded(-0.75)
        assert not apart.overlaps(second), (text, other)

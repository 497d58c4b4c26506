"""The plots of `activations`: a histogram for every layer of every case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from dnnexp.experiments.base import Result
from dnnexp.plots.style import FAINT, INK, colour, number

_COLUMNS = 5
_NOTE: Any = {"color": INK, "bbox": {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}}
_OVERVIEW_COLUMNS = 10
_SPIKE = 3.0
"""A bin that is this many times as high as any other leaves the panel, and its share is written."""


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """A figure a case with a panel a layer, and `overview` with all cases."""
    for case, found in result.metrics["cases"].items():
        yield case.replace("/", "."), _case(result, case, found["layers"])
    yield "overview", overview(result)


def _case(result: Result, case: str, layers: list[Any]) -> Figure:
    columns = min(_COLUMNS, len(layers))
    rows = -(-len(layers) // columns)
    figure = Figure(figsize=(max(2.6 * columns, 4), 2.5 * rows + 0.6))
    panels = figure.subplots(rows, columns, squeeze=False)
    for index, axes in enumerate(panels.flat):
        if index >= len(layers):
            axes.set_visible(False)
            continue
        key = f"{case}.{index + 1}.post"
        _histogram(axes, result.arrays, key, layers[index], _shade(result, case))
        axes.set_title(f"layer {index + 1}\n{_summary(layers[index])}", loc="left", fontsize=8, y=1.0)
        if index % columns == 0:
            axes.set_ylabel("share of the outputs")
        axes.set_xlabel("output a")
    height = figure.get_figheight()
    figure.subplots_adjust(
        left=0.75 / figure.get_figwidth(),
        right=0.985,
        bottom=0.5 / height,
        top=1 - 0.85 / height,
        wspace=0.42,
        hspace=0.75,
    )
    title = f"{result.config.name}: outputs of each layer, {case}"
    figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top")
    return figure


def overview(result: Result) -> Figure:
    """All cases at a glance: a row a case, a column a layer (at most ten, evenly chosen)."""
    cases = result.metrics["cases"]
    depth = len(result.config.network.layers) - 1
    shown = np.unique(np.linspace(0, depth - 1, min(depth, _OVERVIEW_COLUMNS)).round().astype(int))
    size = (max(1.75 * len(shown) + 1.5, 7), 1.15 * len(cases) + 0.8)
    figure = Figure(figsize=size)
    axes = figure.add_axes((1.25 / size[0], 0.1 / size[1], 1 - 1.35 / size[0], 1 - 0.75 / size[1]))
    axes.set(xlim=(0, len(shown)), ylim=(len(cases), 0))
    axes.set_axis_off()
    for row, (case, found) in enumerate(cases.items()):
        axes.text(-0.06, row + 0.45, case.replace("/", "\n"), ha="right", va="center")
        for column, level in enumerate(shown):
            layer, key = found["layers"][level], f"{case}.{level + 1}.post"
            _cell(axes, (column, row), result.arrays, key, layer, _shade(result, case))
    for column, level in enumerate(shown):
        axes.text(column + 0.45, -0.02, f"layer {level + 1}", ha="center", va="bottom")
    title = f"{result.config.name}: share of the outputs of each layer, from the least to the greatest"
    figure.suptitle(title, x=0.01, y=1 - 0.06 / size[1], ha="left", va="top")
    return figure


def _cell(axes: Axes, place: tuple[int, int], arrays: Any, key: str, layer: Any, shade: str) -> None:
    """A small histogram in a unit square of the overview, with its ends written below it."""
    column, row = place
    counts, edges = arrays[f"{key}.counts"], arrays[f"{key}.edges"]
    x = column + 0.9 * np.linspace(0, 1, len(edges))
    floor = row + 0.72
    axes.plot(x[[0, -1]], [floor, floor], color=FAINT, linewidth=0.6)
    if counts.sum() == 0:
        axes.text(column + 0.45, row + 0.4, "no finite value", ha="center", fontsize=7)
        return
    top, note = _scale(counts / counts.sum(), layer)
    heights = np.minimum(counts / counts.sum() / top, 1)
    _bars(axes, floor - 0.62 * heights, x, shade, floor)
    axes.text(column + 0.45, row + 0.1, note, ha="center", va="top", fontsize=7, **_NOTE)
    for at, side, value in ((x[0], "left", edges[0]), (x[-1], "right", edges[-1])):
        axes.text(at, floor + 0.03, f"{value:.3g}", ha=side, va="top", fontsize=7, color=INK)


def _summary(layer: Any) -> str:
    post, lines = layer["post"], []
    if _is_constant(layer):
        return "constant\n"
    lines.append(f"mean {number(post['mean'])}, std {number(post['std'])}")
    notes = []
    if layer["saturated_fraction"] is not None:
        notes.append(f"{layer['saturated_fraction']:.0%} saturated")
    if layer["zero_fraction"]:
        notes.append(f"{layer['zero_fraction']:.0%} exactly 0")
    if layer["dead_fraction"]:
        notes.append(f"{layer['dead_fraction']:.0%} dead")
    return "\n".join([*lines, ", ".join(notes)])


def _histogram(axes: Axes, arrays: Any, key: str, layer: Any, shade: str) -> None:
    """The share of the outputs in each bin; a single overwhelming bin is cut and labelled."""
    counts, edges = arrays[f"{key}.counts"], arrays[f"{key}.edges"]
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    if counts.sum() == 0:
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center")
        return
    share = counts / counts.sum()
    top, note = _scale(share, layer)
    _bars(axes, share, edges, shade, 0.0)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top))
    axes.text(0.5, 0.98, note, transform=axes.transAxes, ha="center", va="top", **_NOTE)


def _is_constant(layer: Any) -> bool:
    return layer["post"]["min"] is not None and layer["post"]["min"] == layer["post"]["max"]


def _bars(axes: Axes, heights: Any, edges: Any, shade: str, baseline: float) -> None:
    """`axes.stairs` less its search for new limits, which takes longer than the rest: ours are set."""
    axes.add_artist(StepPatch(heights, edges, baseline=baseline, fill=True, color=shade))


def _scale(share: Any, layer: Any) -> tuple[float, str]:
    """The height of a panel, and a note on what leaves it or is constant."""
    second, top = np.sort(share)[-2:]
    if _is_constant(layer):
        return 1.4, f"every value is {number(layer['post']['mean'])}"
    if second == 0:
        return 1.4, "all in one bin"
    if top > _SPIKE * second:
        zeros = layer["zero_fraction"]
        note = f"{zeros:.0%} exactly 0" if zeros > 0.5 * top else f"{top:.0%} in one bin"
        return float(1.5 * second), note
    return float(1.15 * top), ""


def _shade(result: Result, case: str) -> str:
    """One colour for each activation."""
    labels = [activation.label for activation in result.config.activations]
    return colour(labels.index(case.partition("/")[0]))

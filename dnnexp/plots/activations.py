"""The plots of `activations`: a histogram for every layer of every case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from dnnexp.experiments.base import Result
from dnnexp.plots.style import INK, colour, number

_COLUMNS = 5
_OVERVIEW_COLUMNS = 10
_SPIKE = 3.0
"""A bin that is this many times as high as any other leaves the panel, and its share is written."""


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """A figure a case with a panel a layer, and `overview` with all cases."""
    for case, found in result.metrics["cases"].items():
        yield case.replace("/", "-"), _case(result, case, found["layers"])
    yield "overview", overview(result)


def _case(result: Result, case: str, layers: list[Any]) -> Figure:
    columns = min(_COLUMNS, len(layers))
    rows = -(-len(layers) // columns)
    figure = Figure(figsize=(max(2.5 * columns, 4), 2.5 * rows + 0.6))
    panels = figure.subplots(rows, columns, squeeze=False)
    for index, axes in enumerate(panels.flat):
        if index >= len(layers):
            axes.set_visible(False)
            continue
        _histogram(axes, result.arrays, f"{case}.{index + 1}.post", layers[index], case)
        axes.set_title(f"layer {index + 1}\n{_summary(layers[index])}", loc="left")
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
    size = (1.75 * len(shown) + 1.5, 1.2 * len(cases) + 0.7)
    figure = Figure(figsize=size)
    panels = figure.subplots(len(cases), len(shown), squeeze=False)
    for row, (case, found) in zip(panels, cases.items(), strict=True):
        for axes, level in zip(row, shown, strict=True):
            layer = found["layers"][level]
            _histogram(axes, result.arrays, f"{case}.{level + 1}.post", layer, case, small=True)
        row[0].set_ylabel(case.replace("/", "\n"), rotation=0, ha="right", va="center")
    for axes, level in zip(panels[0], shown, strict=True):
        axes.set_title(f"layer {level + 1}")
    figure.subplots_adjust(
        left=1.15 / size[0],
        right=0.985,
        bottom=0.35 / size[1],
        top=1 - 0.6 / size[1],
        wspace=0.18,
        hspace=0.42,
    )
    title = f"{result.config.name}: outputs of each layer (share of the outputs; % leaving the panel)"
    figure.suptitle(title, x=0.01, y=1 - 0.06 / size[1], ha="left", va="top")
    return figure


def _summary(layer: Any) -> str:
    post, lines = layer["post"], []
    if post["std"] == 0:
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


def _histogram(axes: Axes, arrays: Any, key: str, layer: Any, case: str, small: bool = False) -> None:
    """The share of the outputs in each bin; a single overwhelming bin is cut and labelled."""
    counts, edges = arrays[f"{key}.counts"], arrays[f"{key}.edges"]
    shade = colour(0 if case.startswith("sigmoid") else 1)
    total = counts.sum()
    _frame(axes, small)
    if total == 0:
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center")
        return
    share = counts / total
    axes.stairs(share, edges, fill=True, color=shade, edgecolor=shade, linewidth=0.3)
    axes.set_xlim(edges[0], edges[-1])
    second, top = np.sort(share)[-2:]
    peak = int(np.argmax(share))
    centre = (edges[peak] + edges[peak + 1]) / 2
    if layer["post"]["std"] == 0:
        axes.set_ylim(0, 1.45)
        text = f"every value\nis {number(layer['post']['mean'])}"
        axes.text(0.5, 0.97, text, transform=axes.transAxes, ha="center", va="top", color=INK)
    elif top > _SPIKE * second:
        axes.set_ylim(0, 1.6 * second)
        left = peak < len(counts) / 2
        axes.annotate(
            f"{'← ' if left else ''}{top:.0%}{'' if left else ' →'}",
            (centre, 0.97),
            xycoords=("data", "axes fraction"),
            xytext=(4 if left else -4, 0),
            textcoords="offset points",
            ha="left" if left else "right",
            va="top",
            color=INK,
        )
    else:
        axes.set_ylim(0, 1.15 * top)


def _frame(axes: Axes, small: bool) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(2 if small else 4))
    if small:
        axes.set_yticks([])
        axes.tick_params(labelsize=7, length=2, pad=1)
        return
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))

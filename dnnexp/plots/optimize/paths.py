"""Plots over the contours of an objective of two variables: paths, and what became of each start."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dnnexp.plots.optimize.cases import Case, short
from dnnexp.plots.style import FAINT, INK, number

_COLUMNS = 4


def trajectories(case: Case) -> Figure:
    """The path of the first start over the contours, a panel an optimizer."""
    figure, panels, height = _panels(case)
    handles: list[Any] = []
    for axes, label in panels:
        draw_contours(axes, case)
        handles = _path(axes, case, label)
    start = ", ".join(f"{x:g}" for x in case.array("start")[:, 0])
    _frame(figure, height, case.title(f"paths from ({start}), {case.config.steps:,} steps"), handles)
    return figure


def outcomes(case: Case) -> Figure:
    """Every start, coloured by the gradients it took to the smallest target that any start reached."""
    reached = {label: case.array(f"{label}.reached_step") for label in case.ranking}
    anyone = np.any([steps >= 0 for steps in reached.values()], axis=(0, 2))  # by target, ascending
    index = int(anyone.argmax())
    target = sorted(case.config.targets)[index]
    figure, panels, height = _panels(case)
    norm = LogNorm(1, max(case.config.steps, 2))
    handles: list[Any] = []
    for axes, label in panels:
        handles = _outcome(axes, case, label, reached[label][index], norm)
    _frame(figure, height, case.title(f"gradients from each start to {target:g}"), handles)
    width = figure.get_size_inches()[0]
    bar = figure.add_axes((1 - 2.4 / width, 1 - 0.42 / height, 2.2 / width, 0.1 / height))
    figure.colorbar(handles[0], cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=7)
    return figure


def _panels(case: Case) -> tuple[Figure, list[tuple[Axes, str]], float]:
    """A figure with a panel an optimizer in the config's order, and its height in inches."""
    labels = [entry.label for entry in case.config.optimizers]
    columns = min(_COLUMNS, len(labels))
    rows = -(-len(labels) // columns)
    width, height = max(2.6 * columns, 5.4) + 0.5, 2.4 * rows + 1.15
    figure = Figure(figsize=(width, height))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(
        left=0.65 / width,
        right=1 - 0.1 / width,
        bottom=0.55 / height,
        top=1 - 1.1 / height,
        wspace=0.1,
        hspace=0.32,
    )
    for index, axes in enumerate(panels.flat):
        axes.set_visible(index < len(labels))
        axes.tick_params(labelbottom=index + columns >= len(labels))
    return figure, list(zip(panels.flat, labels, strict=False)), height


def _frame(figure: Figure, height: float, title: str, handles: list[Any]) -> None:
    width = figure.get_size_inches()[0]
    figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top")
    figure.supxlabel("x₀", y=0.1 / height, va="bottom")
    figure.supylabel("x₁", x=0.08 / width, ha="left")
    named = [handle for handle in handles if not str(handle.get_label()).startswith("_")]
    figure.legend(handles=named, ncols=3, loc="upper left", bbox_to_anchor=(0.005, 1 - 0.25 / height))


def draw_contours(axes: Axes, case: Case) -> None:
    """Contours at equal ratios of the value above the least one on the grid."""
    x, y, value = (case.array(f"_landscape.{name}") for name in ("x", "y", "value"))
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    finite = value[np.isfinite(value)]
    if finite.size == 0:
        return
    gap = np.where(np.isfinite(value), value - finite.min(), np.nan)
    positive = gap[gap > 0]
    if positive.size:
        low, high = np.quantile(positive, [0.002, 1.0])
        levels = np.unique(np.geomspace(low, high, 10))
        axes.contour(x, y, gap, levels, colors="#c4cdd6", linewidths=0.7)


def _path(axes: Axes, case: Case, label: str) -> list[Any]:
    """The path with its start, its end and the minima; returns their legend handles."""
    points, shade = case.array(f"{label}.point")[:, :, 0], case.style(label)["color"]
    axes.plot(points[:, 0], points[:, 1], color=shade, marker=".", markersize=2, linewidth=1.2)
    (start,) = axes.plot(*points[0], "o", color=INK, markersize=5, label="start", linestyle="")
    (end,) = axes.plot(
        *points[-1], "s", color=shade, markeredgecolor=INK, markersize=4, label="end", linestyle=""
    )
    value = case.array(f"{label}.value")[-1, 0]
    outcome = f"f = {number(value)}" if np.isfinite(value) else "diverged"
    axes.set_title(f"{short(label)}\n{outcome}", loc="left", y=1.0)
    return [start, end, *_minima(axes, case)]


def _minima(axes: Axes, case: Case) -> list[Any]:
    minimizers = case.array("_landscape.minimizers")
    if minimizers.size == 0:
        return []
    return axes.plot(
        *minimizers,
        "*",
        label="minimum",
        color="#F0E442",
        markeredgecolor=INK,
        markersize=10,
        linestyle="",
        zorder=1.5,
    )


def _outcome(axes: Axes, case: Case, label: str, reached: Any, norm: Any) -> list[Any]:
    """The starts of one optimizer; returns the handles of the legend, the coloured one first."""
    start, diverged = case.array("start"), case.array(f"{label}.diverged_step") >= 0
    hit = reached >= 0
    missed = ~hit & ~diverged
    draw_contours(axes, case)
    low, high = start.min(axis=1), start.max(axis=1)
    margin = 0.05 * (high - low) + 1e-12
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
    (x, y), steps = start, np.maximum(reached, 1)
    dots = axes.scatter(x[hit], y[hit], c=steps[hit], norm=norm, cmap="viridis_r", s=14, zorder=3)
    crosses = axes.scatter(
        x[missed], y[missed], color=FAINT, marker="x", s=12, linewidths=0.9, label="not reached"
    )
    bursts = axes.scatter(
        x[diverged], y[diverged], color="#D55E00", marker="x", s=16, linewidths=1.4, label="diverged"
    )
    axes.set_title(f"{short(label)}\n{int(hit.sum())} of {case.runs}", loc="left", y=1.0)
    return [dots, crosses, bursts, *_minima(axes, case)]

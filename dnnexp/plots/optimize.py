"""The plots of `optimize`: convergence curves, and paths over the contours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from dnnexp.experiments.base import Result
from dnnexp.plots.style import FAINT, INK, colour, line, number

_COLUMNS = 4
_LABEL = 24


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`convergence`, and in two dimensions `trajectories`."""
    yield "convergence", convergence(result)
    if "_landscape.x" in result.arrays and result.config.record.keeps_points(2):
        yield "trajectories", trajectories(result)


def convergence(result: Result) -> Figure:
    """Value above the minimum against gradient evaluations: median and quartile band over the starts."""
    config, arrays = result.config, result.arrays
    labels = [entry.label for entry in config.optimizers]
    diverging = any(found["diverged"] for found in result.metrics["optimizers"].values())
    legend_width = 0.8 + 0.075 * (max(len(_short(label)) for label in labels) + 14 * diverging)  # inches
    width = 7.7 + legend_width
    figure = Figure(figsize=(width, 5))
    axes = figure.add_axes((0.75 / width, 0.1, 6.8 / width, 0.83))
    axes.set_yscale("log")
    floor, ceiling = _limits(result)
    axes.set_ylim(floor, ceiling)
    runs = arrays["start"].shape[1]
    for label in result.metrics["ranking"]:
        gap = arrays[f"{label}.value"] - config.objective.minimum
        low, middle, high = _quartiles(gap, floor / 10, ceiling * 10)
        style = line(labels.index(label))
        diverged = result.metrics["optimizers"][label]["diverged"]
        name = _short(label) + (f" ({diverged} diverged)" if diverged else "")
        marker = "o" if len(middle) == 1 else None
        axes.plot(arrays["evaluations"], middle, label=name, marker=marker, **style)
        if runs > 1:
            axes.fill_between(arrays["evaluations"], low, high, color=style["color"], alpha=0.13, linewidth=0)
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.grid(visible=True, axis="y")
    if config.record.spacing == "log":
        axes.set_xscale("symlog", linthresh=max(1, config.steps / 1000))
    axes.set_xlim(0, max(config.steps, 1))
    axes.minorticks_off()
    _mark_targets(axes, [target for target in config.targets if floor < target < ceiling])
    axes.set_xlabel("gradient evaluations")
    axes.set_ylabel("value above the minimum, f(x) − f*")
    spread = f"median and quartiles of {runs} starts" if runs > 1 else "one start"
    axes.set_title(f"{config.name}: {config.objective.name}, {spread}", loc="left")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), title=f"by running time to {min(config.targets):g}"
    )
    return figure


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"


def _limits(result: Result) -> tuple[float, float]:
    """The least and the greatest value to show: not far below the targets, nor far above the starts."""
    labels, minimum = result.metrics["ranking"], result.config.objective.minimum
    gaps = np.concatenate([result.arrays[f"{label}.value"] for label in labels], axis=1) - minimum
    floor = min(result.config.targets) * 1e-4
    start = np.max(gaps[0], initial=floor, where=np.isfinite(gaps[0]))
    seen = gaps[(gaps > floor) & (gaps < 1e3 * start)]
    if seen.size == 0:
        return floor, 10 * floor
    return max(float(seen.min()) / 2, floor), float(seen.max()) * 2


def _quartiles(values: Any, floor: float, ceiling: float) -> Any:
    """Quartiles over the runs, `(3, K)`, kept near what is shown; infinite values break the curve."""
    with np.errstate(invalid="ignore"):
        found = np.quantile(values, [0.25, 0.5, 0.75], axis=1)
    return np.where(np.isfinite(found), np.clip(found, floor, ceiling), np.nan)


def _mark_targets(axes: Axes, targets: list[float]) -> None:
    for target in targets:
        axes.axhline(target, color=FAINT, linewidth=0.9, linestyle=":", zorder=1)
        axes.annotate(
            f"target {target:g}",
            (0.005, target),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            color=FAINT,
            fontsize=8,
        )


def trajectories(result: Result) -> Figure:
    """The path of the first start over the contours, a panel an optimizer."""
    config, arrays, labels = result.config, result.arrays, list(result.metrics["optimizers"])
    columns = min(_COLUMNS, len(labels))
    rows = -(-len(labels) // columns)
    width, height = max(2.6 * columns, 5) + 0.5, 2.4 * rows + 1.15
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
        if index >= len(labels):
            axes.set_visible(False)
            continue
        axes.tick_params(labelbottom=index + columns >= len(labels))
        _contours(axes, arrays)
        handles = _path(axes, arrays, labels[index], colour(index))
    start = ", ".join(f"{x:g}" for x in arrays["start"][:, 0])
    title = f"{config.name}: paths from ({start}) on {config.objective.name}, {config.steps:,} steps"
    figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top")
    figure.supxlabel("x₀", y=0.1 / height, va="bottom")
    figure.supylabel("x₁", x=0.08 / width, ha="left")
    figure.legend(handles=handles, ncols=3, loc="upper left", bbox_to_anchor=(0.005, 1 - 0.25 / height))
    return figure


def _contours(axes: Axes, arrays: Any) -> None:
    """Contours at equal ratios of the value above the least one on the grid."""
    value = arrays["_landscape.value"]
    finite = value[np.isfinite(value)]
    if finite.size == 0:
        return
    gap = np.where(np.isfinite(value), value - finite.min(), np.nan)
    positive = gap[gap > 0]
    if positive.size == 0:
        return
    low, high = np.quantile(positive, [0.002, 1.0])
    levels = np.unique(np.geomspace(low, high, 10))
    axes.contour(
        arrays["_landscape.x"], arrays["_landscape.y"], gap, levels, colors="#c4cdd6", linewidths=0.7
    )


def _path(axes: Axes, arrays: Any, label: str, shade: str) -> list[Any]:
    """The path with its start, its end and the minimum; returns their legend handles."""
    points, minimizers = arrays[f"{label}.point"][:, :, 0], arrays["_landscape.minimizers"]
    axes.plot(points[:, 0], points[:, 1], color=shade, marker=".", markersize=2, linewidth=1.2)
    (start,) = axes.plot(*points[0], "o", color=INK, markersize=5, label="start", linestyle="")
    (end,) = axes.plot(
        *points[-1], "s", color=shade, markeredgecolor=INK, markersize=4, label="end", linestyle=""
    )
    (goal,) = axes.plot(
        *minimizers,
        "*",
        color="#F0E442",
        markeredgecolor=INK,
        markersize=10,
        label="minimum",
        linestyle="",
        zorder=1.5,
    )
    x, y = arrays["_landscape.x"], arrays["_landscape.y"]
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    value = arrays[f"{label}.value"][-1, 0]
    outcome = f"f = {number(value)}" if np.isfinite(value) else "diverged"
    axes.set_title(f"{_short(label)}\n{outcome}", loc="left", y=1.0)
    return [start, end, goal]

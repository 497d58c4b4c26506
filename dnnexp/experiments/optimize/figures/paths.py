"""Plots over the contours of an objective of two variables: paths, and what became of each start."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dnnexp.experiments.optimize.figures import frames
from dnnexp.experiments.optimize.figures.cases import Case, short
from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.text import number

_COLUMNS = 4
_SHAPES = ("o", "s", "^", "D", "P")
"""Of the starts that ended at the first, second, … minimum; of more minima all are told by one shape."""
_MINIMUM: Any = {"color": "white", "markeredgecolor": INK, "linestyle": "", "zorder": 1.5}
_MAP = "viridis_r"
_PALE = "#c4cdd6"
_TICKS = 5


def trajectories(case: Case) -> Figure:
    """The path of the first start over the contours, a panel an optimizer."""
    figure, panels = _panels(case)
    contours = Contours(case)
    for axes, label in panels:
        contours.draw(axes)
        handles = [*_path(axes, case, label), *minima(axes, case)]
    start = ", ".join(f"{x:g}" for x in case.array("start")[:, 0])
    _head(figure, case, case.title(f"paths from ({start}), {case.config.steps:,} steps"), handles)
    return figure


def outcomes(case: Case) -> Figure:
    """Every start, coloured by the gradients it took to the smallest target that any start reached."""
    reached = {label: case.array(f"{label}.reached_step") for label in case.ranking}
    anyone = np.any([steps >= 0 for steps in reached.values()], axis=(0, 2))  # by target, ascending
    index = int(anyone.argmax())
    norm = _norm([steps[index] for steps in reached.values()])
    figure, panels = _panels(case)
    contours = Contours(case, "_overview")
    for axes, label in panels:
        contours.draw(axes)
        _outcome(axes, case, label, reached[label][index], norm)
    target = sorted(case.config.targets)[index]
    handles = [_key("x", FAINT, "not reached"), _key("X", ALARM, "diverged")]
    text = f"gradients from each start to {target:g}"
    if len(_shapes(case)) > 1:
        handles.append(Line2D([], [], marker="o", markersize=8, label="minimum, by shape", **_MINIMUM))
    else:
        handles += minima(panels[0][0], case)
    _head(figure, case, case.title(text), handles)
    if anyone.any():
        _colour_bar(figure, norm)
    return figure


def _key(marker: str, shade: str, label: str) -> Line2D:
    return Line2D([], [], color=shade, marker=marker, markersize=5, linestyle="", label=label)


def _norm(steps: list[Any]) -> LogNorm:
    """From the fewest to the most gradients that a start took."""
    taken = np.maximum(np.concatenate([row[row >= 0] for row in steps]), 1)
    low, high = (int(taken.min()), int(taken.max())) if taken.size else (1, 2)
    return LogNorm(low, max(high, low + 1))


def _colour_bar(figure: Figure, norm: LogNorm) -> None:
    width, height = figure.get_size_inches()
    bar = figure.add_axes((1 - 2.5 / width, 1 - 0.42 / height, 2.2 / width, 0.1 / height))
    figure.colorbar(ScalarMappable(norm, _MAP), cax=bar, orientation="horizontal")
    low, high = norm.vmin or 1, norm.vmax or 2
    bar.set_xticks([low, high], [f"{low:,.0f}", f"{high:,.0f}"])
    if high > 30 * low:
        middle = round((low * high) ** 0.5)
        bar.set_xticks([low, middle, high], [f"{value:,.0f}" for value in (low, middle, high)])
    bar.minorticks_off()
    bar.tick_params(labelsize=7)
    bar.text(-0.02, 0.5, "gradients", transform=bar.transAxes, ha="right", va="center", fontsize=7)


def _panels(case: Case) -> tuple[Figure, list[tuple[Axes, str]]]:
    """A figure with a panel an optimizer in the config's order."""
    labels = [entry.label for entry in case.config.optimizers]
    figure, grid = frames.panels(len(labels), _COLUMNS, (2.6, 2.4), 0.6, sharex=True, sharey=True)
    width, height = figure.get_size_inches()
    figure.subplots_adjust(0.65 / width, 0.5 / height, 1 - 0.1 / width, 1 - 1.05 / height, 0.1, 0.25)
    grid[0].xaxis.set_major_locator(MaxNLocator(_TICKS))
    grid[0].yaxis.set_major_locator(MaxNLocator(_TICKS))
    return figure, list(zip(grid, labels, strict=True))


def _head(figure: Figure, case: Case, text: str, handles: list[Any]) -> None:
    """Title, labels of the axes, and a legend in one row."""
    frames.title(figure, text)
    frames.labels(figure, *case.axes_names)
    place = (0.005, 1 - 0.25 / figure.get_figheight())
    figure.legend(handles=handles, ncols=len(handles), loc="upper left", bbox_to_anchor=place)


class Contours:
    """Contours at equal ratios of the value above the least one on the grid, the same in every panel."""

    def __init__(self, case: Case, sample: str = "_landscape") -> None:
        self._x, self._y, value = (case.array(f"{sample}.{name}") for name in ("x", "y", "value"))
        finite = np.isfinite(value)
        gap = np.where(finite, value, np.nan) - np.min(value, initial=np.inf, where=finite)
        positive = gap[gap > 0]
        self._levels = np.empty(0)
        if positive.size:
            self._levels = np.unique(
                np.geomspace(float(np.quantile(positive, 0.002)), float(positive.max()), 10)
            )
        self._gap = gap
        self._paths: Any = None

    def draw(self, axes: Axes) -> None:
        """Contours and limits."""
        axes.set_xlim(self._x[0], self._x[-1])
        axes.set_ylim(self._y[0], self._y[-1])
        if self._levels.size == 0:
            return
        style: Any = {"linewidths": 0.7, "zorder": 1}
        if self._paths is None:
            contours = axes.contour(self._x, self._y, self._gap, self._levels, colors=_PALE, **style)
            self._paths = contours.get_paths()
        else:
            style |= {"facecolors": "none", "edgecolors": _PALE, "transform": axes.transData}
            axes.add_artist(PathCollection(self._paths, **style))


def _path(axes: Axes, case: Case, label: str) -> list[Any]:
    """The path with its start and its end; returns their legend handles."""
    points, shade = case.path(label), case.style(label)["color"]
    axes.plot(points[:, 0], points[:, 1], color=shade, marker=".", markersize=2, linewidth=1.2)
    (start,) = axes.plot(*points[0], "o", color=INK, markersize=5, label="start", linestyle="")
    (end,) = axes.plot(
        *points[-1], "s", color=shade, markeredgecolor=INK, markersize=4, label="end", linestyle=""
    )
    value = case.array(f"{label}.value")[-1, 0]
    outcome = f"f = {number(value)}" if np.isfinite(value) else "diverged"
    axes.set_title(f"{short(label)}\n{outcome}", loc="left", y=1.0)
    return [start, end]


def _shapes(case: Case) -> tuple[str, ...]:
    """The shape of every minimum, where there are several and not too many."""
    count = case.array("_landscape.minimizers").shape[1]
    return _SHAPES[:count] if 1 < count <= len(_SHAPES) else _SHAPES[:1]


def minima(axes: Axes, case: Case, shapes: tuple[str, ...] = ("*",)) -> list[Any]:
    """All minima, by stars or by these shapes; returns the legend's handles."""
    minimizers = case.array("_landscape.minimizers")
    if minimizers.size == 0:
        return []
    if len(shapes) == 1:
        return axes.plot(*minimizers, shapes[0], label="minimum", markersize=10, **_MINIMUM)
    for shape, (x, y) in zip(shapes, minimizers.T, strict=True):
        axes.plot(x, y, shape, markersize=9, **_MINIMUM)
    return []


def _outcome(axes: Axes, case: Case, label: str, reached: Any, norm: LogNorm) -> None:
    """The starts of one optimizer: not reached, diverged, or the gradients taken."""
    (x, y), diverged, hit = case.array("start"), case.array(f"{label}.diverged_step") >= 0, reached >= 0
    missed = ~hit & ~diverged
    axes.plot(x[missed], y[missed], "x", color=FAINT, markersize=3.5, markeredgewidth=0.9)
    axes.plot(x[~hit & diverged], y[~hit & diverged], "X", color=ALARM, markersize=5, markeredgewidth=0)
    shapes, ends = _shapes(case), np.zeros(case.runs, dtype=int)
    minimizers = case.array("_landscape.minimizers")
    if len(shapes) > 1:
        final = case.array(f"{label}.final")
        ends = np.linalg.norm(final[:, None] - minimizers[:, :, None], axis=0).argmin(axis=0)
    for index, shape in enumerate(shapes):
        here = hit & (ends == index)
        steps = np.maximum(reached[here], 1)
        axes.scatter(x[here], y[here], c=steps, norm=norm, cmap=_MAP, s=14, marker=shape, zorder=3)
    minima(axes, case, shapes if len(shapes) > 1 else ("*",))
    lost = f", {int(diverged.sum())} diverged" if diverged.any() else ""
    axes.set_title(f"{short(label)}\n{int(hit.sum())} of {case.runs}{lost}", loc="left", y=1.0)

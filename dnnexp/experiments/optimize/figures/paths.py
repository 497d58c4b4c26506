"""Plots over the contours of an objective of two variables: paths, and the outcome of each start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.figures import legend
from dnnexp.figures.layout import Sheet, pages
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.text import number

_PANEL_INCHES = (2.4, 2.1)
_SHAPES = ("o", "s", "^", "D", "P")
"""Shapes of the starts that ended at the first, second, … minimum; with more minima all have the first."""
_MINIMUM: Any = {"color": "white", "markeredgecolor": INK, "linestyle": "", "zorder": 1.5}
_MAP = colormaps["viridis_r"]
_PALE = "#c4cdd6"
_TICKS = 5


def trajectories(case: Case) -> Iterator[tuple[str, Figure]]:
    """The path of the first start over the contours, a panel an optimizer."""
    contours = Contours(case)
    start = ", ".join(f"{x:g}" for x in case.array("start")[:, 0])

    def draw(labels: Sequence[str], part: str) -> Figure:
        sheet = _sheet(case, case.title(f"paths from ({start}), {case.config.steps:,} steps{part}"), labels)
        for axes, label in zip(sheet.panels, labels, strict=True):
            contours.draw(axes)
            handles = [*_path(axes, case, label), *minima(axes, case)]
            value = case.array(f"{label}.value")[-1, 0]
            outcome = f"f = {number(value)}" if np.isfinite(value) else "diverged"
            sheet.heading(axes, f"{case.short(label)}\n{outcome}", lines=3)
        sheet.legend(handles=handles, is_below=True)
        return sheet.finish()

    return pages("trajectories", case.labels, draw)


def outcomes(case: Case) -> Iterator[tuple[str, Figure]]:
    """Every start, coloured by the gradients it took to the smallest target that any start reached."""
    reached = {label: case.array(f"{label}.reached_step") for label in case.ranking}
    anyone = np.any([steps >= 0 for steps in reached.values()], axis=(0, 2))  # by target, ascending
    index = int(anyone.argmax())
    scale = _steps_scale([steps[index] for steps in reached.values()])
    contours = Contours(case, "_overview")
    text = f"gradients from each start to {sorted(case.config.targets)[index]:g}"

    def draw(labels: Sequence[str], part: str) -> Figure:
        sheet = _sheet(case, case.title(text + part), labels)
        for axes, label in zip(sheet.panels, labels, strict=True):
            contours.draw(axes)
            hits = _outcome(axes, case, label, reached[label][index], scale)
            diverged = int((case.array(f"{label}.diverged_step") >= 0).sum())
            lost = f", {diverged} diverged" if diverged else ""
            sheet.heading(axes, f"{case.short(label)}\n{hits} of {case.runs} reached it{lost}", lines=3)
        sheet.legend(handles=_outcome_key(sheet.panels[0], case), is_below=True)
        if anyone.any():
            sheet.colour_bar(scale, _MAP, "gradients")
        return sheet.finish()

    return pages("outcomes", case.labels, draw)


def _steps_scale(steps: list[Any]) -> Scale:
    """From the fewest to the most gradients that a start took."""
    taken = np.maximum(np.concatenate([row[row >= 0] for row in steps]), 1)
    low, high = (int(taken.min()), int(taken.max())) if taken.size else (1, 2)
    return Scale.between(low, max(high, low + 1), "log", margin=0)


def _sheet(case: Case, title: str, labels: Sequence[str]) -> Sheet:
    """A panel an optimizer, on shared axes."""
    sheet = Sheet(title, len(labels), _PANEL_INCHES, sharex=True, sharey=True)
    sheet.panels[0].xaxis.set_major_locator(MaxNLocator(_TICKS))
    sheet.panels[0].yaxis.set_major_locator(MaxNLocator(_TICKS))
    sheet.labels(*case.axes_names)
    return sheet


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
    """The path with its start and its end; returns their legend entries."""
    points, shade = case.path(label), case.colour(label)
    axes.plot(points[:, 0], points[:, 1], color=shade, marker=".", markersize=2, linewidth=1.2)
    ends: list[Any] = [
        {"color": INK, "marker": "o", "markersize": 5, "linestyle": ""},
        {"color": shade, "marker": "s", "markersize": 4, "markeredgecolor": INK, "linestyle": ""},
    ]
    axes.plot(*points[0], **ends[0])
    axes.plot(*points[-1], **ends[1])
    return [legend.entry("start", **ends[0]), legend.entry("end", **ends[1] | {"color": FAINT})]


def _shapes(case: Case) -> tuple[str, ...]:
    """The shape of every minimum, where there are several and not too many."""
    count = case.array("_landscape.minimizers").shape[1]
    return _SHAPES[:count] if 1 < count <= len(_SHAPES) else _SHAPES[:1]


def minima(axes: Axes, case: Case, shapes: tuple[str, ...] = ("*",)) -> list[Line2D]:
    """All minima, by stars or by these shapes; returns the legend's entries of stars."""
    minimizers = case.array("_landscape.minimizers")
    if minimizers.size == 0:
        return []
    if len(shapes) == 1:
        return axes.plot(*minimizers, shapes[0], label="minimum", markersize=10, **_MINIMUM)
    for shape, (x, y) in zip(shapes, minimizers.T, strict=True):
        axes.plot(x, y, shape, markersize=9, **_MINIMUM)
    return []


def _outcome(axes: Axes, case: Case, label: str, reached: Any, scale: Scale) -> int:
    """The starts of one optimizer: missed, diverged, or coloured; returns how many reached the target."""
    (x, y), diverged, hit = case.array("start"), case.array(f"{label}.diverged_step") >= 0, reached >= 0
    missed = ~hit & ~diverged
    axes.plot(x[missed], y[missed], "x", color=FAINT, markersize=3.5, markeredgewidth=0.9)
    axes.plot(x[~hit & diverged], y[~hit & diverged], "X", color=ALARM, markersize=5, markeredgewidth=0)
    shapes, ends = _shapes(case), np.zeros(case.runs, dtype=int)
    minimizers = case.array("_landscape.minimizers")
    if len(shapes) > 1:
        final = case.array(f"{label}.final")
        ends = np.linalg.norm(final[:, None] - minimizers[:, :, None], axis=0).argmin(axis=0)
    norm = scale.norm()
    for index, shape in enumerate(shapes):
        here = hit & (ends == index)
        steps = np.maximum(reached[here], 1)
        axes.scatter(x[here], y[here], c=steps, norm=norm, cmap=_MAP, s=14, marker=shape, zorder=3)
    minima(axes, case, shapes if len(shapes) > 1 else ("*",))
    return int(hit.sum())


def _outcome_key(axes: Axes, case: Case) -> list[Line2D]:
    """What the starts without a colour are, and the minima."""
    entries = [
        legend.entry("not reached", marker="x", color=FAINT, markersize=5, linestyle=""),
        legend.entry("diverged", marker="X", color=ALARM, markersize=5, linestyle=""),
    ]
    if len(_shapes(case)) > 1:
        return [*entries, legend.entry("minimum, by shape", marker="o", markersize=8, **_MINIMUM)]
    return [*entries, *(line for line in axes.lines if line.get_label() == "minimum")]

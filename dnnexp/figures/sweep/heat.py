"""Two swept keys: a heat map of a metric, theory beside it, and the line that theory draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from dnnexp.figures.style import ALARM, INK
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.colours import BAR, BAR_ROOM, LOST, MISSING, Colours
from dnnexp.figures.sweep.frames import HEAD, Sheet, legend_size, text_width
from dnnexp.figures.sweep.names import number, shown
from dnnexp.figures.sweep.study import Measure, Study

_LEAST, _MOST, _MOST_OF_TWO = 2.6, 7.0, 5.0
"""Inches of a side of a map, and of one of two."""
_CELL = 0.42
_GAP = 0.25
_MOST_NUMBERS = 10
"""Columns and rows of a map whose cells have their numbers written in."""
_HALO = [withStroke(linewidth=3, foreground="white")]
_HATCHED: Any = {"facecolor": MISSING, "edgecolor": LOST, "hatch": "////", "linewidth": 0}


@dataclass(frozen=True)
class _Map:
    """The cells of a map: `(rows, columns)` of places in the groups, -1 where there is none."""

    x: KeyAxis
    y: KeyAxis
    cells: Any

    @classmethod
    def of(cls, x: KeyAxis, y: KeyAxis) -> _Map:
        cells = np.full((len(y.values), len(x.values)), -1)
        cells[y.places, x.places] = np.arange(len(x.places))
        return cls(x, y, cells)

    def grid(self, column: Any) -> Any:
        """A column over the groups as `(rows, columns)`; NaN where there is no group."""
        return np.where(self.cells < 0, np.nan, np.asarray(column, np.float64)[self.cells])

    def where(self, flags: Any) -> Any:
        """The cells whose groups have a flag, `(rows, columns)`."""
        return (self.cells >= 0) & flags[self.cells]


def share_of_cells(axes: tuple[KeyAxis, ...]) -> float:
    """How much of the map of two axes is there."""
    x, y = axes
    return len(x.places) / (len(x.values) * len(y.values))


def heat_map(study: Study, measure: Measure) -> Figure:
    """The medians over repeats, and where it is given theory in the same colours."""
    x, y = _ordered(*study.axes)
    cells = _Map.of(x, y)
    median = cells.grid(study.column(measure.label))
    theory = cells.grid(study.column(f"{measure.label}.theory"))
    grids = {"measured": median} | ({"theory": theory} if np.isfinite(theory).any() else {})
    colours = Colours.of(np.stack(list(grids.values())), measure.scale)
    contour = _contour(study, cells, measure)
    key = _key(study, cells, median, colours) + ([_line(measure)] if contour is not None else [])
    most = _MOST if len(grids) == 1 else _MOST_OF_TWO
    width, height = (float(np.clip(_CELL * len(a.values), _LEAST, most)) for a in (x, y))
    left = 0.45 + text_width(_ticks(y, height, 0.17).values())
    turned = _is_turned(x, width)
    foot = 0.45 + (text_width(x.names) * 0.75 if turned else 0.12)
    beside = max(BAR_ROOM, legend_size(key)[0])
    bar_left = left + len(grids) * (width + _GAP)
    size = (bar_left + beside + 0.1, HEAD + 0.25 + max(height + foot, 1.6 + 0.18 * len(key)))
    note = ["no contour line: it needs two rows and columns"] if measure.contour and contour is None else []
    sheet = Sheet.of(size, study.title(f"{measure.name}, {study.medians}"), study.notes([measure], *note))
    top = HEAD + 0.25
    for index, (name, grid) in enumerate(grids.items()):
        axes = sheet.axes(left + index * (width + _GAP), top, width, height)
        _draw(axes, study, cells, grid, colours, marked=index == 0)
        _frame(axes, cells, (width, height), turned, first=index == 0)
        if contour is not None:
            _draw_contour(axes, contour)
        if len(grids) > 1:
            axes.set_title(name, loc="left")
    bar_height = min(height, max(1.2, height - 0.18 * len(key) - 0.2))
    if np.isfinite(np.stack(list(grids.values()))).any():
        colours.bar(sheet.axes(bar_left, top, BAR, bar_height))
    sheet.legend(bar_left, top + bar_height + 0.15, key)
    return sheet.figure


def _ordered(first: KeyAxis, second: KeyAxis) -> tuple[KeyAxis, KeyAxis]:
    """Across and up: names of values are read in rows, so they go up."""
    return (second, first) if second.is_numeric and not first.is_numeric else (first, second)


def _draw(axes: Axes, study: Study, cells: _Map, grid: Any, colours: Colours, marked: bool) -> None:
    """The cells in their colours; hatched where no run is complete, crossed where jobs failed."""
    rows, columns = grid.shape
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    numbers = np.ma.masked_where(~np.isfinite(grid), colours.values(grid))
    lost = np.ma.masked_where(~(cells.where(study.has_runs) & ~np.isfinite(grid)), np.ones_like(grid))
    axes.pcolormesh(*edges, lost, cmap=ListedColormap([LOST]))
    axes.pcolormesh(*edges, numbers, cmap=colours.map, norm=colours.norm)
    _missing(axes, cells.where(~study.has_runs))
    if marked:
        y, x = np.nonzero(cells.where(study.has_failed))
        axes.plot(x, y, "x", color=ALARM, markersize=5, markeredgewidth=1.6, path_effects=_HALO)
    if max(rows, columns) <= _MOST_NUMBERS:
        for row, column in zip(*np.nonzero(np.isfinite(grid)), strict=True):
            value = grid[row, column]
            place: Any = {"ha": "center", "va": "center", "fontsize": 6.5}
            axes.text(column, row, number(float(value), 2), color=colours.ink(value), **place)


def _missing(axes: Axes, cells: Any) -> None:
    """Hatched cells."""
    for row, column in zip(*np.nonzero(cells), strict=True):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **_HATCHED))


def _frame(axes: Axes, cells: _Map, size: tuple[float, float], turned: bool, first: bool) -> None:
    """The names of columns and rows, as many as there is room for."""
    x, y = cells.x, cells.y
    axes.set(xlim=(-0.5, len(x.values) - 0.5), ylim=(-0.5, len(y.values) - 0.5))
    if not y.is_numeric:
        axes.invert_yaxis()
    named = _ticks(x, size[0], 0.17 if turned else text_width(x.names) + 0.12)
    axes.set_xticks(list(named), list(named.values()))
    if turned:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel(x.title)
    rows = _ticks(y, size[1], 0.17)
    axes.set_yticks(list(rows), list(rows.values()) if first else [""] * len(rows))
    if first:
        axes.set_ylabel(y.title)
    axes.tick_params(length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _ticks(axis: KeyAxis, inches: float, each: float) -> dict[int, str]:
    """The places of names that fit."""
    fitting = max(1, min(int(inches / each), 30))
    step = -(-len(axis.names) // fitting)
    return {place: axis.names[place] for place in range(0, len(axis.names), step)}


def _is_turned(axis: KeyAxis, inches: float) -> bool:
    """Whether names across must be turned to fit; of numbers some may be left out instead."""
    fitting = inches / (text_width(axis.names) + 0.12)
    return fitting < (min(len(axis.names), 5) if axis.is_numeric else len(axis.names))


def _contour(study: Study, cells: _Map, measure: Measure) -> Any:
    """`(rows, columns)` that is 0 on the line; None where there is none to draw."""
    if measure.contour is None or min(cells.cells.shape) < 2:
        return None
    found = cells.grid(study.column(f"{measure.label}.contour"))
    level = measure.contour[0]
    if level > 0 and not (found <= 0).any():  # between cells that are decades apart by their logarithms
        return np.log(found) - np.log(level)
    return found - level


def _draw_contour(axes: Axes, heights: Any) -> None:
    finite = heights[np.isfinite(heights)]
    if finite.size and finite.min() < 0 < finite.max():
        padded = np.ma.masked_invalid(np.pad(heights, 1, mode="edge"))  # up to the edges of the cells
        x, y = (np.array([-0.5, *range(count), count - 0.5]) for count in heights.shape[::-1])
        lines = axes.contour(x, y, padded, levels=[0.0], colors=INK, linewidths=1.6)
        lines.set(path_effects=_HALO)


def _line(measure: Measure) -> Line2D:
    assert measure.contour is not None
    return Line2D([], [], color=INK, linewidth=1.6, label=shown(measure.contour[1], 32), path_effects=_HALO)


def _key(study: Study, cells: _Map, median: Any, colours: Colours) -> list[Artist]:
    """What cells without a colour of the bar are."""
    found: list[Artist] = [*colours.key()]
    if (cells.where(study.has_runs) & ~np.isfinite(median)).any():
        found.append(Patch(facecolor=LOST, label="no finite number"))
    if (~study.has_runs).any():
        found.append(Patch(label="no complete job", **_HATCHED))
    if study.has_failed.any():
        found.append(Line2D([], [], marker="x", color=ALARM, linestyle="", label="jobs failed"))
    if (cells.cells < 0).any():
        found.append(Patch(facecolor="white", edgecolor=LOST, linewidth=0.5, label="not in the sweep"))
    return found

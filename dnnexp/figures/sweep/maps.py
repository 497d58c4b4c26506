"""Two swept keys: a heat map of a metric, or points where few combinations are there; theory beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from dnnexp.figures import legend
from dnnexp.figures.labels import literal, text_width
from dnnexp.figures.layout import Sheet
from dnnexp.figures.palette import ink_on
from dnnexp.figures.scales import plain
from dnnexp.figures.style import ALARM, FAINT, INK, SMALL_POINTS
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.marks import LOST, MAP, MISSING, Colours
from dnnexp.figures.sweep.study import Measure, Study

_LEAST_INCHES, _MOST_INCHES, _MOST_INCHES_OF_TWO = 2.6, 7.0, 5.0
"""Length of a side of a map, and of one of two maps."""
_CELL_INCHES, _WRITTEN_CELL_INCHES = 0.42, 0.52
"""Side of a cell, and width of one with its number written in."""
_MOST_WRITTEN = 10
"""Columns and rows of the largest map whose cells have their numbers written in."""
_TICK_INCHES = 0.17
"""Room of a name that stands beside or, turned, below its row or column."""
_POINTS_INCHES = (4.6, 3.6)
_HALO = [withStroke(linewidth=3, foreground="white")]
_HATCHED: Any = {"facecolor": MISSING, "edgecolor": LOST, "hatch": "////", "linewidth": 0}
_CONTOUR: Any = {"color": INK, "linewidth": 1.6, "path_effects": _HALO}
_DOT: Any = {"marker": "o", "linestyle": "", "markersize": 5}
_HOLLOW: Any = _DOT | {"markerfacecolor": "none", "markeredgecolor": FAINT}
_LOST: Any = _DOT | {"color": LOST}
_FAILED: Any = {"marker": "x", "linestyle": "", "color": ALARM, "markersize": 6}
_RING: Any = _DOT | {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 9}


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

    @property
    def is_written(self) -> bool:
        """Whether the cells are large enough for their numbers."""
        return bool(max(self.cells.shape) <= _MOST_WRITTEN)


def share_of_cells(axes: tuple[KeyAxis, ...]) -> float:
    """The share of the cells of a map of two axes that are in the sweep."""
    x, y = axes
    return len(x.places) / (len(x.values) * len(y.values))


def heat_map(study: Study, measure: Measure) -> Figure:
    """The medians over repeats and, where it is given, theory in the same colours."""
    x, y = _ordered(*study.axes)
    cells = _Map.of(x, y)
    grids = {name: cells.grid(column) for name, column in _columns(study, measure).items()}
    colours = Colours.of(list(grids.values()), measure.scale)
    contour = _contour(study, cells, measure)
    most = _MOST_INCHES if len(grids) == 1 else _MOST_INCHES_OF_TWO
    each = _WRITTEN_CELL_INCHES if cells.is_written else _CELL_INCHES
    width = float(np.clip(each * len(x.values), _LEAST_INCHES, most))
    height = float(np.clip(_CELL_INCHES * len(y.values), _LEAST_INCHES, most))
    note = ["no contour line: it needs two rows and columns"] if measure.contour and contour is None else []
    sheet = _sheet(study, measure, grids, colours, (width, height), note)
    for index, (axes, grid) in enumerate(zip(sheet.panels, grids.values(), strict=True)):
        _draw_cells(axes, study, cells, grid, colours, is_marked=index == 0)
        if contour is not None:
            _draw_contour(axes, contour)
        _name_columns(axes, x, width)
    _name_rows(sheet.first[0], y, height)
    line = [legend.entry(literal(measure.contour[1], 32), **_CONTOUR)] if measure.contour and not note else []
    sheet.legend(handles=[*_map_key(study, cells, grids["measured"], colours), *line], is_below=True)
    return sheet.finish()


def scatter(study: Study, measure: Measure) -> Figure:
    """The medians over repeats where the settings lie, the least ringed; theory beside in these colours."""
    columns = _columns(study, measure)
    colours = Colours.of(list(columns.values()), measure.scale)
    note = ["no contour line: it needs a full grid"] if measure.contour else []
    sheet = _sheet(study, measure, columns, colours, _POINTS_INCHES, note)
    for axes, column in zip(sheet.panels, columns.values(), strict=True):
        x, y = _frame_points(axes.xaxis, study.axes[0]), _frame_points(axes.yaxis, study.axes[1])
        _draw_points(axes, study, (x, y), column, colours)
    sheet.first[0].set_ylabel(study.axes[1].title)
    sheet.legend(handles=_points_key(study, columns["measured"], colours), is_below=True)
    return sheet.finish()


def _columns(study: Study, measure: Measure) -> dict[str, Any]:
    """`measured` and, where there is any, `theory`, over the groups."""
    columns = [study.column(measure.label), *study.theory([measure]).values()]
    return dict(zip(("measured", "theory"), columns, strict=False))


def _sheet(
    study: Study,
    measure: Measure,
    columns: dict[str, Any],
    colours: Colours,
    size: tuple[float, float],
    note: list[str],
) -> Sheet:
    """A panel for each column beside each other, with one colour bar."""
    title = study.title(f"{measure.name}, {study.medians}")
    sheet = Sheet(title, len(columns), size, columns=len(columns), sharey=True)
    if len(columns) > 1:
        for axes, name in zip(sheet.panels, columns, strict=True):
            sheet.heading(axes, name)
    if any(np.isfinite(column).any() for column in columns.values()):
        sheet.colour_bar(colours.scale, MAP)
    sheet.notes(study.notes([measure], *note))
    return sheet


def _ordered(first: KeyAxis, second: KeyAxis) -> tuple[KeyAxis, KeyAxis]:
    """Across and up: names of values are read in rows, so they go up."""
    return (second, first) if second.is_numeric and not first.is_numeric else (first, second)


def _draw_cells(axes: Axes, study: Study, cells: _Map, grid: Any, colours: Colours, is_marked: bool) -> None:
    """The cells in their colours; hatched where no run is complete, crossed where jobs failed."""
    rows, columns = grid.shape
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    numbers = np.ma.masked_where(~np.isfinite(grid), colours.scale.place(grid))
    lost = np.ma.masked_where(~(cells.where(study.has_runs) & ~np.isfinite(grid)), np.ones_like(grid))
    axes.pcolormesh(*edges, lost, cmap=ListedColormap([LOST]))
    axes.pcolormesh(*edges, numbers, **colours.mapping)
    for row, column in zip(*np.nonzero(cells.where(~study.has_runs)), strict=True):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **_HATCHED))
    if is_marked:
        y, x = np.nonzero(cells.where(study.has_failed))
        axes.plot(x, y, "x", color=ALARM, markersize=5, markeredgewidth=1.6, path_effects=_HALO)
    if cells.is_written:
        for row, column in zip(*np.nonzero(np.isfinite(grid)), strict=True):
            value = float(grid[row, column])
            place: Any = {"ha": "center", "va": "center", "fontsize": SMALL_POINTS}
            axes.text(column, row, plain(value, 2), color=ink_on(colours.colour(value)), **place)


def _name_columns(axes: Axes, x: KeyAxis, width: float) -> None:
    """The names of the columns, as many as there is room for, turned if they are long."""
    each = max(text_width(name, SMALL_POINTS) for name in x.names) + 0.12
    is_turned = width / each < (min(len(x.names), 5) if x.is_numeric else len(x.names))
    named = _ticks(x, width, _TICK_INCHES if is_turned else each)
    turned: Any = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if is_turned else {}
    axes.set_xticks(list(named), list(named.values()), **turned)
    axes.set(xlabel=x.title, xlim=(-0.5, len(x.values) - 0.5))
    axes.tick_params(length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _name_rows(axes: Axes, y: KeyAxis, height: float) -> None:
    """The names of the rows, as many as there is room for; numbers go up, other names down."""
    named = _ticks(y, height, _TICK_INCHES)
    axes.set_yticks(list(named), list(named.values()))
    axes.set(ylabel=y.title, ylim=(-0.5, len(y.values) - 0.5))
    if not y.is_numeric:
        axes.invert_yaxis()


def _ticks(axis: KeyAxis, inches: float, each: float) -> dict[int, str]:
    """The places of names that fit."""
    fitting = max(1, min(int(inches / each), 30))
    step = -(-len(axis.names) // fitting)
    return {place: axis.names[place] for place in range(0, len(axis.names), step)}


def _contour(study: Study, cells: _Map, measure: Measure) -> Any:
    """`(rows, columns)` that is 0 on the line; None where there is none to draw."""
    if measure.contour is None or min(cells.cells.shape) < 2:
        return None
    values = cells.grid(study.column(f"{measure.label}.contour"))
    level = measure.contour[0]
    if level > 0 and not (values <= 0).any():  # between cells that are decades apart by their logarithms
        return np.log(values) - np.log(level)
    return values - level


def _draw_contour(axes: Axes, heights: Any) -> None:
    finite = heights[np.isfinite(heights)]
    if finite.size and finite.min() < 0 < finite.max():
        padded = np.ma.masked_invalid(np.pad(heights, 1, mode="edge"))  # up to the edges of the cells
        x, y = (np.array([-0.5, *range(count), count - 0.5]) for count in heights.shape[::-1])
        lines = axes.contour(x, y, padded, levels=[0.0], colors=INK, linewidths=_CONTOUR["linewidth"])
        lines.set(path_effects=_HALO)


def _map_key(study: Study, cells: _Map, median: Any, colours: Colours) -> list[Artist]:
    """What cells without a colour of the bar are."""
    entries: list[Artist] = [*colours.key()]
    if (cells.where(study.has_runs) & ~np.isfinite(median)).any():
        entries.append(Patch(facecolor=LOST, label="no finite number"))
    if (~study.has_runs).any():
        entries.append(Patch(label="no complete job", **_HATCHED))
    if study.has_failed.any():
        entries.append(legend.entry("jobs failed", marker="x", color=ALARM, linestyle=""))
    if (cells.cells < 0).any():
        entries.append(Patch(facecolor="white", edgecolor=LOST, linewidth=0.5, label="not in the sweep"))
    return entries


def _frame_points(axis: Axis, key: KeyAxis) -> Any:
    """Scale and names of an axis of points; returns where the settings lie on it."""
    if axis.axis_name == "x":  # type: ignore[attr-defined]
        axis.set_label_text(key.title)
    if key.is_numeric:
        key.scale.frame(axis)
        return key.scale.place(np.array(key.values, dtype=np.float64))[key.places]
    axis.set_ticks(range(len(key.names)), list(key.names))
    return key.places


def _draw_points(axes: Axes, study: Study, places: tuple[Any, Any], column: Any, colours: Colours) -> None:
    """The points in their colours; those that have none by their look."""
    x, y = places
    finite = np.isfinite(column)
    axes.grid(visible=True)
    dots: Any = {"s": 26.0, "zorder": 3, "edgecolors": "white", "linewidths": 0.4}
    axes.scatter(x[finite], y[finite], c=colours.scale.place(column[finite]), **colours.mapping, **dots)
    looks = ((~finite & study.has_runs, _LOST), (~study.has_runs & ~study.has_failed, _HOLLOW))
    for which, look in (*looks, (study.has_failed, _FAILED | {"zorder": 4})):
        axes.plot(x[which], y[which], **look)
    if finite.any():
        least = int(np.nanargmin(column))
        axes.plot(x[least], y[least], zorder=4, **_RING)


def _points_key(study: Study, median: Any, colours: Colours) -> list[Artist]:
    """What the points are that have no colour of the bar."""
    looks = {
        "least": (_RING, np.isfinite(median)),
        "no finite number": (_LOST, study.has_runs & np.isnan(median)),
        "no complete job": (_HOLLOW, ~study.has_runs & ~study.has_failed),
        "jobs failed": (_FAILED, study.has_failed),
    }
    return [
        *colours.key(),
        *(legend.entry(name, **look) for name, (look, which) in looks.items() if which.any()),
    ]

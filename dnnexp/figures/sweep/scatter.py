"""Two swept keys of which few combinations are there: each setting a point, coloured by a metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.colours import BAR, BAR_ROOM, LOST, Colours
from dnnexp.figures.sweep.frames import HEAD, ROW, Sheet, legend_size, text_width
from dnnexp.figures.sweep.study import Measure, Study

_WIDTH, _HEIGHT, _GAP, _FOOT = 4.6, 3.6, 0.25, 0.5
_DOT: Any = {"marker": "o", "linestyle": "", "markersize": 5}
_HOLLOW: Any = _DOT | {"markerfacecolor": "none", "markeredgecolor": FAINT}
_LOST: Any = _DOT | {"color": LOST}
_FAILED: Any = {"marker": "x", "linestyle": "", "color": ALARM, "markersize": 6}
_RING: Any = _DOT | {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 9}


def scatter(study: Study, measure: Measure) -> Figure:
    """The medians over repeats where the settings lie, the least ringed; theory beside in these colours."""
    x, y = study.axes
    median = study.column(measure.label)
    columns = dict(zip(("measured", "theory"), [median, *study.theory([measure]).values()], strict=False))
    colours = Colours.of(np.concatenate(list(columns.values())), measure.scale)
    key = _key(study, median, colours)
    left, top = 0.6 + text_width(["0.0001"] if y.is_numeric else y.names), HEAD + 0.25
    bar_left = left + len(columns) * (_WIDTH + _GAP)
    beside = max(BAR_ROOM, legend_size(key)[0])
    note = ["no contour line: it needs a full grid"] if measure.contour else []
    title = study.title(f"{measure.name}, {study.medians}")
    size = (bar_left + beside + 0.1, top + _HEIGHT + _FOOT)
    sheet = Sheet.of(size, title, study.notes([measure], *note))
    for index, (name, column) in enumerate(columns.items()):
        axes = sheet.axes(left + index * (_WIDTH + _GAP), top, _WIDTH, _HEIGHT)
        places = _frame(axes.xaxis, x), _frame(axes.yaxis, y)
        _draw(axes, study, places, column, colours)
        if index:
            axes.tick_params(labelleft=False)
            axes.set_ylabel("")
        if len(columns) > 1:
            axes.set_title(name, loc="left")
    bar_height = _HEIGHT - ROW * len(key) - 0.25
    if np.isfinite(np.concatenate(list(columns.values()))).any():
        colours.bar(sheet.axes(bar_left, top, BAR, bar_height))
    sheet.legend(bar_left, top + bar_height + 0.15, key)
    return sheet.figure


def _frame(axis: Axis, key: KeyAxis) -> Any:
    """Scale and names of an axis; returns where the settings lie on it."""
    axis.set_label_text(key.title)
    if key.is_numeric:
        scale = key.scale.widened()
        scale.frame(axis)
        return scale.place(np.array(key.values, dtype=np.float64))[key.places]
    axis.set_ticks(range(len(key.names)), list(key.names))
    return key.places


def _draw(axes: Axes, study: Study, places: tuple[Any, Any], column: Any, colours: Colours) -> None:
    """The points in their colours; those that have none by their look."""
    x, y = places
    finite = np.isfinite(column)
    axes.grid(visible=True)
    dots: Any = {"s": 26.0, "zorder": 3, "edgecolors": "white", "linewidths": 0.4}
    shades: Any = {"cmap": colours.map, "norm": colours.norm}
    axes.scatter(x[finite], y[finite], c=colours.values(column[finite]), **shades, **dots)
    looks = ((~finite & study.has_runs, _LOST), (~study.has_runs & ~study.has_failed, _HOLLOW))
    for which, look in (*looks, (study.has_failed, _FAILED | {"zorder": 4})):
        axes.plot(x[which], y[which], **look)
    if finite.any():
        least = int(np.nanargmin(column))
        axes.plot(x[least], y[least], zorder=4, **_RING)


def _key(study: Study, median: Any, colours: Colours) -> list[Artist]:
    """What the points are that have no colour of the bar."""
    looks = {
        "least": (_RING, np.isfinite(median)),
        "no finite number": (_LOST, study.has_runs & np.isnan(median)),
        "no complete job": (_HOLLOW, ~study.has_runs & ~study.has_failed),
        "jobs failed": (_FAILED, study.has_failed),
    }
    found: list[Artist] = [*colours.key()]
    return found + [
        Line2D([], [], label=name, **look) for name, (look, which) in looks.items() if which.any()
    ]

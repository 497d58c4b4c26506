"""Values in rows: of a swept key that is no number, or of repeats alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.figures.palette import colour
from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.frames import HEAD, Sheet, legend_size, text_width
from dnnexp.figures.sweep.names import shown, split
from dnnexp.figures.sweep.scale import Scale
from dnnexp.figures.sweep.study import Measure, Study, numbers_of

_WIDTH, _GAP, _FOOT = 3.6, 0.3, 0.4
_ROW = 0.26
_SPREAD = 0.7
"""The share of a row's height over which the points of several metrics lie."""
_BAND = "#F4F4F4"
_MARKERS = "os^Dv<>P"


def categories(study: Study, axis: KeyAxis, panels: list[list[Measure]]) -> Figure:
    """A row for each value of the key, a panel for each quantity, side by side."""
    keys = [_key(study, panel) for panel in panels]
    sizes = [legend_size(key) for key in keys]
    left = 0.2 + max(text_width(axis.names), 0.4)
    per_row = max(1.0, 0.45 * max(map(len, panels)))
    height = max(1.0, _ROW * per_row * len(axis.values))
    width = max(_WIDTH, max(size[0] for size in sizes))
    measures = [measure for panel in panels for measure in panel]
    size = (
        left + (width + _GAP) * len(panels),
        HEAD + 0.25 + height + _FOOT + max(size[1] for size in sizes),
    )
    what = f"{'median and quartiles' if study.is_repeated else 'value'} of {study.runs} by {axis.title}"
    sheet = Sheet.of(size, study.title(what), study.notes(measures))
    for column, (panel, key) in enumerate(zip(panels, keys, strict=True)):
        start = left + (width + _GAP) * column
        axes = sheet.axes(start, HEAD + 0.25, width, height)
        _draw_categories(axes, study, axis, panel)
        axes.set_yticks(range(len(axis.values)), axis.names if column == 0 else [""] * len(axis.names))
        sheet.legend(start, HEAD + 0.25 + height + _FOOT, key)
    return sheet.figure


def _draw_categories(axes: Axes, study: Study, axis: KeyAxis, panel: list[Measure]) -> None:
    """The medians, quartiles and theories of one quantity, in their rows."""
    columns = {measure.label: study.column(measure.label) for measure in panel}
    theory = study.theory(panel)
    values = [*columns.values(), *theory.values(), *map(study.column, study.ends(panel))]
    scale = _framed(axes, panel, np.concatenate(values), len(axis.values))
    heading, _ = split([measure.label for measure in panel])
    axes.set_title(shown(heading or panel[0].quantity), loc="left")
    for index, measure in enumerate(panel):
        y = axis.places + _offset(index, len(panel))
        median, style = columns[measure.label], _style(index)
        ends = [study.column(f"{measure.label}.{end}") for end in ("low", "high")]
        low, high = (np.where(np.isnan(end) & ~np.isnan(median), scale.high, end) for end in ends)
        axes.hlines(y, scale.place(low), scale.place(high), color=style["color"], linewidth=2, alpha=0.4)
        axes.plot(scale.place(median), y, **style)
        if measure.label in theory:
            axes.plot(scale.place(theory[measure.label]), y, **_THEORY)
        _mark(axes, 0.985, y[study.lost(measure)], style["color"])
    for place, group in zip(axis.places, study.groups, strict=True):
        if not group["runs"]:
            word, shade = ("failed", ALARM) if group["failed"] else ("missing", FAINT)
            where: Any = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 7}
            axes.text(0.02, place, word, color=shade, **where)


def repeats(study: Study, panels: list[list[Measure]]) -> Figure:
    """A row for each metric, a point for each repeat; below each other the quantities."""
    names = [shown(measure.label) for panel in panels for measure in panel]
    left = 0.2 + text_width(names)
    heights = [max(0.6, _ROW * 1.3 * len(panel)) for panel in panels]
    key = _repeats_key(study, panels)
    below = legend_size(key)[1]
    size = (left + 5.0 + 0.25, HEAD + sum(heights) + 0.42 * len(panels) + below)
    measures = [measure for panel in panels for measure in panel]
    sheet = Sheet.of(size, study.title(study.runs), study.notes(measures))
    top = HEAD + 0.1
    for panel, height in zip(panels, heights, strict=True):
        axes = sheet.axes(left, top, 5.0, height)
        _draw_repeats(axes, study, panel)
        top += height + 0.42
    sheet.legend(left, top, key)
    return sheet.figure


def _draw_repeats(axes: Axes, study: Study, panel: list[Measure]) -> None:
    """The values of the repeats of one quantity."""
    complete = [row for row in study.document["rows"] if row["status"] == "complete"]
    values = {m.label: numbers_of(row[m.label] for row in complete) for m in panel}
    theory = study.theory(panel)
    scale = _framed(axes, panel, np.concatenate([*values.values(), *theory.values()]), len(panel))
    for index, measure in enumerate(panel):
        found, shade = values[measure.label], colour(index)
        y = index + 0.5 * (np.arange(len(found)) % 5 - min(len(found) - 1, 4) / 2) / 5  # so many lie apart
        axes.plot(scale.place(found), y, "o", color=shade, markersize=3.5, alpha=0.7, clip_on=False)
        if study.is_repeated:
            low, middle, high = (scale.place(study.column(f"{measure.label}{end}")) for end in _QUARTILES)
            axes.hlines([index], low, high, color=shade, linewidth=7, alpha=0.25)
            axes.plot(middle, [index] * len(middle), "|", color=shade, markersize=14, markeredgewidth=2)
        if measure.label in theory:
            axes.plot(scale.place(theory[measure.label]), [index], **_THEORY)
        _mark(axes, 0.985, y[np.isnan(found)], shade)
    axes.set_yticks(range(len(panel)), [measure.name for measure in panel])


_QUARTILES = (".low", "", ".high")
_THEORY: Any = {"color": INK, "linestyle": "", "marker": "|", "markersize": 11, "markeredgewidth": 1.4}


def _framed(axes: Axes, panel: list[Measure], values: Any, rows: int) -> Scale:
    """Frame the axis of the values; lines lead from the names to them. Returns its scale."""
    scale = Scale.of(values, panel[0].scale).widened()
    scale.frame(axes.xaxis, ticks=5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, pad=7)
    axes.grid(visible=True, axis="x")
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color=_BAND, linewidth=0, zorder=0)
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "no finite number", color=FAINT, ha="center", transform=axes.transAxes)
    return scale


def _offset(index: int, count: int) -> float:
    return _SPREAD * ((index + 0.5) / count - 0.5)


def _style(index: int) -> dict[str, Any]:
    marker = _MARKERS[(index + index // 8) % len(_MARKERS)]
    return {"color": colour(index), "marker": marker, "markersize": 5, "linestyle": "", "clip_on": False}


def _mark(axes: Axes, place: float, y: Any, shade: str) -> None:
    """A cross at the edge for what is not finite."""
    if len(y):
        style: Any = {"color": shade, "markersize": 5, "clip_on": False}
        axes.plot(np.full(len(y), place), y, "x", transform=axes.get_yaxis_transform(), **style)


def _key(study: Study, panel: list[Measure]) -> list[Line2D]:
    """The metrics of a panel by name, where there are several, and what the marks mean."""
    _, names = split([measure.label for measure in panel])
    several = len(panel) > 1
    handles = [Line2D([], [], label=shown(n, 40), **_style(i)) for i, n in enumerate(names) if several]
    return handles + _marks(study, panel)


def _repeats_key(study: Study, panels: list[list[Measure]]) -> list[Line2D]:
    measures = [measure for panel in panels for measure in panel]
    bar: Any = {"color": FAINT, "linestyle": "", "marker": "|", "markersize": 9, "markeredgewidth": 2}
    handles = [Line2D([], [], label="median, quartiles shaded", **bar)] if study.is_repeated else []
    return handles + _marks(study, measures)


def _marks(study: Study, measures: list[Measure]) -> list[Line2D]:
    """What theory and what is not finite look like."""
    handles = [Line2D([], [], label="theory", **_THEORY)] if study.theory(measures) else []
    if any(study.nulls(measure) for measure in measures):
        handles.append(Line2D([], [], marker="x", color=FAINT, linestyle="", label="no finite number"))
    return handles

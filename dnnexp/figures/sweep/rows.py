"""Values in rows: of a swept key that is not a number, or of repeats alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.figures import legend
from dnnexp.figures.labels import literal
from dnnexp.figures.layout import Sheet
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import ALARM, FAINT, INK, SMALL_POINTS
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.marks import key
from dnnexp.figures.sweep.study import Measure, Study, numbers_of

_WIDTH_INCHES, _REPEATS_WIDTH_INCHES = 3.6, 5.0
_ROW_INCHES = 0.26
_SPREAD = 0.7
"""The share of a row's height over which the points of several metrics lie."""
_REPEATS_SPREAD = 0.5
_LEVELS = 5
"""Heights in a row at which the points of repeats stand in turn, so that they can be told apart."""
_BAND = "#F4F4F4"
_THEORY: Any = {"color": INK, "linestyle": "", "marker": "|", "markersize": 11, "zorder": 3}
_MEDIAN: Any = {"linestyle": "", "marker": "|", "markersize": 14, "markeredgewidth": 2}
_EDGE = 0.985
"""Place of the crosses for values that are not finite, as a share of the width."""


def categories(study: Study, axis: KeyAxis, panels: list[list[Measure]]) -> Figure:
    """A row for each value of the key, a panel for each quantity, side by side."""
    measures = [measure for panel in panels for measure in panel]
    per_row = max(1.0, 0.45 * max(map(len, panels)))
    height = max(1.0, _ROW_INCHES * per_row * len(axis.values))
    what = f"{'median and quartiles' if study.is_repeated else 'value'} of {study.runs} by {axis.title}"
    sheet = Sheet(study.title(what), len(panels), (_WIDTH_INCHES, height), columns=len(panels), sharey=True)
    for axes, panel in zip(sheet.panels, panels, strict=True):
        _draw_categories(axes, study, axis, panel)
        sheet.heading(axes, literal(study.heading(panel), 100))
    sheet.first[0].set_yticks(range(len(axis.values)), axis.names)
    sheet.legend(_key(study, measures), is_below=True)
    sheet.notes(study.notes(measures))
    return sheet.finish()


def _draw_categories(axes: Axes, study: Study, axis: KeyAxis, panel: list[Measure]) -> None:
    """The medians, quartiles and theories of one quantity, in their rows."""
    columns = {measure.label: study.column(measure.label) for measure in panel}
    theory = study.theory(panel)
    values = [*columns.values(), *theory.values(), *map(study.column, study.ends(panel))]
    scale = _framed(axes, panel, values, len(axis.values))
    for index, measure in enumerate(panel):
        y = axis.places + _SPREAD * ((index + 0.5) / len(panel) - 0.5)
        median, style = columns[measure.label], study.dots(measure)
        ends = [study.column(f"{measure.label}.{end}") for end in ("low", "high")]
        low, high = (np.where(np.isnan(end) & ~np.isnan(median), scale.top, end) for end in ends)
        axes.hlines(y, scale.place(low), scale.place(high), color=style["color"], linewidth=2, alpha=0.4)
        axes.plot(scale.place(median), y, markersize=5, clip_on=False, **style)
        if measure.label in theory:
            axes.plot(scale.place(theory[measure.label]), y, **_THEORY)
        _mark(axes, y[study.lost(measure)], style["color"])
    for place, group in zip(axis.places, study.groups, strict=True):
        if not group["runs"]:
            word, shade = ("failed", ALARM) if group["failed"] else ("missing", FAINT)
            where: Any = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": SMALL_POINTS}
            axes.text(0.02, place, word, color=shade, **where)


def repeats(study: Study, panels: list[list[Measure]]) -> Figure:
    """A row for each metric, a point for each repeat; below each other the quantities."""
    measures = [measure for panel in panels for measure in panel]
    heights = [max(0.6, _ROW_INCHES * 1.3 * len(panel)) for panel in panels]
    title = study.title(study.runs)
    sheet = Sheet(title, len(panels), (_REPEATS_WIDTH_INCHES, heights), columns=1)
    for axes, panel in zip(sheet.panels, panels, strict=True):
        _draw_repeats(axes, study, panel)
    median = [legend.entry("median, quartiles shaded", color=FAINT, **_MEDIAN | {"markersize": 9})]
    entries = [*(median if study.is_repeated else []), *_key(study, measures)]
    sheet.legend(handles=entries, is_below=True)
    sheet.notes(study.notes(measures))
    return sheet.finish()


def _draw_repeats(axes: Axes, study: Study, panel: list[Measure]) -> None:
    """The values of the repeats of one quantity."""
    complete = [row for row in study.document["rows"] if row["status"] == "complete"]
    values = {m.label: numbers_of(row[m.label] for row in complete) for m in panel}
    theory = study.theory(panel)
    scale = _framed(axes, panel, [*values.values(), *theory.values()], len(panel))
    for index, measure in enumerate(panel):
        repeats, shade = values[measure.label], study.dots(measure)["color"]
        levels = min(len(repeats), _LEVELS)
        y = index + _REPEATS_SPREAD * (np.arange(len(repeats)) % _LEVELS - (levels - 1) / 2) / _LEVELS
        axes.plot(scale.place(repeats), y, "o", color=shade, markersize=3.5, alpha=0.7, clip_on=False)
        if study.is_repeated:
            low, middle, high = (
                scale.place(study.column(f"{measure.label}{end}")) for end in (".low", "", ".high")
            )
            axes.hlines([index], low, high, color=shade, linewidth=7, alpha=0.25)
            axes.plot(middle, [index] * len(middle), color=shade, **_MEDIAN)
        if measure.label in theory:
            axes.plot(scale.place(theory[measure.label]), [index], **_THEORY)
        _mark(axes, y[np.isnan(repeats)], shade)
    axes.set_yticks(range(len(panel)), [measure.name for measure in panel])


def _framed(axes: Axes, panel: list[Measure], values: list[Any], rows: int) -> Scale:
    """Axes with rows from the top down; returns the scale across."""
    scale = Scale.of(values, panel[0].scale)
    scale.frame(axes.xaxis, ticks=5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=7)
    axes.grid(visible=True, axis="x")
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color=_BAND, linewidth=0, zorder=0)
    if not any(np.isfinite(each).any() for each in values):
        axes.text(0.5, 0.5, "no finite number", color=FAINT, ha="center", transform=axes.transAxes)
    return scale


def _mark(axes: Axes, y: Any, shade: str) -> None:
    """Crosses at the edge for values that are not finite."""
    if len(y):
        style: Any = {"color": shade, "markersize": 5, "clip_on": False}
        axes.plot(np.full(len(y), _EDGE), y, "x", transform=axes.get_yaxis_transform(), **style)


def _key(study: Study, measures: list[Measure]) -> list[Any]:
    """What theory and what is not finite look like; failed jobs are said in their row."""
    entries = {str(entry.get_label()): entry for entry in key(study, measures)}
    entries.pop("jobs failed", None)
    if "theory" in entries:
        entries["theory"] = legend.entry("theory", **_THEORY | {"markersize": 9})
    return list(entries.values())

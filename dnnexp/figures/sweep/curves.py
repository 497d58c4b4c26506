"""One swept number: every metric against it, with a band over repeats, theory dashed beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.figures.labels import literal
from dnnexp.figures.layout import Sheet
from dnnexp.figures.palette import THEORY
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import ALARM, FAINT
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.marks import key
from dnnexp.figures.sweep.study import Measure, Study

_SIZE_INCHES = (5.6, 2.5)
_MOST_MARKERS = 40
_MOST_TICKS = 12
_TICK_DISTANCE = 0.065
"""Smallest distance of two ticks with long names, as a share of the width."""
_MOST_BANDS = 8
_ROW = 0.035
"""Distance of the rows of marks along the top, one for each curve, as a share of the height."""


def curves(study: Study, axis: KeyAxis, panels: list[list[Measure]]) -> Figure:
    """A panel for each quantity, one below the other."""
    what = "median and quartiles of" if study.is_repeated else "value of"
    measures = [measure for panel in panels for measure in panel]
    title = study.title(f"{what} {study.runs}")
    sheet = Sheet(title, len(panels), _SIZE_INCHES, columns=1, sharex=True)
    for axes, panel in zip(sheet.panels, panels, strict=True):
        _draw(axes, study, axis, panel)
        sheet.heading(axes, literal(study.heading(panel), 120))
    axis.scale.frame(axes.xaxis)
    _name_values(axes, axis)
    axes.set_xlabel(axis.title)
    sheet.legend(key(study, measures))
    sheet.notes(study.notes(measures))
    return sheet.finish()


def _draw(axes: Axes, study: Study, axis: KeyAxis, panel: list[Measure]) -> None:
    """The curves of one quantity."""
    order = np.argsort(axis.places)
    columns = {measure.label: study.column(measure.label)[order] for measure in panel}
    theory = {label: column[order] for label, column in study.theory(panel).items()}
    scale = Scale.of(
        [*columns.values(), *theory.values(), *map(study.column, study.ends(panel))], panel[0].scale
    )
    scale.frame(axes.yaxis)
    axes.grid(visible=True)
    x = axis.scale.place(np.array(axis.values, dtype=np.float64))
    for index, measure in enumerate(panel):
        median = columns[measure.label]
        spaced: dict[str, Any] = {"markevery": max(1, len(x) // _MOST_MARKERS)}
        style: dict[str, Any] = {"marker": "o", "markersize": 3.5} | study.line(measure) | spaced
        if study.is_repeated and len(panel) <= _MOST_BANDS:
            ends = [study.column(f"{measure.label}.{end}")[order] for end in ("low", "high")]
            low, high = (np.where(np.isnan(end) & ~np.isnan(median), scale.top, end) for end in ends)
            band: Any = {"color": style["color"], "alpha": 0.16, "linewidth": 0}
            axes.fill_between(x, scale.place(low), scale.place(high), **band)
        axes.plot(x, scale.place(median), **style)
        if measure.label in theory:
            axes.plot(x, scale.place(theory[measure.label]), **THEORY)
        _mark(axes, x[study.lost(measure)[order]], style["color"], 1 - _ROW * (index % 8 + 0.6), "x")
    _mark(axes, x[study.has_failed[order]], ALARM, 0.03, "v")
    if not any(np.isfinite(column).any() for column in columns.values()):
        axes.text(0.5, 0.5, "no finite number", color=FAINT, ha="center", transform=axes.transAxes)


def _mark(axes: Axes, x: Any, shade: str, height: float, marker: str) -> None:
    """Marks along the top or the foot."""
    if len(x):
        style: Any = {"color": shade, "markersize": 4.5, "clip_on": False, "linestyle": ""}
        axes.plot(x, np.full(len(x), height), marker, transform=axes.get_xaxis_transform(), **style)


def _name_values(axes: Axes, axis: KeyAxis) -> None:
    """Ticks at the values themselves, where they are few and apart."""
    values = np.array(axis.values, dtype=np.float64)
    shares = axis.scale.share(values)
    if len(shares) <= _MOST_TICKS and (len(shares) < 2 or np.diff(shares).min() >= _TICK_DISTANCE):
        axes.set_xticks(list(axis.scale.place(values)), list(axis.names))

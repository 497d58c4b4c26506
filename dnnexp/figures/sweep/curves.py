"""One swept number: every metric against it, with a band over repeats, theory dashed beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator

from dnnexp.figures.palette import colour
from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.frames import HEAD, Sheet, legend_size
from dnnexp.figures.sweep.names import shown, split
from dnnexp.figures.sweep.scale import Scale
from dnnexp.figures.sweep.study import Measure, Study

_LEFT, _WIDTH, _HEIGHT, _GAP, _FOOT = 0.8, 5.6, 2.5, 0.42, 0.5
_MARKERS = "os^Dv<>P"
_MOST_MARKERS = 40
_THEORY: Any = {"color": INK, "linestyle": (0, (3, 3)), "linewidth": 1.0, "zorder": 3}
_MOST_TICKS = 12
_TICK_DISTANCE = 0.065
"""The least distance of two ticks that have long names, as a share of the width."""
_MOST_BANDS = 8
_ROW = 0.035
"""What is not finite is marked along the top, a row a curve."""


def curves(study: Study, axis: KeyAxis, panels: list[list[Measure]]) -> Figure:
    """A panel for each quantity, one below the other."""
    keys = [_key(study, panel) for panel in panels]
    sizes = [legend_size(key) for key in keys]
    heights = [max(_HEIGHT, height) for _, height in sizes]
    bands = "median and quartiles of" if study.is_repeated else "value of"
    measures = [measure for panel in panels for measure in panel]
    size = (
        _LEFT + _WIDTH + 0.15 + max(width for width, _ in sizes),
        HEAD + sum(heights) + (_GAP - 0.1) * len(panels) + _FOOT,
    )
    sheet = Sheet.of(size, study.title(f"{bands} {study.runs}"), study.notes(measures))
    across = axis.scale.widened(0.02)
    top = HEAD + 0.25
    for panel, key, height in zip(panels, keys, heights, strict=True):
        axes = sheet.axes(_LEFT, top, _WIDTH, height)
        _draw(axes, study, axis, panel)
        across.frame(axes.xaxis)
        _name_values(axes, axis, across)
        axes.tick_params(labelbottom=panel is panels[-1])
        sheet.legend(_LEFT + _WIDTH + 0.15, top, key)
        top += height + _GAP - 0.1
    axes.set_xlabel(axis.title)
    return sheet.figure


def _draw(axes: Axes, study: Study, axis: KeyAxis, panel: list[Measure]) -> None:
    """The curves of one quantity."""
    order = np.argsort(axis.places)
    x = np.array(axis.values, dtype=np.float64)
    columns = {measure.label: study.column(measure.label)[order] for measure in panel}
    theory = {label: column[order] for label, column in study.theory(panel).items()}
    values = [*columns.values(), *theory.values(), *map(study.column, study.ends(panel))]
    scale = Scale.of(np.concatenate(values), panel[0].scale).widened()
    scale.frame(axes.yaxis)
    heading, _ = split([measure.label for measure in panel])
    axes.set_title(shown(heading or panel[0].quantity, 90), loc="left")
    axes.grid(visible=True)
    x = axis.scale.widened(0.02).place(x)
    for index, measure in enumerate(panel):
        median, style = columns[measure.label], _style(index, len(x))
        if study.is_repeated and len(panel) <= _MOST_BANDS:
            ends = [study.column(f"{measure.label}.{end}")[order] for end in ("low", "high")]
            low, high = (np.where(np.isnan(end) & ~np.isnan(median), scale.high, end) for end in ends)
            band: Any = {"color": style["color"], "alpha": 0.16, "linewidth": 0}
            axes.fill_between(x, scale.place(low), scale.place(high), **band)
        axes.plot(x, scale.place(median), **style)
        if measure.label in theory:
            axes.plot(x, scale.place(theory[measure.label]), **_THEORY)
        _mark(axes, x[study.lost(measure)[order]], style["color"], 1 - _ROW * (index % 8 + 0.6), "x")
    _mark(axes, x[study.has_failed[order]], ALARM, 0.03, "v")
    if not any(np.isfinite(column).any() for column in columns.values()):
        axes.text(0.5, 0.5, "no finite number", color=FAINT, ha="center", transform=axes.transAxes)


def _style(index: int, count: int) -> dict[str, Any]:
    """A curve's colour and marker: 64 that differ, neighbours in both."""
    marker = _MARKERS[(index + index // 8) % len(_MARKERS)]
    spaced = max(1, count // _MOST_MARKERS)
    return {"color": colour(index), "marker": marker, "markersize": 3.5, "markevery": spaced}


def _mark(axes: Axes, x: Any, shade: str, height: float, marker: str) -> None:
    """Marks along the top or the foot."""
    if len(x):
        style: Any = {"color": shade, "markersize": 4.5, "clip_on": False, "linestyle": ""}
        axes.plot(x, np.full(len(x), height), marker, transform=axes.get_xaxis_transform(), **style)


def _name_values(axes: Axes, axis: KeyAxis, across: Scale) -> None:
    """Ticks at the values themselves, where they are few and apart."""
    shares = across.share(np.array(axis.values, dtype=np.float64))
    if len(shares) <= _MOST_TICKS and (len(shares) < 2 or np.diff(shares).min() >= _TICK_DISTANCE):
        places = across.place(np.array(axis.values, dtype=np.float64))
        axes.xaxis.set_major_locator(FixedLocator(list(places)))
        axes.xaxis.set_major_formatter(FixedFormatter(list(axis.names)))


def _key(study: Study, panel: list[Measure]) -> list[Line2D]:
    """The curves of a panel by name, and what the marks mean."""
    _, names = split([measure.label for measure in panel])
    handles = [Line2D([], [], label=shown(name, 40), **_style(index, 1)) for index, name in enumerate(names)]
    if len(panel) == 1 and not study.theory(panel):
        handles = []  # the panel's title says it
    if study.theory(panel):
        handles.append(Line2D([], [], label="theory", **_THEORY))
    marks = {"no finite number": ("x", FAINT, any(study.lost(measure).any() for measure in panel))}
    marks["jobs failed"] = ("v", ALARM, bool(study.has_failed.any()))
    for name, (marker, shade, is_there) in marks.items():
        if is_there:
            handles.append(Line2D([], [], marker=marker, color=shade, linestyle="", label=name))
    return handles

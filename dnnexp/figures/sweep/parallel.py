"""Three or more swept keys: each setting a line from key to key, coloured by a metric, the least in bold."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.colours import BAR, BAR_ROOM, LOST, Colours
from dnnexp.figures.sweep.frames import HEAD, Sheet, legend_size, text_width
from dnnexp.figures.sweep.names import ends, number
from dnnexp.figures.sweep.scale import Scale
from dnnexp.figures.sweep.study import Measure, Study

_HEIGHT = 3.6
_LEAST_STEP = 1.15
_MOST_SLOTS = 15
"""Numbers of so many different values, or fewer, are spaced evenly, as names are."""
_SPREAD = 0.5
"""The share of a slot over which the lines that cross there lie, the least at its foot."""
_SLOT = 0.09
"""The height of the slots above the metric for what has no number."""
_FAINTEST = 0.25
_NAME = 22
"""Letters of a name beside an axis."""


def parallel(study: Study, measure: Measure) -> Figure:
    """The settings as lines; those without a number end above the metric's axis."""
    median = study.column(measure.label)
    colours = Colours.of(median, measure.scale)
    key = _key(median)
    titles = _titles(study)
    steps = [
        text_width([title, *(f"{name}  " for name, _ in _named(axis))])
        for title, axis in zip(titles, study.axes, strict=True)
    ]
    step = max(_LEAST_STEP, *(each + 0.2 for each in steps))
    width = step * len(study.axes)
    beside = max(BAR_ROOM, legend_size(key)[0])
    left, top = 0.15 + steps[0], HEAD + 0.3
    bar_left = left + width + 0.95
    size = (bar_left + beside + 0.1, top + _HEIGHT + 0.55)
    notes = study.notes([measure], *_told(study, measure, median))
    sheet = Sheet.of(size, study.title(f"{measure.name}, {study.medians}"), notes)
    axes = sheet.axes(left, top, width, _HEIGHT)
    _draw(axes, study, median, colours)
    _name_axes(axes, study, measure, Scale.of(median, measure.scale).widened(), _slots(study, median))
    bar_height = _HEIGHT - 0.18 * len(key) - 0.25
    if np.isfinite(median).any():
        colours.bar(sheet.axes(bar_left, top, BAR, bar_height))
    sheet.legend(bar_left, top + bar_height + 0.15, key)
    return sheet.figure


def _slots(study: Study, median: Any) -> dict[str, float]:
    """Where lines end that have no number."""
    names = {
        "no number": (study.has_runs & np.isnan(median)).any(),
        "failed": (~study.has_runs & study.has_failed).any(),
    }
    return {name: 1.1 + _SLOT * place for place, name in enumerate(n for n, there in names.items() if there)}


def _draw(axes: Axes, study: Study, median: Any, colours: Colours) -> None:
    """The lines, the largest first, so that the small lie above."""
    scale = Scale.of(median, "log" if colours.scale.is_log else "linear").widened()
    slots = _slots(study, median)
    order = np.argsort(np.where(np.isnan(median), np.inf, median), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order)) / max(len(order) - 1, 1)
    heights = [_heights(axis, ranks) for axis in study.axes]
    end = np.where(
        study.has_runs, np.where(np.isnan(median), slots.get("no number", 0), scale.share(median)), np.nan
    )
    end = np.where(~study.has_runs & study.has_failed, slots.get("failed", 0), end)
    points = np.stack([*heights, end], axis=1)
    shown_lines = [int(place) for place in order[::-1] if not np.isnan(end[place])]
    shades = [
        ALARM if not study.has_runs[i] else LOST if np.isnan(median[i]) else colours.colour(median[i])
        for i in shown_lines
    ]
    x = np.arange(points.shape[1])
    segments = [np.stack([x, points[i]], axis=1) for i in shown_lines]
    alpha = float(np.clip(40 / max(len(segments), 1), _FAINTEST, 0.9))
    axes.add_collection(LineCollection(segments, colors=shades, linewidths=1.1, alpha=alpha), autolim=False)
    if np.isfinite(median).any():
        best = points[order[0]]
        axes.plot(x, best, color="white", linewidth=5)
        axes.plot(x, best, color=INK, linewidth=2.4)
    axes.set(xlim=(0, len(x) - 1), ylim=(-0.03, max([1.0, *slots.values()]) + 0.03))


def _has_slots(axis: KeyAxis) -> bool:
    return not axis.is_numeric or len(axis.values) <= _MOST_SLOTS


def _heights(axis: KeyAxis, ranks: Any) -> Any:
    """Where the settings cross the axis of a key, from 0 to 1."""
    if _has_slots(axis):
        return (axis.places + 0.5 + _SPREAD * (ranks - 0.5)) / len(axis.values)
    return axis.scale.widened().share(np.array(axis.values, dtype=np.float64))[axis.places]


def _name_axes(axes: Axes, study: Study, measure: Measure, scale: Scale, slots: dict[str, float]) -> None:
    """A vertical line for each key with its values, and one for the metric."""
    axes.set(xticks=[], yticks=[])
    axes.set_axis_off()
    place: Any = {"fontsize": 7.5, "va": "center", "zorder": 5}
    box: Any = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6}
    for x, axis in enumerate(study.axes):
        axes.plot([x, x], [0, 1], color=FAINT, linewidth=0.9)
        for name, height in _named(axis):
            axes.text(x - 0.03, height, name, ha="right", bbox=box, **place)
    last = len(study.axes)
    axes.plot([last, last], [0, 1], color=INK, linewidth=1.1, clip_on=False)
    for value in scale.ticks(6):
        axes.text(last + 0.03, float(scale.share(value)), scale.name(value), **place)
    for name, height in slots.items():
        axes.text(last + 0.03, height, name, color=ALARM if name == "failed" else FAINT, **place)
    low = axes.get_ylim()[0]
    words = measure.name if len(measure.name) <= _NAME else "metric"
    for x, title in enumerate([*_titles(study), words]):
        axes.text(x, low - 0.02, title, ha="center", va="top", fontsize=8)


def _named(axis: KeyAxis) -> list[tuple[str, float]]:
    """The names of values and where they stand."""
    if _has_slots(axis):
        return [(_short(name), (place + 0.5) / len(axis.names)) for place, name in enumerate(axis.names)]
    scale = axis.scale.widened()
    return [(scale.name(value), float(scale.share(value))) for value in scale.ticks(6)]


def _titles(study: Study) -> list[str]:
    """The keys, in short."""
    names = ends([key for axis in study.axes for key in axis.keys])
    return [_short(", ".join(names.pop(0) for _ in axis.keys)) for axis in study.axes]


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _told(study: Study, measure: Measure, median: Any) -> list[str]:
    """The least in words."""
    if not np.isfinite(median).any():
        return []
    best = int(np.nanargmin(median))
    values = [f"{axis.title} = {axis.names[axis.places[best]]}" for axis in study.axes]
    return [f"least {measure.name}: {number(float(median[best]))} at {', '.join(values)}"]


def _key(median: Any) -> list[Line2D]:
    has_least = bool(np.isfinite(median).any())
    return [Line2D([], [], color=INK, linewidth=2.4, label="least")] if has_least else []

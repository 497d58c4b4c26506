"""Three or more swept keys: each setting a line from key to key, coloured by a metric, the least in bold."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from dnnexp.figures import legend
from dnnexp.figures.labels import distinct, text_width
from dnnexp.figures.layout import Sheet
from dnnexp.figures.scales import Scale, plain
from dnnexp.figures.style import ALARM, FAINT, INK, SMALL_POINTS, TEXT_POINTS
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.marks import LOST, Colours
from dnnexp.figures.sweep.names import ends
from dnnexp.figures.sweep.study import Measure, Study

_HEIGHT_INCHES = 3.6
_LEAST_STEP_INCHES = 1.3
_MOST_SLOTS = 15
"""Numbers of at most this many different values are spaced evenly, as names are."""
_SPREAD = 0.04
"""The share of the height over which the lines that cross at one value lie, the least at the foot."""
_SLOT = 0.09
"""Height of the places above the metric where lines without a number end, as a share of the axis."""
_FAINTEST = 0.25
_NAME = 22
"""Characters of a name beside an axis."""
_TICK = 0.03
"""Length of a tick, as a share of the distance of two axes."""
_BEST: Any = {"color": INK, "linewidth": 2.4}


def parallel(study: Study, measure: Measure) -> Figure:
    """The settings as lines; those without a number end above the metric's axis."""
    median = study.column(measure.label)
    titles = _titles(study)
    names = [
        [title, *(name for name, _ in _named(axis))] for title, axis in zip(titles, study.axes, strict=True)
    ]
    widest = max(text_width(name, SMALL_POINTS) for each in names for name in each)
    width = max(_LEAST_STEP_INCHES, widest + 0.35) * len(study.axes)
    sheet = Sheet(study.title(f"{measure.name}, {study.medians}"), size=(width, _HEIGHT_INCHES))
    (axes,) = sheet.panels
    scale = Scale.of(median, measure.scale)
    _draw(axes, study, median, Colours.of(median, measure.scale), scale)
    _name_axes(axes, study, measure, scale, _slots(study, median))
    if np.isfinite(median).any():
        sheet.legend(handles=[legend.entry("least", **_BEST)], is_below=True)
    sheet.notes(study.notes([measure], *_least(study, measure, median)))
    return sheet.finish()


def _slots(study: Study, median: Any) -> dict[str, float]:
    """Where lines end that have no number."""
    names = {
        "no number": (study.has_runs & np.isnan(median)).any(),
        "failed": (~study.has_runs & study.has_failed).any(),
    }
    return {name: 1.1 + _SLOT * place for place, name in enumerate(n for n, there in names.items() if there)}


def _draw(axes: Axes, study: Study, median: Any, colours: Colours, scale: Scale) -> None:
    """The lines, the largest first, so that the small lie above."""
    slots = _slots(study, median)
    order = np.argsort(np.where(np.isnan(median), np.inf, median), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order)) / max(len(order) - 1, 1)
    end = np.where(np.isnan(median), slots.get("no number", 0), scale.share(median))
    end = np.where(study.has_runs, end, np.where(study.has_failed, slots.get("failed", 0), np.nan))
    points = np.stack([*(_heights(axis, ranks) for axis in study.axes), end], axis=1)
    x = np.arange(points.shape[1])
    drawn = [int(place) for place in order[::-1] if not np.isnan(end[place])]
    segments = [np.stack([x, points[i]], axis=1) for i in drawn]
    shades = [
        ALARM if not study.has_runs[i] else LOST if np.isnan(median[i]) else colours.colour(median[i])
        for i in drawn
    ]
    alpha = float(np.clip(40 / max(len(segments), 1), _FAINTEST, 0.9))
    axes.add_collection(LineCollection(segments, colors=shades, linewidths=1.1, alpha=alpha), autolim=False)
    if np.isfinite(median).any():
        axes.plot(x, points[order[0]], color="white", linewidth=5)
        axes.plot(x, points[order[0]], **_BEST)
    axes.set(xlim=(0, len(x) - 1), ylim=(-0.03, max([1.0, *slots.values()]) + 0.03))


def _has_slots(axis: KeyAxis) -> bool:
    return not axis.is_numeric or len(axis.values) <= _MOST_SLOTS


def _heights(axis: KeyAxis, ranks: Any) -> Any:
    """Where the settings cross the axis of a key, from 0 to 1."""
    if _has_slots(axis):
        spread = min(_SPREAD, 0.5 / len(axis.values))
        return (axis.places + 0.5) / len(axis.values) + spread * (ranks - 0.5)
    return axis.scale.share(np.array(axis.values, dtype=np.float64))[axis.places]


def _name_axes(axes: Axes, study: Study, measure: Measure, scale: Scale, slots: dict[str, float]) -> None:
    """A vertical line for each key with its values, and one for the metric."""
    axes.set_axis_off()
    place: Any = {"fontsize": SMALL_POINTS, "va": "center", "zorder": 5}
    box: Any = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.6}
    tick: Any = {"color": FAINT, "linewidth": 0.9, "clip_on": False}
    for x, axis in enumerate(study.axes):
        axes.plot([x, x], [0, 1], **tick)
        for name, height in _named(axis):
            axes.plot([x - _TICK, x], [height, height], **tick)
            axes.text(x - 1.5 * _TICK, height, name, ha="right", bbox=box, **place)
    last = len(study.axes)
    axes.plot([last, last], [0, 1], color=INK, linewidth=1.1, clip_on=False)
    for value, name in scale.ticks():
        axes.plot([last, last + _TICK], [scale.share(value)] * 2, **tick)
        axes.text(last + 1.5 * _TICK, float(scale.share(value)), name, **place)
    for name, height in slots.items():
        axes.text(last + 1.5 * _TICK, height, name, color=ALARM if name == "failed" else FAINT, **place)
    words = measure.name if len(measure.name) <= _NAME else "metric"
    for x, title in enumerate([*_titles(study), words]):
        axes.text(x, axes.get_ylim()[0] - 0.02, title, ha="center", va="top", fontsize=TEXT_POINTS)


def _named(axis: KeyAxis) -> list[tuple[str, float]]:
    """The names of values and where they stand."""
    if _has_slots(axis):
        names = distinct(axis.names, _NAME)
        return [(name, (place + 0.5) / len(names)) for place, name in enumerate(names)]
    return [(name, float(axis.scale.share(value))) for value, name in axis.scale.ticks()]


def _titles(study: Study) -> list[str]:
    """The keys, in short."""
    names = ends([key for axis in study.axes for key in axis.keys])
    return distinct([", ".join(names.pop(0) for _ in axis.keys) for axis in study.axes], _NAME)


def _least(study: Study, measure: Measure, median: Any) -> list[str]:
    """The setting with the least value, in words."""
    if not np.isfinite(median).any():
        return []
    best = int(np.nanargmin(median))
    values = [f"{axis.title} = {axis.names[axis.places[best]]}" for axis in study.axes]
    return [f"least {measure.name}: {plain(float(median[best]))} at {', '.join(values)}"]

"""A figure for each case of a network of many layers: their histograms as overlapping ridges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from dnnexp.experiments.activations.figures.histograms import MOST_LAYERS
from dnnexp.experiments.activations.figures.layers import Histogram, chosen, histograms, shade
from dnnexp.experiments.activations.figures.verdicts import DASHES, Heading
from dnnexp.experiments.base import Result
from dnnexp.figures.style import FAINT, INK

_MOST = 60
_LABELS = 30
"""At most so many ridges have their layer's number beside them."""
_OVERLAP = 1.8
"""The height of a ridge, in distances between ridges."""
_FACTOR = 5.0
"""If the layers' spreads differ by more, each is drawn in units of its own."""
_TAIL = 0.002
"""This share of a layer may lie outside the axes, on either side."""
_UNITS = 4.0
"""Standard deviations to either side."""
_POINTS = 121
_TINT = 0.4
"""Of the bars: the weight of the colour against white."""
_WIDTH, _LEFT, _GAP, _RIGHT = 11.0, 0.6, 0.85, 0.85
_NAMES = {"pre": ("pre-activation", "z"), "post": ("output", "a")}


@dataclass(frozen=True)
class _Axis:
    """How a layer's values become places on the x axis that all share."""

    low: float
    high: float
    is_own: bool

    def places(self, histogram: Histogram, values: Any) -> Any:
        """Of values, in the units of the axis."""
        if not self.is_own:
            return np.asarray(values)
        mean, std = histogram.spread
        return (np.asarray(values) - mean) / std if std else np.zeros(np.shape(values))


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """A figure a case, where there are more layers than have panels of their own."""
    if result.config.depth > MOST_LAYERS:
        for case in result.config.cases:
            yield case.replace("/", "."), of_case(result, case)


def of_case(result: Result, case: str) -> Figure:
    """The pre-activations to the left, the outputs to the right; the first layer on top."""
    numbers = chosen(result.config.depth, _MOST)
    sides = {side: histograms(result, case, side, numbers) for side in _NAMES}
    has_theory = any(layer.q is not None for layer in sides["pre"])
    heading = Heading(result, case, _WIDTH, "verdict", has_theory)
    body = max(2.5, 0.16 * (len(numbers) + _OVERLAP))
    height = heading.height + 0.3 + body + 0.55
    figure = Figure(figsize=(_WIDTH, height))
    heading.draw(figure)
    width = (_WIDTH - _LEFT - _GAP - _RIGHT) / 2
    for place, (side, layers) in enumerate(sides.items()):
        left = _LEFT + place * (width + _GAP)
        box = (left / _WIDTH, 0.55 / height, width / _WIDTH, body / height)
        _ridges(figure.add_axes(box), side, layers, shade(result, case))
    figure.axes[0].set_ylabel("layer")
    return figure


def _ridges(axes: Axes, side: str, layers: list[Histogram], shade: str) -> None:
    name, symbol = _NAMES[side]
    axis = _axis(layers)
    axes.set(xlim=(axis.low, axis.high), ylim=(len(layers) - 0.5, -_OVERLAP))
    is_cut = any(layer.height[1] for layer in layers if not layer.is_empty and layer.value is None)
    heights = "each layer to its own peak" + ", spikes cut" * is_cut
    axes.set_title(f"{name}s {symbol}: {heights}", loc="left", y=1.0)
    unit = f"({symbol} - mean) / std of each layer; these differ by more than a factor of {_FACTOR:g}"
    axes.set_xlabel(unit if axis.is_own else f"{name} {symbol}")
    rows = _labelled(len(layers))
    axes.set_yticks(rows, [str(layers[row].number) for row in rows], fontsize=7)
    axes.tick_params(axis="y", length=0, labelleft=side == "pre")
    axes.spines["left"].set_visible(False)
    for row, layer in enumerate(layers):
        if not layer.is_empty:
            _ridge(axes, axis, row, layer, shade)
    _missing(axes, layers)
    _spreads(axes, layers, rows)


def _labelled(count: int) -> list[int]:
    """The rows with a number beside them: evenly chosen, the first and the last among them."""
    step = -(-count // _LABELS)
    return [*range(0, count - step, step), count - 1]


def _ridge(axes: Axes, axis: _Axis, row: int, layer: Histogram, shade: str) -> None:
    """The bars from back to front, so that the next layer's are before this one's."""
    top, _ = layer.height
    share, edges, order = layer.share, axis.places(layer, layer.edges), 2 + row / 100
    if layer.value is not None:
        middle = axis.places(layer, layer.value)
        share, top, edges = np.ones(1), 1.0, middle + (axis.high - axis.low) / 200 * np.array([-1, 1])
    heights = row - _OVERLAP * np.minimum(share / top, 1)
    style: Any = {"facecolor": _tint(shade), "edgecolor": shade, "linewidth": 0.6, "zorder": order}
    axes.add_artist(StepPatch(heights, edges, baseline=row, fill=True, **style))
    axes.add_artist(Line2D([axis.low, axis.high], [row, row], color=shade, linewidth=0.5, zorder=order))
    if layer.side == "pre" and layer.q is not None:
        x, expected = _density(layer, layer.q)
        curve = row - _OVERLAP * np.minimum(expected / top, 1)
        style = DASHES | {"linewidth": 0.6, "zorder": order + 0.005}
        axes.add_artist(Line2D(axis.places(layer, x), curve, **style))


def _tint(shade: str) -> Any:
    return 1 - _TINT * (1 - np.array(to_rgb(shade)))


def _density(layer: Histogram, q: float) -> tuple[Any, Any]:
    """N(0, q) within four standard deviations, times the width of a bin: comparable with shares."""
    if q == 0:
        return np.zeros(2), np.array([0.0, 1.0])
    std = math.sqrt(q)
    u = np.linspace(-_UNITS, _UNITS, _POINTS)
    width = (layer.edges[-1] - layer.edges[0]) / len(layer.counts)
    return std * u, width / std * np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)


def _axis(layers: list[Histogram]) -> _Axis:
    """One for all layers, on which none is squashed by another and none by its own tails."""
    found = [layer for layer in layers if not layer.is_empty]
    spreads = [std for layer in found if (std := layer.spread[1]) > 0 and layer.value is None]
    is_own = bool(spreads) and max(spreads) > _FACTOR * min(spreads)
    axis = _Axis(-_UNITS, _UNITS, is_own)
    ends = [axis.places(layer, _bulk(layer)) if is_own else _bulk(layer) for layer in found] or [(0.0, 1.0)]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if is_own:
        low, high = max(low, -_UNITS), min(high, _UNITS)
    margin = 0.03 * (high - low) or max(0.5, abs(low) / 2)
    return _Axis(low - margin, high + margin, is_own)


def _bulk(layer: Histogram) -> tuple[float, float]:
    """The range of a layer without its tails."""
    if layer.value is not None:
        return layer.value, layer.value
    filled = np.cumsum(layer.share)
    low = int(np.searchsorted(filled, _TAIL))
    high = min(int(np.searchsorted(filled, 1 - _TAIL)), len(filled) - 1)
    return float(layer.edges[low]), float(layer.edges[high + 1])


def _missing(axes: Axes, layers: list[Histogram]) -> None:
    """Say where nothing, or not everything, is finite."""
    low, high = axes.get_xlim()
    for is_empty, group in groupby(enumerate(layers), lambda pair: pair[1].is_empty):
        rows = [row for row, _ in group]
        if is_empty:
            ends = dict.fromkeys(str(layers[row].number) for row in (rows[0], rows[-1]))
            text = f"layer{'s' * (len(ends) > 1)} {' to '.join(ends)}: no finite value"
            at = (rows[0] + rows[-1]) / 2
            axes.text((low + high) / 2, at, text, ha="center", va="center", fontsize=7, color=INK)
            continue
        for row in rows:
            if (lost := layers[row].lost) > 0:
                text = f"{max(lost, 0.01):.0%} not finite"
                axes.text(high, row - 0.1, text, ha="right", fontsize=7, color=INK)


def _spreads(axes: Axes, layers: list[Histogram], rows: list[int]) -> None:
    """The standard deviation to the right of the ridges."""
    at = axes.get_xlim()[1]
    axes.text(at, -1.1, "  std", va="center", fontsize=7, color=FAINT)
    for row in rows:
        layer = layers[row]
        if not layer.is_empty:
            text = f"  {layer.spread[1] if layer.value is None else 0:.2g}"
            axes.text(at, row, text, va="center", fontsize=7, color=INK)

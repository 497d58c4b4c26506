"""The correlation map: how alike two inputs are after one more layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from dnnexp.experiments.activations.figures import curves
from dnnexp.experiments.activations.figures.panels import columns_of_activations, legend, panels, title
from dnnexp.experiments.base import Result
from dnnexp.figures.palette import colour
from dnnexp.figures.style import FAINT, INK

_SIZES = {1: (4.2, 4.2), 2: (3.3, 3.3), 3: (2.7, 2.7)}
_SMALL = (2.0, 2.0)
_NEGATIVE = -0.15
"""With a measured correlation below this, all of the map is shown."""
_NOTE = (
    "Lines are of deep layers, where q has settled (else at the last layer's q); in the first ones q differs."
)
_FIXED: Any = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.8}
_DOTS: Any = {"marker": "o", "markersize": 3.5, "alpha": 0.75, "markeredgewidth": 0, "linestyle": ""}


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`correlation_map`, where there is theory of at least two inputs."""
    shown = {}
    for activation in result.config.activations:
        labels = [entry.label for entry in result.config.initializers]
        found = [label for label in labels if _is_known(result, f"{activation.label}/{label}")]
        if found:
            shown[activation.label] = found
    if shown:
        yield "correlation_map", _figure(result, shown)


def _is_known(result: Result, case: str) -> bool:
    """Whether a case has a map, and an input of more than one sample."""
    measured = np.asarray(result.arrays[f"{case}.correlation"])
    following = np.asarray(result.arrays.get(f"{case}.map.next", np.nan))
    return bool(result.config.input.rows > 1 and np.isfinite(following).any() and measured.size)


def _figure(result: Result, shown: dict[str, list[str]]) -> Figure:
    """A panel an activation, a line an initializer."""
    initializers = [entry.label for entry in result.config.initializers]
    used = [label for label in initializers if any(label in found for found in shown.values())]
    columns = columns_of_activations(len(shown))
    lines = [
        Line2D([], [], color=colour(initializers.index(label)), label=f"{label}, in theory") for label in used
    ]
    handles = [*lines, *_key()]
    size = _SIZES.get(columns, _SMALL)
    names = [handle.get_label() for handle in handles]
    figure, grid = panels(len(shown), columns, size, names, (0.5, 0.52), _NOTE)
    pairs = {
        f"{activation}/{label}": measured_pairs(result.arrays[f"{activation}/{label}.correlation"])
        for activation, found in shown.items()
        for label in found
    }
    least = min((float(np.min(pair, initial=1.0)) for pair in pairs.values()), default=0.0)
    for index, (axes, (activation, found)) in enumerate(zip(grid, shown.items(), strict=True)):
        _frame(axes, -1.0 if least < _NEGATIVE else 0.0)
        for label in found:
            case = f"{activation}/{label}"
            _draw(axes, result, case, pairs[case], colour(initializers.index(label)))
        axes.set_title(activation, loc="left")
        if index + columns >= len(shown):
            axes.set_xlabel("correlation c in a layer")
        if index % columns == 0:
            axes.set_ylabel("in the next layer")
    title(figure, f"{result.config.name}: how alike two inputs are, from layer to layer")
    legend(figure, handles)
    return figure


def measured_pairs(correlation: Any) -> Any:
    """The medians of neighbouring layers `(2, L − 1)`, of `(runs, L)`; those that exist."""
    medians = curves.band(correlation)[1]
    pairs = np.stack([medians[:-1], medians[1:]])
    return pairs[:, np.isfinite(pairs).all(axis=0)]


def _draw(axes: Axes, result: Result, case: str, pairs: Any, shade: str) -> None:
    """The map in theory, its fixed point, and what was measured."""
    c, following = (np.asarray(result.arrays[f"{case}.map.{name}"], np.float64) for name in ("c", "next"))
    axes.plot(c, np.where(np.isfinite(following), following, np.nan), color=shade)
    axes.plot(*pairs, color=shade, clip_on=False, zorder=4, **_DOTS)
    if result.config.seeds > 1:
        low, middle, high = curves.band(result.arrays[f"{case}.correlation"])
        axes.vlines(middle[:-1], low[1:], high[1:], color=shade, alpha=0.5, linewidth=0.8)
    fixed = result.metrics["cases"][case]["theory"]["c_star"]
    if fixed is not None:
        axes.plot(fixed, fixed, color=shade, clip_on=False, zorder=5, linestyle="", **_FIXED)


def _frame(axes: Axes, least: float) -> None:
    """Both axes alike, and the diagonal."""
    axes.set(xlim=(least - 0.04, 1.03), ylim=(least - 0.04, 1.03))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(list(np.linspace(least, 1, 5))))
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.plot([least, 1], [least, 1], color=FAINT, linewidth=0.9, zorder=1)


def _key() -> list[Any]:
    """What the marks mean."""
    return [
        Line2D([], [], color=FAINT, linewidth=0.9, label="the same as before"),
        Line2D([], [], color=INK, linestyle="", label="fixed point c* in theory", **_FIXED),
        Line2D([], [], color=INK, label="measured: layers l, l + 1; bar: 5 to 95 %", **_DOTS),
    ]

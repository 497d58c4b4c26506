"""The curves of several runs of an experiment, laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.figures.panels import columns_of, legend, panels, title
from dnnexp.figures.scales import Scale, log_scale
from dnnexp.figures.style import INK, colour, line

_SIZE = (3.4, 2.6)
_MOST = 12
"""Panels of a figure."""
_STROKES = 4
_DOTS = "os^D"


class Panel(NamedTuple):
    """Curves on one pair of axes: x, y, and the style of each."""

    title: str
    curves: list[tuple[Any, Any, dict[str, Any]]]


class Styles:
    """A run has dashes and, where it is not also told apart from other curves of its own, a colour."""

    def __init__(self, runs: Sequence[str], curves: Sequence[str], is_dots: bool = False) -> None:
        self._runs = runs
        self._is_dots = is_dots
        self._curves = curves if len(curves) > 1 else ()

    def of(self, run: int, curve: str) -> dict[str, Any]:
        """The style of a curve of a run."""
        if self._is_dots:
            return {"color": colour(run), "linestyle": "", "fillstyle": "none", "marker": _DOTS[run % 4]}
        if not self._curves:
            return line(run)
        return {**_stroke(run), "color": colour(self._curves.index(curve))}

    def handles(self) -> list[Line2D]:
        """What stands in the legend."""
        found = [Line2D([], [], color=colour(i), label=name) for i, name in enumerate(self._curves)]
        for index, name in enumerate(self._runs):
            style = _stroke(index) | {"color": INK} if self._curves else self.of(index, "")
            found.append(Line2D([], [], label=name, **{k: v for k, v in style.items() if k != "markevery"}))
        return found


def _stroke(index: int) -> dict[str, Any]:
    """Dashes of a run and, from the fifth on, markers."""
    marked = line(8 * (index // _STROKES))
    return {**marked, "linestyle": line(index % _STROKES)["linestyle"]}


def panel_of(found: dict[str, Panel], name: str) -> Panel:
    """The panel of that name, made when it is first asked for."""
    return found.setdefault(name, Panel(name, []))


def numbers(values: Any) -> Any:
    """An array of numbers, NaN for null."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def frame(shown: Sequence[Panel], styles: Styles, what: str) -> tuple[Figure, list[Axes]]:
    """Axes for the panels, as many as fit, and the legend beside them."""
    count = min(len(shown), _MOST)
    handles = styles.handles()
    notes = "" if count == len(shown) else f"the first {count} of {len(shown)}"
    names = [str(handle.get_label()) for handle in handles]
    figure, grid = panels(count, columns_of(count), _SIZE, names, notes=notes)
    title(figure, what)
    legend(figure, handles)
    return figure, grid


def draw(axes: Axes, panel: Panel) -> None:
    """Draw the curves of a panel on a scale that holds all of them."""
    scale = _scale([y for _, y, _ in panel.curves])
    scale.frame(axes)
    for x, y, style in panel.curves:
        dot: dict[str, Any] = {} if len(x) > 1 or "marker" in style else {"marker": "o", "markersize": 4}
        axes.plot(x, scale.place(y), **(style | dot))
    axes.set_title(panel.title, loc="left")


def _scale(curves: Sequence[Any]) -> Scale:
    """Logarithmic, unless there are negative values."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    if not (values < 0).any():
        return log_scale(curves)
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.5
    return Scale(low - margin, high + margin, low, high, False)

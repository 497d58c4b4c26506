"""The curves of several runs of an experiment, laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.figures import legend
from dnnexp.figures.labels import literal
from dnnexp.figures.layout import PANELS_PER_PAGE, Sheet
from dnnexp.figures.palette import DASHES, MARKERS, Palette, dots, line
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import INK

_SIZE_INCHES = (3.4, 2.6)
_MOST_GROUPS = 4
"""Groups of coinciding curves that are named."""


class Panel(NamedTuple):
    """Curves on one pair of axes: x, y, and the style of each."""

    title: str
    curves: list[tuple[Any, Any, dict[str, Any]]]


class Styles:
    """The style of every curve of every run.

    A run has a style of its own; where it has several curves, it has dashes and the curve has a colour.
    """

    def __init__(
        self,
        runs: Sequence[str],
        curves: Sequence[str] = (),
        known: Sequence[str] = (),
        is_dots: bool = False,
    ) -> None:
        """Styles for runs by label.

        Args:
            runs: labels of the runs.
            curves: labels of the curves that a run may have.
            known: labels of curves with a fixed colour, see `Palette`.
            is_dots: whether there are markers instead of lines.
        """
        self._runs = [literal(run) for run in runs]
        self._is_dots = is_dots
        self._curves = curves if len(curves) > 1 else ()
        self._palette = Palette(curves, known)

    def of(self, run: int, curve: str = "") -> dict[str, Any]:
        """The style of a curve of a run."""
        if self._curves:
            label = f"{curve} of {self._runs[run]}"
            return {**_stroke(run), "color": self._palette.colour(curve), "label": label}
        return {**(dots(run) if self._is_dots else line(run)), "label": legend.visible(self._runs[run])}

    def handles(self) -> list[Line2D]:
        """The entries of the legend."""
        curves = [legend.entry(name, color=self._palette.colour(name)) for name in self._curves]
        if not curves:
            return [legend.entry(**self.of(run)) for run in range(len(self._runs))]
        return curves + [
            legend.entry(name, **{**_stroke(run), "color": INK}) for run, name in enumerate(self._runs)
        ]


def _stroke(run: int) -> dict[str, Any]:
    """Dashes of a run and, from the fifth on, markers."""
    repeat, index = divmod(run, len(DASHES))
    marked = line(8 * (repeat % len(MARKERS)))
    return {**marked, "linestyle": DASHES[index]}


def panel_of(panels: dict[str, Panel], name: str) -> Panel:
    """The panel of that name, made when it is first asked for."""
    return panels.setdefault(name, Panel(name, []))


def numbers(values: Any) -> Any:
    """An array of numbers, NaN for null."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def compared(
    panels: Sequence[Panel], styles: Styles, title: str, x: str, frame_x: Callable[[Axes, Panel], None]
) -> Figure:
    """A figure of the panels, as many as fit.

    Args:
        panels: what is drawn.
        styles: the styles that the curves were given.
        title: of the figure.
        x: label of the x axes.
        frame_x: sets scale, limits and ticks of the x axis of a panel.
    """
    shown = panels[:PANELS_PER_PAGE]
    sheet = Sheet(title, len(shown), _SIZE_INCHES)
    for axes, panel in zip(sheet.panels, shown, strict=True):
        _draw(axes, panel)
        sheet.heading(axes, literal(panel.title, 100))
        frame_x(axes, panel)
    sheet.labels(x=x)
    sheet.legend(handles=styles.handles())
    notes = [f"the first {len(shown)} of {len(panels)}"] if len(shown) < len(panels) else []
    groups = [group for group in sheet.coinciding() if len(group) > 1]
    sheet.notes("; ".join(notes + [f"coincide: {', '.join(group)}" for group in groups[:_MOST_GROUPS]]))
    return sheet.finish()


def _draw(axes: Axes, panel: Panel) -> None:
    """Draw the curves of a panel on a scale that holds all of them: logarithmic if nothing is negative."""
    curves = [y for _, y, _ in panel.curves]
    is_negative = any((np.asarray(y)[np.isfinite(y)] < 0).any() for y in curves)
    scale = Scale.of(curves, "linear" if is_negative else "log")
    scale.frame(axes.yaxis)
    axes.grid(visible=True, axis="y")
    for x, y, style in panel.curves:
        dot: dict[str, Any] = {} if len(x) > 1 or "marker" in style else {"marker": "o", "markersize": 4}
        axes.plot(x, scale.place(y), **(style | dot))

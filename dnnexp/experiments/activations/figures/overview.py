"""All cases at a glance: a row a case, a column a layer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.activations.figures.cells import Cell
from dnnexp.experiments.activations.figures.layers import chosen, histograms, shade
from dnnexp.experiments.activations.figures.verdicts import colour_of
from dnnexp.experiments.base import Result

_COLUMNS = 10
_ROW, _TALLEST = 1.15, 280.0
"""Inches: of a row, and of all; a picture may have 65535 dots."""
_LETTER = 0.088
"""Of a name, in inches."""
_LETTERS = 11.0
"""Of the title, so many in an inch."""


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`overview`."""
    yield "overview", overview(result)


def overview(result: Result) -> Figure:
    """A small histogram of the outputs for each case and layer, with the case's verdict."""
    cases = result.metrics["cases"]
    shown = chosen(result.config.depth, _COLUMNS)
    left = 0.25 + _LETTER * max(12, *(len(part) for case in cases for part in case.split("/")))
    row_height = min(_ROW, _TALLEST / len(cases))
    width = max(1.75 * len(shown) + left + 0.2, 7.0)
    about = f"share of the outputs of each layer, from least to greatest{_theory(result)}"
    title = textwrap.wrap(f"{result.config.name}: {about}", int(_LETTERS * width))
    height = row_height * len(cases) + 0.6 + 0.2 * len(title)
    figure = Figure(figsize=(width, height))
    size = (1 - (left + 0.1) / width, row_height * len(cases) / height)
    axes = figure.add_axes((left / width, 0.1 / height, *size))
    axes.set(xlim=(0, len(shown)), ylim=(len(cases), 0))
    axes.set_axis_off()
    for row, (case, found) in enumerate(cases.items()):
        _name(axes, row, case, found["verdict"]["name"])
        for column, histogram in enumerate(histograms(result, case, "post", shown)):
            Cell(column, 0.9, row + 0.72, 0.62).draw(axes, histogram, shade(result, case))
    for column, layer in enumerate(shown):
        axes.text(column + 0.45, -0.02, f"layer {layer}", ha="center", va="bottom")
    figure.suptitle("\n".join(title), x=0.1 / width, y=1 - 0.06 / height, ha="left", va="top")
    return figure


def _name(axes: Axes, row: int, case: str, verdict: str) -> None:
    """The name of a case, and below it the verdict in its colour."""
    axes.text(-0.06, row + 0.47, case.replace("/", "\n"), ha="right", va="bottom")
    axes.text(-0.06, row + 0.5, verdict, ha="right", va="top", color=colour_of(verdict), fontweight="bold")


def _theory(result: Result) -> str:
    """What the dashes are, where there are any."""
    cases = result.metrics["cases"].values()
    has_theory = any(q is not None for found in cases for q in found["theory"]["q"])
    return "; dashed: mean-field theory" if has_theory else ""

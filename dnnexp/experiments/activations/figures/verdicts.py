"""One colour for each verdict, in all plots, and the heading of a case that tells it."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.experiments.activations.config import block_size
from dnnexp.experiments.base import Result
from dnnexp.figures.style import INK

# As far apart as seven can be for readers with any kind of colour vision, and dark enough to be read on
# white; black is left to theory.
_COLOURS = {
    "healthy": "#009E73",
    "exploding": "#C8400A",
    "constant": "#5A1A78",
    "symmetric": "#5C5C5C",
    "dead": "#D4649F",
    "saturated": "#D09000",
    "vanishing": "#0072B2",
}
DASHES: Any = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 2.5))}
"""Theory."""
_THEORY = "mean-field theory: z is normal, of variance q"
_LINE, _LETTERS = 0.165, 13.0
"""The height of a line in inches, and how many letters an inch holds on average."""


def colour_of(name: str) -> str:
    """The colour of the verdict of that name."""
    return _COLOURS[name]


class Heading:
    """The title of a case, its verdict with the evidence, and what the figure shows."""

    def __init__(self, result: Result, case: str, width: float, medians: str, has_theory: bool) -> None:
        """Break the lines for a figure of that width in inches; `medians` is what is over all networks."""
        verdict = result.metrics["cases"][case]["verdict"]
        self._colour = colour_of(verdict["name"])
        self._has_theory = has_theory
        letters = int(_LETTERS * width)
        self._title = textwrap.wrap(f"{result.config.name}: {case}", letters)
        self._verdict = textwrap.wrap(f"{verdict['name']}: {verdict['evidence']}", int(0.85 * letters))
        self._notes = textwrap.wrap(pooled(result, medians), letters)

    @property
    def height(self) -> float:
        """In inches."""
        lines = len(self._title) + len(self._verdict) + len(self._notes) + self._has_theory
        return 0.1 + _LINE * (lines + 0.3)

    def draw(self, figure: Figure) -> None:
        """Write it into the upper left corner."""
        width, height = figure.get_size_inches()
        left, y = 0.1 / width, height - 0.1
        for lines, style in (
            (self._title, {"fontsize": 10.5, "color": INK}),
            (self._verdict, {"color": self._colour, "fontweight": "bold"}),
            (self._notes, {"color": INK}),
        ):
            for text in lines:
                figure.text(left, y / height, text, ha="left", va="top", **style)
                y -= _LINE * (1.3 if style.get("fontsize") and text is lines[-1] else 1)
        if self._has_theory:
            at = (y - 0.55 * _LINE) / height
            ends = [left, left + 0.3 / width]
            figure.add_artist(Line2D(ends, [at, at], transform=figure.transFigure, **DASHES))
            figure.text(left + 0.38 / width, at, _THEORY, ha="left", va="center", color=INK)


def pooled(result: Result, medians: str) -> str:
    """How many networks the histograms are of, and how many others the `medians`; '' for the only one."""
    config = result.config
    if config.seeds == 1:
        return ""
    block = block_size(config.network.unrolled, config.input.rows, config.seeds)
    numbers = f"{medians}: by medians over {config.seeds}"
    if block == 1:
        return f"histograms: of the first network; {numbers}"
    which = f"{block}" if block == config.seeds else f"the first {block}"
    return f"histograms: {which} networks pooled; {numbers}"

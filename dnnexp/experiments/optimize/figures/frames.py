"""The frames of the plots: axes with a legend beside them, a grid of panels, notes at the foot."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.figures.style import FAINT

_INCHES_A_CHARACTER = 0.075
"""Of text of 9 points, on average; somewhat more than needed."""
_ROW = 0.19
_TITLE_SIZE = 10.8
_TITLE_CHARACTERS = 122
"""Of a point, so many fit an inch."""
_LEAST_WIDTH = 7.0
_NOTE_ROW = 0.14
_NOTE_CHARACTERS_AN_INCH = 15
_MOST_NOTE_ROWS = 3


def beside(
    names: Sequence[str], width: float = 6.8, margin: float = 0.0, notes: str = ""
) -> tuple[Figure, Axes]:
    """A figure, its axes `width` inches wide, with room for a legend of these names to their right.

    `margin` inches are left between the two, and as many lines as the notes take at the foot.
    """
    whole = 0.75 + width + margin + 1.0 + _INCHES_A_CHARACTER * max(map(len, names))
    rows = wrapped(notes, whole)
    foot = 0.5 + _NOTE_ROW * len(rows)
    height = max(4.65, 0.7 + _ROW * (len(names) + 4)) + foot - 0.15
    figure = Figure(figsize=(whole, height))
    axes = figure.add_axes((0.75 / whole, foot / height, width / whole, 1 - (foot + 0.35) / height))
    if rows:
        figure.text(0.01, 0.06 / height, "\n".join(rows), fontsize=7, color=FAINT, va="bottom")
    return figure, axes


def wrapped(notes: str, width: float) -> list[str]:
    """Notes in lines of so many inches."""
    characters = int(width * _NOTE_CHARACTERS_AN_INCH)
    return textwrap.wrap(notes, characters, max_lines=_MOST_NOTE_ROWS, placeholder=" …")


def legend(axes: Axes, title: str, margin: float = 0.0) -> None:
    """The legend to the right of the axes, `margin` inches further than next to them."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    width = axes.get_position().width * figure.get_figwidth()
    place = (1 + (0.07 + margin) / width, 1.0)
    axes.legend(loc="upper left", bbox_to_anchor=place, title=title, alignment="left")


def panels(
    count: int, columns: int, size: tuple[float, float], head: float, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with a grid of panels of `size` inches below a head of so many, and those in use.

    An axis that panels share has its ticks at the lowest of each column, or the first of each row; drawing
    them in every panel would take most of the time.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    width, height = panels_width(count, columns, size[0]), size[1] * rows + head + 0.55
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(rows, columns, squeeze=False, **shared)
    for index, axes in enumerate(grid.flat):
        axes.set_visible(index < count)
        if shared.get("sharex"):
            axes.xaxis.set_visible(index + columns >= count)
            axes.tick_params(labelbottom=True)
        if shared.get("sharey"):
            axes.yaxis.set_visible(index % columns == 0)
    return figure, list(grid.flat[:count])


def panels_width(count: int, columns: int, width: float) -> float:
    """How wide the figure of so many panels is: wide enough for a title, too."""
    return max(width * min(columns, count), _LEAST_WIDTH) + 0.7


def columns_of(names: Sequence[str], width: float, handle: float = 0.7) -> int:
    """How many columns of these names a legend of so many inches can have."""
    widest = handle + 0.9 * _INCHES_A_CHARACTER * max(map(len, names))
    return max(1, min(len(names), int(width / widest)))


def title(figure: Figure, text: str) -> None:
    """A title at the upper left corner of a figure of panels, smaller where it is long."""
    size = min(_TITLE_SIZE, _TITLE_CHARACTERS * (figure.get_figwidth() - 0.2) / len(text))
    figure.suptitle(text, x=0.01, y=1 - 0.08 / figure.get_figheight(), ha="left", va="top", fontsize=size)


def labels(figure: Figure, x: str, y: str) -> None:
    """What the axes of all panels show."""
    width, height = figure.get_size_inches()
    figure.supxlabel(x, y=0.08 / height, va="bottom")
    figure.supylabel(y, x=0.06 / width, ha="left")

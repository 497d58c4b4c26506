"""The frame of figures with many small panels: a title above them, one legend beside, notes below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.figures.style import FAINT

_INCHES_A_CHARACTER = 0.068
_HANDLE = 0.6
_ROW = 0.178
_NOTE_ROW = 0.15
_NOTE_CHARACTERS_AN_INCH = 16
_LEFT, _HEAD, _FOOT = 0.62, 0.62, 0.5
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}
"""Of so many panels; of more, four."""
_TITLE_SIZE = 10.8
_TITLE_CHARACTERS = 125
"""Of a point, so many fit an inch."""


def panels(
    count: int,
    columns: int,
    size: tuple[float, float],
    names: Sequence[str],
    gap: tuple[float, float] = (0.58, 0.52),
    notes: str = "",
) -> tuple[Figure, list[Axes]]:
    """A figure with panels of `size` inches, with room for a legend of these names to their right."""
    columns = min(columns, count)
    rows = -(-count // columns)
    beside = _HANDLE + _INCHES_A_CHARACTER * max(map(len, names), default=0)
    width = _LEFT + columns * (size[0] + gap[0]) - gap[0] + 0.2 + beside
    lines = textwrap.wrap(notes, int(width * _NOTE_CHARACTERS_AN_INCH))
    foot = _FOOT + _NOTE_ROW * len(lines)
    grid = rows * (size[1] + gap[1]) - gap[1]
    height = _HEAD + foot + max(grid, _ROW * (len(names) + 1) - 0.3)
    figure = Figure(figsize=(width, height))
    figure.text(0.08 / width, 0.06 / height, "\n".join(lines), fontsize=7, color=FAINT, va="bottom")
    found = []
    for index in range(count):
        row, column = divmod(index, columns)
        left = _LEFT + column * (size[0] + gap[0])
        bottom = height - _HEAD - size[1] - row * (size[1] + gap[1])
        place = (left / width, bottom / height, size[0] / width, size[1] / height)
        found.append(figure.add_axes(place))
    return figure, found


def columns_of(count: int) -> int:
    """In how many columns so many panels stand."""
    return _COLUMNS.get(count, 4)


def columns_of_activations(count: int) -> int:
    """In how many columns panels stand of which each is an activation: up to five, in few rows."""
    return count if count <= 3 else min(5, -(-count // 2))


def title(figure: Figure, text: str) -> None:
    """A title at the upper left corner, smaller where it is long."""
    size = min(_TITLE_SIZE, _TITLE_CHARACTERS * (figure.get_figwidth() - 0.2) / len(text))
    place = {"x": 0.08 / figure.get_figwidth(), "y": 1 - 0.08 / figure.get_figheight()}
    figure.suptitle(text, ha="left", va="top", fontsize=size, **place)


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """The legend, to the right of the panels."""
    right = max(axes.get_position().x1 for axes in figure.axes)
    width, height = figure.get_size_inches()
    place = (right + 0.1 / width, 1 - (_HEAD - 0.3) / height)
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=place, handlelength=2.2, borderpad=0)

"""The sheets that the figures are drawn on, measured in inches from the upper left corner."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from dnnexp.figures.style import FAINT

HEAD = 0.38
"""Of the title."""
ROW = 0.178
"""Of a legend."""
_POINTS = 8
_HINTED = 1.03
"""Letters are fitted to pixels, which makes a text somewhat wider or narrower."""
_HANDLE = 0.55
_NOTE_ROW = 0.145
_NOTE_CHARACTERS_AN_INCH = 15
_MOST_NOTE_ROWS = 8
_TITLE_SIZE = 10.8
_TITLE_CHARACTERS = 122
"""Of a point, so many fit an inch."""
_LEAST_WIDTH = 5.0


@dataclass(frozen=True)
class Sheet:
    """A figure and its size in inches."""

    figure: Figure
    width: float
    height: float

    @classmethod
    def of(cls, size: tuple[float, float], title: str, notes: str) -> Sheet:
        """A sheet with a title, and below `size` inches of it as many lines as the notes take."""
        width = max(size[0], _LEAST_WIDTH)
        lines = textwrap.wrap(notes, int(width * _NOTE_CHARACTERS_AN_INCH), max_lines=_MOST_NOTE_ROWS)
        height = size[1] + _NOTE_ROW * len(lines) + (0.1 if lines else 0.0)
        figure = Figure(figsize=(width, height))
        fitting = min(_TITLE_SIZE, _TITLE_CHARACTERS * (width - 0.2) / len(title))
        place: Any = {"x": 0.08 / width, "y": 1 - 0.08 / height, "ha": "left", "va": "top"}
        figure.suptitle(title, fontsize=fitting, **place)
        text = "\n".join(lines)
        figure.text(0.08 / width, 0.06 / height, text, fontsize=7, color=FAINT, va="bottom")
        return cls(figure, width, height)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place."""
        bottom = self.height - top - height
        place = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(place)

    def legend(self, left: float, top: float, handles: Sequence[Artist]) -> None:
        """A legend whose upper left corner is at a place."""
        for handle in handles:
            name = str(handle.get_label())
            handle.set_label(f" {name}" if name.startswith("_") else name)  # a legend would leave it out
        if handles:
            corner = (left / self.width, 1 - top / self.height)
            style: Any = {"handlelength": 2.0, "borderpad": 0, "borderaxespad": 0, "fontsize": _POINTS}
            self.figure.legend(handles=handles, loc="upper left", bbox_to_anchor=corner, **style)


def legend_size(handles: Sequence[Artist]) -> tuple[float, float]:
    """The width and height of a legend."""
    if not handles:
        return 0.0, 0.0
    return _HANDLE + text_width(str(handle.get_label()) for handle in handles), ROW * len(handles) + 0.1


def text_width(texts: Iterable[str]) -> float:
    """The width of the widest of some texts of 8 points."""
    font = get_font(findfont(FontProperties()))
    font.set_size(_POINTS, 72)
    widths = [0]
    for text in texts:
        font.set_text(text, 0.0)
        widths.append(font.get_width_height()[0])
    return _HINTED * max(widths) / 64 / 72


def message(title: str, text: str, notes: str) -> Figure:
    """A figure that has nothing to show but a sentence."""
    sheet = Sheet.of((6.0, 2.6), title, notes)
    sheet.figure.text(0.5, 0.5, text, ha="center", va="center", color=FAINT)
    return sheet.figure

"""Texts of figures: measured, broken into lines, shortened without becoming alike, and free of markup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font

from dnnexp.text import shortened


def literal(text: str, limit: int = 48) -> str:
    """Somebody else's text on one line: `$` starts no mathematics, characters that the font lacks are `?`."""
    line = shortened(" ".join(text.split()), limit)
    return "".join(each if ord(each) in _characters() else "?" for each in line).replace("$", r"\$")


@cache
def _characters() -> frozenset[int]:
    """The characters that the font has."""
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def distinct(labels: Sequence[str], limit: int) -> list[str]:
    """Labels of at most about `limit` characters; no two different ones become the same.

    A long label keeps its beginning; where that is not enough to tell it from others, its beginning and its
    end; where that is not enough either, it gets a number.
    """
    different = list(dict.fromkeys(labels))
    for end in (0, limit // 2, limit - 1):  # characters that are kept of the end
        start = limit - 1 - end
        short = {
            label: label if len(label) <= limit else f"{label[:start]}…{label[len(label) - end :]}"
            for label in different
        }
        if len(set(short.values())) == len(different):
            return [short[label] for label in labels]
    return [f"{label[: limit - 4]}…#{different.index(label) + 1}" for label in labels]


def wrap(text: str, width: float, points: float, most: int = 4) -> list[str]:
    """A text in lines of at most `width` inches; if there are more than `most`, the last ends in an ellipsis.

    Line breaks in the text stay.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, points) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        if line:
            lines.append(line)
    kept = lines[:most]
    if len(lines) > most:
        kept[-1] += " …"
    return [_cut(line, width, points) for line in kept]


def _cut(line: str, width: float, points: float) -> str:
    """A line that fits: its end is an ellipsis if it is too long."""
    if text_width(line, points) <= width:
        return line
    while line and text_width(f"{line}…", points) > width:
        line = line.removesuffix("…")[:-1].rstrip()
    return f"{line}…"


def text_width(text: str, points: float) -> float:
    """The width of a text of one line in inches."""
    font = get_font(findfont(FontProperties()))
    font.set_size(points, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72

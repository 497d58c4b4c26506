"""What all plots share: fonts, and curves that colour-blind readers can tell apart."""

from __future__ import annotations

from typing import Any

STYLE: Any = {
    "figure.dpi": 110,
    "figure.labelsize": 9,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.6,
}

INK = "#222222"
FAINT = "#888888"
ALARM = "#D55E00"
"""For what diverged."""

# Okabe and Ito's palette, with a dark grey for its yellow, which is too pale on white, and a brown for its
# black, which is left to theory
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#8B4513",
    "#5C5C5C",
)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
_MARKERS = ("", "o", "^", "s")
_APART = 0.14
"""The distance of the markers on a curve, as a share of the diagonal of the axes."""


def line(index: int) -> dict[str, Any]:
    """Colour, dashes and, from the ninth on, markers of a curve: 32 that differ, neighbours in two ways."""
    round_, place = divmod(index, len(COLOURS))
    entry: dict[str, Any] = {
        "color": COLOURS[place],
        "linestyle": _DASHES[(place + round_) % len(_DASHES)],
    }
    if marker := _MARKERS[round_ % len(_MARKERS)]:
        entry |= {"marker": marker, "markersize": 4, "markevery": (_APART * (place + 1) / 8, _APART)}
    return entry


def colour(index: int) -> str:
    """The colour of the curve of that index."""
    return COLOURS[index % len(COLOURS)]


def number(value: float | None) -> str:
    """A number in three digits, for titles."""
    return "not finite" if value is None else f"{value:.3g}"

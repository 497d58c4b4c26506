"""What all plots share: fonts, and colours that colour-blind readers can tell apart."""

from __future__ import annotations

from typing import Any

STYLE: Any = {
    "figure.dpi": 110,
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

# Okabe and Ito's palette, with grey for its yellow, which is too pale on white
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#777777",
)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))


def line(index: int) -> dict[str, Any]:
    """Colour and dashes of the curve of that index: 32 that differ, neighbours in both."""
    round_, place = divmod(index, len(_COLOURS))
    return {
        "color": _COLOURS[place],
        "linestyle": _DASHES[(place + round_) % len(_DASHES)],
    }


def colour(index: int) -> str:
    """The colour of the curve of that index."""
    return _COLOURS[index % len(_COLOURS)]


def number(value: float | None) -> str:
    """A number in three digits, for titles."""
    return "not finite" if value is None else f"{value:.3g}"

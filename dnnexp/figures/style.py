"""Settings, text sizes and inks that all figures share."""

from __future__ import annotations

from typing import Any

TITLE_POINTS, TEXT_POINTS, SMALL_POINTS = 11.0, 9.0, 8.0
"""Text sizes: figure titles; panel titles, axis labels and legends; tick labels and notes."""

STYLE: Any = {
    "figure.dpi": 150,
    "savefig.dpi": "figure",
    "figure.labelsize": TEXT_POINTS,
    "font.size": TEXT_POINTS,
    "axes.titlesize": TEXT_POINTS,
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT_POINTS,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": TEXT_POINTS,
    "legend.title_fontsize": TEXT_POINTS,
    "xtick.labelsize": SMALL_POINTS,
    "ytick.labelsize": SMALL_POINTS,
    "lines.linewidth": 1.6,
}
"""The rc settings under which `dnnexp.figures.render` draws, on top of matplotlib's defaults."""

INK = "#222222"
"""Colour of text, outlines and theory."""
FAINT = "#6E6E6E"
"""Colour of notes and of lines in the background."""
ALARM = "#B3001B"
"""Colour of what diverged, failed or is wrong."""

"""Small histograms without axes of their own: a good part of the time of a plot goes into axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from dnnexp.experiments.activations.figures.layers import Histogram
from dnnexp.experiments.activations.figures.verdicts import DASHES
from dnnexp.figures.style import FAINT, INK

NOTE: Any = {"color": INK, "bbox": {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}}


@dataclass(frozen=True)
class Cell:
    """A place in axes whose y grows downwards; `floor` is below the bars.

    `room` is the height below the floor that the ends of the x range are kept away from it.
    """

    left: float
    width: float
    floor: float
    height: float
    room: float = 0.03

    @property
    def middle(self) -> float:
        """Of the x range."""
        return self.left + self.width / 2

    def draw(self, axes: Axes, histogram: Histogram, shade: str) -> None:
        """The histogram, theory over it, and the ends of its range below it."""
        x = self.left + self.width * np.linspace(0, 1, len(histogram.edges))
        axes.add_artist(Line2D(x[[0, -1]], [self.floor, self.floor], color=FAINT, linewidth=0.6))
        if histogram.is_empty:
            at = self.floor - self.height / 2
            axes.text(self.middle, at, "no finite value", ha="center", va="center", fontsize=7)
            return
        top, note = histogram.height
        bars(axes, self._heights(histogram.share, top), x, shade, self.floor)
        if (expected := histogram.expected) is not None:
            centres = (x[1:] + x[:-1]) / 2
            axes.add_artist(Line2D(centres, self._heights(expected, top), **DASHES | {"linewidth": 0.7}))
        if note:
            at = self.floor - self.height
            axes.text(self.middle, at, note, ha="center", va="top", fontsize=7, **NOTE)
        for at, side in ((0, "left"), (-1, "right")):
            end = f"{histogram.edges[at]:.3g}"
            axes.text(x[at], self.floor + self.room, end, ha=side, va="top", fontsize=7, color=INK)

    def _heights(self, share: Any, top: float) -> Any:
        return self.floor - self.height * np.minimum(share / top, 1)


def bars(axes: Axes, heights: Any, edges: Any, shade: str, baseline: float) -> None:
    """`axes.stairs` less its search for new limits, which takes longer than the rest: ours are set."""
    axes.add_artist(StepPatch(heights, edges, baseline=baseline, fill=True, color=shade))

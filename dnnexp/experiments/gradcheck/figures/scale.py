"""The colours of errors: pale to blue is allowed, orange to dark red is not, whatever the tolerance is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dnnexp.figures.style import INK

_ALLOWED = ("#F4F9FD", "#A9CFE8", "#5BA3D0")
_WRONG = ("#F26B21", "#C42A10", "#7F0000")
MISSING, BROKEN = "#C4C4C4", "#000000"
"""Of what is not compared, and of what is not finite."""
_SHADES = 256
_FLOOR = 1e-4
"""Ratios below it look alike."""
_LEAST, _MOST = 2, 16
"""Decades above 1."""
_ABOVE = 2.0
BAR = 1.05
"""Inches that the colour bar takes with its names."""


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale of errors over what is allowed: its middle is 1, its end at so many decades."""

    decades: int

    @classmethod
    def of(cls, ratios: Iterable[Any]) -> Scale:
        """The scale that holds all of the finite ones."""
        found = np.concatenate([[1.0], *(np.ravel(each) for each in ratios)])
        largest = np.max(found, initial=1.0, where=np.isfinite(found))
        return cls(int(np.clip(np.ceil(np.log10(largest)), _LEAST, _MOST)))

    @property
    def colours(self) -> Colormap:
        """Of places: the lower half is cool, the upper half warm."""
        halves = [LinearSegmentedColormap.from_list("", ends, _SHADES) for ends in (_ALLOWED, _WRONG)]
        shades = np.concatenate([half(np.arange(_SHADES)) for half in halves])
        return ListedColormap(shades).with_extremes(bad=MISSING, over=BROKEN)

    def place(self, ratios: Any) -> Any:
        """From -1 to 1, at most 0 for what is allowed; more than 1 for what is not finite; NaN stays."""
        values = np.asarray(ratios, np.float64)
        with np.errstate(all="ignore"):
            log = np.log10(np.maximum(values, _FLOOR))
        edge = 0.5 / _SHADES  # a ratio of 1 is the last that is cool
        cool = np.minimum(log / -np.log10(_FLOOR), -edge)
        warm = np.clip(log / self.decades, edge, 1)
        return np.where(np.isposinf(values), _ABOVE, np.where(values > 1, warm, cool))

    def colour(self, value: float) -> Any:
        """The colour of one ratio."""
        return self.colours(Normalize(-1, 1)(self.place(value)))

    def ink(self, value: float) -> str:
        """The colour of a text on it."""
        return "white" if self.place(value) > 0.25 else INK

    def bar(self, figure: Figure, left: float, top: float, height: float, extra: dict[str, str]) -> None:
        """The colour bar, at inches from the lower left corner, and below it the colours beside the scale."""
        width, whole = figure.get_size_inches()
        bottom = top - height
        axes = figure.add_axes((left / width, bottom / whole, 0.14 / width, height / whole))
        drawn = figure.colorbar(ScalarMappable(Normalize(-1, 1), self.colours), cax=axes)
        names = {-1.0: "≤10⁻⁴", -0.5: "0.01", 0.0: "1", **self._names()}
        drawn.set_ticks(list(names), labels=list(names.values()))
        drawn.set_label("error, over what is allowed", fontsize=8, labelpad=2)
        drawn.outline.set_visible(False)
        axes.tick_params(labelsize=7, length=2)
        axes.axhline(0, color=INK, linewidth=1.6)
        patches = [Patch(facecolor=shade, label=name) for name, shade in extra.items()]
        if patches:
            place: Any = {"bbox_to_anchor": ((left - 0.12) / width, (bottom - 0.06) / whole)}
            key: Any = {"fontsize": 7, "handlelength": 1, "handleheight": 1, "handletextpad": 0.4}
            figure.legend(handles=patches, loc="upper left", borderpad=0.3, **place, **key)

    def _names(self) -> dict[float, str]:
        step = -(-self.decades // 4)
        powers = range(step, self.decades + 1, step)
        return {power / self.decades: f"$10^{{{power}}}$" for power in powers}


def short(value: float, digits: int = 2) -> str:
    """A number in few letters: so many digits, one of what is small or large."""
    if not np.isfinite(value):
        return "not finite"
    if value == 0 or 0.001 <= value < 1000:
        return f"{value:.{digits}g}" if value < 100 else f"{value:.0f}"
    mantissa, power = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(power)}"

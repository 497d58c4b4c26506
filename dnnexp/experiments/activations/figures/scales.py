"""Axes that zeros and infinities do not break."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

_LEAST, _GREATEST = 1e-30, 1e30
"""Values beyond these are drawn at the edges, unless all values are."""
_SMALLEST, _LARGEST = 1e-300, 1e300
"""The ends of a logarithmic axis."""
_FEW_DECADES = 2.5
_MAX_TICKS = 6


@dataclass(frozen=True)
class Scale:
    """What a panel shows.

    Attributes:
        bottom: of the axis; on a logarithmic one zeros lie along it.
        top: of the axis.
        low: the least value shown, zeros aside.
        high: the greatest.
        is_log: whether the axis is logarithmic.
        below: the name of the bottom, where something lies there.
        above: the name of the top, where something lies beyond.
    """

    bottom: float
    top: float
    low: float
    high: float
    is_log: bool
    below: str = ""
    above: str = ""

    def place(self, values: Any) -> Any:
        """The values, with what is outside along the edges; NaN stays."""
        return np.clip(values, self.bottom, self.top)

    def frame(self, axes: Axes) -> None:
        """Scale, limits and ticks of the y axis."""
        if self.is_log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(FixedLocator([value for value, _ in self._ticks()]))
            axes.yaxis.set_major_formatter(FixedFormatter([name for _, name in self._ticks()]))
        else:
            axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(self.bottom, self.top)
        axes.minorticks_off()
        axes.grid(visible=True, axis="y")

    def _ticks(self) -> list[tuple[float, str]]:
        """The ticks of a logarithmic axis, and their names."""
        low, high = np.log10([self.low, self.high])
        if high - low < np.log10(3):
            found = [(tick, f"{tick:.4g}") for tick in MaxNLocator(4).tick_values(self.low, self.high)]
        elif high - low < _FEW_DECADES:
            parts = (1, 2, 5) if high - low < 0.6 * _FEW_DECADES else (1, 3)
            decades = np.arange(np.floor(low), high)
            found = [(m * 10.0**k, f"{m * 10.0**k:.4g}") for k in decades for m in parts]
        else:
            step = int(np.ceil((high - low) / _MAX_TICKS))
            powers = np.arange(np.ceil(low / step - 1e-9) * step, high + 1e-9, step)
            found = [(10.0**k, _power(10.0**k)) for k in powers]
        ticks = [(tick, name) for tick, name in found if self.low * 0.7 <= tick <= self.high * 1.4]
        ticks = [*{name: (tick, name) for tick, name in ticks}.values()]  # of nearly equal values
        edges = [(self.bottom, self.below), (self.top, self.above)]
        return [entry for entry in ticks if self.bottom < entry[0] < self.top] + [e for e in edges if e[1]]


def log_scale(curves: Iterable[Any]) -> Scale:
    """A logarithmic axis for some values: of at most 60 decades, less what is beyond these."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    positive = values[(values >= _SMALLEST) & (values <= _LARGEST)]
    usual = positive[(positive >= _LEAST) & (positive <= _GREATEST)]
    shown = usual if usual.size else positive
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (0.5, 2.0)
    decades = np.log10(high) - np.log10(low)  # the ratio may overflow
    pad, room = max(0.05 * decades, 0.02), max(0.1 * decades, 0.1)
    has_less, has_more = bool((values < low).any()), bool((values > high).any())
    least, greatest = (_LEAST, _GREATEST) if usual.size else (_SMALLEST, _LARGEST)
    below = "0" if (values[values < low] <= 0).all() else _power(least, "<")
    bottom = 10.0 ** max(np.log10(low) - pad - room * has_less, -300)
    top = 10.0 ** min(np.log10(high) + pad + room * has_more, 300)
    names = (below if has_less else "", _power(greatest, ">") if has_more else "")
    return Scale(bottom, top, low, high, True, *names)


def _power(value: float, sign: str = "") -> str:
    """A power of ten in the words of an axis."""
    return f"{sign}$10^{{{np.log10(value):.0f}}}$"


def share_scale(curves: Iterable[Any]) -> Scale:
    """A linear axis for shares and correlations: from 0 or the least value to 1."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    low = min(0.0, float(np.min(values, initial=0.0, where=np.isfinite(values))))
    return Scale(low - 0.04, 1.04, low, 1.0, False)

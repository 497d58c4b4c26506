"""Medians over networks with their bands, on axes that zeros and infinities do not break."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from dnnexp.experiments.base import quantile
from dnnexp.plots.style import FAINT, INK

BAND = (0.05, 0.5, 0.95)
THEORY: Any = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 3}
FINITE_WIDTH: Any = {"color": INK, "linewidth": 0.8, "linestyle": (0, (1, 2)), "zorder": 3}
_CROSS: Any = {"markersize": 6, "markeredgewidth": 1.6, "clip_on": False}
_LEAST, _GREATEST = 1e-30, 1e30
"""Shown at most, unless everything is beyond."""
_SMALLEST, _LARGEST = 1e-300, 1e300
"""Of a logarithmic axis."""
_FEW_DECADES = 2.5
_MOST_TICKS = 6
_CROWD = 4
"""Of more bands each is fainter."""


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
            step = int(np.ceil((high - low) / _MOST_TICKS))
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


def band(values: Any) -> Any:
    """5 %, median and 95 % of `(runs, K)` over networks, `(3, K)`; NaN where the median is not finite.

    So are the others where what makes them infinite is a NaN, of a network without the statistic.
    """
    values = np.asarray(values, np.float64)
    found = quantile(values.T, BAND)
    is_known = np.isfinite(found) | np.isinf(values).any(axis=0)
    return np.where(is_known & np.isfinite(found[1]), found, np.nan)


def has_ends(curves: Any) -> bool:
    """Whether a curve is there at some places only."""
    known = np.isfinite(curves[1])
    return bool(known.any() and not known.all())


def draw(axes: Axes, scale: Scale, x: Any, curves: Any, style: Any, crowd: int = 1) -> None:
    """A median and its band, one of `crowd`; crosses where it ends at what is not finite."""
    low, middle, high = (scale.place(curve) for curve in curves)
    known = np.isfinite(middle)
    if not known.any():
        return
    dot = {} if len(x) > 1 or "marker" in style else {"marker": "o", "markersize": 4}
    axes.plot(x, middle, **({"clip_on": False} | style | dot))
    if not np.array_equal(low[known], high[known]):
        alpha = 0.16 * min(1.0, _CROWD / crowd)
        axes.fill_between(x, low, high, color=style["color"], alpha=alpha, linewidth=0)
    ends = known & ~(np.append(known[1:], True) & np.append(True, known[:-1]))
    if ends.any():
        axes.plot(x[ends], middle[ends], "x", color=style["color"], **_CROSS)


def draw_theory(axes: Axes, scale: Scale, x: Any, values: Any, style: Any = THEORY) -> bool:
    """A line of theory, where it is known; whether it is anywhere."""
    known = np.isfinite(values)
    if known.any():
        dot = {"marker": "_", "markersize": 11} if len(x) == 1 else {}
        axes.plot(x, scale.place(np.where(known, values, np.nan)), **(style | dot))
    return bool(known.any())


def layer_ticks(axes: Axes, depth: int) -> None:
    """The x axis of layers 1 … L, both with a tick or near one."""
    ticks = [tick for tick in MaxNLocator(6, integer=True).tick_values(1, depth) if 1 <= tick <= depth]
    if len(ticks) < 2 or ticks[1] - ticks[0] > 2:
        ticks = sorted({1.0, *ticks})
    axes.set_xlim(1 - 0.02 * depth, 1.02 * depth)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")


def key(runs: int, has_theory: bool, has_ends: bool, has_finite_width: bool = False) -> list[Any]:
    """What the parts of a curve mean, for the legend."""
    found: list[Any] = []
    if runs > 1:
        found.append(Line2D([], [], color=FAINT, label=f"median over {runs} networks"))
        found.append(Patch(facecolor=FAINT, alpha=0.25, label="5 to 95 % of the networks"))
    if has_theory:
        style = {name: value for name, value in THEORY.items() if name != "zorder"}
        found.append(Line2D([], [], label="theory of wide layers", **style))
    if has_finite_width:
        style = {name: value for name, value in FINITE_WIDTH.items() if name != "zorder"}
        found.append(Line2D([], [], label="theory of one input at this width: 5, 95 %", **style))
    if has_ends:
        found.append(
            Line2D([], [], color=FAINT, marker="x", linestyle="", label="not finite beyond", **_CROSS)
        )
    return found

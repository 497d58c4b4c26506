"""Medians over networks with their bands, on axes that zeros and infinities do not break."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from dnnexp.experiments.activations.figures.scales import Scale
from dnnexp.experiments.base import quantile
from dnnexp.figures.style import FAINT, INK

BAND = (0.05, 0.5, 0.95)
THEORY: Any = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 3}
FINITE_WIDTH: Any = {"color": INK, "linewidth": 0.8, "linestyle": (0, (1, 2)), "zorder": 3}
_CROSS: Any = {"markersize": 6, "markeredgewidth": 1.6, "clip_on": False}
_CROWD = 4
"""Of more bands each is fainter."""


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

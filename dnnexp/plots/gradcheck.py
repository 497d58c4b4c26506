"""The plot of `gradcheck`: error against step, with the branches that theory predicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from dnnexp.experiments.base import Result
from dnnexp.plots.style import FAINT, INK, colour

_FLOOR = 1e-17


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`errors`."""
    yield "errors", errors(result)


def errors(result: Result) -> Figure:
    """The relative error of difference quotients against h: median and range over the directions."""
    config, arrays = result.config, result.arrays
    figure = Figure(figsize=(8, 5.2))
    axes = figure.add_axes((0.09, 0.1, 0.89, 0.84))
    h = arrays["sweep.h"]
    _frame(axes, h)
    _band(axes, h, arrays["sweep.central"], colour(0), "central differences, measured")
    _band(axes, h, arrays["sweep.complex"], colour(1), "complex step, measured")
    _theory(axes, h, arrays["sweep.round_off"], (0, (1.5, 1.5)), "theory: round-off ε‖∂E/∂y ⊙ y‖/√2h")
    _theory(axes, h, arrays["sweep.truncation"], (0, (6, 2)), "theory: truncation h²|φ‴|/6")
    if not np.isfinite(arrays["sweep.central"]).any():
        text = "every directional derivative is 0: no relative error"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center")
    default = result.metrics["step_sweep"]["default_step"]
    axes.axvline(default, color=FAINT, linewidth=0.9, linestyle=":")
    axes.annotate(
        f"default step {default:.1e}",
        (default, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        color=FAINT,
        fontsize=8,
    )
    directions = config.step_sweep.directions
    head = f"{config.name}: {result.metrics['verdict']}; median and range of {directions} directions"
    axes.set_title(head, loc="left")
    axes.legend(loc="upper center", ncols=2, frameon=True, framealpha=1, edgecolor="none", facecolor="white")
    return figure


def _frame(axes: Axes, h: Any) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(h[0], h[-1])
    axes.set_ylim(_FLOOR, 10)
    axes.xaxis.set_major_locator(LogLocator(numticks=15))
    axes.yaxis.set_major_locator(LogLocator(numticks=20))
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel("step h, along a standard normal direction of all parameters")
    axes.set_ylabel("error of the directional derivative, relative to backward")


def _band(axes: Axes, h: Any, curves: Any, shade: str, label: str) -> None:
    """The median over the directions, and all of them as a band."""
    with np.errstate(invalid="ignore"):
        low, middle, high = (np.maximum(f(curves, axis=0), _FLOOR) for f in (np.min, np.median, np.max))
    axes.fill_between(h, low, high, color=shade, alpha=0.2, linewidth=0)
    axes.plot(h, middle, color=shade, label=label, marker="o", markersize=3)


def _theory(axes: Axes, h: Any, curves: Any, dashes: Any, label: str) -> None:
    axes.plot(h, np.median(curves, axis=0), color=INK, linestyle=dashes, linewidth=1.1, label=label)

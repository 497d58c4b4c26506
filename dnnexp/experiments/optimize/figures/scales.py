"""The scales of the axes: which values are shown, and how evaluations are spaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator

from dnnexp.experiments.optimize.figures.cases import Case

_BELOW_TARGET = 1e-4
_ABOVE_START = 1e3
_FEW_DECADES = 1.5
_ABOVE_AXIS = 1.3
_SMALLEST, _LARGEST = 1e-300, 1e300
"""Of a logarithmic axis."""


@dataclass(frozen=True)
class Range:
    """The values that a plot shows.

    Attributes:
        floor: the least.
        ceiling: the greatest.
        is_log: whether the axis is logarithmic.
    """

    floor: float
    ceiling: float
    is_log: bool

    def clip(self, values: Any) -> Any:
        """The values, less what is far outside: +inf becomes a curve that leaves through the top."""
        if self.is_log:
            return np.clip(values, self.floor / 10, self.ceiling * 10)
        span = self.ceiling - self.floor
        return np.clip(values, self.floor - span, self.ceiling + span)

    def kept(self, values: Any) -> Any:
        """The values, with those below the floor as a line along it."""
        return np.maximum(self.clip(values), self.floor * (_ABOVE_AXIS if self.is_log else 1.0))

    def place(self, value: float) -> float:
        """How high on the axis a value stands: 0 at the floor, 1 at the ceiling."""
        low, at, high = self.floor, value, self.ceiling
        if self.is_log:
            low, at, high = np.log10([low, at, high])
        return float((at - low) / (high - low))

    def frame(self, axes: Axes, ticks: int = 12) -> None:
        """Scale, limits and about so many ticks of the y axis."""
        if self.is_log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=ticks))
            if np.log10(self.ceiling / self.floor) < _FEW_DECADES:
                axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=ticks))
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylim(self.floor, self.ceiling)
        axes.minorticks_off()


def value_range(case: Case, values: Any, least: float = _BELOW_TARGET) -> Range:
    """The range for some values: not far below the targets, nor far above the starts.

    It is logarithmic, unless no minimum is known and there are values that are not positive.
    """
    values = np.asarray(values)[np.isfinite(values)]
    starts = np.concatenate([case.gap(label)[0] for label in case.ranking])
    start = float(np.max(starts, initial=-np.inf, where=np.isfinite(starts)))
    if case.metrics["minimum"] is None and (values <= 0).any():
        return _linear(values, start)
    floor = max(min(case.config.targets) * least, _SMALLEST)
    seen = values[(values > floor) & (values < _ABOVE_START * max(start, floor))]
    if seen.size == 0:
        return Range(floor, 10 * floor, True)
    return Range(max(float(seen.min()) / 2, floor), min(float(seen.max()) * 2, _LARGEST), True)


def _linear(values: Any, start: float) -> Range:
    """From the least value to a little above the start."""
    low = float(values.min())
    seen = values[values <= start + (start - low)]
    high = float(seen.max()) if seen.size else low
    margin = max(0.05 * (high - low), 1e-6 * abs(low)) or 0.5
    return Range(low - margin, high + margin, False)


def evaluations_axis(axes: Axes, case: Case) -> None:
    """The x axis: linear, or as the record is spaced: nearly linear up to a thousandth of the steps."""
    steps = max(case.config.steps, 1)
    if case.config.record.spacing == "log" and steps >= 10:
        width = max(1.0, steps / 1000)
        axes.set_xscale("asinh", linear_width=width)  # symlog has a kink where its linear part ends
        powers = 10 ** np.arange(np.log10(width).round(), np.log10(steps) + 1e-9)
        axes.xaxis.set_major_locator(FixedLocator([0, *powers]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(0, steps)

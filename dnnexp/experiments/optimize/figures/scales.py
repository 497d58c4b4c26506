"""The scales of the axes: which values are shown, and how evaluations are spaced."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.figures.scales import Scale

_BELOW_TARGET = 1e-4
"""Values are shown down to this multiple of the smallest target."""
_ABOVE_START = 1e3
"""Values are shown up to this multiple of the largest start."""
_SMALLEST, _LARGEST = 1e-280, 1e280
"""The ends of a logarithmic axis."""


def value_scale(case: Case, values: Any, below_target: float = _BELOW_TARGET) -> Scale:
    """The scale of some values: not far below the targets, nor far above the starts.

    It is logarithmic, unless no minimum is known and there are values that are not positive.
    """
    values = np.asarray(values)[np.isfinite(values)]
    starts = np.concatenate([case.gap(label)[0] for label in case.ranking])
    start = float(np.max(starts, initial=-np.inf, where=np.isfinite(starts)))
    if case.metrics["minimum"] is None and (values <= 0).any():
        return _linear(values, start)
    floor = max(min(case.config.targets) * below_target, _SMALLEST)
    seen = values[(values > floor) & (values < _ABOVE_START * max(start, floor))]
    if seen.size == 0:
        return Scale.between(floor, 10 * floor, "log", margin=0)
    low, high = max(float(seen.min()) / 2, floor), min(float(seen.max()) * 2, _LARGEST)
    return Scale.between(low, high, "log", margin=0)


def _linear(values: Any, start: float) -> Scale:
    """From the least value to a little above the start."""
    low = float(values.min())
    seen = values[values <= start + (start - low)]
    return Scale.between(low, float(seen.max()) if seen.size else low)


def evaluations_axis(axes: Axes, last: float, is_log: bool) -> None:
    """The x axis up to the last evaluation.

    If `is_log`, it is nearly linear up to a thousandth of the steps, then logarithmic.
    """
    last = max(last, 1)
    if is_log and last >= 10:
        width = max(1.0, last / 1000)
        axes.set_xscale("asinh", linear_width=width)  # symlog has a kink where its linear part ends
        powers = 10 ** np.arange(np.log10(width).round(), np.log10(last) + 1e-9)
        axes.xaxis.set_major_locator(FixedLocator([0, *powers]))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(0, last)


def case_evaluations_axis(axes: Axes, case: Case) -> None:
    """`evaluations_axis` as a case's record is spaced."""
    evaluations_axis(axes, case.config.steps, case.config.record.spacing == "log")

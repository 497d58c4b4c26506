"""Scales of values: linear, or logarithmic with zero at the foot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from dnnexp.figures.sweep.names import number

_SMALLEST, _LARGEST = 1e-280, 1e280
"""Of what is drawn: matplotlib computes with products of an axis' ends, and takes less for 0."""
_LEAST_END, _GREATEST_END = 1e-285, 1e285
_MANY = 100.0
"""Positive numbers this far apart are shown on a logarithmic scale."""
_FEW_DECADES = 1.5
_MARGIN = 0.05
_MOST_DIGITS = 7
"""Of a tick; of numbers that agree in more the difference is written."""


@dataclass(frozen=True)
class Scale:
    """The numbers that an axis or a colour bar shows.

    Attributes:
        low: the least.
        high: the greatest.
        is_log: whether the scale is logarithmic.
        foot: on a logarithmic scale the name of what lies at its end, `0` or `≤0`; '' for nothing.
        is_whole: whether ticks are whole numbers.
    """

    low: float
    high: float
    is_log: bool
    foot: str = ""
    is_whole: bool = False

    @classmethod
    def of(cls, values: Any, kind: str = "auto") -> Scale:
        """The scale that holds some numbers, NaN aside; `kind` is auto, linear or log.

        By itself it is logarithmic where no number is negative and the positive ones lie far apart.
        """
        found = np.asarray(values, np.float64)
        found = np.clip(found[np.isfinite(found)], -_LARGEST, _LARGEST)
        positive = np.maximum(found[found > 0], _SMALLEST)
        if kind == "auto":
            is_wide = positive.size > 0 and positive.max() / positive.min() >= _MANY
            kind = "log" if is_wide and not (found < 0).any() else "linear"
        if kind == "log" and positive.size:
            foot = "≤0" if (found < 0).any() else "0" if (found == 0).any() else ""
            return cls(float(positive.min()), float(positive.max()), True, foot)
        low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
        return cls(low, high, False)

    def widened(self, margin: float = _MARGIN) -> Scale:
        """With some room at both ends, and room for what lies at the foot."""
        if not self.is_log:
            room = margin * (self.high - self.low) or 0.5 * abs(self.low) or 0.5
            room = max(room, _SMALLEST, 1e-13 * abs(self.low))
            return replace(self, low=self.low - room, high=self.high + room)
        decades = max(np.log10(self.high) - np.log10(self.low), 1.0)
        room = float(10 ** (margin * decades))
        below = float(10 ** (0.12 * decades)) if self.foot else 1.0
        low = max(self.low / room / below, _LEAST_END)
        return replace(self, low=low, high=min(self.high * room, _GREATEST_END))

    def place(self, values: Any) -> Any:
        """The numbers inside of the scale; what is not positive lies at the foot of a logarithmic one."""
        with np.errstate(invalid="ignore"):
            return np.clip(np.asarray(values, np.float64), self.low, self.high)

    def share(self, values: Any) -> Any:
        """Where the numbers stand: 0 at the low end, 1 at the high one."""
        low, at, high = np.float64(self.low), self.place(values), np.float64(self.high)
        if self.is_log:
            low, at, high = np.log10(low), np.log10(at), np.log10(high)
        span = high - low
        return (at - low) / span if span > 0 else np.where(np.isnan(at), np.nan, 0.5)

    def norm(self) -> Normalize:
        """For colours; numbers at the foot are below it."""
        low, high = self.low, self.high
        if not high > low:
            room = max(0.05 * abs(low), _SMALLEST) if low else 0.5
            low, high = (low / 1.05, high * 1.05) if self.is_log else (low - room, high + room)
        return LogNorm(low, high) if self.is_log else Normalize(low, high)

    def frame(self, axis: Axis, ticks: int = 7) -> None:
        """Scale, limits, and about so many ticks of an axis."""
        name: str = axis.axis_name  # type: ignore[attr-defined]  # x or y
        axes: Any = axis.axes
        if self.is_log:
            getattr(axes, f"set_{name}scale")("log")
        getattr(axes, f"set_{name}lim")(self.low, self.high)
        self.tick(axis, ticks)

    def tick(self, axis: Axis, ticks: int = 7) -> None:
        """Ticks alone, as for a colour bar."""
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator(self.ticks(ticks)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: self.name(value)))

    def ticks(self, count: int) -> list[float]:
        """Round numbers inside of the scale, and its foot."""
        if not self.is_log:
            found = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10], integer=self.is_whole).tick_values(
                self.low, self.high
            )
            return [float(value) for value in found if self.low <= value <= self.high]
        decades = np.log10(self.high) - np.log10(self.low)
        subs = (1.0, 2.0, 5.0) if decades < _FEW_DECADES else (1.0,)
        locator = LogLocator(subs=subs, numticks=count)
        least = self.low * float(10 ** (0.08 * decades)) if self.foot else self.low
        found = locator.tick_values(self.low, self.high)
        inside = [float(value) for value in found if least <= value <= self.high]
        return [self.low, *inside] if self.foot else inside

    def _digits(self) -> int:
        """How many digits tell the ticks apart."""
        size, span = max(abs(self.low), abs(self.high)), self.high - self.low
        if self.is_log or not 0 < span < np.inf:
            return 3
        return int(np.clip(np.ceil(np.log10(size / span)), 0, 13)) + 3

    def name(self, value: float) -> str:
        """A number as a tick's name."""
        if self.foot and value <= self.low:
            return self.foot
        if self.is_log and not 1e-3 <= value < 1e4:
            power = float(np.log10(value))
            if abs(power - round(power)) < 1e-6:
                return f"$10^{{{round(power)}}}$"
        if not self.is_log and abs(value) < 1e-9 * (self.high - self.low):
            return "0"
        digits = self._digits()
        if digits > _MOST_DIGITS:
            base = float(number(self.low, _MOST_DIGITS - 1))
            return f"{number(base, _MOST_DIGITS)}{value - base:+.1e}" if value != base else number(base)
        return number(float(value), digits)

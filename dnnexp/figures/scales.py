"""The scale of an axis or a colour bar: linear or logarithmic, with zeros and infinities at named edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import FuncNorm, LogNorm, Normalize
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from dnnexp.text import number

_SMALLEST, _LARGEST = 1e-280, 1e280
"""Limits of what is drawn: matplotlib computes with products of an axis' ends."""
_USUAL_SMALLEST, _USUAL_LARGEST = 1e-30, 1e30
"""Positive values outside are drawn at the edges of a logarithmic scale, unless all values are outside."""
_MANY = 100.0
"""Ratio of the largest to the smallest positive value from which `auto` takes a logarithmic scale."""
_MARGIN = 0.05
"""Room beyond the values at each end of an axis, as a share of their span."""
_EDGE = 0.1
"""Room for an edge where zeros or infinities lie, as a share of the span."""
_FEW_DECADES = 2.5
_MOST_DIGITS = 7
"""Digits of a tick label; of numbers that agree in more the difference is written."""


@dataclass(frozen=True)
class Scale:
    """The numbers that an axis or a colour bar shows.

        scale = Scale.of(curves)                  # linear or logarithmic, as the values ask for
        scale.frame(axes.yaxis)                   # scale, limits, ticks
        axes.plot(x, scale.place(y))              # zeros and infinities at the named edges

    Attributes:
        low: the smallest value shown, apart from the edge.
        high: the largest one.
        is_log: whether the scale is logarithmic.
        bottom: lower end of the axis; what cannot be shown, such as 0 on a logarithmic scale, lies here.
        top: upper end of the axis; infinite values lie here.
        below: name of the bottom (`0`, `≤0`, `<1e-30`) where something lies there, else ''.
        above: name of the top (`∞`, `>1e30`) where something lies there, else ''.
        is_whole: whether ticks are whole numbers.
        is_percent: whether ticks are percentages, of values from 0 to 1.
        centre: value with the middle colour of `norm`, if there is one.
    """

    low: float
    high: float
    is_log: bool
    bottom: float
    top: float
    below: str = ""
    above: str = ""
    is_whole: bool = False
    is_percent: bool = False
    centre: float | None = None

    @classmethod
    def of(cls, values: Any, kind: str = "auto", *, margin: float = _MARGIN, edges: bool = True) -> Scale:
        """The scale of some values, an array or a list of arrays.

        Args:
            values: the numbers. NaN is ignored.
            kind: `linear`, `log`, or `auto`: logarithmic if no value is negative and the positive ones span
                a factor of 100. A logarithmic scale without positive values is linear.
            margin: room beyond the values at each end, as a share of the span; 0 for colour bars.
            edges: whether zeros and infinities have edges with names; without, they leave the axes.
        """
        numbers = _flat(values)
        finite = np.clip(numbers[np.isfinite(numbers)], -_LARGEST, _LARGEST)
        positive = finite[finite >= _SMALLEST]
        if kind == "auto":
            is_wide = positive.size > 0 and positive.max() / positive.min() >= _MANY
            kind = "log" if is_wide and not (finite < 0).any() else "linear"
        if kind == "log" and positive.size:
            usual = positive[(positive >= _USUAL_SMALLEST) & (positive <= _USUAL_LARGEST)]
            shown = usual if usual.size else positive
        else:
            kind, shown = "linear", finite if finite.size else np.array([0.0, 1.0])
        scale = cls.between(float(shown.min()), float(shown.max()), kind, margin=margin)
        return scale._with_edges(numbers) if edges else scale

    @classmethod
    def between(cls, low: float, high: float, kind: str = "linear", *, margin: float = _MARGIN) -> Scale:
        """The scale from one value to another, with some room beyond; `kind` is `linear` or `log`."""
        is_log = kind == "log"
        scale = cls(low, high, is_log, low, high)
        return scale._moved(margin * scale._span if margin else 0.0, margin * scale._span if margin else 0.0)

    @classmethod
    def shares(cls, values: Any = ()) -> Scale:
        """A linear scale for shares and correlations: from 0, or the smallest value, to 1."""
        numbers = _flat(values)
        low = min(0.0, float(np.min(numbers, initial=0.0, where=np.isfinite(numbers))))
        return cls.between(low, 1.0, margin=0.04)

    def ending(self, bottom: float | None = None, top: float | None = None) -> Scale:
        """With other ends of the axis: values beyond them lie along the ends and get no tick."""
        bottom, top = self.bottom if bottom is None else bottom, self.top if top is None else top
        return replace(self, bottom=bottom, top=top, low=max(self.low, bottom), high=min(self.high, top))

    def _with_edges(self, values: Any) -> Scale:
        """With room and names for values outside of what the scale shows."""
        less = values[values < self.low] if self.is_log else values[np.isneginf(values)]
        more = values[values > self.high] if self.is_log else values[np.isposinf(values)]
        below = above = ""
        if less.size and self.is_log:
            below = f"<{_power(_USUAL_SMALLEST)}" if (less > 0).any() else "≤0" if (less < 0).any() else "0"
        elif less.size:
            below = "−∞"
        if more.size:
            above = "∞" if np.isinf(more).all() else f">{_power(_USUAL_LARGEST)}"
        room = _EDGE * self._span
        return replace(self._moved(room * bool(below), room * bool(above)), below=below, above=above)

    @property
    def _span(self) -> float:
        """Length of the scale, in decades if it is logarithmic; never 0."""
        if self.is_log:
            return max(float(np.log10(self.high) - np.log10(self.low)), 0.5)
        return (self.high - self.low) or abs(self.low) or 1.0

    def _moved(self, down: float, up: float) -> Scale:
        """With the ends further out, by decades if it is logarithmic."""
        if self.is_log:
            bottom, top = np.log10(self.bottom) - down, np.log10(self.top) + up
            return replace(self, bottom=float(10 ** max(bottom, -285)), top=float(10 ** min(top, 285)))
        least = 1e-13 * abs(self.low) if down or up else 0.0  # floating point can tell the ends apart
        return replace(self, bottom=self.bottom - max(down, least), top=self.top + max(up, least))

    def place(self, values: Any) -> Any:
        """The values, those outside at the ends of the axis; NaN stays."""
        with np.errstate(invalid="ignore"):
            return np.clip(np.asarray(values, np.float64), self.bottom, self.top)

    def clip(self, values: Any) -> Any:
        """The values, those far outside just beyond the axes: a curve that goes to infinity leaves them."""
        with np.errstate(invalid="ignore"):
            values = np.asarray(values, np.float64)
            if self.is_log:
                return np.clip(values, self.bottom / 10, self.top * 10)
            span = self.top - self.bottom
            return np.clip(values, self.bottom - span, self.top + span)

    def share(self, values: Any) -> Any:
        """Places along the axis: 0 at the bottom, 1 at the top; NaN stays."""
        bottom, at, top = np.float64(self.bottom), self.place(values), np.float64(self.top)
        if self.is_log:
            bottom, at, top = np.log10(bottom), np.log10(at), np.log10(top)
        return (at - bottom) / (top - bottom) if top > bottom else np.where(np.isnan(at), np.nan, 0.5)

    def norm(self) -> Normalize:
        """From placed values to places in a colour map; what lies at an edge is under or over the map."""
        low, high = self.low, self.high
        if not high > low:
            room = 0.05 * abs(low) or 0.5
            low, high = (low / 1.05, high * 1.05) if self.is_log else (low - room, high + room)
        if self.centre is not None:
            return _centred_norm(low, self.centre, high, self.is_log)
        return LogNorm(low, high) if self.is_log else Normalize(low, high)

    def frame(self, axis: Axis, ticks: int = 6) -> None:
        """Scale, limits and about so many ticks of an x or y axis."""
        name: str = axis.axis_name  # type: ignore[attr-defined]  # x or y
        if self.is_log:
            getattr(axis.axes, f"set_{name}scale")("log")
        getattr(axis.axes, f"set_{name}lim")(self.bottom, self.top)
        self.tick(axis, ticks)

    def tick(self, axis: Axis, ticks: int = 6) -> None:
        """Ticks alone, as for a colour bar."""
        entries = self.ticks(ticks)
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator([value for value, _ in entries]))
        axis.set_major_formatter(FixedFormatter([name for _, name in entries]))

    def ticks(self, count: int = 6) -> list[tuple[float, str]]:
        """Round numbers inside the scale with their names, and the edges that have one."""
        values = self._log_ticks(count) if self.is_log else self._linear_ticks(count)
        inside = [(value, self._name(value, values)) for value in values]
        inside = [*{name: (value, name) for value, name in inside}.values()]  # of nearly equal values
        return [
            *([(self.bottom, self.below)] if self.below else []),
            *inside,
            *([(self.top, self.above)] if self.above else []),
        ]

    def _linear_ticks(self, count: int) -> list[float]:
        locator = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10], integer=self.is_whole)
        low, high = self.bottom if not self.below else self.low, self.top if not self.above else self.high
        values = locator.tick_values(low, high)
        return [float(value) for value in values if low <= value <= high]

    def _log_ticks(self, count: int) -> list[float]:
        low, high = np.log10([self.low, self.high])
        if high - low < np.log10(3):
            values: Any = MaxNLocator(min(count, 4)).tick_values(
                self.low if self.below else self.bottom, self.high if self.above else self.top
            )
        elif high - low < _FEW_DECADES:
            parts = (1, 2, 5) if high - low < 0.6 * _FEW_DECADES else (1, 3)
            values = np.array([m * 10.0**k for k in np.arange(np.floor(low), high) for m in parts])
        else:
            step = int(np.ceil((high - low) / count))
            first = np.ceil(low / step - 1e-9) * step
            values = 10.0 ** np.arange(first, high + 1e-9, step)
        if high - low < _FEW_DECADES:
            values = values[(values >= self.low * 0.7) & (values <= self.high * 1.4)]
        is_clear = (self.share(values) >= 0.04 * bool(self.below)) & (
            self.share(values) <= 1 - 0.04 * bool(self.above)
        )
        return [float(v) for v in values[is_clear] if self.bottom <= v <= self.top]

    def _name(self, value: float, values: list[float]) -> str:
        """The name of a tick among others: all in one notation."""
        if self.is_percent:
            return f"{number(100 * value)}%"
        if self.is_log:
            is_decimal = all(1e-3 <= each < 1e5 for each in values)
            power = float(np.log10(value))
            return _power(value) if not is_decimal and abs(power - round(power)) < 1e-6 else plain(value, 4)
        if abs(value) < 1e-9 * (self.top - self.bottom):
            return "0"
        size, span = max(abs(self.low), abs(self.high)), self.high - self.low
        digits = 2 + int(np.clip(np.ceil(np.log10(size / span)), 1, 13)) if 0 < span < np.inf else 3
        if digits <= _MOST_DIGITS:
            return plain(value, digits)
        base = float(plain(self.low, _MOST_DIGITS - 1))
        return (
            f"{plain(base, _MOST_DIGITS)}{value - base:+.1e}" if value != base else plain(base, _MOST_DIGITS)
        )


def plain(value: float, digits: int = 3) -> str:
    """A number for an axis: small integers in full, others in so many digits, `1e-5` for `1e-05`."""
    if abs(value) < (1e6 if isinstance(value, int) else 1e4) and value == int(value):
        return str(int(value))
    mantissa, _, power = f"{value:.{digits}g}".partition("e")
    if not power:
        return mantissa
    return f"{float(f'{mantissa}e{power}'):.0f}" if 0 < int(power) < 5 else f"{mantissa}e{int(power)}"


def _flat(values: Any) -> Any:
    """One array of all the numbers, NaN aside."""
    if isinstance(values, Iterable) and not isinstance(values, np.ndarray):
        parts = [np.ravel(np.asarray(part, np.float64)) for part in values]
        values = np.concatenate(parts) if parts else np.empty(0)
    values = np.ravel(np.asarray(values, np.float64))
    return values[~np.isnan(values)]


def _power(value: float) -> str:
    """A power of ten as mathematics."""
    return f"$10^{{{np.log10(value):.0f}}}$"


def _centred_norm(low: float, centre: float, high: float, is_log: bool) -> Normalize:
    """The norm that sends three values to 0, ½ and 1, and goes on straight beyond."""
    known = np.array([low, centre, high])
    places = np.log10(known) if is_log else known
    beyond = 100 * np.diff(places)
    x = np.array([places[0] - beyond[0], *places, places[2] + beyond[1]])
    y = np.array([-50.0, 0.0, 0.5, 1.0, 51.0])

    def forward(values: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.interp(np.log10(values) if is_log else values, x, y)

    def inverse(shares: Any) -> Any:
        values = np.interp(shares, y, x)
        return 10.0**values if is_log else values

    return FuncNorm((forward, inverse), vmin=low, vmax=high)

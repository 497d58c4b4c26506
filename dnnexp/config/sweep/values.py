"""The values that a swept key takes: listed, spaced, drawn, or written as on the command line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random as Stream
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen

from dnnexp.registry import Checked, Problem, check

Number = int | float
Numbers = tuple[Number, ...]
_DIGITS = 12
"""To so many digits logarithmic values are rounded: the next machine's logarithm may differ in the last."""


@dataclass(frozen=True, kw_only=True)
class Spacing(Checked):
    """`count` values from one number to another, both included: evenly spaced, or geometrically.

    They are integers where both ends are and all values are.
    """

    linear: Numbers | None = None
    log: Numbers | None = None
    count: Annotated[int, Ge(2), Le(100_000)]

    @check("linear", "log")
    @staticmethod
    def one_spacing(linear: Numbers | None, log: Numbers | None) -> Iterator[Problem]:
        """It is one of the two, between different ends."""
        yield from _one_of({"linear": linear, "log": log})
        if linear is not None and not _is_interval(linear, ordered=False):
            yield ("linear",), "must be two different numbers"
        if log is not None and not (_is_interval(log, ordered=False) and min(log) > 0):
            yield ("log",), "must be two different numbers above 0"

    def values(self) -> list[Number]:
        """Both ends, and what is between them."""
        ends = self.linear if self.linear is not None else self.log
        assert ends is not None  # see `one_spacing`
        low, high = ends
        between = range(1, self.count - 1)
        steps = self.count - 1
        if self.linear is not None:
            width = _exact(high) - _exact(low)
            exact = [_exact(low) + width * i / steps for i in between]
        else:
            exact = [_exact(_geometric(low, high, i / steps)) for i in between]
        if all(isinstance(end, int) for end in ends) and all(value.denominator == 1 for value in exact):
            return [low, *map(int, exact), high]
        return [float(low), *map(float, exact), float(high)]


@dataclass(frozen=True, kw_only=True)
class Distribution(Checked):
    """What a key is drawn from: one of the four. The ends of `uniform` and `integers` are included."""

    uniform: Numbers | None = None
    log_uniform: Numbers | None = None
    integers: tuple[int, ...] | None = None
    choice: Annotated[tuple[Any, ...], MinLen(1)] | None = None

    @check("uniform", "log_uniform", "integers", "choice")
    @staticmethod
    def one_distribution(
        uniform: Numbers | None,
        log_uniform: Numbers | None,
        integers: tuple[int, ...] | None,
        choice: tuple[Any, ...] | None,
    ) -> Iterator[Problem]:
        """It is one of the four, over an interval."""
        given = {"uniform": uniform, "log_uniform": log_uniform, "integers": integers, "choice": choice}
        yield from _one_of(given)
        for name in ("uniform", "log_uniform", "integers"):
            if (ends := given[name]) is not None and not _is_interval(ends, ordered=True):
                yield (name,), "must be two numbers, the lower one first"
        if log_uniform is not None and min(log_uniform, default=1) <= 0:
            yield ("log_uniform",), "must be two numbers above 0"

    def draws(self, count: int, stream: str) -> list[Any]:
        """So many values of the stream of that name."""
        source = Stream(stream)  # a text is hashed: neighbouring seeds have nothing in common
        return [self._draw(source) for _ in range(count)]

    def _draw(self, source: Stream) -> Any:
        share = source.random()  # of all methods the one whose numbers are promised to stay
        if self.choice is not None:
            return self.choice[math.floor(share * len(self.choice))]
        if self.integers is not None:
            low, high = self.integers
            return low + math.floor(Fraction(share) * (high - low + 1))
        if self.uniform is not None:
            return self.uniform[0] + (self.uniform[1] - self.uniform[0]) * share
        assert self.log_uniform is not None  # see `one_distribution`
        start, end = self.log_uniform
        return min(max(_geometric(start, end, share), start), end)


def _one_of(given: dict[str, Any]) -> Iterator[Problem]:
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        yield (), f"must hold one of {', '.join(given)}; {' and '.join(names) or 'none'} given"


def _is_interval(ends: Numbers, ordered: bool) -> bool:
    return len(ends) == 2 and (ends[0] < ends[1] if ordered else ends[0] != ends[1])


def _exact(number: Number) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(Decimal(repr(number)))


def _geometric(low: Number, high: Number, share: float) -> float:
    """low^(1 − share) · high^share."""
    start, end = math.log(low), math.log(high)
    return float(f"{math.exp(start + (end - start) * share):.{_DIGITS}g}")

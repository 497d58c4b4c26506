"""The values of a swept key: spaced, drawn, or text in the grammar of the command line.

The grammar is Hydra's: `a,b`, `range(start,stop,step)`, `choice(a,b)`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random as Stream
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen

from dnnexp.config.overrides import parse_value
from dnnexp.config.scalars import DialectError
from dnnexp.registry import Checked, Problem, check, suggest

Number = int | float
Numbers = tuple[Number, ...]
MAX_VALUES = 100_000
"""Number of values of one key."""
_LOG_DIGITS = 12
"""Digits of logarithmic values: the last ones of a logarithm differ between machines."""
_FUNCTIONS = ("range", "choice")
_HYDRA_ONLY = ("interval", "glob", "sort", "shuffle", "tag")
"""Functions of Hydra's grammar that do not exist here."""
_ALLOWED = "a,b  range(stop)  range(start,stop)  range(start,stop,step)  choice(a,b)"
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?")
_CLOSING = {"[": "]", "{": "}", "(": ")"}


@dataclass(frozen=True, kw_only=True)
class Spacing(Checked):
    """`count` values from one number to another, both included, evenly spaced in value or in logarithm.

    They are integers if all of them are whole and both ends are written as integers.
    """

    linear: Numbers | None = None
    log: Numbers | None = None
    count: Annotated[int, Ge(2), Le(MAX_VALUES)]

    @check("linear", "log")
    @staticmethod
    def one_spacing(linear: Numbers | None, log: Numbers | None) -> Iterator[Problem]:
        """One of the two is given, with different ends."""
        yield from _one_of({"linear": linear, "log": log})
        if linear is not None and not _is_interval(linear, ordered=False):
            yield ("linear",), "must be two different numbers"
        if log is not None and not (_is_interval(log, ordered=False) and min(log) > 0):
            yield ("log",), "must be two different numbers above 0"

    def values(self) -> list[Number]:
        """The values, the ends first and last."""
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
    """The distribution of a key: one of the four. The ends of `uniform` and `integers` are included."""

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
        """One of the four is given, over an interval."""
        given = {"uniform": uniform, "log_uniform": log_uniform, "integers": integers, "choice": choice}
        yield from _one_of(given)
        for name in ("uniform", "log_uniform", "integers"):
            if (ends := given[name]) is not None and not _is_interval(ends, ordered=True):
                yield (name,), "must be two numbers, the lower one first"
        if log_uniform is not None and min(log_uniform, default=1) <= 0:
            yield ("log_uniform",), "must be two numbers above 0"

    def draws(self, count: int, stream: str) -> list[Any]:
        """`count` values from the random stream of that name."""
        source = Stream(stream)  # which hashes the name, so that neighbouring seeds are independent
        return [self._draw(source) for _ in range(count)]

    def _draw(self, source: Stream) -> Any:
        share = source.random()  # the only method whose numbers Python promises not to change
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
    """The number as it is written: 0.1 is one tenth."""
    return Fraction(Decimal(repr(number)))


def _geometric(low: Number, high: Number, share: float) -> float:
    """low^(1 − share) · high^share."""
    start, end = math.log(low), math.log(high)
    return float(f"{math.exp(start + (end - start) * share):.{_LOG_DIGITS}g}")


class GrammarError(ValueError):
    """A text does not give values."""


def written_values(text: str) -> tuple[list[Any], bool]:
    """The values in a text, and whether it is a single value, which is not swept.

    Raises:
        GrammarError: the text is not in the grammar, or an element is not a value of the YAML dialect.
    """
    elements = split(text)
    if len(elements) > 1:
        return [_element(element) for element in elements], False
    call = _CALL.fullmatch(text.strip())
    if call is None:
        return [_value(text)], True
    name, inside = call.groups()
    if name == "range":
        return _range([argument.strip() for argument in split(inside)]), False
    if name == "choice":
        return [_element(element) for element in split(inside)], False
    raise GrammarError(_unknown_function(name))


def split(text: str) -> list[str]:
    """Split a text at the commas that are outside of quotes, brackets, braces and parentheses."""
    elements, open_brackets, quote, start, before = [], "", "", 0, ""
    for index, character in enumerate(text):
        if quote:
            escaped = quote == '"' and before == "\\"
            quote = quote if character != quote or escaped else ""
            before = "" if escaped else character
            continue
        if character in "'\"" and before in ("", *",[{(:"):
            quote = character
        elif character in _CLOSING:
            open_brackets += _CLOSING[character]
        elif open_brackets.endswith(character) and open_brackets:
            open_brackets = open_brackets[:-1]
        elif character == "," and not open_brackets:
            elements.append(text[start:index])
            start = index + 1
        before = before if character.isspace() else character
    return [*elements, text[start:]]


def _element(text: str) -> Any:
    if not text.strip():
        raise GrammarError(f"an element is empty; write null, or '' for an empty text; allowed: {_ALLOWED}")
    if call := _CALL.fullmatch(text.strip()):
        name = call[1]
        alone = f"{name}() must stand alone; allowed: {_ALLOWED}"
        raise GrammarError(alone if name in _FUNCTIONS else _unknown_function(name))
    return _value(text)


def _value(text: str) -> Any:
    try:
        return parse_value(text.strip())
    except DialectError as error:
        raise GrammarError(str(error)) from None


def _unknown_function(name: str) -> str:
    if name in _HYDRA_ONLY:
        return f"{name}() does not exist here; allowed: {_ALLOWED}"
    return f"unknown function {name!r}{suggest(name, _FUNCTIONS)}; a text with parentheses must be in quotes"


def _range(arguments: list[str]) -> list[int] | list[float]:
    """start, start + step, … below stop, exact in decimals; integers where all arguments are."""
    written = f"range({', '.join(arguments)})"
    if len(arguments) > 3 or not all(map(_NUMBER.fullmatch, arguments)):
        raise GrammarError(f"{written} needs one to three numbers; allowed: {_ALLOWED}")
    numbers = [Decimal(argument) for argument in arguments]
    start, stop, step, *_ = [Decimal(0)] * (len(numbers) == 1) + numbers + [Decimal(1)]
    if step == 0:
        raise GrammarError(f"the step of {written} must not be 0")
    count = math.ceil((stop - start) / step)
    if count < 1:
        raise GrammarError(f"{written} is empty: {stop} is not beyond {start}")
    if count > MAX_VALUES:
        raise GrammarError(f"{written} has {count:,} values; at most {MAX_VALUES:,} are allowed")
    values = [start + step * i for i in range(count)]
    if all(re.fullmatch(r"[-+]?\d+", argument) for argument in arguments):
        return [int(value) for value in values]
    return [float(value) for value in values]

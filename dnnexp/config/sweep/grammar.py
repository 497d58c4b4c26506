"""The values of an argument in Hydra's grammar: `a,b`, `range(start,stop,step)`, `choice(a,b)`."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from dnnexp.config import dialect
from dnnexp.config.scalars import DialectError
from dnnexp.registry import suggest

MOST_VALUES = 100_000
FUNCTIONS = ("range", "choice")
_ABSENT = ("interval", "glob", "sort", "shuffle", "tag")
"""What Hydra has beside them."""
_ALLOWED = "a,b  range(stop)  range(start,stop)  range(start,stop,step)  choice(a,b)"
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?")
_CLOSING = {"[": "]", "{": "}", "(": ")"}


class GrammarError(ValueError):
    """A text that gives no values."""


def values(text: str) -> tuple[list[Any], bool]:
    """The values that a text gives, and whether it is one value only, not to be swept over.

    Raises:
        GrammarError: the text is none of the grammar's, or an element no value of the YAML dialect.
    """
    elements = split(text)
    if len(elements) > 1:
        return [_element(element) for element in elements], False
    call = _CALL.fullmatch(text.strip())
    if call is None:
        return [_value(text)], True
    name, inside = call.groups()
    if name == "range":
        return _range(split(inside)), False
    if name == "choice":
        return [_element(element) for element in split(inside)], False
    raise GrammarError(_refusal(name))


def split(text: str) -> list[str]:
    """The text at its commas, outside of quotes, brackets, braces and parentheses."""
    elements, open_brackets, quote, start, before = [], "", "", 0, ""
    for place, character in enumerate(text):
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
            elements.append(text[start:place])
            start = place + 1
        before = before if character.isspace() else character
    return [*elements, text[start:]]


def _element(text: str) -> Any:
    if not text.strip():
        raise GrammarError(f"an element is empty; write null, or '' for an empty text; allowed: {_ALLOWED}")
    if call := _CALL.fullmatch(text.strip()):
        name = call[1]
        stands = f"{name}() must stand alone; allowed: {_ALLOWED}"
        raise GrammarError(stands if name in FUNCTIONS else _refusal(name))
    return _value(text)


def _value(text: str) -> Any:
    try:
        return dialect.parse_value(text.strip())
    except DialectError as error:
        unclosed = any(text.count(left) > text.count(right) for left, right in ("[]", "{}"))
        hint = "; put the whole argument in quotes" * unclosed
        raise GrammarError(f"{error}{hint}") from None


def _refusal(name: str) -> str:
    if name in _ABSENT:
        return f"{name}() does not exist here; allowed: {_ALLOWED}"
    quoted = "; a text with parentheses must be in quotes"
    return f"unknown function {name!r}{suggest(name, FUNCTIONS)}{quoted}"


def _range(arguments: list[str]) -> list[int] | list[float]:
    """start, start + step, … below stop: exact in decimals; integers where all arguments are."""
    texts = [argument.strip() for argument in arguments]
    if len(texts) > 3 or not all(_NUMBER.fullmatch(text) for text in texts):
        raise GrammarError(f"range({', '.join(texts)}) needs one to three numbers; allowed: {_ALLOWED}")
    numbers = [Decimal(text) for text in texts]
    start, stop, step = (
        [Decimal(0), *numbers, Decimal(1)] if len(numbers) == 1 else [*numbers, Decimal(1)][:3]
    )
    if step == 0:
        raise GrammarError("the step of a range must not be 0")
    count = math.ceil((stop - start) / step)
    if count < 1:
        raise GrammarError(f"range({', '.join(texts)}) is empty: {stop} is not beyond {start}")
    if count > MOST_VALUES:
        raise GrammarError(
            f"range({', '.join(texts)}) has {count:,} values; at most {MOST_VALUES:,} are allowed"
        )
    found = [start + step * i for i in range(count)]
    if all(re.fullmatch(r"[-+]?\d+", text) for text in texts):
        return [int(value) for value in found]
    return [float(value) for value in found]

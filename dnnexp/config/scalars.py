"""The scalars of the YAML dialect, for reading and writing, and the dialect's bounds."""

import re
import sys
from typing import Any

MAX_BYTES = 2**20
"""Size of a text."""
MAX_DEPTH = 50
"""Number of collections that may lie in one another."""
MAX_NODES = 100_000
"""Number of values and keys, with aliases expanded."""
MAX_DIGITS = sys.int_info.str_digits_check_threshold
"""Digits of an integer: Python converts this many, whatever its limit is set to."""
SHORT_CHARACTERS = 40
"""Length at which a text in a message is cut."""

PATTERNS = {  # in the order of resolution, as the text of an integer is also that of a float
    "null": re.compile(r"(?:null|Null|NULL|~|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
}
"""The kinds of plain scalars, with the whole texts that stand for them."""
MERGE = ("merge", re.compile(r"<<\Z"))
"""The merge key of YAML 1.1, which this dialect only quotes."""
NOUNS = {"null": "null", "bool": "a boolean", "int": "an integer", "float": "a float"}
NOUNS |= {"str": "a string", "seq": "a list", "map": "a mapping"}
"""The kinds of values, as messages call them."""
KINDS = {type(None): "null", bool: "bool", int: "int", float: "float"}
KINDS |= {str: "str", list: "seq", dict: "map"}
"""The kinds of values, by Python type."""
CORE = "tag:yaml.org,2002:"
"""The prefix of YAML's own tags, written `!!`."""
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The line breaks of YAML 1.1, at which PyYAML counts lines."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a UTF-16 pair, which is no character."""


class DialectError(ValueError):
    """A value cannot be read from, or written in, this dialect."""


def short(text: str) -> str:
    """A text, cut to `SHORT_CHARACTERS`."""
    return text if len(text) <= SHORT_CHARACTERS else f"{text[: SHORT_CHARACTERS - 3]}..."


def resolve(text: str) -> str:
    """The kind of a plain scalar that has no tag."""
    return next((kind for kind, pattern in PATTERNS.items() if pattern.match(text)), "str")


def read_scalar(kind: str, text: str) -> Any:
    """The null, bool, int, float or str that `text` stands for.

    Raises:
        DialectError: the text is not of that kind.
    """
    if surrogate := SURROGATE.search(text):
        escape = f"\\u{ord(surrogate[0]):04x}"
        raise DialectError(f"the escape {escape} is half a character; write \\U and 8 digits")
    if kind == "str":
        return text
    if not PATTERNS[kind].match(text):
        raise DialectError(f"{short(text)!r} is not {NOUNS[kind]}, which the tag !!{kind} needs")
    if kind == "int":
        if (digits := len(text.lstrip("+-"))) > MAX_DIGITS:
            raise DialectError(f"an integer has {digits} digits, but at most {MAX_DIGITS} are allowed")
        return int(text, 16 if "x" in text else 10)
    if kind == "float":
        return float(re.sub(r"\.(?=[a-z])", "", text.lower()))  # Python's inf and nan have no dot
    return None if kind == "null" else text.lower() == "true"

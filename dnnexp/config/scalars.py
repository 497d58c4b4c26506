"""The scalars of the YAML dialect, for reading and writing: kinds, patterns, bounds."""

import re
import sys
from typing import Any

MAX_BYTES = 2**20
MAX_DEPTH = 50
MAX_NODES = 100_000
# However Python's limit on int <-> str is set, it allows this many digits.
MAX_DIGITS = sys.int_info.str_digits_check_threshold

PATTERNS = {  # in the order of resolution: an integer's text is also a float's
    "null": re.compile(r"(?:null|Null|NULL|~|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(r"(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
}
MERGE = ("merge", re.compile(r"<<\Z"))  # not a kind here, only a text to quote
NOUNS = {"null": "null", "bool": "a boolean", "int": "an integer", "float": "a float"}
NOUNS |= {"str": "a string", "seq": "a list", "map": "a mapping"}
KINDS = {type(None): "null", bool: "bool", int: "int", float: "float"}
KINDS |= {str: "str", list: "seq", dict: "map"}
CORE = "tag:yaml.org,2002:"
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
SURROGATE = re.compile("[\ud800-\udfff]")


class DialectError(ValueError):
    """A value cannot be read from, or written in, this dialect."""


def short(text: str) -> str:
    """A text of at most forty characters, its end cut off where it is longer."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def resolve(text: str) -> str:
    """The kind of a plain scalar that has no tag."""
    return next((kind for kind, pattern in PATTERNS.items() if pattern.match(text)), "str")


def read_scalar(kind: str, text: str) -> Any:
    """The null, bool, int, float or str that `text` stands for."""
    if found := SURROGATE.search(text):
        half = f"\\u{ord(found[0]):04x}"
        raise DialectError(f"the escape {half} is half a character; write \\U and its 8 digits")
    if kind == "str":
        return text
    if not PATTERNS[kind].match(text):
        raise DialectError(f"{short(text)!r} is not {NOUNS[kind]}, which the tag !!{kind} needs")
    if kind == "int":
        if (digits := len(text.lstrip("+-"))) > MAX_DIGITS:
            raise DialectError(f"an integer has {digits} digits, but {MAX_DIGITS} are allowed")
        return int(text, 16 if "x" in text else 10)
    if kind == "float":
        return float(re.sub(r"\.(?=[a-z])", "", text.lower()))  # Python's inf and nan have no dot
    return None if kind == "null" else text.lower() == "true"

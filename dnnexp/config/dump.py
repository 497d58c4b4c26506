"""Plain trees as text in the YAML dialect."""

from typing import Any

import yaml

from dnnexp.config.scalars import (
    CORE,
    KINDS,
    LINE_BREAK,
    MAX_DEPTH,
    MAX_DIGITS,
    MERGE,
    NOUNS,
    PATTERNS,
    SURROGATE,
    DialectError,
    short,
)

_TEXTS = {"None": "null", "True": "true", "False": "false"}
_TEXTS |= {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
"""What Python writes differently from YAML."""
_WIDTH = 88
"""Characters in a line: the emitter breaks it after the word that passes this."""


class _Dumper(yaml.SafeDumper):
    """Quotes the strings that this dialect would read as something else, and no others."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML declares it; None: any first character
        None: [(CORE + kind, pattern) for kind, pattern in (*PATTERNS.items(), MERGE)]
    }

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # PyYAML would not indent a list in a mapping


def dump(value: Any) -> str:
    """YAML text, without aliases, that `parse` reads as the same tree.

    Lists and mappings of scalars are on one line where they fit. The bounds on bytes and nodes, which are
    for untrusted text, are not checked.

    Raises:
        DialectError: `value` is not a plain tree, is nested too deep, or has a string or an integer that
            the dialect cannot write.
    """
    root = _represent(value, 0, 0)
    text: str = yaml.serialize(root, Dumper=_Dumper, width=_WIDTH, allow_unicode=True)
    return text


def _represent(value: Any, depth: int, column: int) -> yaml.Node:
    """The node of `value`, inside `depth` collections; written on one line, it would start at `column`."""
    if type(value) not in (list, dict):
        return _represent_scalar(value)
    if depth == MAX_DEPTH:
        raise DialectError(f"a value is nested deeper than the {MAX_DEPTH} levels allowed")
    indent = 2 * (depth + 1)
    if isinstance(value, list):
        items = [_represent(item, depth + 1, indent) for item in value]
        return yaml.SequenceNode(CORE + "seq", items, flow_style=_fits_line(items, column))
    for key in value:
        if type(key) is not str:
            raise DialectError(f"the key {key!r} is not a string, but all keys must be strings")
    keys = [_represent_scalar(key) for key in value]
    children = [_represent(child, depth + 1, indent + len(key)) for key, child in value.items()]
    flow_style = _fits_line(children, column + sum(len(key) + 2 for key in value))
    pairs = list(zip(keys, children, strict=True))
    return yaml.MappingNode(CORE + "map", pairs, flow_style=flow_style)


def _fits_line(children: list[yaml.Node], column: int) -> bool:
    """Whether the children are scalars that fit on a line, with quotes and separators."""
    width = sum(len(child.value) + 4 for child in children)
    scalars = all(isinstance(child, yaml.ScalarNode) for child in children)
    return scalars and column + width <= _WIDTH


def _represent_scalar(value: Any) -> yaml.ScalarNode:
    kind = KINDS.get(type(value))
    if kind is None:
        raise DialectError(
            f"a {type(value).__name__} cannot be written; allowed: {', '.join(NOUNS.values())}"
        )
    if kind == "int" and abs(value) >= 10**MAX_DIGITS:
        raise DialectError(f"an integer has more than the {MAX_DIGITS} digits allowed")
    text = value if kind == "str" else _TEXTS.get(repr(value), repr(value))
    if SURROGATE.search(text):
        raise DialectError(f"the string {short(text)!r} has half a character (a surrogate)")
    # In single quotes, PyYAML's choice, line breaks double and those of Unicode become spaces.
    style = '"' if LINE_BREAK.search(text) else None
    return yaml.ScalarNode(CORE + kind, text, style=style)

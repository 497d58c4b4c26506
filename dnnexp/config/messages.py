"""Pydantic's errors in our words: what is wrong, what was given, what is allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dnnexp.registry import suggest

_WANTED = {
    "float_type": "a number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "none_required": "null",
}

_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def shown(value: Any) -> str:
    """A value as the user may have written it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _bound(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def describe(line: Mapping[str, Any], allowed_keys: list[str]) -> str:
    """One sentence for a line of a pydantic ValidationError."""
    kind, given, context = line["type"], shown(line["input"]), line.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key{suggest(str(line['loc'][-1]), allowed_keys)}"
    if kind == "missing":
        return "is required, but missing"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {given}"
    if kind in _BOUNDS:
        relation, key = _BOUNDS[kind]
        return f"must be {relation} {_bound(context[key])}, not {given}"
    if kind == "literal_error":
        return f"must be {context['expected']}, not {given}"
    if kind == "string_pattern_mismatch":
        return f"must be a letter, then letters, digits, _ or - (at most 100), not {given}"
    if kind == "too_short":
        least = context["min_length"]
        return f"needs at least {least} item{'s' * (least != 1)}, {context['actual_length']} given"
    return f"{line['msg'][:1].lower()}{line['msg'][1:]}, not {given}"

"""How labels and values are written: in figures, as ticks, as file names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dnnexp.figures.labels import literal
from dnnexp.figures.scales import plain

_TICK = 44
_FILE = 80
_TOKEN = re.compile(r'\.?\w+|\["[^"]*"\]|\[-?\d+\]|.')
"""A step of a path, or whatever else a label is made of."""


def file_names(labels: Sequence[str]) -> list[str]:
    """A file name for each label, no two alike, on no file system."""
    found: list[str] = []
    for label in labels:
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", label)[:_FILE].strip("._-") or "metric"
        name, number = stem, 1
        while name.lower() in {other.lower() for other in found}:
            number += 1
            name = f"{stem}-{number}"
        found.append(name)
    return found


def ends(keys: Sequence[str]) -> list[str]:
    """Of each dotted key the last steps, as many as tell it from the others."""
    steps = [key.split(".") for key in keys]
    found = []
    for own in steps:
        counts = (
            count for count in range(1, len(own)) if [s[-count:] for s in steps].count(own[-count:]) == 1
        )
        found.append(".".join(own[-next(counts, len(own)) :]))
    return found


def numbers(values: Sequence[float]) -> list[str]:
    """Numbers in as many digits as tell them apart, three at least."""
    found = (([plain(value, digits) for value in values]) for digits in range(3, 18))
    return next((names for names in found if len(set(names)) == len(names)), [repr(v) for v in values])


def texts(values: Sequence[Any]) -> list[str]:
    """Values of any kind, short, no two alike."""
    whole = [_text(value) for value in _different(values)]
    if len(values) > 1 and all(isinstance(value, str) for value in values):  # paths, less what they share
        parts = [value.split("/") for value in values]
        head = min(_alike(parts), min(map(len, parts)) - 1)
        whole = ["/".join(part[head:]) for part in parts]
    found: list[str] = []
    for text in whole:
        name, count = literal(text, _TICK), 1
        while name in found:
            count += 1
            name = f"{literal(text, _TICK - 4)} #{count}"
        found.append(name)
    return found


def _different(values: Sequence[Any]) -> list[Any]:
    """Mappings less the fields in which all those of the same name agree."""
    found = []
    for value in values:
        if isinstance(value, Mapping) and "name" in value:
            alike = [v for v in values if isinstance(v, Mapping) and v.get("name") == value["name"]]
            kept = {k: v for k, v in value.items() if any(other.get(k) != v for other in alike)}
            value = {"name": value["name"], **kept} if len(alike) > 1 else value
        found.append(value)
    return found


def _text(value: Any) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return plain(value)
        case list() | tuple():
            return f"[{', '.join(map(_text, value))}]"
        case Mapping():
            rest = ", ".join(f"{key}: {_text(item)}" for key, item in value.items() if key != "name")
            if "name" not in value:
                return f"{{{rest}}}"
            return f"{value['name']} ({rest})" if rest else str(value["name"])
    return str(value)


def split(labels: Sequence[str]) -> tuple[str, list[str]]:
    """What labels have in common, with `*` for the rest, and the rest of each."""
    parts = [_TOKEN.findall(label) for label in labels]
    if len(labels) < 2:
        return labels[0], list(labels)
    head = _alike(parts)
    tail = min(_alike([part[head:][::-1] for part in parts]), min(map(len, parts)) - head)
    rests = ["".join(part[head : len(part) - tail]) for part in parts]
    if not head + tail or not all(rests):
        return "", list(labels)
    star = {".": ".*", "[": "[*]"}.get(rests[0][0], "*")
    common = ["".join(parts[0][:head]), star, "".join(parts[0][len(parts[0]) - tail :])]
    return "".join(common), [rest.strip('."[]') or rest for rest in rests]


def _alike(parts: Sequence[Sequence[str]]) -> int:
    """How many items the sequences have in common at their beginning."""
    return next(
        (place for place, items in enumerate(zip(*parts, strict=False)) if len(set(items)) > 1),
        min(map(len, parts)),
    )

"""Errors of validation, as pydantic carries them: in our words, at the paths that the file has."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterator
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from dnnexp.config.messages import describe
from dnnexp.config.shapes import canonical, hints, is_shorthand
from dnnexp.registry import Labelled, Path


def line_of(message: str, path: Path = (), given: Any = None) -> InitErrorDetails:
    """A line of a ValidationError; `path` is relative to where it is raised."""
    kind = PydanticCustomError("dnnexp", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=path, input=given)


def failure(message: str, path: Path = ()) -> ValidationError:
    """An error of one line."""
    return ValidationError.from_exception_data("config", [line_of(message, path)])


def translated(error: ValidationError, model: type[BaseModel]) -> list[InitErrorDetails]:
    """The same errors in our words; those of nested dataclasses have been translated there."""
    lines = []
    found = error.errors(include_url=False)
    for line in found:
        depth = len(line["loc"])
        if line["type"] == "too_short" and any(line["loc"] == o["loc"][:depth] != o["loc"] for o in found):
            continue  # pydantic counts the valid items only
        loc, message = line["loc"], line["msg"]
        context = line.get("ctx", {})
        if line["type"] == "dnnexp_rule":
            loc, message = loc[:-1] + tuple(context["path"]), context["message"]
        elif line["type"] != "dnnexp":
            message = describe(dict(line), list(model.model_fields))
        lines.append(line_of(message, loc, line["input"]))
    return lines


def as_written(error: ValidationError, cls: type, raw: Any) -> ValidationError:
    """The same error, at the paths that a shorthand has in the file."""
    if not is_shorthand(cls, raw):
        return error
    held = getattr(cls, "shorthand", None)
    lines = [
        line_of(line["msg"], line["loc"][line["loc"][:1] == (held,) :], line["input"])
        for line in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data("config", lines)


def repeated_labels(cls: type, raw: dict[Any, Any]) -> Iterator[InitErrorDetails]:
    """A line for every label in a list of the dataclass that an item before it has."""
    for name, inner in _labelled_lists(cls):
        first: dict[str, int] = {}
        items = raw.get(name)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            tree = canonical(inner, item)
            label = tree.get("label") if isinstance(tree, dict) else None
            if isinstance(label, str) and first.setdefault(label, index) != index:
                message = f"the label {label!r} is taken by item {first[label]}"
                yield line_of(f"{message}; add a label: of its own to one of them", (name, index, "label"))


@functools.cache
def _labelled_lists(cls: Hashable) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass that are lists of labelled items, with the hints of the items."""
    found = []
    for name, hint in hints(cast(type, cls)).items():
        bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        inner = get_args(bare)[0] if get_origin(bare) is tuple else None
        if get_origin(inner) is Labelled:
            found.append((name, inner))
    return tuple(found)

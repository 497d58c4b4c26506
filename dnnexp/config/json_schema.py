"""The JSON Schema of configs, for editors: it spells out every way to write a value."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Sequence
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter, create_model

from dnnexp.config.schema import CONFIG, pydantic_constraint
from dnnexp.config.shapes import UNIONS, default, hints, is_object, is_part_base, subjects, union
from dnnexp.registry import Labelled, Name, Part, parts, plain


def json_schema(classes: Sequence[type]) -> dict[str, Any]:
    """The JSON Schema (2020-12) that a config of any of these dataclasses meets."""
    models = [_model(cast(Hashable, cls), labelled=False) for cls in classes]
    schema = TypeAdapter[Any](union(models)).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


@functools.cache
def _model(cls: type[Any], labelled: bool) -> type[BaseModel]:
    """The pydantic model of a dataclass's fields."""
    entries: dict[str, Any] = {}
    if is_part := issubclass(cls, Part):
        entries["name"] = (Literal[cls.name], ...)
    if labelled:  # the label of a part is by default its name
        entries["label"] = (_annotation(Name), Field(default=cls.name) if is_part else Field())
    for key, hint in hints(cls).items():
        value = default(cls, key)
        field = Field() if value is dataclasses.MISSING else Field(default=plain(value))
        entries[key] = (_annotation(hint), field)
    title = cls.name if is_part else cls.__name__
    return create_model(title, __config__=CONFIG, __doc__=cls.__doc__, **entries)


def _annotation(hint: Any) -> Any:
    """What pydantic should know of a type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Annotated[_annotation(args[0]), *map(pydantic_constraint, args[1:])]
    if origin is tuple:
        item: Any = _annotation(args[0])
        return tuple[item, ...]
    if origin is dict:
        held: Any = _annotation(args[1])
        return dict[str, held]
    if origin in UNIONS:
        return union(map(_annotation, args))
    return _alternatives(hint) if is_object(hint) else hint


def _alternatives(hint: Any) -> Any:
    """All ways to write an object, as a union of models and bare names."""
    labelled = get_origin(hint) is Labelled
    cls = get_args(hint)[0] if labelled else hint
    if is_part_base(cls):
        known = parts(cls.kind)
        models = [_model(cast(Hashable, part), labelled) for part in known.values()]
        written = [Annotated[str, Field(pattern=f"^(?:{name}):.")] for name in subjects(cls)]
        return union((Literal[tuple(known)], *written, *models))
    model = _model(cast(Hashable, cls), labelled)
    if (field := getattr(cls, "shorthand", None)) is None:
        return model
    held: Any = hints(cls)[field]
    return union((model, _annotation(Labelled[held] if labelled else held)))

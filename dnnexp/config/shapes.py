"""What the type hints of config dataclasses and parts say about the trees that they are read from."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, cast, get_args, get_origin, get_type_hints

from dnnexp.registry import Labelled, Part, fields, parts


def hints(cls: type) -> Mapping[str, Any]:
    """The type hints of a dataclass's fields, with their `Annotated` constraints."""
    return _hints(cast(Hashable, cls))


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    found = get_type_hints(cls, include_extras=True)
    return MappingProxyType({field.name: found[field.name] for field in fields(cls)})


def is_part_base(hint: Any) -> bool:
    """Whether a hint is the base class of a kind of part, such as `Optimizer`."""
    return isinstance(hint, type) and issubclass(hint, Part) and not hasattr(hint, "name")


def canonical(hint: Any, raw: Any) -> Any:
    """The mapping that a shorthand stands for: a part's bare name, or a part where its holder is due."""
    if get_origin(hint) is Labelled:
        (inner,) = get_args(hint)
        label = raw.get("label") if isinstance(raw, dict) else None
        found = canonical(inner, without(raw, "label"))
        default = raw.get("name") if isinstance(raw, dict) else raw
        if isinstance(found, dict) and (label is not None or isinstance(default, str)):
            found = {"label": default if label is None else label} | found
        return found
    if is_shorthand(hint, raw):
        return {hint.shorthand: raw}
    if is_part_base(hint) and isinstance(raw, str):
        name, _, subject = raw.partition(":")
        field = subjects(hint).get(name)
        return {"name": name, field: subject} if subject and field else {"name": raw}
    return raw


def subjects(base: type[Part]) -> dict[str, str]:
    """The parts of a kind that are written `name:value`, with the field that the value is of."""
    found = {name: getattr(cls, "subject", None) for name, cls in parts(base.kind).items()}
    return {name: field for name, field in found.items() if field}


def is_shorthand(hint: Any, raw: Any) -> bool:
    """Whether a part, or a text, stands where its holder is due."""
    field = getattr(hint, "shorthand", None)
    if field is None or isinstance(raw, str):
        return field is not None
    return isinstance(raw, dict) and "name" in raw and hints(hint)[field] is not str


def without(raw: Any, key: str) -> Any:
    """A mapping less one of its keys; anything else as it is."""
    return {k: v for k, v in raw.items() if k != key} if isinstance(raw, dict) else raw

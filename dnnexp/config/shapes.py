"""What the type hints of config dataclasses and parts say about the trees that they are read from."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from dnnexp.registry import Labelled, Part, Problem, fields, parts

UNIONS = (Union, types.UnionType)
"""The origins of `Union[A, B]` and `A | B`."""


def hints(cls: type) -> Mapping[str, Any]:
    """The type hints of a dataclass's fields, with their `Annotated` constraints."""
    return _hints(cast(Hashable, cls))


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    of_all = get_type_hints(cls, include_extras=True)
    return MappingProxyType({field.name: of_all[field.name] for field in fields(cls)})


def default(cls: type, key: str) -> Any:
    """The default of a dataclass's field, or `dataclasses.MISSING`."""
    field = cls.__dataclass_fields__[key]  # type: ignore[attr-defined]  # of every dataclass
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else factory()


def union(members: Iterable[Any]) -> Any:
    """The union of types that are only known when the program runs."""
    return Union[tuple(members)]  # noqa: UP007 # `|` takes no tuple


def is_part_base(hint: Any) -> bool:
    """Whether a hint is the base class of a kind of part, such as `Optimizer`."""
    return isinstance(hint, type) and issubclass(hint, Part) and not hasattr(hint, "name")


def is_object(hint: Any) -> bool:
    """Whether a hint is a config dataclass, the base class of a kind of part, or either with a label."""
    return get_origin(hint) is Labelled or is_part_base(hint) or dataclasses.is_dataclass(hint)


def canonical(hint: Any, tree: Any) -> Any:
    """The mapping that a shorthand stands for: a part's bare name, or a part in the place of its holder."""
    if get_origin(hint) is Labelled:
        (inner,) = get_args(hint)
        label = tree.get("label") if isinstance(tree, dict) else None
        mapping = canonical(inner, without(tree, "label"))
        name = tree.get("name") if isinstance(tree, dict) else tree
        if isinstance(mapping, dict) and (label is not None or isinstance(name, str)):
            return {"label": name if label is None else label} | mapping
        return mapping
    if is_shorthand(hint, tree):
        return {hint.shorthand: tree}
    if is_part_base(hint) and isinstance(tree, str):
        name, _, subject = tree.partition(":")
        field = subjects(hint).get(name)
        return {"name": name, field: subject} if subject and field else {"name": tree}
    return tree


def subjects(base: type[Part]) -> dict[str, str]:
    """The parts of a kind that can be written `name:value`, with the field that takes the value."""
    fields_by_name = {name: getattr(cls, "subject", None) for name, cls in parts(base.kind).items()}
    return {name: field for name, field in fields_by_name.items() if field}


def is_shorthand(hint: Any, tree: Any) -> bool:
    """Whether a part, or a text, stands in the place of its holder."""
    field = getattr(hint, "shorthand", None)
    if field is None or isinstance(tree, str):
        return field is not None
    return isinstance(tree, dict) and "name" in tree and hints(hint)[field] is not str


def without(tree: Any, key: str) -> Any:
    """A mapping less one of its keys; anything else as it is."""
    return {k: v for k, v in tree.items() if k != key} if isinstance(tree, dict) else tree


def repeated_labels(cls: type, tree: dict[Any, Any]) -> Iterator[Problem]:
    """A problem for every label in a list of the dataclass that an earlier item has."""
    for key, item_hint in _labelled_lists(cast(Hashable, cls)):
        first: dict[str, int] = {}
        items = tree.get(key)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            mapping = canonical(item_hint, item)
            label = mapping.get("label") if isinstance(mapping, dict) else None
            if isinstance(label, str) and first.setdefault(label, index) != index:
                message = f"the label {label!r} is taken by item {first[label]}"
                yield (key, index, "label"), f"{message}; add a label: of its own to one of them"


@functools.cache
def _labelled_lists(cls: type) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass that are lists of labelled items, with the hints of the items."""
    bare = {key: get_args(h)[0] if get_origin(h) is Annotated else h for key, h in hints(cls).items()}
    items = {key: get_args(hint)[0] for key, hint in bare.items() if get_origin(hint) is tuple}
    return tuple((key, hint) for key, hint in items.items() if get_origin(hint) is Labelled)

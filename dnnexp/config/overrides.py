"""Overrides: `a.b=value` sets a key, `+list=item` appends, `~a.b` goes back to the default."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from dnnexp.config import dialect
from dnnexp.config.scalars import DialectError
from dnnexp.config.schema import shown
from dnnexp.config.shapes import canonical, hints, is_part_base
from dnnexp.registry import Labelled, Part, Path, UnknownNameError, find, plain, suggest

_REMOVED = object()


class OverrideError(ValueError):
    """An override that cannot be applied."""


@dataclass(frozen=True)
class Override:
    """One override.

    Attributes:
        origin: how messages name it, e.g. `argument 'steps=10'`.
        path: the keys, list items by index or label.
        action: "set", "append" or "reset".
        value: what to set or append.
    """

    origin: str
    path: tuple[str, ...]
    action: str
    value: Any = None


@dataclass(frozen=True)
class Edit:
    """An applied override: the new tree, the path with labels turned into indices, whether it removed."""

    tree: Any
    path: Path
    removed: bool


def is_override(argument: str) -> bool:
    """Whether a command-line argument is an override rather than a file."""
    return "=" in argument or (argument.startswith("~") and not argument.startswith("~/"))


def parse(argument: str) -> Override:
    """The override that an argument spells.

    Raises:
        OverrideError: the value is no YAML, or the key is empty.
    """
    origin = f"argument {argument!r}"
    if "=" not in argument:
        return Override(origin, _keys(argument[1:], origin), "reset")
    target, _, text = argument.partition("=")
    action = "append" if target.startswith("+") else "set"
    try:
        value = dialect.parse_value(text)
    except DialectError as error:
        unclosed = any(text.count(left) > text.count(right) for left, right in ("[]", "{}"))
        hint = "; put the whole argument in quotes" * unclosed
        raise OverrideError(f"{origin}: {error}{hint}") from None
    return Override(origin, _keys(target.removeprefix("+"), origin), action, value)


def _keys(target: str, origin: str) -> tuple[str, ...]:
    keys = tuple(target.split("."))
    if not all(keys):
        raise OverrideError(f"{origin}: a key is empty; write key.subkey=value")
    return keys


def apply(cls: type, tree: Any, override: Override) -> Edit:
    """What `edit` does, with the override's origin before what is wrong."""
    try:
        return edit(cls, tree, override)
    except OverrideError as error:
        raise OverrideError(f"{override.origin}: {error}") from None


def edit(cls: type, tree: Any, override: Override) -> Edit:
    """The tree of a config of class `cls` with an override applied; the given tree stays as it is.

    Raises:
        OverrideError: there is no such key, label or index.
    """
    if override.action == "append":
        change = _appender(override)
    else:
        change = _setter(_REMOVED if override.action == "reset" else override.value)
    try:
        edited, path = _edit(cls, tree, override.path, change)
    except UnknownNameError as error:
        raise OverrideError(str(error)) from None
    if override.action == "append":
        path = (*path, _count(edited, path) - 1)
    return Edit(edited, path, removed=override.action == "reset")


def _setter(value: Any) -> Callable[[Any], Any]:
    return lambda old: value


def _appender(override: Override) -> Callable[[Any], Any]:
    def append(old: Any) -> Any:
        if not isinstance(old, list):
            raise OverrideError(f"{'.'.join(override.path)} is no list; + appends to lists only")
        return [*old, override.value]

    return append


def _count(tree: Any, path: Path) -> int:
    for key in path:
        tree = tree[key]
    return len(tree)


def _edit(hint: Any, node: Any, keys: Iterable[str], change: Callable[[Any], Any]) -> tuple[Any, Path]:
    """The node with `change` made to what the keys lead to, and the keys with labels as indices."""
    hint = _member(hint, node)
    node = canonical(hint, node)
    key, *rest = _entry(node, list(keys)) if get_origin(hint) is dict else keys
    if isinstance(node, list):
        place: str | int = _index(hint, node, key)
        inner, old = (get_args(hint) or (None,))[0], node[int(place)]
    elif isinstance(node, dict):
        place, (inner, old) = key, _child(hint, node, key)
    else:
        raise OverrideError(f"{shown(node)} has no key {key!r}")
    path: Path = (place,)
    if rest:
        new, tail = _edit(inner, old, rest, change)
        path += tail
    else:
        new = change(old)
    if isinstance(node, list):
        items = [new if index == place else item for index, item in enumerate(node)]
        return [item for item in items if item is not _REMOVED], path
    return {k: v for k, v in {**node, place: new}.items() if v is not _REMOVED}, path


def _entry(node: Any, keys: list[str]) -> list[str]:
    """The keys below a mapping whose own keys are dotted: the longest that it has, else all as one."""
    for end in range(len(keys), 0, -1):
        if isinstance(node, dict) and ".".join(keys[:end]) in node:
            return [".".join(keys[:end]), *keys[end:]]
    return [".".join(keys)]


def _member(hint: Any, node: Any) -> Any:
    """A hint without its constraints, and of a union the member that fits the node."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, types.UnionType):
        members = [m for m in get_args(hint) if m is not type(None)]
        fitting = [m for m in members if (get_origin(m) is tuple) == isinstance(node, list)]
        return _member((fitting or members)[0], node)
    return hint


def _index(hint: Any, items: list[Any], key: str) -> int:
    """The index of a list item named by index or label."""
    inner = get_args(hint)[0] if get_args(hint) else None
    labels = []
    if get_origin(inner) is Labelled:
        mappings = [canonical(inner, item) for item in items]
        labels = [item.get("label") if isinstance(item, dict) else None for item in mappings]
    if key in labels:
        return labels.index(key)
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    names = [*(label for label in labels if isinstance(label, str)), *map(str, range(len(items)))]
    raise OverrideError(f"no item {key!r}{suggest(key, names)}")


def _child(hint: Any, node: dict[str, Any], key: str) -> tuple[Any, Any]:
    """The hint and the value under a key; what the file leaves out has its default."""
    if get_origin(hint) is dict:
        return get_args(hint)[1], node.get(key, {})
    labelled = get_origin(hint) is Labelled
    inner = get_args(hint)[0] if labelled else hint
    cls = find(inner.kind, str(node.get("name"))) if is_part_base(inner) else inner
    known = hints(cls) if dataclasses.is_dataclass(cls) else {}
    is_part = isinstance(cls, type) and issubclass(cls, Part)
    extra = ["name"] * is_part + ["label"] * labelled
    if key in extra:
        return str, node.get(key)
    if key not in known:
        raise OverrideError(f"unknown key {key!r}{suggest(key, [*extra, *known])}")
    return known[key], node[key] if key in node else _default(cls, key)


def _default(cls: type, key: str) -> Any:
    (field,) = (field for field in dataclasses.fields(cls) if field.name == key)
    if field.default is not dataclasses.MISSING:
        default = plain(field.default)
        return {} if default is None else default
    return [] if get_origin(_member(hints(cls)[key], {})) is tuple else {}

"""Overrides: `a.b=value` sets a key, `+list=item` appends, `~a.b` goes back to the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from dnnexp.config import dialect
from dnnexp.config.scalars import DialectError
from dnnexp.config.schema import shown
from dnnexp.config.shapes import UNIONS, canonical, default, hints, is_part_base
from dnnexp.registry import Labelled, Part, Path, UnknownNameError, find, plain, suggest

_REMOVED = object()
"""Stands for a value that an override takes away."""


class OverrideError(ValueError):
    """An override cannot be applied."""


@dataclass(frozen=True)
class Override:
    """One override.

    Attributes:
        origin: the override as messages name it, such as `argument 'steps=10'`.
        path: keys, with list items by index or label.
        action: "set", "append" or "reset".
        value: the value to set or append.
    """

    origin: str
    path: tuple[str, ...]
    action: str
    value: Any = None


@dataclass(frozen=True)
class Edit:
    """An applied override.

    Attributes:
        tree: the new tree.
        path: the override's path with indices for labels.
        removed: whether the value was taken away.
    """

    tree: Any
    path: Path
    removed: bool


def is_override(argument: str) -> bool:
    """Whether a command-line argument is an override rather than a file."""
    return "=" in argument or (argument.startswith("~") and not argument.startswith("~/"))


def parse(argument: str) -> Override:
    """The override in a command-line argument.

    Raises:
        OverrideError: the value is not YAML, or a key is empty.
    """
    origin = f"argument {argument!r}"
    if "=" not in argument:
        return Override(origin, _keys(argument[1:], origin), "reset")
    target, _, text = argument.partition("=")
    action = "append" if target.startswith("+") else "set"
    try:
        value = parse_value(text)
    except DialectError as error:
        raise OverrideError(f"{origin}: {error}") from None
    return Override(origin, _keys(target.removeprefix("+"), origin), action, value)


def parse_value(text: str) -> Any:
    """A value on the command line.

    Raises:
        DialectError: the text is not one value; the message says so where the shell has split it.
    """
    try:
        return dialect.parse_value(text)
    except DialectError as error:
        split = any(text.count(left) > text.count(right) for left, right in ("[]", "{}"))
        raise DialectError(f"{error}; put the whole argument in quotes" if split else str(error)) from None


def _keys(target: str, origin: str) -> tuple[str, ...]:
    keys = tuple(target.split("."))
    if not all(keys):
        raise OverrideError(f"{origin}: a key is empty; write key.subkey=value")
    return keys


def apply(cls: type, tree: Any, override: Override) -> Edit:
    """The result of `edit`; the message of its error begins with the override's origin."""
    try:
        return edit(cls, tree, override)
    except OverrideError as error:
        raise OverrideError(f"{override.origin}: {error}") from None


def edit(cls: type, tree: Any, override: Override) -> Edit:
    """Apply an override to the tree of a config of class `cls`; the given tree is not changed.

    Raises:
        OverrideError: the path has an unknown key, label or index, or leads to a value that is not a list.
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
            raise OverrideError(f"{'.'.join(override.path)} is not a list; + appends to lists only")
        return [*old, override.value]

    return append


def _count(tree: Any, path: Path) -> int:
    for key in path:
        tree = tree[key]
    return len(tree)


def _edit(hint: Any, node: Any, keys: Iterable[str], change: Callable[[Any], Any]) -> tuple[Any, Path]:
    """The node with `change` made to the value at the keys, and the path of that value."""
    hint = _member(hint, node)
    node = canonical(hint, node)
    key, *rest = _entry(node, list(keys)) if get_origin(hint) is dict else keys
    if isinstance(node, list):
        step: str | int = _index(hint, node, key)
        inner, old = (get_args(hint) or (None,))[0], node[int(step)]
    elif isinstance(node, dict):
        step, (inner, old) = key, _child(hint, node, key)
    else:
        raise OverrideError(f"{shown(node)} has no key {key!r}")
    path: Path = (step,)
    if rest:
        new, tail = _edit(inner, old, rest, change)
        path += tail
    else:
        new = change(old)
    if isinstance(node, list):
        items = [new if index == step else item for index, item in enumerate(node)]
        return [item for item in items if item is not _REMOVED], path
    return {k: v for k, v in {**node, step: new}.items() if v is not _REMOVED}, path


def _entry(node: Any, keys: list[str]) -> list[str]:
    """The keys below a mapping whose own keys have dots: the longest that it has, or all keys as one."""
    for end in range(len(keys), 0, -1):
        if isinstance(node, dict) and ".".join(keys[:end]) in node:
            return [".".join(keys[:end]), *keys[end:]]
    return [".".join(keys)]


def _member(hint: Any, node: Any) -> Any:
    """The hint without its constraints; of a union, the member that fits the node."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in UNIONS:
        members = [m for m in get_args(hint) if m is not type(None)]
        fitting = [m for m in members if (get_origin(m) is tuple) == isinstance(node, list)]
        return _member((fitting or members)[0], node)
    return hint


def _index(hint: Any, items: list[Any], key: str) -> int:
    """The index of the list item that a key names by index or label."""
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
    """The hint and the value under a key; a key that the file leaves out has its default."""
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
    return known[key], node[key] if key in node else _plain_default(cls, key)


def _plain_default(cls: type, key: str) -> Any:
    """The default of a field as a tree to edit; an empty list or mapping where there is none."""
    value = default(cls, key)
    if value is not dataclasses.MISSING:
        return {} if value is None else plain(value)
    return [] if get_origin(_member(hints(cls)[key], {})) is tuple else {}

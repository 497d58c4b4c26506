"""Nested documents as flat mappings from dotted keys to values, as overrides name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

Lists = Literal["by item", "whole", "left out"]
"""How lists are flattened: item by item; as one value unless they hold mappings; or not at all."""


def leaves(tree: Any, lists: Lists) -> dict[str, Any]:
    """The values of a document by dotted keys; the items of a list are named by `item_names`."""
    return dict(_leaves(tree, "", lists))


def _leaves(tree: Any, path: str, lists: Lists) -> Iterator[tuple[str, Any]]:
    items: Iterable[tuple[Any, Any]] | None = None
    if isinstance(tree, Mapping):
        items = tree.items()
    elif isinstance(tree, list):
        if lists == "left out":
            return
        if not (lists == "whole" and _is_plain(tree)):
            items = zip(item_names(tree), tree, strict=True)
    if items is not None and tree:
        for key, value in items:
            yield from _leaves(value, f"{path}.{key}" if path else str(key), lists)
    elif path and not (lists == "left out" and items is not None):
        yield path, tree


def _is_plain(value: Any) -> bool:
    """Whether a value holds no mapping."""
    return all(map(_is_plain, value)) if isinstance(value, list) else not isinstance(value, Mapping)


def item_names(items: Sequence[Any]) -> Sequence[Any]:
    """Names that tell the items of a list apart: label or name, tensor and pair, or else their numbers."""
    if all(isinstance(item, Mapping) for item in items):
        for names in (
            [item.get("label", item.get("name")) for item in items],
            [f"{item.get('tensor')}.{item.get('pair')}" for item in items if "pair" in item],
        ):
            if len(set(map(str, names))) == len(items) and all(isinstance(name, str) for name in names):
                return names
    return range(len(items))

"""How data, kinds and paths are spoken of."""

import json
import keyword
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

from dnnexp.expression._operators import is_finite

BOOLEAN, NUMBER, TEXT = "true or false", "a number", "text"
LIST, MAPPING, ANYTHING = "a list", "a mapping", "anything"
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, BOOLEAN),  # before int, whose subclass it is
    ((int, float), NUMBER),
    (str, TEXT),
    ((list, tuple), LIST),
    (Mapping, MAPPING),
    (NoneType, "null"),
)


def kind(data: Any) -> str:
    if data is object:
        return ANYTHING
    own = data if isinstance(data, type) else type(data)
    return next((name for bases, name in KINDS if issubclass(own, bases)), own.__name__)


def null_within(data: Any, path: str) -> str | None:
    """The path of the first null in some data."""
    if data is None:
        return path
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, Mapping):
        items = data.items()
    elif isinstance(data, list | tuple):
        items = enumerate(data)
    return next(filter(None, (null_within(item, joined(path, key)) for key, item in items)), None)


def joined(path: str, key: str | int) -> str:
    if isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def shown(data: Any, nested: bool = False) -> str:
    match data:
        case None | bool():
            return json.dumps(data)
        case int() | float():
            return f"{data:.6g}" if isinstance(data, float) or is_finite(data) else "a huge number"
        case str():
            return json.dumps(clipped(data), ensure_ascii=False)
        case Mapping():
            return "{…}" if nested else f"{{{shortened([str(key) for key in data], 6)}}}"
        case list() | tuple():
            return "[…]" if nested else f"[{shortened([shown(it, True) for it in data], 6)}]"
    return kind(data)


def shortened(parts: Sequence[str], limit: int) -> str:
    more = [f"… ({len(parts) - limit} more)"] if len(parts) > limit else []
    return ", ".join([*parts[:limit], *more])


def clipped(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def quoted(text: str) -> str:
    printable = (each if each.isprintable() else "�" for each in clipped(text))
    return f"`{''.join(printable)}`"

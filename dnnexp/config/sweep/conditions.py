"""The conditions of `exclude`, over the swept keys of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dnnexp import expression
from dnnexp.config.sweep.spec import parsed
from dnnexp.registry import Problem


@dataclass(frozen=True)
class Conditions:
    """Conditions; a job in which one is true is left out. What a job does not have decides nothing."""

    texts: tuple[str, ...]

    def complaints(self, values: Mapping[str, Iterable[Any]]) -> Iterator[Problem]:
        """What is wrong with those that speak of other than these keys, or not as their values allow."""
        shape = nested((key, type_of(found)) for key, found in values.items())
        for index, text in enumerate(self.texts):
            try:
                parsed(text).check(shape)
            except expression.ExpressionError as error:
                yield ("exclude", index), str(error)

    def exclude(self, swept: Mapping[str, Any]) -> bool:
        """Whether one is true."""
        if not self.texts:
            return False
        values = nested(swept.items())
        return any(parsed(text).evaluate(values).value for text in self.texts)


def type_of(values: Iterable[Any]) -> type:
    """What an expression may do with some values: the type of all of them, numbers being one, or object."""
    types = {float if type(value) is int else type(value) for value in values if value is not None}
    return types.pop() if len(types) == 1 and types <= {float, bool, str} else object


def nested(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Dotted keys as mappings in mappings; a key that lies in another's value is left out."""
    root: dict[str, Any] = {}
    for key, value in items:
        *outer, last = key.split(".")
        here: Any = root
        for name in outer:
            here = here.setdefault(name, {}) if isinstance(here, dict) else None
        if isinstance(here, dict):
            here.setdefault(last, value)
    return root

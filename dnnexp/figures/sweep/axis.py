"""The axis of a swept key: its values in order, and how they are spaced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dnnexp.figures.labels import literal
from dnnexp.figures.scales import Scale
from dnnexp.figures.sweep.names import numbers, texts

_LEAST_RATIO = 4.0
"""Ratio of the ends from which an axis may be logarithmic; `_LEAST_RATIO_OF_TWO` if two values are all."""
_LEAST_RATIO_OF_TWO = 10.0
_MARGIN = 0.03
"""Room beyond the values at each end, as a share of the axis."""


@dataclass(frozen=True)
class KeyAxis:
    """A swept key, or keys that are swept together.

    Attributes:
        keys: the keys.
        values: the different values, numbers ascending, other values as they come.
        names: the values in words.
        places: which of the values each setting has, `(groups,)`.
        is_numeric: whether all are numbers; of several keys the first, if it tells the settings apart.
    """

    keys: tuple[str, ...]
    values: tuple[Any, ...]
    names: tuple[str, ...]
    places: Any
    is_numeric: bool

    @classmethod
    def of(cls, keys: tuple[str, ...], settings: Sequence[Sequence[Any]]) -> KeyAxis:
        """The axis of some keys, whose values each setting gives."""
        given: list[Any] = [setting[0] for setting in settings]
        is_numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in given)
        if len(keys) > 1 and not (is_numeric and _different(given) == _different(settings)):
            given, is_numeric = [tuple(setting) for setting in settings], False
        if is_numeric:
            values = sorted(set(given))
            index = {value: place for place, value in enumerate(values)}
            return cls(keys, tuple(values), tuple(numbers(values)), np.array([index[v] for v in given]), True)
        written = [json.dumps(value, sort_keys=True) for value in given]
        first = dict(zip(reversed(written), reversed(given), strict=True))
        order = {text: place for place, text in enumerate(dict.fromkeys(written))}
        values = [first[text] for text in order]
        names = texts([_joined(value) for value in values] if len(keys) > 1 else values)
        return cls(keys, tuple(values), tuple(names), np.array([order[text] for text in written]), False)

    @property
    def title(self) -> str:
        """The key, as it is drawn."""
        return ", ".join(literal(key) for key in self.keys[: 1 if self.is_numeric else None])

    @property
    def scale(self) -> Scale:
        """Of numbers: logarithmic where they are spaced geometrically, zero aside."""
        values = np.array(self.values, dtype=np.float64)
        positive = values[values > 0]
        is_log = values.min() >= 0 and is_geometric(positive)
        scale = Scale.of(values, "log" if is_log else "linear", margin=_MARGIN)
        return replace(scale, is_whole=all(isinstance(value, int) for value in self.values))


def _different(values: Sequence[Any]) -> int:
    """How many different values there are."""
    return len({json.dumps(value, sort_keys=True) for value in values})


def _joined(value: tuple[Any, ...]) -> str:
    return ", ".join(texts([part])[0] for part in value)


def is_geometric(values: Any) -> bool:
    """Whether positive numbers, ascending, are spaced by ratios rather than by differences.

    Their median lies nearer to the middle of the logarithms: so numbers drawn at random count, too.
    """
    if len(values) < 2 or values[-1] / values[0] < (_LEAST_RATIO if len(values) > 2 else _LEAST_RATIO_OF_TWO):
        return False
    if len(values) == 2:
        return True
    shares = []
    for spaced in (values / values[-1], np.log(values / values[-1])):
        shares.append(abs((np.median(spaced) - spaced[0]) / (spaced[-1] - spaced[0]) - 0.5))
    return bool(shares[1] < shares[0])

"""Which cases share a figure, and how their curves can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from dnnexp.experiments.base import Result
from dnnexp.figures.palette import colour

_MOST = 12
"""Curves in a panel."""
_MARKERS = ("", "o", "^", "s", "D", "v")
_COLOURS = 8
_MARKED = 6
"""So many markers are on a curve."""


@dataclass(frozen=True)
class Group:
    """Cases of a figure: all of some activations with some initializers."""

    result: Result
    activations: tuple[str, ...]
    initializers: tuple[str, ...]

    @property
    def cases(self) -> list[str]:
        """In the order of the config."""
        return [f"{a}/{i}" for a, i in product(self.activations, self.initializers)]

    def caption(self, case: str) -> str:
        """The case and its verdict."""
        return f"{case}: {self.result.metrics['cases'][case]['verdict']['name']}"

    def style(self, case: str, points: int = 2) -> dict[str, Any]:
        """Of a curve: a colour for each of what there is more of, and markers for the other."""
        activation, _, initializer = case.partition("/")
        places = self.activations.index(activation), self.initializers.index(initializer)
        major, minor = places if len(self.activations) >= len(self.initializers) else reversed(places)
        round_, _ = divmod(major, _COLOURS)
        kinds = min(len(self.activations), len(self.initializers))
        entry: dict[str, Any] = {"color": colour(major)}
        if marker := _MARKERS[(round_ * kinds + minor) % len(_MARKERS)]:
            step = max(1, points // _MARKED)
            entry |= {"marker": marker, "markersize": 4, "markevery": (major % step, step)}
        return entry


def groups(result: Result) -> list[Group]:
    """The cases in as few groups as it takes: whole activations, if they have not too many initializers."""
    activations = [entry.label for entry in result.config.activations]
    initializers = [entry.label for entry in result.config.initializers]
    together = max(1, _MOST // len(initializers))
    return [
        Group(result, some, others)
        for some in _parts(activations, together)
        for others in _parts(initializers, _MOST)
    ]


def _parts(labels: list[str], most: int) -> Iterator[tuple[str, ...]]:
    """Parts of about equal length, of `most` at most."""
    for part in np.array_split(np.arange(len(labels)), -(-len(labels) // most)):
        yield tuple(labels[index] for index in part)

"""Boxes as a config gives them: a lower and an upper corner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from dnnexp.registry import Checked, Problem, check

Bound = Annotated[float, Ge(-1e300), Le(1e300)]


@dataclass(frozen=True)
class Bounds(Checked):
    """A box: a corner is one number for all coordinates, or a list."""

    low: Bound | tuple[Bound, ...]
    high: Bound | tuple[Bound, ...]

    @check("low", "high")
    @staticmethod
    def ordered(low: float | tuple[float, ...], high: float | tuple[float, ...]) -> Iterator[Problem]:
        """Every low bound is below its high bound."""
        if np.ndim(low) and np.ndim(high) and np.size(low) != np.size(high):
            yield ("high",), f"has {np.size(high)} bounds where low has {np.size(low)}"
        elif not np.all(np.asarray(low) < np.asarray(high)):
            yield ("low",), f"must be below high in every coordinate, but low is {low}, high {high}"

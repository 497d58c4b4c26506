"""Pairs of inputs at an angle: what shows how a network correlates or separates them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Floats
from dnnexp.core.inputs.base import DrawnInput
from dnnexp.registry import Count, Problem, check, register


@register("pairs")
@dataclass(frozen=True)
class PairsInput(DrawnInput):
    """Pairs: rows 2k and 2k + 1 are at `angle` degrees, in random directions, and all have |x|² = width.

    That is q = 1 and c = cos(angle) in the terms of Poole et al., "Exponential expressivity in deep neural
    networks through transient chaos", 2016. At another angle, the same stream gives the same first rows, and
    second rows in the same planes.
    """

    angle: Annotated[float, Ge(0), Le(180)] = 90.0
    samples: Count = 1000

    @check("samples")
    @staticmethod
    def paired(samples: int) -> Iterator[Problem]:
        """No row is left over."""
        if samples < 2 or samples % 2:
            yield ("samples",), f"must be even and at least 2 (rows come in pairs), not {samples}"

    @property
    def on_a_line(self) -> bool:
        """Whether the rows of a pair are parallel."""
        return self.angle in (0, 180)

    def refusal(self, width: int) -> str | None:
        """On a line there are two directions only."""
        if width > 1 or self.on_a_line:
            return None
        return (
            f"pairs at an angle of {self.angle:g} degrees need two features, "
            f"so network.layers must begin with at least 2, not {width}"
        )

    def limited(self, samples: int) -> Self:
        """At most that many samples, in whole pairs; one pair at least."""
        return super().limited(max(2, samples - samples % 2))

    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """x = √width u and x' = √width (cos(angle) u + sin(angle) v), with unit vectors u ⊥ v."""
        self.require(width)
        first, second = generator.standard_normal((2, self.samples // 2, width))
        u = _unit(first)
        if self.on_a_line:
            turned = -u if self.angle else u
        else:
            angle = math.radians(self.angle)
            turned = math.cos(angle) * u + math.sin(angle) * _orthogonal(second, u)
        return math.sqrt(width) * np.stack([u, turned], axis=1).reshape(self.samples, width)


def _unit(vectors: Floats) -> Floats:
    """Vectors `(n, d)` divided by their lengths."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _orthogonal(vectors: Floats, u: Floats) -> Floats:
    """Unit vectors along what of `(n, d)` is at right angles to the unit vectors u `(n, d)`.

    The step of Gram and Schmidt, twice: the second takes away what rounding leaves where a vector is almost
    parallel to u (Parlett, "The symmetric eigenvalue problem", 1980, section 6-9).
    """
    for _ in range(2):
        vectors = _unit(vectors - (vectors * u).sum(axis=1, keepdims=True) * u)
    return vectors

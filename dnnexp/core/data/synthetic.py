"""Data that are drawn: a teacher's answers, and shapes in the plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.data.base import Data, Shape, Table, one_hot
from dnnexp.registry import Problem, check, register

Rows = Annotated[int, Ge(2), Le(10**7)]
Width = Annotated[int, Ge(1), Le(10**5)]
Noise = Annotated[float, Ge(0), Le(1e6)]
_MOST_NUMBERS = 10**8
"""The largest number of entries; an array of this size takes 0.8 GB."""


@register("teacher")
@dataclass(frozen=True)
class Teacher(Data):
    """Gaussian teacher: x ~ N(0, I), t = W x / √d + noise · N(0, I), with W ~ N(0, 1) drawn once.

    With `hidden` the teacher is a network, t = V tanh(U x / √d) / √hidden + noise · N(0, I), with U and V
    drawn in the same way. Without noise, targets have a variance about 1, with `hidden` about 0.4. Seung,
    Sompolinsky and Tishby, "Statistical mechanics of learning from examples", Phys. Rev. A 45, 1992.
    """

    samples: Rows = 1000
    features: Width = 20
    targets: Width = 1
    hidden: Width | None = None
    noise: Noise = 0.1

    @check("samples", "features", "targets", "hidden")
    @staticmethod
    def size(samples: int, features: int, targets: int, hidden: int | None) -> Iterator[Problem]:
        """The arrays fit in memory."""
        numbers = max(samples, features, targets) * max(features, targets, hidden or 1)
        if numbers > _MOST_NUMBERS:
            yield (), f"would draw arrays of {numbers:.2g} numbers, at most {_MOST_NUMBERS:.0e} are allowed"

    def shape(self) -> Shape:
        """The fields'."""
        return Shape(self.samples, self.features, self.targets, has_classes=False)

    def table(self, generator: np.random.Generator) -> Table:
        """First the teacher's weights, then x, then the noise."""
        width = self.hidden or self.features
        inner = generator.standard_normal((self.hidden, self.features)) if self.hidden else None
        outer = generator.standard_normal((self.targets, width))
        x = generator.standard_normal((self.samples, self.features))
        noise = self.noise * generator.standard_normal((self.samples, self.targets))
        signal = x if inner is None else np.tanh(x @ inner.T / np.sqrt(self.features))
        return Table(x, signal @ outer.T / np.sqrt(width) + noise, None)


@register("spirals")
@dataclass(frozen=True)
class Spirals(Data):
    """Spirals: one arm a class, r from 0 to 1 along `turns` turns, each point moved by noise · N(0, I).

    Lang and Witbrock, "Learning to tell two spirals apart", 1988, with any number of arms.
    """

    samples: Rows = 1000
    classes: Annotated[int, Ge(2), Le(100)] = 2
    turns: Annotated[float, Gt(0), Le(1000)] = 1.5
    noise: Noise = 0.02

    def shape(self) -> Shape:
        """Two features."""
        return Shape(self.samples, 2, self.classes, has_classes=True)

    def table(self, generator: np.random.Generator) -> Table:
        """As many points of each class, to within one."""
        labels = np.arange(self.samples) % self.classes
        radius = np.sqrt(generator.random(self.samples))  # even over the arm's sweep
        angle = 2 * np.pi * (self.turns * radius + labels / self.classes)
        return _plane(radius * np.array([np.cos(angle), np.sin(angle)]), labels, self, generator)


@register("moons")
@dataclass(frozen=True)
class Moons(Data):
    """Two moons: half circles (cos φ, sin φ) and (1 − cos φ, ½ − sin φ), each moved by noise · N(0, I).

    As scikit-learn's make_moons, with angles drawn evenly.
    """

    samples: Rows = 1000
    noise: Noise = 0.1

    def shape(self) -> Shape:
        """Two features, two classes."""
        return Shape(self.samples, 2, 2, has_classes=True)

    def table(self, generator: np.random.Generator) -> Table:
        """As many points of each moon, to within one."""
        labels = np.arange(self.samples) % 2
        angle = np.pi * generator.random(self.samples)
        outer, inner = (np.cos(angle), np.sin(angle)), (1 - np.cos(angle), 0.5 - np.sin(angle))
        return _plane(np.where(labels == 0, outer, inner), labels, self, generator)


def _plane(points: Floats, labels: Integers, data: Spirals | Moons, generator: np.random.Generator) -> Table:
    """Points `(2, n)` with noise, as a table."""
    noisy = points.T + data.noise * generator.standard_normal((data.samples, 2))
    count = data.shape().targets
    return Table(noisy, one_hot(labels, count), tuple(map(str, range(count))))

"""Data that are drawn: a teacher's answers, and shapes in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.data.base import Data, Shape, Table, one_hot
from dnnexp.registry import NonNegative, Positive, register

Rows = Annotated[int, Ge(2), Le(10**7)]
Width = Annotated[int, Ge(1), Le(10**5)]


@register("teacher")
@dataclass(frozen=True)
class Teacher(Data):
    """Gaussian teacher: x ~ N(0, I), t = W x / √d + noise · N(0, I), with W ~ N(0, 1) drawn once.

    Every target has variance about 1 + noise².
    """

    samples: Rows = 1000
    features: Width = 20
    targets: Width = 1
    noise: NonNegative = 0.1

    def shape(self) -> Shape:
        """The fields'."""
        return Shape(self.samples, self.features, self.targets, has_classes=False)

    def table(self, generator: np.random.Generator) -> Table:
        """First W, then x, then the noise."""
        weights = generator.standard_normal((self.targets, self.features))
        x = generator.standard_normal((self.samples, self.features))
        noise = self.noise * generator.standard_normal((self.samples, self.targets))
        return Table(x, x @ weights.T / np.sqrt(self.features) + noise, None)


@register("spirals")
@dataclass(frozen=True)
class Spirals(Data):
    """Spirals: one arm a class, r from 0 to 1 along `turns` turns, each point moved by noise · N(0, I).

    Lang and Witbrock, "Learning to tell two spirals apart", 1988, with any number of arms.
    """

    samples: Rows = 1000
    classes: Annotated[int, Ge(2), Le(100)] = 2
    turns: Positive = 1.5
    noise: NonNegative = 0.02

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
    noise: NonNegative = 0.1

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

"""What all data sets share: features and targets in rows, standardised and split by a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.streams import Streams
from dnnexp.registry import Part


class DataError(ValueError):
    """Unusable data; each of its `problems` says where (file, row), what was given and what is allowed."""

    def __init__(self, *problems: str) -> None:
        """Raise it with the list of problems."""
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Shape:
    """What is known of a data set without a seed: rows, widths, and whether the targets are classes."""

    rows: int
    features: int
    targets: int
    has_classes: bool


@dataclass(frozen=True)
class Table:
    """Rows of features and targets.

    Attributes:
        features: `(n, d)`.
        targets: `(n, k)`; one-hot for classes.
        classes: the names of the k classes; None where the targets are numbers.
    """

    features: Floats
    targets: Floats
    classes: tuple[str, ...] | None

    @property
    def shape(self) -> Shape:
        """Its rows and widths."""
        rows, features = self.features.shape
        return Shape(rows, features, self.targets.shape[1], self.classes is not None)

    def rows(self, chosen: Integers) -> Table:
        """Some of the rows, in row order, for mini-batches to be gathered from."""
        features, targets = self.features[chosen], self.targets[chosen]
        return Table(np.ascontiguousarray(features), np.ascontiguousarray(targets), self.classes)


@dataclass(frozen=True)
class Split:
    """A table in two parts.

    Attributes:
        train: what gradients are taken of.
        validation: what no gradient has seen; None where nothing is held out.
    """

    train: Table
    validation: Table | None


@dataclass(frozen=True, kw_only=True)
class Data(Part, ABC):
    """Base of the data sets.

    The share `validation` of the rows, drawn by the seed, is held out. `standardize` subtracts from every
    feature its mean and divides it by its standard deviation, both of the training rows; a feature that is
    constant there becomes 0 there.
    """

    kind = "data"
    validation: Annotated[float, Ge(0), Lt(1)] = 0.2
    standardize: bool = True

    @abstractmethod
    def table(self, generator: np.random.Generator) -> Table:
        """All rows; data that are drawn come from the generator.

        Raises:
            DataError: a file cannot be read or used.
        """

    @abstractmethod
    def shape(self) -> Shape:
        """The shape of the table.

        Raises:
            DataError: a file cannot be read or used.
        """

    def held_out(self) -> int:
        """How many rows are held out."""
        return round(self.validation * self.shape().rows)

    def split(self, streams: Streams) -> Split:
        """The table, drawn, split and standardised."""
        table = self.table(streams("data"))
        rows = len(table.features)
        order = streams("split").permutation(rows)
        held_out = self.held_out()
        train = table.rows(np.sort(order[held_out:]))
        validation = table.rows(np.sort(order[:held_out])) if held_out else None
        if not self.standardize:
            return Split(train, validation)
        return Split(standardized(train, train), validation and standardized(validation, train))


def standardized(part: Table, whole: Table) -> Table:
    """A part with (x − mean) / std for every feature x: mean and std over the rows of another."""
    mean, std = whole.features.mean(axis=0), whole.features.std(axis=0)
    scale = np.where(std > 1e-12 * np.abs(mean), std, 1.0)  # below: constant but for rounding
    return Table((part.features - mean) / scale, part.targets, part.classes)


def one_hot(labels: Integers, count: int) -> Floats:
    """Classes 0 … count−1 as rows of an identity matrix."""
    return np.eye(count)[labels]

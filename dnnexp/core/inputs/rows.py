"""Inputs that are rows of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.data import Data, DataError, standardized
from dnnexp.core.inputs.base import Input
from dnnexp.registry import Count, Problem, check, register


@register("data")
@dataclass(frozen=True)
class DataInput(Input):
    """Data: the features of `samples` rows of a data set, drawn without replacement; null means all rows.

    The rows keep their order. Nothing is held out: `validation` is ignored, and `standardize` takes the mean
    and the standard deviation of all rows of the table, whether they are drawn or not.
    """

    data: Data
    samples: Count | None = None

    @check("data", "samples")
    @staticmethod
    def enough_rows(data: Data, samples: int | None) -> Iterator[Problem]:
        """There are as many rows as are asked for."""
        try:
            rows = data.shape().rows
        except DataError as error:
            yield from ((("data",), problem) for problem in error.problems)
            return
        if samples is not None and samples > rows:
            yield ("samples",), f"is {samples}, but {data.name} has {rows} rows only"

    @property
    def rows(self) -> int:
        """`samples`, or the rows of the table."""
        return self.data.shape().rows if self.samples is None else self.samples

    def refusal(self, width: int) -> str | None:
        """A unit for each feature."""
        features = self.data.shape().features
        if width == features:
            return None
        named = f"{self.data.name} has {features} feature{'s' * (features > 1)}"
        return f"{named}, so network.layers must begin with {features}, not {width}"

    def limited(self, samples: int) -> Self:
        """At most that many of the rows."""
        return self if samples >= self.rows else replace(self, samples=samples)

    def draw(self, generator: np.random.Generator, width: int) -> Floats:
        """First the table, if it is drawn, then which of its rows."""
        self.require(width)
        table = self.data.table(generator)
        if self.data.standardize:
            table = standardized(table, table)
        count = len(table.features)
        chosen = generator.choice(count, self.rows, replace=False)
        return table.rows(np.sort(chosen)).features

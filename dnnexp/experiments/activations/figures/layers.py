"""The histograms of a case's layers, and what theory expects of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from dnnexp.experiments.activations.config import block_size
from dnnexp.experiments.base import Result
from dnnexp.figures.palette import colour
from dnnexp.text import number

_QUANTILES = 2**14
_SPIKE = 3.0
"""A bin that is this many times as high as any other leaves the panel, and its share is written."""


@dataclass(frozen=True)
class Histogram:
    """The pre-activations (`pre`) or outputs (`post`) of a layer.

    Attributes:
        number: of the layer, from 1.
        side: `pre` or `post`.
        counts: of finite values, `(bins,)`.
        edges: of the bins.
        metrics: of the layer.
        q: the variance of the pre-activations in theory; None where there is none.
        activation: of the layer.
        size: how many values there are, finite or not.
    """

    number: int
    side: str
    counts: Any
    edges: Any
    metrics: Any
    q: float | None
    activation: Any
    size: int

    @property
    def is_empty(self) -> bool:
        """Whether no value is finite."""
        return not self.counts.any()

    @property
    def is_constant(self) -> bool:
        """Whether all values are the same, in all networks."""
        side = self.metrics[self.side]
        return np.count_nonzero(self.counts) == 1 and side["min"] is not None and side["min"] == side["max"]

    @property
    def value(self) -> float | None:
        """Where the values are, if all are in one bin."""
        if np.count_nonzero(self.counts) != 1:
            return None
        return float(self.metrics[self.side]["min"] if self.is_constant else self.centres[self.counts > 0][0])

    @cached_property
    def share(self) -> Any:
        """Of the finite values, by bin."""
        return self.counts / self.counts.sum()

    @property
    def centres(self) -> Any:
        """The middles of the bins."""
        return self.edges[:-1] + np.diff(self.edges) / 2

    @property
    def lost(self) -> float:
        """The share of the values that are not finite."""
        return 1 - float(self.counts.sum()) / self.size

    @cached_property
    def expected(self) -> Any:
        """The share of each bin by theory; None where there is none.

        For outputs by sending quantiles of N(0, q) through the activation.
        """
        if self.q is None:
            return None
        if self.side == "pre" and self.q > 0:
            return np.diff([_below(edge / math.sqrt(self.q)) for edge in self.edges])
        values = math.sqrt(self.q) * _quantiles()
        if self.side == "post":
            values = self.activation.f(values)
        counts, _ = np.histogram(values, self.edges)
        return counts / len(values)

    @property
    def height(self) -> tuple[float, str]:
        """The share that the height of a panel stands for, and a note on what leaves it or is constant."""
        top, note = self._measured_height()
        if note or self.expected is None:
            return top, note
        return max(top, min(2 * top, float(1.15 * self.expected.max()))), note

    def _measured_height(self) -> tuple[float, str]:
        second, top = np.sort(self.share)[-2:]
        if self.is_constant:
            return 1.4, f"every value is {number(self.metrics[self.side]['mean'])}"
        if second == 0:
            return 1.4, "all in one bin"
        if top <= _SPIKE * second:
            return float(1.15 * top), ""
        zeros = (self.metrics["zero_fraction"] or 0.0) if self.side == "post" else 0.0
        note = f"{zeros:.0%} exactly 0" if zeros > 0.5 * top else f"{top:.0%} in one bin"
        return float(1.5 * second), note

    @property
    def spread(self) -> tuple[float, float]:
        """Mean and standard deviation of what the histogram holds."""
        size = float(np.abs(self.edges).max())
        x, share = self.centres / size, self.share
        mean = float(share @ x)
        return size * mean, size * math.sqrt(float(share @ (x - mean) ** 2))


def histograms(result: Result, case: str, side: str, numbers: Iterable[int]) -> list[Histogram]:
    """Those of some layers of a case."""
    config, found = result.config, result.metrics["cases"][case]
    widths, rows = config.network.unrolled, config.input.rows
    block = block_size(widths, rows, config.seeds)
    return [
        Histogram(
            layer,
            side,
            result.arrays[f"{case}.{layer}.{side}.counts"],
            result.arrays[f"{case}.{layer}.{side}.edges"],
            found["layers"][layer - 1],
            found["theory"]["q"][layer - 1],
            config.cases[case][0],
            block * rows * widths[layer],
        )
        for layer in numbers
    ]


def shade(result: Result, case: str) -> str:
    """One colour for each activation."""
    labels = [activation.label for activation in result.config.activations]
    return colour(labels.index(case.partition("/")[0]))


def chosen(depth: int, most: int) -> list[int]:
    """The numbers of at most so many layers, evenly chosen, the first and the last among them."""
    places = np.linspace(1, depth, min(depth, most)).round().astype(int)
    return [int(place) for place in np.unique(places)]


@cache
def _quantiles() -> Any:
    """Of N(0, 1), each standing for the same probability."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / _QUANTILES) for i in range(_QUANTILES)])


def _below(x: float) -> float:
    """P(z < x) of z ~ N(0, 1)."""
    return (1 + math.erf(x / math.sqrt(2))) / 2

"""The plots of `activations`: what applies to a result is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from matplotlib.figure import Figure

from dnnexp.experiments.activations.figures import (
    correlation,
    depth,
    histograms,
    overview,
    phase,
    ridges,
    scaling,
)
from dnnexp.experiments.base import Result

_MODULES = (histograms, ridges, overview, depth, correlation, phase, scaling)


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """A figure a case, and those over all cases."""
    yield from chain.from_iterable(module.figures(result) for module in _MODULES)

"""The plots of `gradcheck`: which entries are wrong, which methods agree, and the error against the step."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.figures.agreement import agreement
from dnnexp.experiments.gradcheck.figures.errors import errors
from dnnexp.experiments.gradcheck.figures.tensors import tensors

__all__ = ["agreement", "errors", "figures", "tensors"]


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`tensors`, `agreement` and `errors`."""
    if result.metrics["checks"]:
        yield "tensors", tensors(result)
        yield "agreement", agreement(result)
    if "sweep.h" in result.arrays:
        yield "errors", errors(result)

"""A function with the derivative that it claims, and the points to check it at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import Function
from dnnexp.experiments.gradcheck.findings import Finding


class Piece(NamedTuple):
    """Some coordinates of a case that are a tensor of their own.

    Attributes:
        tensor: its name in the metrics, such as `activation:tanh`.
        places: the coordinates.
        shape: of the tensor at one point.
    """

    tensor: str
    places: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One function f of d coordinates.

    Attributes:
        value: from points `(d, ...)` to values `(...)`, real or complex.
        gradient: from points `(d, ...)` to the claimed derivatives `(d, ...)`.
        points: where it is checked, `(d, N)`.
        pieces: the tensors that its coordinates make.
        takes_complex: whether `value` takes complex points, analytically.
        difference: f(a) − f(b) without subtracting two large values, where there is a way.
        findings: what is known to be wrong with it.
        one_by_one: whether it is called for one point after another, so that its calls are worth counting.
    """

    value: Function
    gradient: Function
    points: Floats
    pieces: tuple[Piece, ...]
    takes_complex: bool = True
    difference: Callable[[Floats, Floats], Floats] | None = None
    findings: tuple[Finding, ...] = ()
    one_by_one: bool = False

    @property
    def name(self) -> str:
        """That of the function: what the names of all its tensors begin with."""
        return self.pieces[0].tensor if len(self.pieces) == 1 else self.pieces[0].tensor.rpartition(".")[0]

    def change(self, a: Floats, b: Floats) -> Floats:
        """f(a) − f(b)."""
        return self.value(a) - self.value(b) if self.difference is None else self.difference(a, b)

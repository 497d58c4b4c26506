"""An objective that the user writes as a formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from annotated_types import MinLen

from dnnexp.core.arrays import Array, Floats
from dnnexp.core.objectives.base import Box, Objective
from dnnexp.expression import ExpressionError, Formula, parse_formula
from dnnexp.registry import Checked, Complaint, Name, check, register


@dataclass(frozen=True)
class Domain(Checked):
    """A box: a corner is one number for all coordinates, or a list."""

    low: float | tuple[float, ...]
    high: float | tuple[float, ...]

    @check("low", "high")
    @staticmethod
    def ordered(low: float | tuple[float, ...], high: float | tuple[float, ...]) -> Iterator[Complaint]:
        """Every low bound is below its high bound."""
        if np.ndim(low) and np.ndim(high) and np.size(low) != np.size(high):
            yield ("high",), f"has {np.size(high)} bounds where low has {np.size(low)}"
        elif not np.all(np.asarray(low) < np.asarray(high)):
            yield ("low",), f"must be below high in every coordinate, but low is {low}, high {high}"


@register("expression")
@dataclass(frozen=True)
class ExpressionObjective(Objective):
    """Expression: a formula of named variables, such as "x**2/20 + y**2" of [x, y].

    Numbers, pi, e, + - * / **, and sqrt exp log sin cos tan arctan sinh cosh tanh abs. Its gradient is exact,
    by forward mode (Griewank and Walther, "Evaluating derivatives", 2008, section 3.1). A `minimizer` makes
    the minimum known; `minimum` gives it alone. Without either, targets are on the value itself.
    """

    expression: str
    variables: Annotated[tuple[Name, ...], MinLen(1)]
    minimizer: tuple[float, ...] | None = None
    minimum: float | None = None
    box: Domain | None = None

    @check("expression", "variables")
    @staticmethod
    def admissible(expression: str, variables: tuple[str, ...]) -> Iterator[Complaint]:
        """The formula is one, of these variables."""
        try:
            parse_formula(expression, variables)
        except ExpressionError as error:
            column = f"column {error.column}: " if error.column else ""
            yield ("expression",), f"{column}{error}"

    @check("variables", "minimizer", "box")
    @staticmethod
    def sized(
        variables: tuple[str, ...], minimizer: tuple[float, ...] | None, box: Domain | None
    ) -> Iterator[Complaint]:
        """What is given for every variable is given as often as there are variables."""
        d = len(variables)
        if minimizer is not None and len(minimizer) != d:
            yield ("minimizer",), f"has {len(minimizer)} coordinates, but there are {d} variables"
        for end in ("low", "high"):
            bound = getattr(box, end, None)
            if isinstance(bound, tuple) and len(bound) != d:
                yield ("box", end), f"has {len(bound)} coordinates, but there are {d} variables"

    @cached_property
    def _formula(self) -> Formula:
        return parse_formula(self.expression, self.variables)

    @property
    def dimension(self) -> int:
        """The number of variables."""
        return len(self.variables)

    def __post_init__(self) -> None:
        """Take the value at a minimizer that is given for the minimum."""
        super().__post_init__()
        if self.minimizer is not None and self.minimum is None:
            with np.errstate(all="ignore"):
                object.__setattr__(self, "minimum", float(self.value(np.array(self.minimizer))))

    def value(self, x: Array) -> Array:
        """The formula's."""
        return self._formula.value(x)

    def gradient(self, x: Array) -> Array:
        """The formula's, by forward mode."""
        return self._formula.gradient(x)

    def minimizers(self) -> Floats | None:
        """The one given."""
        return None if self.minimizer is None else np.array(self.minimizer)[:, None]

    def domain(self) -> Box | None:
        """The box given."""
        if self.box is None:
            return None
        d = self.dimension
        return np.broadcast_to(self.box.low, d) * 1.0, np.broadcast_to(self.box.high, d) * 1.0

"""An objective that the user writes as a formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import MaxLen, MinLen

from dnnexp.core.arrays import Array, Floats
from dnnexp.core.bounds import Bounds
from dnnexp.core.objectives.base import Box, Objective
from dnnexp.expression import ExpressionError, Formula, parse_formula, variable_faults
from dnnexp.registry import Name, Problem, check, register

_MINIMUM_ROUNDING = 1e-6
"""How far below a given minimum a value may lie, since minimizers are written with few digits."""


@register("expression")
@dataclass(frozen=True)
class ExpressionObjective(Objective):
    """Expression: a formula of named variables, such as "x**2/20 + y**2" of [x, y].

    Numbers, pi, e, + - * / **, and the functions sqrt exp log log10 sin cos tan arcsin arccos arctan sinh
    cosh tanh abs min max. Its gradient is exact to rounding, by forward mode (Griewank and Walther,
    "Evaluating derivatives", 2008, section 3.1); at a kink of abs, min, max or a root of squares it is the
    mean of the one-sided gradients. Where the formula is undefined (1/0, the log of a negative number), a run
    counts as diverged. `minimizer` or `minimum` makes the minimum known; without either, targets refer to the
    value itself. Its own starts are uniform in the `box`.
    """

    takes_complex: ClassVar[bool] = False  # abs, min and max are not analytic

    expression: str
    variables: Annotated[tuple[Name, ...], MinLen(1), MaxLen(100)]
    minimizer: tuple[float, ...] | None = None
    minimum: float | None = None
    box: Bounds | None = None

    @classmethod
    def example(cls) -> Self:
        """A formula of two variables."""
        return cls("x**2/20 + sin(y) * exp(-x*y/10)", ("x", "y"), box=Bounds(-2, 2))

    @check("variables")
    @staticmethod
    def named(variables: tuple[str, ...]) -> Iterator[Problem]:
        """Every variable can be named in a formula."""
        for index, message in variable_faults(variables):
            yield ("variables", index), message

    @check("expression", "variables")
    @staticmethod
    def admissible(expression: str, variables: tuple[str, ...]) -> Iterator[Problem]:
        """The formula is valid for these variables."""
        if any(variable_faults(variables)):
            return  # reported already
        try:
            parse_formula(expression, variables)
        except ExpressionError as error:
            column = f"column {error.column}: " if error.column else ""
            yield ("expression",), f"{column}{error}"

    @check("variables", "minimizer", "box")
    @staticmethod
    def sized(
        variables: tuple[str, ...], minimizer: tuple[float, ...] | None, box: Bounds | None
    ) -> Iterator[Problem]:
        """Lists have one entry for every variable."""
        d = len(variables)
        if minimizer is not None and len(minimizer) != d:
            yield ("minimizer",), f"has {len(minimizer)} coordinates, but there are {d} variables"
        for end in ("low", "high"):
            bound = getattr(box, end, None)
            if isinstance(bound, tuple) and len(bound) != d:
                yield ("box", end), f"has {len(bound)} coordinates, but there are {d} variables"

    @check("expression", "variables", "minimizer", "minimum")
    @staticmethod
    def attained(
        expression: str,
        variables: tuple[str, ...],
        minimizer: tuple[float, ...] | None,
        minimum: float | None,
    ) -> Iterator[Problem]:
        """The value at the minimizer is finite, the smallest nearby, and not above the minimum."""
        if minimizer is None or len(minimizer) != len(variables):
            return
        try:
            formula = parse_formula(expression, variables)
        except ExpressionError:
            return  # reported already
        value = _value_at(formula, minimizer)
        if not np.isfinite(value):
            yield ("minimizer",), f"must be where the formula is a finite number, but there it is {value}"
            return
        if minimum is not None and value < minimum - _MINIMUM_ROUNDING * max(1, abs(minimum)):
            yield ("minimum",), f"must be the smallest value, but at the minimizer the formula is {value}"
            return
        least = value if minimum is None else minimum
        less = _least_beside(formula, minimizer)
        if less < least - _MINIMUM_ROUNDING * max(1, abs(least)):
            text = f"must be a minimum, but near it the formula is {less:.6g}, below {least:.6g}"
            yield ("minimizer",), text

    @cached_property
    def _formula(self) -> Formula:
        return parse_formula(self.expression, self.variables)

    @property
    def dimension(self) -> int:
        """The number of variables."""
        return len(self.variables)

    def __post_init__(self) -> None:
        """Use the value at a given minimizer as the minimum."""
        super().__post_init__()
        if self.minimizer is not None and self.minimum is None:
            object.__setattr__(self, "minimum", _value_at(self._formula, self.minimizer))

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


def _least_beside(formula: Formula, point: tuple[float, ...]) -> float:
    """The smallest value along the negative gradient, at 0.1 to 1e-9 times the size of the point."""
    x = np.array(point, dtype=np.float64)[:, None]
    with np.errstate(all="ignore"):
        slope = formula.gradient(x)
        length = np.linalg.norm(slope)
        if not np.isfinite(length) or length == 0:
            return np.inf
        ways = max(1.0, float(np.abs(x).max())) * 10.0 ** -np.arange(1, 10)
        values = formula.value(x - slope / length * ways)
    return float(np.min(values, initial=np.inf, where=np.isfinite(values)))


def _value_at(formula: Formula, point: tuple[float, ...]) -> float:
    with np.errstate(all="ignore"):
        return float(formula.value(np.array(point, dtype=np.float64)))

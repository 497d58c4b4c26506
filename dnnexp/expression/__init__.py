"""The one safe expression evaluator: text that reads metrics, compares and calculates, no more.

Two languages share a grammar, its limits and its words. Checks are over metrics: `parse` admits a small part
of Python's expression grammar, `Expression.check` holds paths and types against an outline of the metrics,
`Expression.evaluate` computes; `check_value` and `value` do so for an expression that gives a value rather
than a truth. All four are one traversal, over types or over values. Formulas are over arrays: `parse_formula`
makes a program of them, `Formula.value` and `Formula.gradient` run it. Nothing is ever handed to Python's own
`eval` or `getattr`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dnnexp.expression._evaluation import Evaluator, Undecided
from dnnexp.expression._formula import Formula, parse_formula, variable_faults
from dnnexp.expression._grammar import Grammar, read
from dnnexp.expression._outline import Checker
from dnnexp.expression._source import ExpressionError
from dnnexp.expression._wording import BOOLEAN, NUMBER, TEXT, kind

__all__ = [
    "Expression",
    "ExpressionError",
    "Formula",
    "Outcome",
    "parse",
    "parse_formula",
    "variable_faults",
]

_VALUES = (NUMBER, BOOLEAN, TEXT)


@dataclass(frozen=True)
class Outcome:
    """What a check came to.

    Attributes:
        value: whether it holds; None where the metrics leave it undecided.
        detail: the values that decided it, as `path = value` pairs.
    """

    value: bool | None
    detail: str


@dataclass(frozen=True)
class Expression:
    """A parsed text; made by `parse`."""

    text: str
    _body: ast.expr = field(repr=False, compare=False)

    def check(self, outline: Mapping[str, Any]) -> None:
        """Raise ExpressionError where, in any branch, a path cannot exist or a type cannot fit.

        Args:
            outline: the shape of the metrics, each leaf a type: `float` (a number or null),
                `int`, `bool`, `str`, or `object` where nothing is known beforehand.
        """
        Checker(self.text, outline).truth("a check", self._body)

    def evaluate(self, metrics: Mapping[str, Any]) -> Outcome:
        """Return whether the check holds; null or missing values leave it undecided.

        They do so only if they matter: `null < 1 and 2 < 1` is false for every value of the null.
        """
        evaluator = Evaluator(self.text, metrics)
        try:
            return Outcome(evaluator.truth("a check", self._body), evaluator.detail())
        except Undecided as undecided:
            return Outcome(None, evaluator.detail(str(undecided)))

    def check_value(self, outline: Mapping[str, Any]) -> str:
        """Return what kind of value it gives: "a number", "text", "true or false", "anything" (not known).

        Raises:
            ExpressionError: a path cannot exist, a type cannot fit, or the value is a list or a mapping.
        """
        checker = Checker(self.text, outline)
        return kind(checker.need("a value", checker.value(self._body), *_VALUES))

    def value(self, metrics: Mapping[str, Any]) -> float | str | bool | None:
        """Return the number, text or truth that it gives; None where the metrics leave it undecided."""
        evaluator = Evaluator(self.text, metrics)
        try:
            found: float | str | bool = evaluator.need("a value", evaluator.value(self._body), *_VALUES)
        except Undecided:
            return None
        return found


def parse(text: str) -> Expression:
    """Return the expression in `text`, or raise ExpressionError if it is not in the language."""
    line, body = read(text)
    Grammar(line).admit(body)
    return Expression(text, body)

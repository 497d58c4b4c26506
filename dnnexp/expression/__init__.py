"""The one safe expression evaluator: text that reads metrics, compares and calculates, no more.

`parse` admits a small part of Python's expression grammar, `Expression.check` holds paths and types
against an outline of the metrics, `Expression.evaluate` computes. The latter two are one traversal,
over types and over values. Nothing is ever handed to Python's own `eval` or `getattr`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dnnexp.expression._evaluation import Evaluator, Undecided
from dnnexp.expression._formula import Formula, read_formula
from dnnexp.expression._functions import CONSTANTS, FUNCTIONS
from dnnexp.expression._grammar import MAX_LENGTH, MAX_NODES, Grammar, python_expression
from dnnexp.expression._outline import Checker
from dnnexp.expression._source import ExpressionError

__all__ = ["Expression", "ExpressionError", "Formula", "Outcome", "parse", "parse_formula"]


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
        """Return whether the check holds; what is null or missing leaves it undecided.

        Only where it matters: `null < 1 and 2 < 1` is false whatever the null stands for.
        """
        evaluator = Evaluator(self.text, metrics)
        try:
            return Outcome(evaluator.truth("a check", self._body), evaluator.detail())
        except Undecided as undecided:
            return Outcome(None, evaluator.detail(str(undecided)))


def parse(text: str) -> Expression:
    """Return the expression in `text`, or raise ExpressionError for what is not in the language."""
    if len(text) > MAX_LENGTH:
        message = f"an expression of {len(text)} characters is too long; allowed are {MAX_LENGTH}"
        raise ExpressionError(message)
    # Line breaks come with YAML's block text; a space in their place keeps the columns.
    line = text.translate({ord("\n"): " ", ord("\r"): " "})
    body = python_expression(line)
    if sum(isinstance(node, ast.expr) for node in ast.walk(body)) > MAX_NODES:
        raise ExpressionError(f"the expression has too many parts; allowed are {MAX_NODES}")
    Grammar(line).admit(body)
    return Expression(text, body)


def parse_formula(text: str, variables: tuple[str, ...]) -> Formula:
    """Return the formula of some variables in `text`, or raise ExpressionError for what is none."""
    if len(text) > MAX_LENGTH:
        message = f"a formula of {len(text)} characters is too long; allowed are {MAX_LENGTH}"
        raise ExpressionError(message)
    for index, name in enumerate(variables):
        if name in FUNCTIONS or name in CONSTANTS:
            raise ExpressionError(f"the variable {name!r} has the name of a function or constant")
        if not name.isidentifier() or name in variables[:index]:
            reason = "stands twice" if name in variables[:index] else "is no name in formulas"
            raise ExpressionError(f"the variable {name!r} {reason}")
    return read_formula(text, variables)

"""Formulas of real variables: admitted from text, evaluated over arrays, differentiated in forward mode."""

import ast
import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from dnnexp.expression._functions import CONSTANTS, FUNCTIONS
from dnnexp.expression._grammar import MAX_DEPTH, python_expression, too_deep
from dnnexp.expression._operators import FAULTS, bounded, is_finite, power
from dnnexp.expression._source import ExpressionError, Source

ALLOWED = (
    f"allowed are the variables, numbers, {' and '.join(CONSTANTS)}, `+ - * / **`, parentheses, and the "
    f"functions {' '.join(FUNCTIONS)}"
)
Slopes = dict[int, Any]
"""The derivatives by those variables that a value depends on, by their index."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    data: float

    def value(self, x: Any) -> Any:
        return self.data

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        return self.data, {}


@dataclass(frozen=True)
class Variable:
    """A coordinate."""

    index: int

    def value(self, x: Any) -> Any:
        return x[self.index, ...]

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        return x[self.index, ...], {self.index: 1.0}


@dataclass(frozen=True)
class Sum:
    """left + sign · right."""

    left: "Term"
    right: "Term"
    sign: float

    def value(self, x: Any) -> Any:
        left, right = self.left.value(x), self.right.value(x)
        return left + right if self.sign > 0 else left - right

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        (left, by_left), (right, by_right) = self.left.dual(x), self.right.dual(x)
        slopes = dict(by_left)
        for index, slope in by_right.items():
            slopes[index] = slopes.get(index, 0.0) + self.sign * slope
        return (left + right if self.sign > 0 else left - right), slopes


@dataclass(frozen=True)
class Product:
    """left · right."""

    left: "Term"
    right: "Term"

    def value(self, x: Any) -> Any:
        return self.left.value(x) * self.right.value(x)

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        (left, by_left), (right, by_right) = self.left.dual(x), self.right.dual(x)
        slopes = {index: slope * right for index, slope in by_left.items()}
        for index, slope in by_right.items():
            slopes[index] = slopes.get(index, 0.0) + left * slope
        return left * right, slopes


@dataclass(frozen=True)
class Quotient:
    """left / right."""

    left: "Term"
    right: "Term"

    def value(self, x: Any) -> Any:
        return self.left.value(x) / self.right.value(x)

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        (left, by_left), (right, by_right) = self.left.dual(x), self.right.dual(x)
        value = left / right
        slopes = {index: slope / right for index, slope in by_left.items()}
        for index, slope in by_right.items():
            slopes[index] = slopes.get(index, 0.0) - value * slope / right
        return value, slopes


@dataclass(frozen=True)
class Power:
    """base ** exponent, with a constant exponent: so that 0 and negative bases have their derivatives."""

    base: "Term"
    exponent: float

    def value(self, x: Any) -> Any:
        return self.base.value(x) ** self.exponent

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        base, by_base = self.base.dual(x)
        outer = self.exponent * (base if self.exponent == 2 else base ** (self.exponent - 1))
        return base**self.exponent, {index: outer * slope for index, slope in by_base.items()}


@dataclass(frozen=True)
class Apply:
    """A function of the language, of one term."""

    name: str
    term: "Term"

    def value(self, x: Any) -> Any:
        return FUNCTIONS[self.name].f(x.__array_namespace__(), self.term.value(x))

    def dual(self, x: Any) -> tuple[Any, Slopes]:
        inner, by_inner = self.term.dual(x)
        xp, function = x.__array_namespace__(), FUNCTIONS[self.name]
        value = function.f(xp, inner)
        outer = function.df(xp, inner, value)
        return value, {index: outer * slope for index, slope in by_inner.items()}


Term = Number | Variable | Sum | Product | Quotient | Power | Apply


@dataclass(frozen=True)
class Formula:
    """A formula of some variables; made by `parse_formula`.

    Points are `(d, ...)`, one coordinate for each variable, real or complex arrays of any library that
    follows the array API standard.
    """

    text: str
    variables: tuple[str, ...]
    _term: Term = field(repr=False, compare=False)

    def value(self, x: Any) -> Any:
        """The value at points `(d, ...)`: `(...)`."""
        return _spread(self._term.value(x), x)

    def gradient(self, x: Any) -> Any:
        """The gradient by forward mode, exact to rounding: the shape of x."""
        _, slopes = self._term.dual(x)
        rows = [_spread(slopes.get(index, 0.0), x) for index in range(len(self.variables))]
        return x.__array_namespace__().stack(rows)


def _spread(data: Any, x: Any) -> Any:
    """A value of every point; a constant is none yet."""
    return data + 0 * x[0, ...] if isinstance(data, float | int) else data


class Reader(Source):
    """Admits the constructs of the language, and makes terms of them."""

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        super().__init__(text)
        self.variables = variables

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        if isinstance(node, ast.expr):
            raise self.error(node, f"{what}; {ALLOWED}")
        raise ExpressionError(f"{what}; {ALLOWED}")

    def term(self, node: ast.expr, depth: int = 1) -> Term:
        if depth > MAX_DEPTH:
            raise too_deep()
        match node:
            case ast.Constant(value=data) if isinstance(data, int | float) and not isinstance(data, bool):
                return self.number(node, lambda: float(data))
            case ast.Name(id=name):
                return self.named(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.product(node, Number(-1.0), self.term(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.term(operand, depth + 1)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(node, op, self.term(left, depth + 1), self.term(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.apply(node, name, self.term(argument, depth + 1))
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                self.refuse(node, f"`{name}` takes one argument")
            case ast.Call():
                self.refuse(node, f"calling {self.quote(node.func)} is not allowed")
        self.refuse(node, f"{self.quote(node)} is not allowed")

    def number(self, node: ast.expr, compute: Callable[[], Any]) -> Number:
        try:
            result = float(compute())
        except ArithmeticError as error:
            raise self.error(node, f"{FAULTS[type(error)]} in {self.quote(node)}") from None
        if not is_finite(result):
            raise self.error(node, f"{self.quote(node)} is not a finite number")
        return Number(result)

    def named(self, node: ast.expr, name: str) -> Term:
        if name in self.variables:
            return Variable(self.variables.index(name))
        if name in CONSTANTS:
            return Number(CONSTANTS[name])
        close = difflib.get_close_matches(name, self.variables, 1)
        hint = f"did you mean `{close[0]}`? " if close else ""
        raise self.error(
            node, f"`{name}` is no variable; {hint}the variables are {', '.join(self.variables)}"
        )

    def binary(self, node: ast.expr, op: ast.operator, left: Term, right: Term) -> Term:
        match op:
            case ast.Mult():
                return self.product(node, left, right)
            case ast.Pow():
                return self.power(node, left, right)
            case ast.Add() | ast.Sub():
                sign = 1.0 if isinstance(op, ast.Add) else -1.0
                if isinstance(left, Number) and isinstance(right, Number):
                    a, b = left.data, right.data
                    return self.number(node, lambda: bounded(lambda p, q: p + q, a, sign * b))
                return Sum(left, right, sign)
            case ast.Div():
                if isinstance(left, Number) and isinstance(right, Number):
                    a, b = left.data, right.data
                    return self.number(node, lambda: a / b)
                return Quotient(left, right)
        self.refuse(node, f"the operator in {self.quote(node)} is not allowed")

    def product(self, node: ast.expr, left: Term, right: Term) -> Term:
        if isinstance(left, Number) and isinstance(right, Number):
            a, b = left.data, right.data
            return self.number(node, lambda: bounded(lambda p, q: p * q, a, b))
        return Product(left, right)

    def power(self, node: ast.expr, base: Term, exponent: Term) -> Term:
        """A constant exponent is kept; any other goes through the logarithm: e^(b log a)."""
        if isinstance(exponent, Number):
            data = exponent.data
            if isinstance(base, Number):
                a = base.data
                return self.number(node, lambda: bounded(power, a, data))
            return Power(base, int(data) if data.is_integer() else data)
        if isinstance(base, Number) and base.data <= 0:
            raise self.error(node, f"the base of {self.quote(node)} must be positive for a variable exponent")
        return self.apply(node, "exp", self.product(node, exponent, self.apply(node, "log", base)))

    def apply(self, node: ast.expr, name: str, term: Term) -> Term:
        if not isinstance(term, Number):
            return Apply(name, term)
        argument = np.asarray(term.data)
        with np.errstate(all="ignore"):
            return self.number(node, lambda: FUNCTIONS[name].f(np, argument))


def read_formula(text: str, variables: tuple[str, ...]) -> Formula:
    """The formula in a text that is not too long."""
    line = text.translate({ord("\n"): " ", ord("\r"): " "})
    return Formula(text, variables, Reader(line, variables).term(python_expression(line, ALLOWED)))

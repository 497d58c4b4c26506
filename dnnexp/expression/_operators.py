"""Comparisons and arithmetic on real numbers, under limits of size."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

MAX_EXPONENT = 1000


COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.In: ("in", lambda item, container: item in container),
    ast.NotIn: ("not in", lambda item, container: item not in container),
}
ARITHMETIC: dict[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", lambda base, exponent: power(base, exponent)),
}
FAULTS: dict[type[ArithmeticError], str] = {
    ZeroDivisionError: "division by zero",
    OverflowError: f"a number too large (allowed: up to 1.79e308, exponents to {MAX_EXPONENT})",
    ArithmeticError: "a result that is not a real number",
}


def is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an int that no float holds
        return False


def bounded(function: Callable[..., Any], *numbers: float) -> Any:
    result = function(*numbers)
    if isinstance(result, complex):
        raise ArithmeticError
    if not is_finite(result) and all(map(is_finite, numbers)):
        raise OverflowError
    return result


def power(base: float, exponent: float) -> Any:
    if abs(exponent) > MAX_EXPONENT:  # before Python spends minutes on an exact integer
        raise OverflowError
    return base**exponent

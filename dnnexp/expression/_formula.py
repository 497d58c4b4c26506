"""Formulas of real variables: admitted from text, evaluated over arrays, differentiated in forward mode."""

import ast
import difflib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, NoReturn

from dnnexp.expression._grammar import MAX_DEPTH, REFUSED, python_expression, read, too_deep
from dnnexp.expression._graph import Graph, Node
from dnnexp.expression._operations import CONSTANTS, FUNCTIONS
from dnnexp.expression._program import Program
from dnnexp.expression._source import ExpressionError, Source

SEVERAL = ("min", "max")  # functions of two arguments or more; the others have one
ALLOWED = (
    f"allowed are the variables, numbers, {' and '.join(CONSTANTS)}, `+ - * / **`, parentheses, and the "
    f"functions {' '.join(FUNCTIONS)}"
)
ALSO_CALLED = {"ln": "log", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}  # by others
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True)
class Formula:
    """A formula of some variables; made by `parse_formula`.

    Points are `(d, ...)`, one coordinate for each variable, real or complex arrays of any library that
    follows the array API standard. Undefined values (1/0, the log of a negative number) are inf or NaN, with
    the warning that the array library gives. At a kink of abs, min, max or a root of squares the derivative
    is the mean of those to both sides: 0 for abs at 0.
    """

    text: str
    variables: tuple[str, ...]
    _node: Node = field(repr=False, compare=False)

    def value(self, x: Any) -> Any:
        """The value at points `(d, ...)`: `(...)`."""
        (value,) = self._value(x)
        if type(value) is float:  # not numpy's float64, which is a subclass
            return x.__array_namespace__().full(x.shape[1:], value, dtype=x.dtype)
        return value if self._node.operation else +value  # a copy, not a view of the points

    def gradient(self, x: Any) -> Any:
        """The gradient by forward mode, exact to rounding: the shape of x."""
        xp = x.__array_namespace__()
        row = (1, *x.shape[1:])
        rows = [
            xp.full(row, slope, dtype=x.dtype) if type(slope) is float else slope[None, ...]
            for slope in self._gradient(x)
        ]
        return xp.concat(rows)  # quicker than stack

    @cached_property
    def _value(self) -> Program:
        return Program([self._node])

    @cached_property
    def _gradient(self) -> Program:
        graph = self._node.graph
        slopes = graph.slopes(self._node)
        return Program([slopes.get(index, graph.node(0.0)) for index in range(len(self.variables))])

    def __reduce__(self) -> Any:
        """Its text: what is made of that is neither small nor fit for another process."""
        return parse_formula, (self.text, self.variables)


def parse_formula(text: str, variables: Sequence[str]) -> Formula:
    """The formula of some variables in a text, or ExpressionError if it is not one.

    The language is that of the variables, numbers, pi and e, `+ - * / **`, and the functions; what it shares
    with that of `parse` means the same there.
    """
    if not variables:
        raise ExpressionError("a formula needs a variable")
    for _, message in variable_faults(variables):
        raise ExpressionError(message)
    line, body = read(text, ALLOWED)
    return Formula(text, tuple(variables), Reader(line, variables).node(body))


def variable_faults(variables: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What is wrong with names of variables, by their index."""
    for index, name in enumerate(variables):
        if name in FUNCTIONS or name in CONSTANTS:
            kind = "function" if name in FUNCTIONS else "constant"
            yield index, f"the variable {name!r} has the name of a {kind}; choose another"
        elif name in variables[:index]:
            yield index, f"the variable {name!r} stands twice; each may stand once"
        elif not is_name(name):
            allowed = "allowed are letters, digits and _, and no word of Python's"
            yield index, f"the variable {name!r} cannot be named in formulas; {allowed}"


def is_name(text: str) -> bool:
    """Whether a formula can speak of something by that name."""
    try:
        body = python_expression(text)
    except ExpressionError:
        return False
    return isinstance(body, ast.Name) and body.id == text and not text.startswith("__")


class Reader(Source):
    """Admits the constructs of the language, and makes nodes of them."""

    def __init__(self, text: str, variables: Sequence[str]) -> None:
        super().__init__(text)
        self.graph = Graph()
        self.places = {name: index for index, name in enumerate(variables)}

    def node(self, expr: ast.expr, depth: int = 1) -> Node:
        if depth > MAX_DEPTH:
            raise too_deep()
        found = self.made(expr, depth)
        if found.number is not None and not math.isfinite(found.number):
            kind = "a real number" if math.isnan(found.number) else "a finite number (up to 1.79e308)"
            raise self.error(expr, f"{self.quote(expr)} is not {kind}")
        return found

    def made(self, expr: ast.expr, depth: int) -> Node:
        match expr:
            case ast.Constant(value=int() | float() as data) if not isinstance(data, bool):
                return self.number(data)
            case ast.Name(id=name):
                return self.named(expr, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.node(operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand, depth + 1)
            case ast.BinOp(op=op) if isinstance(op, OPERATORS):
                return self.binary(expr, depth)
            case ast.Call():
                return self.call(expr, depth)
        self.refuse(expr)

    def refuse(self, expr: ast.expr, construct: str = "") -> NoReturn:
        kind = type(expr.value if isinstance(expr, ast.Constant) else getattr(expr, "op", expr)).__name__
        construct = construct or REFUSED.get(kind, "")
        where = f"{construct} is not allowed, in {self.quote(expr)}" if construct else ""
        raise self.error(expr, f"{where or f'{self.quote(expr)} is not allowed'}; {ALLOWED}")

    def number(self, data: float) -> Node:
        try:
            return self.graph.node(float(data))
        except OverflowError:  # an int that no float holds
            return self.graph.node(math.inf)

    def named(self, expr: ast.expr, name: str) -> Node:
        if name in self.places:
            return self.graph.variable(self.places[name])
        if name in CONSTANTS:
            return self.graph.node(CONSTANTS[name])
        what = "is a function, to be called with an argument" if name in FUNCTIONS else "is not a variable"
        near = "" if name in FUNCTIONS else hint(name, [*self.places, *CONSTANTS])
        allowed = f"{near}the variables are {', '.join(self.places)}"
        raise self.error(expr, f"`{name}` {what}; {allowed}")

    def binary(self, expr: ast.BinOp, depth: int) -> Node:
        # Long sums and products lean to the left; they are bounded by the number of parts.
        left = self.node(expr.left, depth + (not isinstance(expr.left, ast.BinOp)))
        right = self.node(expr.right, depth + 1)
        match expr.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div() if right.number == 0:
                raise self.error(expr, f"division by zero in {self.quote(expr)}")
            case ast.Div():
                return left / right
        if left.number is not None and left.number <= 0 and right.number is None:
            raise self.error(expr, f"{self.quote(expr)} has no derivative; a constant base must be positive")
        return left**right

    def call(self, expr: ast.Call, depth: int) -> Node:
        name = expr.func.id if isinstance(expr.func, ast.Name) else ""
        if name not in FUNCTIONS:
            near = hint(name, FUNCTIONS)
            raise self.error(expr, f"calling {self.quote(expr.func)} is not allowed; {near}{ALLOWED}")
        if expr.keywords:
            self.refuse(expr, "an argument by keyword")
        allowed = "two or more" if name in SEVERAL else "one"
        if not expr.args or (len(expr.args) > 1) != (name in SEVERAL):
            raise self.error(expr, f"`{name}` has {len(expr.args)} arguments; allowed: {allowed}")
        arguments = [self.node(argument, depth + 1) for argument in expr.args]
        if name in SEVERAL:
            return reduce(lambda left, right: self.graph.apply(name, left, right), arguments)
        return self.graph.apply(name, *arguments)


def hint(name: str, known: Sequence[str] | dict[str, Any]) -> str:
    close = difflib.get_close_matches(ALSO_CALLED.get(name, name.lower()), known, 1)
    return f"did you mean `{close[0]}`? " if close else ""

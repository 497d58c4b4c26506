"""The operations of formulas, each beside its derivative.

An operation has one operand or two: arrays, of which one may be a plain number. Its `tangents`, one an
operand, continue the chain rule: from the tangent t of that operand and the node f of the operation they
make the node of t · ∂f/∂operand.

Points may be complex. What chooses between two branches is the real part, so that the complex step holds.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

Node = Any
"""A node of `dnnexp.expression._graph`: arithmetic on it makes further nodes."""
Tangent = Callable[[Node, Node], Node]


@dataclass(frozen=True)
class Operation:
    """Which function of an array namespace computes it, and how a tangent of each operand goes on."""

    of: Callable[[Any], Callable[..., Any]]
    tangents: tuple[Tangent, ...] = ()


def _elementary(of: Callable[[Any], Callable[[Any], Any]], slope: Callable[[Node, Node], Node]) -> Operation:
    """A function of one operand; its derivative is made of that and of its own value."""
    return Operation(of, (lambda t, f: t * slope(f.operands[0], f),))


def _extreme(sign: int) -> Operation:
    """The larger (sign 1) or the smaller (−1) of two operands; NaN where one of them is."""

    def compute(xp: Any, a: Any, b: Any) -> Any:
        if not _is_complex(xp, (b if type(a) is float else a).dtype):
            return xp.maximum(a, b) if sign > 0 else xp.minimum(a, b)
        lead = sign * (b - a)
        return xp.where(xp.real(lead) > 0, b, xp.where(xp.real(lead) <= 0, a, lead))

    def through(own: int) -> Tangent:
        def tangent(t: Node, f: Node) -> Node:
            a, b = f.operands[own], f.operands[1 - own]
            return f.apply("share", t, a - b if sign > 0 else b - a)

        return tangent

    return Operation(lambda xp: partial(compute, xp), (through(0), through(1)))


def _share(xp: Any, t: Any, lead: Any) -> Any:
    """The tangent of the operand that leads, half of it where both are equal; the other's does not count."""
    zero = xp.zeros_like(lead)
    t, lead = t + zero, _real(xp, lead)
    return xp.where(lead < 0, zero, xp.where(lead > 0, t, t / 2))


def _sign(xp: Any, v: Any) -> Any:
    """The sign of the real part; 0 at 0."""
    return xp.astype(xp.sign(_real(xp, v)), v.dtype)


def _absolute(xp: Any, v: Any) -> Any:
    return _sign(xp, v) * v if _is_complex(xp, v.dtype) else xp.abs(v)


def _real(xp: Any, v: Any) -> Any:
    return xp.real(v) if _is_complex(xp, v.dtype) else v


@lru_cache(maxsize=64)  # the namespace's own answer costs more than a step of a formula
def _is_complex(xp: Any, dtype: Any) -> bool:
    return bool(xp.isdtype(dtype, "complex floating"))


def _cube(v: Any) -> Any:
    return v * v * v


def _power_by_base(t: Node, f: Node) -> Node:
    base, exponent = f.operands
    if exponent.number is None:
        return t * f.apply("power_slope", base, exponent)
    slope = exponent * base ** (exponent.number - 1)
    return _steep(t, slope) if 0 < exponent.number < 1 else t * slope


def _steep(t: Node, slope: Node) -> Node:
    """The product with a slope that is infinite at 0: a root of what has itself the slope 0 there, as a norm.

    There 0 is the mean of the derivatives to both sides of √(x²), and the derivative of √(x³).
    """
    return t * slope if t.number is not None else t.apply("steep", t, slope)


def _power_slope(xp: Any, a: Any, b: Any) -> Any:
    """The derivative of aᵇ by a, b aᵇ⁻¹; 0 for b = 0, also at a = 0."""
    return xp.where(b == 0, b, b * xp.pow(a, b - 1))


def _power_by_exponent(t: Node, f: Node) -> Node:
    base = f.operands[0]
    if base.number is None:
        return t * f.apply("exponential_slope", base, f)
    return t * (f * math.log(base.number))


def _exponential_slope(xp: Any, a: Any, f: Any) -> Any:
    """The derivative of f = aᵇ by b, f log a; 0 where f is 0, also at a = 0."""
    return xp.where(f == 0, f, f * xp.log(a))


ARITHMETIC: dict[str, Operation] = {
    "negative": Operation(lambda xp: operator.neg, (lambda t, f: -t,)),
    "add": Operation(lambda xp: operator.add, (lambda t, f: t, lambda t, f: t)),
    "subtract": Operation(lambda xp: operator.sub, (lambda t, f: t, lambda t, f: -t)),
    "multiply": Operation(
        lambda xp: operator.mul,
        (lambda t, f: t * f.operands[1], lambda t, f: f.operands[0] * t),
    ),
    "divide": Operation(
        lambda xp: operator.truediv,
        (lambda t, f: t / f.operands[1], lambda t, f: -(f * t / f.operands[1])),
    ),
    "power": Operation(lambda xp: xp.pow, (_power_by_base, _power_by_exponent)),
    "square": _elementary(lambda xp: xp.square, lambda v, f: 2.0 * v),
    "cube": _elementary(lambda xp: _cube, lambda v, f: 3.0 * v**2),
    # parts of derivatives
    "sign": Operation(lambda xp: partial(_sign, xp)),
    "steep": Operation(lambda xp: lambda t, slope: xp.where(t == 0, t, t * slope)),
    "share": Operation(lambda xp: partial(_share, xp)),
    "power_slope": Operation(lambda xp: partial(_power_slope, xp)),
    "exponential_slope": Operation(lambda xp: partial(_exponential_slope, xp)),
}
FUNCTIONS: dict[str, Operation] = {
    "sqrt": Operation(lambda xp: xp.sqrt, (lambda t, f: _steep(t, 0.5 / f),)),
    "exp": _elementary(lambda xp: xp.exp, lambda v, f: f),
    "log": _elementary(lambda xp: xp.log, lambda v, f: 1.0 / v),
    "log10": _elementary(lambda xp: xp.log10, lambda v, f: 1.0 / (math.log(10) * v)),
    "sin": _elementary(lambda xp: xp.sin, lambda v, f: v.apply("cos", v)),
    "cos": _elementary(lambda xp: xp.cos, lambda v, f: -v.apply("sin", v)),
    "tan": _elementary(lambda xp: xp.tan, lambda v, f: 1.0 + f**2),
    "arcsin": _elementary(lambda xp: xp.asin, lambda v, f: 1.0 / ((1.0 - v) * (1.0 + v)) ** 0.5),
    "arccos": _elementary(lambda xp: xp.acos, lambda v, f: -1.0 / ((1.0 - v) * (1.0 + v)) ** 0.5),
    "arctan": _elementary(lambda xp: xp.atan, lambda v, f: 1.0 / (1.0 + v**2)),
    "sinh": _elementary(lambda xp: xp.sinh, lambda v, f: v.apply("cosh", v)),
    "cosh": _elementary(lambda xp: xp.cosh, lambda v, f: v.apply("sinh", v)),
    # not 1 − f², whose digits cancel in the tails
    "tanh": _elementary(lambda xp: xp.tanh, lambda v, f: 1.0 / v.apply("cosh", v) ** 2),
    "abs": _elementary(lambda xp: partial(_absolute, xp), lambda v, f: v.apply("sign", v)),
    "min": _extreme(-1),
    "max": _extreme(1),
}
OPERATIONS = ARITHMETIC | FUNCTIONS
CONSTANTS = {"pi": math.pi, "e": math.e}

"""The functions and constants of formulas, each function beside its derivative."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    """f of an array namespace and an argument; df of those and of f's value."""

    f: Callable[[Any, Any], Any]
    df: Callable[[Any, Any, Any], Any]


def _sign(xp: Any, v: Any) -> Any:
    """The sign of the real part; 0 at 0, where |v| has its kink."""
    if xp.isdtype(v.dtype, "complex floating"):
        return xp.astype(xp.sign(xp.real(v)), v.dtype)
    return xp.sign(v)


FUNCTIONS: dict[str, Function] = {
    "sqrt": Function(lambda xp, v: xp.sqrt(v), lambda xp, v, f: 0.5 / f),
    "exp": Function(lambda xp, v: xp.exp(v), lambda xp, v, f: f),
    "log": Function(lambda xp, v: xp.log(v), lambda xp, v, f: 1 / v),
    "sin": Function(lambda xp, v: xp.sin(v), lambda xp, v, f: xp.cos(v)),
    "cos": Function(lambda xp, v: xp.cos(v), lambda xp, v, f: -xp.sin(v)),
    "tan": Function(lambda xp, v: xp.tan(v), lambda xp, v, f: 1 + f * f),
    "arctan": Function(lambda xp, v: xp.atan(v), lambda xp, v, f: 1 / (1 + v * v)),
    "sinh": Function(lambda xp, v: xp.sinh(v), lambda xp, v, f: xp.cosh(v)),
    "cosh": Function(lambda xp, v: xp.cosh(v), lambda xp, v, f: xp.sinh(v)),
    "tanh": Function(lambda xp, v: xp.tanh(v), lambda xp, v, f: 1 / xp.cosh(v) ** 2),
    "abs": Function(lambda xp, v: _sign(xp, v) * v, lambda xp, v, f: _sign(xp, v)),
}
CONSTANTS = {"pi": math.pi, "e": math.e}

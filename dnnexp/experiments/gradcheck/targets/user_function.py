"""A function of the user's, with the gradient and the points that its plugin gives it.

The target is `function:mine.rosen`: the plugin mine.py and the path of attributes to a function in it;
`rosen` is enough where one plugin is loaded. It returns one number.

**Gradient.** One of `rosen_gradient`, `rosen_grad`, `grad_rosen`, `gradient_rosen`, `rosen_jacobian`,
`rosen_jac`, `rosen_prime`, `rosen_der` (scipy's name) and `d_rosen` beside it, or an attribute
`rosen.gradient` or `rosen.grad`, or the function itself returns the pair (value, gradient), as with scipy's
`jac=True`; `gradient: mine.my_slope` names it explicitly. It has the shape of the point; `(1, d)` and
`(d, 1)` count as `(d,)`, which is noted.

**Points.** The config's `points`, a list; else, in the plugin, `rosen_points`, a list of points, or one
point, `rosen_x0`, `rosen_point` or `x0`; else three standard normal points of the config's `dimension`; else
of the first dimension of 2, 3, 1, 4, 5, …, 10, or one plain number, for which both calls give finite results
of fitting shapes.

**Arguments.** A point in the plugin is an array of any shape; or a tuple or dict of arrays, and the function
takes each as an argument of its own, by place or by name (all in one argument, if it needs one only); the
gradient returns a tuple or dict likewise. A function of several arguments without such a point takes a number
for each. A function of one `float` takes a Python float: if it is annotated so or its points are numbers.

Every call gets fresh copies of the point, and what it prints goes to standard error.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Numbers
from dnnexp.experiments.gradcheck.targets.user_calls import (
    Arguments,
    Called,
    Shape,
    TargetError,
    call,
    scalar,
    slopes,
)
from dnnexp.experiments.gradcheck.targets.user_names import ATTRIBUTES, GRADIENTS, Resolved, resolve
from dnnexp.experiments.gradcheck.targets.user_points import Start, read_points

__all__ = ["Resolved", "TargetError", "UserFunction", "prepare", "resolve"]

NORMAL_POINTS = 3
_GUESSES = (2, 3, 1, 4, 5, 6, 7, 8, 9, 10)


@dataclass(frozen=True, eq=False)
class UserFunction:
    """A function, the gradient that it claims, and where to check it.

    Attributes:
        name: such as `mine.rosen`.
        function: what is called for a value; where it is the slope, too, it returns the pair of both.
        slope_name: the gradient's name.
        slope: what is called for a gradient.
        arguments: how x is handed over.
        points: `(d, N)`.
        narrow: the dtype of the plugin's points, if it is a narrow one.
        is_pair: whether `function` returns a pair.
    """

    name: str
    function: Callable[..., Any]
    slope_name: str
    slope: Callable[..., Any]
    arguments: Arguments
    points: Floats
    narrow: str = ""
    is_pair: bool = False

    @property
    def parts(self) -> tuple[tuple[str, Shape], ...]:
        """The names and shapes of the arrays that it is differentiated by."""
        return tuple(zip(self.arguments.names, self.arguments.shapes, strict=True))

    def value(self, x: Numbers) -> float | complex:
        """f at one point: `(d,)` to a number, which is complex only where x is.

        Raises:
            TargetError: the user's code raised an exception, or returned no such number.
        """
        found = scalar(self.call_function(x).result, self.name, np.iscomplexobj(x))
        return complex(found) if np.iscomplexobj(found) else float(found)

    def gradient(self, x: Floats) -> Floats:
        """The claimed gradient at one point: `(d,)` to `(d,)`.

        Raises:
            TargetError: the user's code raised an exception, or returned no such thing.
        """
        found = slopes(self.call_slope(x).result, self.slope_name, self.arguments)
        return np.concatenate([part.astype(np.float64).ravel() for part in found])

    def call_function(self, x: Numbers) -> Called:
        """The value as it is returned."""
        called = call(self.function, self.name, self.arguments, x)
        return self._picked(called, 0) if self.is_pair else called

    def call_slope(self, x: Floats) -> Called:
        """The gradient as it is returned."""
        called = call(self.slope, self.slope_name, self.arguments, x)
        return self._picked(called, 1) if self.is_pair and self.slope == self.function else called

    def describe_point(self, n: int) -> str:
        """The n-th point in short: `x = [0.5, -1, …]`."""
        x = self.points[:, n]
        numbers = [f"{number:.4g}" for number in x[:4]] + ["…"] * (len(x) > 4)
        return f"{', '.join(self.arguments.names)} = [{', '.join(numbers)}]"

    def _picked(self, called: Called, index: int) -> Called:
        if not _is_pair(called.result):
            raise TargetError(f"{self.name} returned the pair (value, gradient) at one point, not at another")
        return Called(called.result[index], called.changed)


def _is_pair(result: Any) -> bool:
    return isinstance(result, tuple) and len(result) == 2


def prepare(
    resolved: Resolved,
    points: Sequence[Any] | None = None,
    dimension: int | None = None,
    generator: np.random.Generator | None = None,
) -> UserFunction:
    """Call the function and its gradient once at every point, and settle what they are called with.

    Args:
        resolved: the names' meaning.
        points: the config's, each a list of numbers, or a number.
        dimension: that of random points.
        generator: where these come from.

    Raises:
        TargetError: there is no gradient, it does not fit the function, or nothing says where to call them.
    """
    if points is not None:
        start = _configured(resolved, points)
    elif resolved.start is not None:
        start, size = resolved.start, resolved.start.arguments.size
        if dimension not in (None, size):
            raise TargetError(f"dimension is {dimension}, but {resolved.start_name} has {size} numbers")
    elif dimension is None and len(resolved.signature.needed) == 1:
        return _guessed(resolved, generator)
    else:
        return _random(resolved, dimension, generator)
    return _tried(resolved, start)


def _configured(resolved: Resolved, points: Sequence[Any]) -> Start:
    """The config's points, which are vectors or numbers."""
    if resolved.start is not None:
        own = resolved.start.arguments
        if not (own.is_one and len(own.shapes[0]) == 1) and any(own.shapes):
            parts = ", ".join(f"{name} {shape}" for name, shape in zip(own.names, own.shapes, strict=True))
            raise TargetError(
                f"points are for functions of one vector, but {resolved.start_name} has {parts}: give "
                f"several as {resolved.name}_points in the plugin"
            )
    return read_points(points, "points", resolved.signature)


def _random(resolved: Resolved, dimension: int | None, generator: np.random.Generator | None) -> UserFunction:
    """At standard normal points of a given dimension."""
    needed = len(resolved.signature.needed)
    if needed > 1 and dimension not in (None, needed):
        takes = ", ".join(resolved.signature.needed)
        raise TargetError(f"dimension is {dimension}, but {resolved.name} takes {needed} arguments: {takes}")
    if resolved.signature.takes_number and dimension != 1:
        raise TargetError(f"dimension is {dimension}, but {resolved.name} takes one float")
    d = dimension or needed
    normal = _normal(d, generator, resolved.name)
    ways = list(_ways(resolved, d))
    for arguments in ways[:-1]:
        found = _attempt(resolved, Start(arguments, normal))
        if isinstance(found, UserFunction):
            return found
    return _tried(resolved, Start(ways[-1], normal))


def _guessed(resolved: Resolved, generator: np.random.Generator | None) -> UserFunction:
    """In the first dimension that fits; its points are those of the same dimension given."""
    normal = _normal(max(_GUESSES), generator, resolved.name)
    ways = [way for d in _GUESSES for way in _ways(resolved, d)]
    reasons = []
    for arguments in sorted(ways, key=_is_number):  # a plain number last
        found = _attempt(resolved, Start(arguments, normal[: arguments.size]))
        if isinstance(found, UserFunction):
            return found
        reasons.append((arguments, found))
    arguments, reason = reasons[0]
    given = "one float" if arguments.numbers else f"d = {arguments.size}"
    raise TargetError(
        f"{resolved.name} fits no dimension from 1 to {max(_GUESSES)} (with {given}: {reason}); give points "
        f"or a dimension in the config, or {resolved.name}_x0 in the plugin"
    )


def _is_number(arguments: Arguments) -> bool:
    return arguments.numbers


def _normal(d: int, generator: np.random.Generator | None, name: str) -> Floats:
    if generator is None:
        raise TargetError(f"{name} has no points: give points in the config, or {name}_x0 in the plugin")
    return generator.standard_normal((d, NORMAL_POINTS))


def _ways(resolved: Resolved, d: int) -> Iterator[Arguments]:
    """A vector of d numbers; for d = 1 one plain number, too."""
    vector = resolved.signature.vector((d,))
    if not (resolved.signature.takes_number and d > 1):
        yield vector
    if d == 1 and not vector.numbers:
        yield resolved.signature.vector((1,), is_number=True)


def _attempt(resolved: Resolved, start: Start) -> UserFunction | str:
    """The function if all is well and finite at the points, else what is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # math.sin of an array of one number
        try:
            found = _first_called(resolved, start)
            if _called_everywhere(found):
                return found
        except TargetError as error:
            return str(error)
    return "the value or the gradient is not finite"


def _tried(resolved: Resolved, start: Start) -> UserFunction:
    """The function, after one call of it and of its gradient at every point."""
    found = _first_called(resolved, start)
    _called_everywhere(found)
    return found


def _called_everywhere(found: UserFunction) -> bool:
    """Call the function and its gradient at every point: whether all results are finite.

    Raises:
        TargetError: a call fails; the message has the point.
    """
    finite = True
    for n, x in enumerate(found.points.T):
        try:
            finite &= bool(np.isfinite(found.value(x)) & np.isfinite(found.gradient(x)).all())
        except TargetError as error:
            raise TargetError(
                f"{error}; at point {n}, {found.describe_point(n)}" if n else str(error)
            ) from None
    return finite


def _first_called(resolved: Resolved, start: Start) -> UserFunction:
    """The function, after one call of it at the first point, which shows whether it returns a pair."""
    x = start.points[:, 0]
    is_pair = _is_pair(call(resolved.function, resolved.name, start.arguments, x).result)
    if not is_pair and resolved.slope is None:
        raise TargetError(_without_gradient(resolved))
    if is_pair and resolved.slope is not None and not resolved.is_explicit:
        raise TargetError(
            f"{resolved.name} has two gradients, {resolved.slope_name} and the second of the pair that it "
            f"returns: name one as its `gradient`, {resolved.slope_name} or {resolved.name}"
        )
    return UserFunction(
        resolved.name,
        resolved.function,
        resolved.slope_name,
        resolved.function if resolved.slope is None else resolved.slope,
        start.arguments,
        start.points,
        start.narrow,
        is_pair,
    )


def _without_gradient(resolved: Resolved) -> str:
    leaf = resolved.name.rpartition(".")[2]
    names = [pattern.format(leaf) for pattern in GRADIENTS] + [f"{leaf}.{name}" for name in ATTRIBUTES]
    return (
        f"{resolved.name} has no gradient: there is none of {', '.join(names)}, it returns no pair (value, "
        "gradient), and none is named as its `gradient`"
    )

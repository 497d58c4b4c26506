"""Calls of the user's code: fresh arguments, exceptions with the user's line, conversion of results."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np

from dnnexp import registry
from dnnexp.core.arrays import Numbers
from dnnexp.experiments.base import UserCodeError

Shape: TypeAlias = tuple[int, ...]
Style = Literal["positional", "keyword", "tuple", "dict"]


class TargetError(UserCodeError):
    """The user's function cannot be found, called or understood."""


@dataclass(frozen=True)
class Arguments:
    """How a vector x `(d,)` is handed to a function, and a derivative by it is handed back.

    Attributes:
        names: of the arrays that x is made of.
        shapes: of these arrays; one vector has `(d,)`, one number `(1,)`.
        style: each array an argument, by place or by name, or one tuple or dict of them all.
        numbers: whether each array is a single Python number.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    style: Style = "positional"
    numbers: bool = False

    @property
    def places(self) -> tuple[tuple[str, slice, Shape], ...]:
        """Every array's name, place among the d coordinates, and shape."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes]).tolist()
        starts = [0, *ends[:-1]]
        return tuple(
            (name, slice(start, end), shape)
            for name, start, end, shape in zip(self.names, starts, ends, self.shapes, strict=True)
        )

    @property
    def size(self) -> int:
        """The number of coordinates, d."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def size_of(self, name: str) -> int:
        """The number of entries of one of the arrays."""
        return int(np.prod(self.shapes[self.names.index(name)]))

    @property
    def is_one(self) -> bool:
        """Whether the function takes one array, and no tuple or dict."""
        return len(self.names) == 1 and self.style in ("positional", "keyword")

    def arrays(self, x: Numbers) -> list[Any]:
        """Fresh copies of the parts of x."""
        parts = [np.array(x[place]).reshape(shape) for _, place, shape in self.places]
        return [part.item() for part in parts] if self.numbers else parts

    def passed(self, arrays: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and the keyword arguments."""
        named = dict(zip(self.names, arrays, strict=True))
        if self.style == "keyword":
            return [], named
        return ([tuple(arrays)] if self.style == "tuple" else [named] if self.style == "dict" else arrays), {}


@dataclass(frozen=True)
class Called:
    """What a call returned, and how many entries of which arguments it changed."""

    result: Any
    changed: tuple[tuple[str, int], ...]


def call(function: Callable[..., Any], name: str, arguments: Arguments, x: Numbers) -> Called:
    """Call the user's function at x `(d,)`, with copies; what it prints goes to standard error.

    Raises:
        TargetError: it raised an exception; the message has its line.
    """
    arrays = arguments.arrays(x)
    before = [np.array(array) for array in arrays]
    positional, named = arguments.passed(arrays)
    guard = _no_cast_to_real() if np.iscomplexobj(x) else nullcontext()
    try:
        with guard, np.errstate(all="ignore"), redirect_stdout(sys.stderr):
            result = function(*positional, **named)
    except (Exception, SystemExit) as error:
        raise TargetError(f"{name}: {_place(error)}{type(error).__name__}: {error}") from None
    counts = [_differing(old, new) for old, new in zip(before, arrays, strict=True)]
    return Called(result, tuple((n, c) for n, c in zip(arguments.names, counts, strict=True) if c))


@contextmanager
def _no_cast_to_real() -> Iterator[None]:
    """To lose an imaginary part, which holds the derivative, is an error, as in `math.exp` of 1 + ih."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield


def _place(error: BaseException) -> str:
    """`FILE:LINE: ` of the last line of a plugin, or of the called function's file, that the error passed."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is ours
    if not frames:
        return ""
    files = set(registry.plugin_files())
    own = [frame for frame in frames if frame.filename in files]
    last = (own or [frame for frame in frames if frame.filename == frames[0].filename])[-1]
    file, line = last.filename, last.lineno
    near = os.path.relpath(file) if os.path.isabs(file) else file
    return f"{file if near.startswith(os.pardir) else near}:{line}: "


def _differing(old: Numbers, new: Any) -> int:
    new = np.asarray(new)
    if old.shape != new.shape:
        return max(old.size, 1)
    return int(np.sum((old != new) & ~(np.isnan(old) & np.isnan(new))))


def numeric(result: Any, what: str, is_complex: bool = False) -> Numbers:
    """A result as an array of real numbers, or complex ones where they may be, of its own dtype.

    Raises:
        TargetError: it is none.
    """
    try:
        array = np.asarray(result)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise TargetError(f"{what} is not an array of numbers but {_kind(result)}: {reason}") from None
    if array.dtype == object and array.size and all(isinstance(number, Real) for number in array.flat):
        array = array.astype(np.float64)
    if array.dtype.kind not in ("fiuc" if is_complex else "fiu"):
        kind = _kind(result) if array.dtype == object else f"{_kind(result)} of dtype {array.dtype}"
        raise TargetError(f"{what} must be real numbers, but is {kind}")
    return array


def _kind(result: Any) -> str:
    return "None" if result is None else f"a {type(result).__name__}"


def scalar(result: Any, name: str, is_complex: bool = False) -> Numbers:
    """A function's value, of its own dtype, `()`.

    Raises:
        TargetError: it is not one number, or a complex one where it must be real.
    """
    array = numeric(result, f"{name}: the value", is_complex)
    if array.size != 1:
        raise TargetError(
            f"{name}: the value has shape {array.shape}; only scalar functions are checked, which return one "
            "number, as a float or an array of size 1"
        )
    return array.reshape(())


def slopes(result: Any, name: str, arguments: Arguments) -> list[Numbers]:
    """A function's gradient: an array for each of the arguments, of their shapes, of its own dtypes.

    Raises:
        TargetError: a part is not an array of that shape.
    """
    found = []
    arrays = as_returned(result, name, arguments)
    for array, argument, shape in zip(arrays, arguments.names, arguments.shapes, strict=True):
        if not _fits(array.shape, shape):
            raise TargetError(f"{name}: the gradient by {argument} has shape {array.shape}, expected {shape}")
        found.append(array.reshape(shape))
    return found


def as_returned(result: Any, name: str, arguments: Arguments) -> list[Numbers]:
    """The gradient by each of the arguments, of whatever shapes.

    Raises:
        TargetError: the gradient is not numeric, or has not one array per argument.
    """
    parts = [result] if arguments.is_one else _separate(result, name, arguments)
    return [
        numeric(part, f"{name}: the gradient by {argument}")
        for part, argument in zip(parts, arguments.names, strict=True)
    ]


def _separate(result: Any, name: str, arguments: Arguments) -> Sequence[Any]:
    """The gradient by each of several arguments, from a dict, a tuple or anything like it."""
    names = arguments.names
    if isinstance(result, Mapping):
        if set(result) != set(names):
            got = ", ".join(map(str, result))
            raise TargetError(f"{name}: the gradient has the keys {got}, expected {', '.join(names)}")
        return [result[key] for key in names]
    try:
        parts = list(result)
    except TypeError:
        parts = [result]
    if len(parts) != len(names):
        raise TargetError(
            f"{name}: the gradient is {_kind(result)} of length {len(parts)}, expected a tuple of "
            f"{len(names)}: by {', '.join(names)}"
        )
    return parts


def _fits(got: Shape, expected: Shape) -> bool:
    """Whether the shapes are equal, or both those of one vector or one number."""
    if got == expected or (len(expected) <= 1 and np.prod(expected) == 1 and np.prod(got) == 1):
        return True
    return len(expected) == 1 and got in ((1, *expected), (*expected, 1))

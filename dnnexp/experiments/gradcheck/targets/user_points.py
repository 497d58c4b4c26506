"""The points of a user's function, as a plugin or a config gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Numbers
from dnnexp.experiments.gradcheck.targets.user_calls import Arguments, Shape, Style, TargetError, numeric

_NARROW = ("float32", "float16")


@dataclass(frozen=True)
class Signature:
    """What a function takes: all its positional parameters, how many it needs, and whether one float."""

    name: str
    names: tuple[str, ...]
    required: int
    takes_number: bool = False

    @classmethod
    def of(cls, function: Callable[..., Any], name: str) -> Signature:
        """That of a function; one that cannot be read counts as `(x)`.

        Raises:
            TargetError: it needs keyword arguments.
        """
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return cls(name, ("x",), 1)
        placed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        needed = [p for p in placed if p.default is p.empty]
        for p in parameters:
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty:
                raise TargetError(f"{name} needs the keyword argument {p.name!r}: give it a default")
        if not placed and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            raise TargetError(f"{name} takes no argument, expected one or more")
        is_number = len(needed) == 1 and needed[0].annotation in (float, "float")
        return cls(name, tuple(p.name for p in placed) or ("x",), len(needed), is_number)

    @property
    def needed(self) -> tuple[str, ...]:
        """The parameters that are differentiated by where no point says otherwise: one or more."""
        return self.names[: max(self.required, 1)]

    def vector(self, shape: Shape, is_number: bool = False) -> Arguments:
        """One array, or as many numbers as there are needed parameters."""
        if len(self.needed) > 1:
            return Arguments(self.needed, ((),) * len(self.needed), numbers=True)
        return Arguments(self.needed, (shape,), numbers=is_number or (self.takes_number and shape == (1,)))


@dataclass(frozen=True, eq=False)
class Start:
    """Points `(d, N)`, how they are handed over, and the dtype they had if it is a narrow one."""

    arguments: Arguments
    points: Floats
    narrow: str = ""


def read_points(given: Any, name: str, signature: Signature) -> Start:
    """A list of points, of one form all."""
    try:
        points = [read_start(point, f"{name}[{i}]", signature) for i, point in enumerate(given)]
    except TypeError:
        raise TargetError(f"{name} must be a list of points, but is a {type(given).__name__}") from None
    if isinstance(given, Mapping) or not points:
        raise TargetError(f"{name} must be a list of at least one point")
    first = points[0].arguments
    for i, point in enumerate(points):
        if point.arguments != first:
            other = point.arguments
            raise TargetError(
                f"{name}[{i}] has {_told(other)}, but {name}[0] has {_told(first)}: all points must be alike"
            )
    return Start(first, np.concatenate([point.points for point in points], axis=1), points[0].narrow)


def _told(arguments: Arguments) -> str:
    return ", ".join(f"{n} {s}" for n, s in zip(arguments.names, arguments.shapes, strict=True))


def read_start(given: Any, name: str, signature: Signature) -> Start:
    """One point: an array of any shape, or a tuple or dict of arrays.

    Raises:
        TargetError: it does not fit what the function takes, or is not finite numbers.
    """
    if isinstance(given, Mapping):
        return _from_dict(given, name, signature)
    if isinstance(given, tuple) and (signature.required > 1 or any(map(_is_nested, given))):
        return _from_tuple(given, name, signature)
    array = _array(given, name)
    if signature.required > 1 and array.shape != (signature.required,):
        expected = f"a tuple of {signature.required}: {', '.join(signature.needed)}"
        raise TargetError(f"{name} has shape {array.shape}, but {signature.name} takes {expected}")
    return _start(signature.vector(array.shape or (1,), array.ndim == 0), [array])


def _is_nested(part: Any) -> bool:
    return isinstance(part, list | tuple) or getattr(part, "shape", ()) != ()


def _are_numbers(given: Iterable[Any]) -> bool:
    return not any(_is_nested(part) or isinstance(part, np.ndarray) for part in given)


def _from_tuple(given: tuple[Any, ...], name: str, signature: Signature) -> Start:
    arrays = [_array(part, f"{name}[{i}]") for i, part in enumerate(given)]
    shapes = tuple(array.shape for array in arrays)
    if signature.required <= 1:  # one argument, which is a tuple
        names = tuple(f"{signature.needed[0]}{i}" for i in range(len(arrays)))
        return _start(Arguments(names, shapes, "tuple"), arrays)
    if not signature.required <= len(arrays) <= len(signature.names):
        takes = ", ".join(signature.names)
        raise TargetError(f"{name} has {len(arrays)} parts, but {signature.name} takes {takes}")
    names = signature.names[: len(arrays)]
    return _start(Arguments(names, shapes, numbers=_are_numbers(given)), arrays)


def _from_dict(given: Mapping[Any, Any], name: str, signature: Signature) -> Start:
    if not given or not all(isinstance(key, str) for key in given):
        raise TargetError(f"{name} must have names as its keys, but has {list(given)}")
    arrays = [_array(part, f"{name}[{key!r}]") for key, part in given.items()]
    is_named = set(signature.names[: signature.required]) <= set(given) <= set(signature.names)
    if not is_named and signature.required > 1:
        keys, takes = ", ".join(given), ", ".join(signature.names)
        raise TargetError(f"{name} has the keys {keys}, but {signature.name} takes {takes}")
    shapes = tuple(array.shape for array in arrays)
    style: Style = "keyword" if is_named else "dict"
    return _start(Arguments(tuple(given), shapes, style, _are_numbers(given.values())), arrays)


def _array(given: Any, name: str) -> Numbers:
    array = numeric(given, name)
    if not array.size:
        raise TargetError(f"{name} is empty")
    if not np.isfinite(array).all():
        raise TargetError(f"{name} must be finite, but is {array}")
    return array


def _start(arguments: Arguments, arrays: list[Numbers]) -> Start:
    x = np.concatenate([array.astype(np.float64).ravel() for array in arrays])
    narrow = next((str(array.dtype) for array in arrays if str(array.dtype) in _NARROW), "")
    return Start(arguments, x[:, None], narrow)

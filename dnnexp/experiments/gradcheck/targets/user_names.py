"""The user's function, its gradient and its points, found by name; nothing is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dnnexp import registry
from dnnexp.experiments.gradcheck.targets.user_calls import TargetError
from dnnexp.experiments.gradcheck.targets.user_points import Signature, Start, read_points, read_start

GRADIENTS = (
    "{}_gradient", "{}_grad", "grad_{}", "gradient_{}", "{}_jacobian", "{}_jac", "{}_prime", "{}_der", "d_{}"
)  # fmt: skip
"""Names of a gradient beside its function; SciPy calls that of `rosen` `rosen_der`."""
ATTRIBUTES = ("gradient", "grad")
"""Names of a gradient that is an attribute of its function."""
_ABSENT: Any = object()


@dataclass(frozen=True, eq=False)
class Resolved:
    """What the names of a function lead to.

    Attributes:
        name: the function's, with its plugin's, such as `mine.rosen`.
        function: what it names.
        slope: its gradient; None: the function itself must return the pair (value, gradient).
        slope_name: the gradient's name.
        is_explicit: whether the gradient was named, rather than found.
        signature: what the function takes.
        start: the plugin's own points, and how they are handed over; None if it has none.
        start_name: their name, such as `mine.rosen_x0`.
    """

    name: str
    function: Callable[..., Any]
    slope: Callable[..., Any] | None
    slope_name: str
    is_explicit: bool
    signature: Signature
    start: Start | None
    start_name: str

    @property
    def indices(self) -> dict[str, int]:
        """The names of the arrays that are differentiated by, and how many indices an entry of each has."""
        if self.start is not None:
            arguments = self.start.arguments
            return {name: len(shape) for name, shape in zip(arguments.names, arguments.shapes, strict=True)}
        names = self.signature.needed
        return dict.fromkeys(names, 1 if len(names) == 1 else 0)


def resolve(text: str, gradient: str | None = None) -> Resolved:
    """Find `mine.rosen` (or `rosen`, of the only plugin), its gradient, and the points beside it.

    Args:
        text: the plugin's name and the path of attributes from there to the function.
        gradient: that of the gradient; without it, what `GRADIENTS` and `ATTRIBUTES` lead to.

    Raises:
        TargetError: there is no such function, it has two gradients, or its points are invalid.
    """
    found = _NamedFunction.of(text, "function")
    if gradient is not None:
        named = _NamedFunction.of(gradient, "gradient")
        slope: Callable[..., Any] | None = named.function
        slope_name, is_explicit = named.name, True
    else:
        slope, slope_name = _conventional(found)
        is_explicit = False
    signature = Signature.of(found.function, found.name)
    start, start_name = _start(found, signature)
    return Resolved(found.name, found.function, slope, slope_name, is_explicit, signature, start, start_name)


@dataclass(frozen=True)
class _NamedFunction:
    """A function, its full name, its own name, and what it was found in: the nearest first."""

    name: str
    leaf: str
    function: Callable[..., Any]
    around: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, text: str, what: str) -> _NamedFunction:
        stem, path = _plugin_of(text, what)
        try:
            owner: Any = registry.plugin(stem)
        except ValueError as error:
            raise TargetError(f"{what} {text!r}: {error}") from None
        around, full = [(stem, owner)], stem
        for attribute in path[:-1]:
            owner = _existing(owner, attribute, full)
            full = f"{full}.{attribute}"
            around.insert(0, (full, owner))
        function = _existing(owner, path[-1], full)
        full = f"{full}.{path[-1]}"
        if not callable(function):
            raise TargetError(f"{full} must be a function, but is a {type(function).__name__}")
        _refuse_methods(owner, path[-1], full)
        return cls(full, path[-1], function, tuple(around))


def _plugin_of(text: str, what: str) -> tuple[str, list[str]]:
    """The plugin's name and the path of attributes in it."""
    stems = registry.plugins()
    if not stems:
        raise TargetError(f"{what} {text!r}: no plugin is loaded; name its file by --plugin FILE.py")
    for stem in sorted(stems, key=len, reverse=True):  # a stem may hold dots
        if text.startswith(f"{stem}."):
            return stem, text[len(stem) + 1 :].split(".")
    if len(stems) == 1:
        return stems[0], text.split(".")
    choices = ", ".join(f"{stem}.{text}" for stem in stems)
    raise TargetError(f"{what} {text!r}: several plugins are loaded; say of which one it is: {choices}")


def _existing(owner: Any, name: str, full: str) -> Any:
    found = _get(owner, name, full)
    if found is _ABSENT:
        public = [key for key in dir(owner) if not key.startswith("_")]
        raise TargetError(f"{full} has no {name!r}{registry.suggest(name, public)}")
    return found


def _get(owner: Any, name: str, full: str) -> Any:
    """An attribute, or `_ABSENT`; a property of the user's may fail."""
    try:
        return getattr(owner, name, _ABSENT)
    except Exception as error:
        raise TargetError(f"{full}.{name}: {type(error).__name__}: {error}") from None


def _refuse_methods(owner: Any, name: str, full: str) -> None:
    """A class's function without an object would take x for `self`."""
    if inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, name, None)):
        raise TargetError(
            f"{full} is a method, which needs an object: make one in the plugin, "
            f"model = {owner.__name__}(...), and name model.{name}"
        )


def _conventional(found: _NamedFunction) -> tuple[Callable[..., Any] | None, str]:
    """The gradient that the conventions lead to; with none, the function's own second result."""
    matches: list[tuple[str, Callable[..., Any]]] = []
    for name, value in _candidates(found):
        if callable(value) and all(value != other for _, other in matches):
            matches.append((name, value))
    if len(matches) > 1:
        names = " and ".join(name for name, _ in matches)
        raise TargetError(f"{found.name} has several gradients, {names}: name one as its `gradient`")
    return (matches[0][1], matches[0][0]) if matches else (None, found.name)


def _candidates(found: _NamedFunction) -> Iterator[tuple[str, Any]]:
    full, owner = found.around[0]
    for pattern in GRADIENTS:
        name = pattern.format(found.leaf)
        yield f"{full}.{name}", _get(owner, name, full)
    for name in ATTRIBUTES:
        yield f"{found.name}.{name}", _get(found.function, name, found.name)


def _start(found: _NamedFunction, signature: Signature) -> tuple[Start | None, str]:
    """The points beside the function, or else at the top of its plugin."""
    names = [f"{found.leaf}_points", f"{found.leaf}_x0", f"{found.leaf}_point"]
    for name in [*names, "x0"]:
        for full, owner in found.around:
            given = _get(owner, name, full)
            if given is not _ABSENT:
                read = read_points if name == names[0] else read_start
                return read(given, f"{full}.{name}", signature), f"{full}.{name}"
    return None, ""

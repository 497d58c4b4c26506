"""Named parts: the objects that a config can pick by name, and the rules over their fields.

A part (an optimizer, an objective, an activation, ...) is one frozen dataclass, derived from the base
class of its kind and registered under the name that configs use. Its fields are its YAML schema, its
docstring is its documentation, its methods are its mathematics.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar, cast

from annotated_types import Ge, Gt, Le, Lt

T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound="type[Part]")

Path = tuple[str | int, ...]
"""Keys and list indices that lead to a value."""
Problem = tuple[Path, str]
"""The path of a value, and a message that says what is wrong with it."""


@dataclass(frozen=True)
class Pattern:
    """A constraint for `Annotated[str, Pattern(...)]`: the regular expression matches the whole text."""

    regex: str


NAME_PATTERN = "[A-Za-z][A-Za-z0-9_-]{0,99}"
"""The regular expression of names and labels."""
Name = Annotated[str, Pattern(NAME_PATTERN)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Decay = Annotated[float, Ge(0), Lt(1)]
Fraction = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(1), Le(10**9)]


class UnknownNameError(ValueError):
    """A name under which nothing is registered."""

    def __init__(self, what: str, name: str, allowed: Iterable[str]) -> None:
        """The message has the name, the nearest allowed one, and all that are allowed."""
        super().__init__(f"unknown {what} {name!r}{suggest(name, allowed)}")


def suggest(name: str, allowed: Iterable[str]) -> str:
    """The end of an error message: the nearest allowed name, then all allowed names."""
    names = list(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{hint} allowed: {', '.join(names) or 'none'}"


class InvalidError(ValueError):
    """Values that are not allowed.

    Attributes:
        problems: all of them, each with its path.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        """The message lists the problems."""
        self.problems = list(problems)
        super().__init__(
            "; ".join(f"{dotted(path)}: {text}" if path else text for path, text in self.problems)
        )


class Checked:
    """Base of frozen dataclasses in which one field constrains another (see `check`)."""

    def __post_init__(self) -> None:
        """Run the checks of the class.

        Raises:
            InvalidError: with every problem.
        """
        used = {name for rule in checks(type(self)) for name in rule.fields}
        if problems := violations(type(self), {name: getattr(self, name) for name in used}):
            raise InvalidError(problems)


@dataclass(frozen=True)
class Check:
    """A rule over some fields of a dataclass."""

    fields: tuple[str, ...]
    function: Callable[..., Iterator[Problem]]

    def __call__(self, *values: Any) -> Iterator[Problem]:
        """Yield the problems of the fields' values, given in the order of `fields`."""
        return self.function(*values)


def check(*fields: str) -> Callable[[Callable[..., Iterator[Problem]]], Check]:
    """Declare a rule over the named fields; the function takes their values and yields problems."""
    return lambda function: Check(fields, function)


def checks(cls: type) -> tuple[Check, ...]:
    """All rules of a class, base classes first."""
    return _checks(cast(Hashable, cls))


@functools.cache
def _checks(cls: type) -> tuple[Check, ...]:
    bases = reversed(cls.__mro__)
    return tuple(value for base in bases for value in vars(base).values() if isinstance(value, Check))


def violations(cls: type, values: Mapping[str, Any]) -> list[Problem]:
    """The problems that a class's checks see in the values of some of its fields.

    A check with a field that is not among them is left out.
    """
    rules = [rule for rule in checks(cls) if all(name in values for name in rule.fields)]
    return [problem for rule in rules for problem in rule(*(values[name] for name in rule.fields))]


def dotted(path: Iterable[str | int]) -> str:
    """`("a", 0, "b")` as a user writes it in an override: `a.0.b`."""
    return ".".join(map(str, path))


class Part(Checked):
    """Base of all named parts. The base class of a kind sets `kind`, and `register` sets `name`."""

    kind: ClassVar[str]
    name: ClassVar[str]

    @classmethod
    def example(cls) -> Self:
        """An instance for code that goes through all parts; parts with required fields override this.

        Raises:
            TypeError: the part has required fields and does not override this.
        """
        return cls()


@dataclass(frozen=True)
class Labelled(Generic[T_co]):
    """An item of a list with the label that names it, by default the part's name."""

    label: str
    item: T_co


_parts: dict[str, dict[str, type[Part]]] = {}


def register(name: str) -> Callable[[P], P]:
    """Register a frozen dataclass, derived from the base class of a kind, under a name.

    Raises:
        TypeError: the class is not a frozen dataclass of a kind, or lacks a docstring or a method.
        ValueError: the name is taken or malformed.
    """

    def enter(cls: P) -> P:
        where = f"{cls.__module__}.{cls.__qualname__}"
        if not getattr(cls, "kind", None):
            raise TypeError(f"{where} must derive from the base class of a kind of part")
        if not _is_frozen_dataclass(cls):
            raise TypeError(f"{where} must be a dataclass(frozen=True)")
        if not cls.__doc__ or cls.__doc__.startswith(f"{cls.__name__}("):
            raise TypeError(f"{where} needs a docstring: it is what `dnnexp list` shows")
        if missing := sorted(getattr(cls, "__abstractmethods__", ())):
            raise TypeError(f"{where} must define what its kind, {cls.kind}, asks for: {', '.join(missing)}")
        if not re.fullmatch(NAME_PATTERN, name):
            raise ValueError(f"the name {name!r} of {where} must match {NAME_PATTERN}")
        registered = _parts.setdefault(cls.kind, {})
        if name in registered:
            other = registered[name].__module__
            raise ValueError(f"the {cls.kind} {name!r} of {where} is already registered by {other}")
        cls.name = name
        registered[name] = cls
        return cls

    return enter


def _is_frozen_dataclass(cls: type) -> bool:
    """Whether the class itself is one: annotations of an undecorated subclass would not become fields."""
    parameters = vars(cls).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)


def kinds() -> tuple[str, ...]:
    """The kinds that have at least one part."""
    return tuple(_parts)


def parts(kind: str) -> Mapping[str, type[Any]]:
    """All parts of a kind by name, in order of registration.

    Raises:
        UnknownNameError: no such kind.
    """
    if kind not in _parts:
        raise UnknownNameError("kind", kind, _parts)
    return MappingProxyType(_parts[kind])


def find(kind: str, name: str) -> type[Any]:
    """The part of that kind and name.

    Raises:
        UnknownNameError: no such kind or no such part.
    """
    known = parts(kind)
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def examples(kind: str) -> list[Any]:
    """An example of every part of a kind that has one."""
    return [cls.example() for cls in parts(kind).values() if _has_example(cls)]


def without_example(kind: str) -> list[str]:
    """The names of those parts of a kind that have required fields and no example."""
    return [name for name, cls in parts(kind).items() if not _has_example(cls)]


def _has_example(cls: type[Any]) -> bool:
    missing = dataclasses.MISSING
    required = any(f.default is missing and f.default_factory is missing for f in dataclasses.fields(cls))
    return not required or any("example" in vars(base) for base in cls.__mro__ if base is not Part)


_plugins: dict[str, list[ModuleType]] = {}
"""The modules of plugins by the stem of their file's name; several files may have one stem."""


def enter_plugin(name: str, module: ModuleType) -> None:
    """Register a plugin's module under its file's stem, in the place of an earlier one of the same file."""
    modules = _plugins.setdefault(name, [])
    file = getattr(module, "__file__", None)
    modules[:] = [old for old in modules if file is None or getattr(old, "__file__", None) != file]
    modules.append(module)


def forget_plugins() -> None:
    """Empty the register of plugins."""
    _plugins.clear()


def plugins() -> tuple[str, ...]:
    """The names of the plugins, in the order of loading."""
    return tuple(_plugins)


def plugin_files() -> tuple[str, ...]:
    """The files of all plugins."""
    return tuple(str(getattr(module, "__file__", None)) for held in _plugins.values() for module in held)


def plugin(name: str) -> ModuleType:
    """The module of the plugin of that name.

    Raises:
        UnknownNameError: no plugin has that name.
        ValueError: several files have that name.
    """
    if name not in _plugins:
        raise UnknownNameError("plugin", name, _plugins)
    module, *others = _plugins[name]
    if others:
        files = ", ".join(str(getattr(each, "__file__", None)) for each in (module, *others))
        raise ValueError(f"{1 + len(others)} plugins are called {name!r}: {files}; rename all but one")
    return module


def fields(cls: type) -> list[dataclasses.Field[Any]]:
    """The fields of a dataclass in the order of a config: its own first, then those of its kind."""
    return sorted(dataclasses.fields(cls), key=lambda field: field.kw_only is True)


def plain(value: Any) -> Any:
    """Parts, labelled items and config dataclasses as the plain tree that a config file holds.

    A part becomes `{name: ..., field: ...}`, and a tuple a list. None is left out where it is the default.
    Reading the tree again gives an equal object.
    """
    if isinstance(value, Labelled):
        item = plain(value.item)
        if item.get("name") == value.label:
            return item
        head = {"name": item.pop("name")} if "name" in item else {}
        return head | {"label": value.label} | item
    if dataclasses.is_dataclass(value):
        tree = {"name": value.name} if isinstance(value, Part) else {}
        for field in fields(type(value)):
            item = plain(getattr(value, field.name))
            if item is not None or field.default is not None:
                tree[field.name] = item
        return tree
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def first_line(cls: type) -> str:
    """The first line of a part's docstring."""
    return inspect.getdoc(cls).partition("\n")[0]  # type: ignore[union-attr]  # `register` demands a docstring

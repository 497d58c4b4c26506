"""From a plain tree to a config dataclass, or to every problem with its path.

The type hints of a config dataclass or a part say what its fields may hold. Objects, lists, mappings, and
unions are read here, pydantic checks the values in them. The checks of a class run once in a reading: when
the object is made or, if a field is invalid, on the fields that are valid by themselves.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from dnnexp.config.shapes import (
    UNIONS,
    canonical,
    default,
    hints,
    is_object,
    is_part_base,
    is_shorthand,
    repeated_labels,
    union,
    without,
)
from dnnexp.registry import (
    InvalidError,
    Labelled,
    Name,
    Part,
    Path,
    Pattern,
    Problem,
    UnknownNameError,
    find,
    parts,
    suggest,
    violations,
)

T = TypeVar("T")
Tree = Any
"""Mappings, lists, and scalars, as a config file holds them."""

CONFIG = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""How pydantic checks values: nothing is converted, numbers are finite."""
SHOWN_CHARACTERS = 60
"""Length at which a value in a message is cut."""

_WANTED = {
    "float_type": "a number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_type": "true or false",
    "string_type": "text",
    "finite_number": "a finite number",
    "none_required": "null",
}
"""Pydantic's type errors, with the noun for what is allowed."""
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
"""Pydantic's errors of bounds, with the relation in words and the key of the bound."""


def read(cls: type[T], tree: Tree) -> tuple[T | None, list[Problem]]:
    """The config dataclass that a plain tree describes, or None and every problem."""
    try:
        return _read_fields(cls, tree), []
    except InvalidError as error:
        return None, error.problems


def shown(value: Any) -> str:
    """A value as the user may have written it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."


def pydantic_constraint(constraint: Any) -> Any:
    """A constraint of the registry as pydantic knows it."""
    return Field(pattern=f"^(?:{constraint.regex})$") if isinstance(constraint, Pattern) else constraint


def _invalid(message: str, path: Path = ()) -> InvalidError:
    return InvalidError([(path, message)])


def _read(hint: Any, tree: Tree) -> Any:
    """The value that a tree describes.

    Raises:
        InvalidError: the tree is not what the hint allows.
    """
    if tree is dataclasses.MISSING:
        raise _invalid("is required, but missing")
    return _reader(hint)(tree)


@functools.cache
def _reader(hint: Any) -> Callable[[Tree], Any]:
    """The function that reads what a hint allows."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated and (get_origin(args[0]) in (tuple, dict, *UNIONS) or is_object(args[0])):
        constrained = _reader(Annotated[Any, *args[1:]])
        return lambda tree: constrained(_read(args[0], tree))
    if origin is tuple:
        return functools.partial(_read_list, args[0])
    if origin is dict:
        return functools.partial(_read_mapping, args[1])
    if origin in UNIONS:
        return functools.partial(_read_union, args)
    return functools.partial(_read_object if is_object(hint) else _read_value, hint)


def _read_list(item: Any, tree: Tree) -> tuple[Any, ...]:
    if not isinstance(tree, list | tuple):
        raise _invalid(f"must be a list, not {shown(tree)}")
    return tuple(_read_all((index, item, held) for index, held in enumerate(tree)).values())


def _read_mapping(item: Any, tree: Tree) -> dict[Any, Any]:
    if not isinstance(tree, dict):
        raise _invalid(f"must be a mapping, not {shown(tree)}")
    return _read_all((key, item, held) for key, held in tree.items())


def _read_value(hint: Any, tree: Tree) -> Any:
    """A value that holds no object, checked by pydantic."""
    try:
        return _adapter(hint).validate_python(tree)
    except ValidationError as error:
        raise InvalidError([(line["loc"], _in_words(line)) for line in error.errors()]) from None


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """Pydantic's validator of a type without objects in it."""
    if get_origin(hint) is Annotated:
        held, *constraints = get_args(hint)
        hint = Annotated[held, *map(pydantic_constraint, constraints)]
    return TypeAdapter(hint, config=CONFIG)


def _in_words(line: Mapping[str, Any]) -> str:
    """One sentence for a line of a pydantic ValidationError: what is allowed, and what was given."""
    kind, given, context = line["type"], shown(line["input"]), line.get("ctx", {})
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {given}"
    if kind in _BOUNDS:
        relation, key = _BOUNDS[kind]
        bound = context[key]
        return f"must be {relation} {bound if isinstance(bound, int) else f'{bound:g}'}, not {given}"
    if kind == "literal_error":
        return f"must be {context['expected']}, not {given}"
    if kind == "string_pattern_mismatch":
        return f"must be a letter, then letters, digits, _ or - (at most 100), not {given}"
    if kind == "too_short":
        minimum = context["min_length"]
        return f"needs at least {minimum} item{'s' * (minimum != 1)}, {context['actual_length']} given"
    return f"{line['msg'][:1].lower()}{line['msg'][1:]}, not {given}"


def _read_all(entries: Iterable[tuple[Any, Any, Tree]]) -> dict[Any, Any]:
    """The values of all entries, each a key, a hint, and a tree, by key."""
    values, problems = _read_each(entries)
    if problems:
        raise InvalidError(problems)
    return values


def _read_each(entries: Iterable[tuple[Any, Any, Tree]]) -> tuple[dict[Any, Any], list[Problem]]:
    """The values of those entries that are valid, and the problems of the others."""
    values, problems = {}, []
    for key, hint, tree in entries:
        try:
            values[key] = _read(hint, tree)
        except InvalidError as error:
            problems += [((key, *path), message) for path, message in error.problems]
    return values, problems


def _read_union(members: tuple[Any, ...], tree: Tree) -> Any:
    """The member that fits the tree's shape: null, a list, a mapping, or the rest."""
    if tree is None and type(None) in members:
        return None
    lists = [m for m in members if get_origin(m) is tuple]
    mappings = [m for m in members if dataclasses.is_dataclass(m) and not is_part_base(m)]
    others = [m for m in members if m is not type(None) and m not in (*lists, *mappings)]
    fitting = lists if lists and (isinstance(tree, list | tuple) or not others) else others
    if mappings and (isinstance(tree, dict) or type(tree) in mappings or not fitting):
        fitting = mappings
    if len(fitting) == 1 and (is_object(fitting[0]) or fitting is not others or not mappings):
        return _read(fitting[0], tree)
    try:
        return _adapter(union(fitting)).validate_python(tree)
    except ValidationError as error:  # one line a member: no single one says what is allowed
        allowed = [_in_words(line).partition(", not ")[0] for line in error.errors()]
        allowed += ["a list"] * bool(lists) + ["a mapping"] * bool(mappings)
        raise _invalid(f"{' or '.join(allowed).replace('or must be', 'or')}, not {shown(tree)}") from None


def _read_object(hint: Any, tree: Tree) -> Any:
    """A part, a config dataclass, or either with a label."""
    labelled = get_origin(hint) is Labelled
    cls = get_args(hint)[0] if labelled else hint
    if isinstance(tree, Labelled if labelled else cls):
        return tree  # a default
    mapping = canonical(hint, tree)
    if is_part_base(cls):
        return _read_part(cls, mapping, tree, labelled)
    try:
        return _read_fields(cls, mapping, labelled)
    except InvalidError as error:
        if not is_shorthand(cls, tree):
            raise
        held = (cls.shorthand,)  # the file does not write this key
        raise InvalidError([(p[p[:1] == held :], message) for p, message in error.problems]) from None


def _read_part(base: type[Part], mapping: Tree, written: Tree, labelled: bool) -> Any:
    """The part that the mapping names; `written` is how the file says it."""
    allowed = f"allowed: {', '.join(parts(base.kind))}"
    if not isinstance(mapping, dict):
        raise _invalid(f"must be a name or a mapping with a name, not {shown(written)}; {allowed}")
    name = mapping.get("name")
    if not isinstance(name, str):
        raise _invalid(f"needs a name; {allowed}", ("name",) if "name" in mapping else ())
    try:
        cls = find(base.kind, name)
    except UnknownNameError as error:
        raise _invalid(str(error), ("name",) if isinstance(written, dict) else ()) from None
    return _read_fields(cls, without(mapping, "name"), labelled)


def _read_fields(cls: type[Any], tree: Tree, labelled: bool = False) -> Any:
    """An instance of the dataclass, inside a `Labelled` if asked for."""
    if not isinstance(tree, dict):
        raise _invalid(f"must be a mapping of {', '.join(hints(cls))}, not {shown(tree)}")
    entries = [(key, hint, tree.get(key, default(cls, key))) for key, hint in hints(cls).items()]
    if labelled:
        entries.insert(0, ("label", Name, tree.get("label", dataclasses.MISSING)))
    values, problems = _read_each(entries)
    keys = [key for key, _, _ in entries]
    problems += [((key,), f"unknown key{suggest(str(key), keys)}") for key in tree if key not in keys]
    problems += repeated_labels(cls, tree)
    if problems:
        raise InvalidError([*problems, *violations(cls, values)])
    label = values.pop("label") if labelled else ""
    try:
        made = cls(**values)  # which runs the checks
    except InvalidError:
        raise
    except ValueError as error:  # of a plugin's class that checks itself
        raise _invalid(str(error)) from None
    return Labelled(label, made) if labelled else made

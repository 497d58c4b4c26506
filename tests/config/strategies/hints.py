"""Trees from type hints alone, and the place where rules for classes are entered."""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

import annotated_types as at
from hypothesis import strategies as st

from dnnexp.config.schema import read
from dnnexp.config.shapes import hints, is_part_base, without
from dnnexp.registry import Labelled, Part, Pattern, parts

Tree = Any
Trees = st.SearchStrategy[Any]
Rule = TypeVar("Rule", bound=Callable[[Any, bool], Trees])
Function = TypeVar("Function", bound=Callable[..., Any])

_rules: dict[type, Callable[[Any, bool], Trees]] = {}


def once(function: Function) -> Function:
    """Called once for all equal arguments: to make a strategy takes longer than to draw from it."""
    return typing.cast(Function, functools.cache(function))


def rule(cls: type) -> Callable[[Rule], Rule]:
    """Enter how the fields of a class, and of those derived from it, are made.

    The function takes the class, and whether every field must be written.
    """

    def enter(function: Rule) -> Rule:
        _rules[cls] = function
        return function

    return enter


@once
def field_trees(cls: type, every: bool = False) -> Trees:
    """The fields of a config dataclass or a part; with `every`, none is left to its default."""
    return next((_rules[base] for base in cls.__mro__ if base in _rules), hinted)(cls, every)


def hinted(
    cls: type,
    every: bool = False,
    instead: Mapping[str, Trees] = {},
    *,
    asked: Collection[str] = (),
    left: Collection[str] = (),
) -> Trees:
    """The fields as their hints say, but for those that are made by a strategy given `instead`.

    Those `asked` for are always written, those `left` out never.
    """
    type_hints = hints(cls)
    required: dict[str, Trees] = {}
    optional: dict[str, Trees] = {}
    for field in dataclasses.fields(cls):
        if field.name in left:
            continue
        is_required = every or field.name in asked or field.default is field.default_factory
        written = required if is_required else optional
        made = instead.get(field.name)
        written[field.name] = trees(type_hints[field.name]) if made is None else made
    return st.fixed_dictionaries(required, optional=optional)


@once
def part_trees(cls: type[Any], every: bool = False) -> Trees:
    """All ways to write a part; with `every`, the mapping of all its fields."""
    written = field_trees(cls, every).map(lambda tree: {"name": cls.name} | tree)
    return written if every or not _needs_no_field(cls) else st.just(cls.name) | written


def _needs_no_field(cls: type[Part]) -> bool:
    try:
        cls()
    except (TypeError, ValueError):
        return False
    return True


@once
def trees(hint: Any, constraints: tuple[Any, ...] = ()) -> Trees:
    """Trees that are valid for a type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return trees(args[0], args[1:])
    if origin is tuple:
        least = next((c.min_length for c in constraints if isinstance(c, at.MinLen)), 0)
        lists = st.lists(trees(args[0]), min_size=least, max_size=least + 2)
        return lists.map(labelled) if get_origin(args[0]) is Labelled else lists
    if origin in (Union, types.UnionType):
        return st.one_of([trees(arg) for arg in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is Labelled:
        return trees(args[0])
    if is_part_base(hint):
        return st.one_of([part_trees(cls) for cls in parts(hint.kind).values()])
    if dataclasses.is_dataclass(hint):
        return field_trees(typing.cast(type, hint))
    if hint in (int, float):
        return numbers(hint is int, constraints)
    if hint is str:
        pattern = next((c.regex for c in constraints if isinstance(c, Pattern)), None)
        return st.from_regex(pattern, fullmatch=True) if pattern else st.text(max_size=20)
    return {bool: st.booleans(), type(None): st.none()}[hint]


def numbers(of_ints: bool, constraints: Sequence[Any]) -> Trees:
    """Numbers within all bounds; integers are small, since most of them are sizes."""
    low, above, high, below = (
        strictest(_values(constraints, kind), default=None)
        for kind, strictest in ((at.Ge, max), (at.Gt, max), (at.Le, min), (at.Lt, min))
    )
    if of_ints:
        first = low if low is not None else -20 if above is None else above + 1
        return st.integers(first, min(_given(first + 20, high, None if below is None else below - 1)))
    lower = max(_given(low, above), default=None)
    upper = min(_given(high, below), default=None)
    floats = st.floats(
        lower,
        upper,
        exclude_min=above is not None and lower == above,
        exclude_max=below is not None and upper == below,
        allow_nan=False,
        allow_infinity=False,
    )
    return floats | floats.map(_whole)


def _values(constraints: Sequence[Any], kind: type) -> list[Any]:
    return [getattr(c, kind.__name__.lower()) for c in constraints if isinstance(c, kind)]


def _given(*bounds: Any) -> list[Any]:
    return [bound for bound in bounds if bound is not None]


def _whole(number: float) -> float:
    """The number as a file may have it where a real one is due: 1 for 1.0."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def labelled(items: list[Any]) -> list[Any]:
    """The items with labels of their own; the first keeps its default label if it has one."""
    labelled = []
    for index, item in enumerate(items):
        if index == 0 and (isinstance(item, str) or "name" in item):
            labelled.append(item)
        else:
            item = {"name": item} if isinstance(item, str) else item
            labelled.append({"label": f"label-{index}"} | item)
    return labelled


def built(base: type[Part], tree: Tree) -> Any:
    """The part that a tree describes; a label on it does not count."""
    holder, errors = read(_holder(base), {"part": without(tree, "label")})
    assert errors == []
    return getattr(holder, "part", None)


@once
def _holder(base: type[Part]) -> type:
    return dataclasses.make_dataclass("Holder", [("part", base)], frozen=True)

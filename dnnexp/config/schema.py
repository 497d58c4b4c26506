"""From dataclasses to pydantic and back: a plain tree becomes a config, or a list of errors.

A config dataclass or a part says by its type hints what its fields may hold. Here the hints become
pydantic models (one a class, made when it is first needed, after plugins are loaded), which check the
fields; then the dataclass's own `check` rules run on those fields that are valid.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from dnnexp.config.failures import as_written, failure, repeated_labels, translated
from dnnexp.config.messages import describe, shown
from dnnexp.config.shapes import canonical, hints, is_part_base, subjects, without
from dnnexp.registry import (
    Check,
    Labelled,
    Name,
    Part,
    Path,
    Pattern,
    UnknownNameError,
    checks,
    fields,
    find,
    parts,
    plain,
)

T = TypeVar("T")
Raw = Any
_CONFIG = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


def read(cls: type[T], raw: Raw) -> tuple[T | None, list[tuple[Path, str]]]:
    """The config dataclass that a plain tree describes, or None and every error as (path, message)."""
    try:
        return _read_fields(cls, raw), []
    except ValidationError as error:
        return None, [(line["loc"], line["msg"]) for line in error.errors(include_url=False)]


def json_schema(classes: Sequence[type]) -> dict[str, Any]:
    """The JSON Schema (2020-12) that a config of any of these dataclasses meets, for editors."""
    models = tuple(_model(cls, labelled=False, declarative=True) for cls in classes)
    schema = TypeAdapter[Any](_union(models)).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _read_fields(cls: type[T], raw: Raw, labelled: bool = False) -> Any:
    """An instance of the dataclass, inside a `Labelled` if asked for."""
    if not isinstance(raw, dict):
        raise failure(f"must be a mapping of {', '.join(hints(cls))}, not {shown(raw)}")
    model = _model(cast(Hashable, cls), labelled, declarative=False)
    lines = list(repeated_labels(cls, raw))
    try:
        valid = model.model_validate(raw)
    except ValidationError as error:
        lines = [*translated(error, model), *lines]
    if lines:
        raise ValidationError.from_exception_data("config", lines)
    values = {name: getattr(valid, name) for name in model.model_fields}
    if labelled:
        return Labelled(values.pop("label"), cls(**values))
    return cls(**values)


@functools.cache
def _model(cls: type, labelled: bool, declarative: bool) -> type[BaseModel]:
    """The pydantic model of a dataclass's fields.

    A declarative model spells out all alternatives, for JSON Schema; the other reads parts by name.
    """
    entries: dict[str, Any] = {}
    if declarative and issubclass(cls, Part):
        entries["name"] = (Literal[cls.name], ...)
    if labelled:
        entries["label"] = (_annotation(Name, declarative), _label_default(cls, declarative))
    found = hints(cls)
    for field in fields(cls):
        entries[field.name] = (_annotation(found[field.name], declarative), _default(field, declarative))
    rules: dict[str, Any] = {}
    if not declarative:
        for number, rule in enumerate(checks(cls)):
            rules[f"rule_{number}"] = _validator(rule, list(entries))
    title = cls.name if issubclass(cls, Part) else cls.__name__
    return create_model(title, __config__=_CONFIG, __doc__=cls.__doc__, __validators__=rules, **entries)


def _label_default(cls: type, declarative: bool) -> Any:
    """A part's label is by default its name; what has no name must be given a label."""
    return Field(default=cls.name) if declarative and issubclass(cls, Part) else Field()


def _default(field: dataclasses.Field[Any], declarative: bool) -> Any:
    if field.default is not dataclasses.MISSING:
        return Field(default=plain(field.default) if declarative else field.default, validate_default=True)
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory, validate_default=True)
    return Field()


def _validator(rule: Check, order: list[str]) -> Any:
    """Runs a rule once the last of its fields is valid, if the others are valid too."""
    last = max(rule.fields, key=order.index)

    def run(value: Any, info: ValidationInfo) -> Any:
        known = info.data | {last: value}
        if all(name in known for name in rule.fields):
            complaints = list(rule(*(known[name] for name in rule.fields)))
            if complaints:
                raise ValidationError.from_exception_data(
                    "config",
                    [
                        InitErrorDetails(
                            type=PydanticCustomError(
                                "dnnexp_rule", "{message}", {"message": text, "path": path}
                            ),
                            input=value,
                        )
                        for path, text in complaints
                    ],
                )
        return value

    return field_validator(last, mode="after")(run)


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Tells pydantic to read a value by calling a function."""

    function: Callable[[Raw], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.function)


def _annotation(hint: Any, declarative: bool) -> Any:
    """What pydantic should know of a type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        constraints = [Field(pattern=f"^(?:{c.regex})$") if isinstance(c, Pattern) else c for c in args[1:]]
        return Annotated[_annotation(args[0], declarative), *constraints]
    if origin is tuple:
        item: Any = _annotation(args[0], declarative)
        return Annotated[tuple[item, ...], Strict(False)]
    if origin is dict:
        held: Any = _annotation(args[1], declarative)
        return dict[str, held]
    if origin in (Union, types.UnionType):
        if declarative:
            return _union(_annotation(arg, declarative) for arg in args)
        return Annotated[Any, _Reader(functools.partial(_read_union, args))]
    if origin is Labelled or is_part_base(hint) or dataclasses.is_dataclass(hint):
        if declarative:
            return _alternatives(hint)
        return Annotated[Any, _Reader(functools.partial(_read_object, hint))]
    return hint


def _read_object(hint: Any, raw: Raw) -> Any:
    """A part, a config dataclass, or either with a label."""
    labelled = get_origin(hint) is Labelled
    inner = get_args(hint)[0] if labelled else hint
    if isinstance(raw, Labelled if labelled else inner):
        return raw  # a default
    tree = canonical(hint, raw)
    if not is_part_base(inner):
        try:
            return _read_fields(inner, tree, labelled)
        except ValidationError as error:
            raise as_written(error, inner, raw) from None
    if not isinstance(tree, dict):
        raise failure(f"must be a name or a mapping with a name, not {shown(raw)}; {_names(inner)}")
    name = tree.get("name")
    if not isinstance(name, str):
        raise failure(f"needs a name; {_names(inner)}", ("name",) if "name" in tree else ())
    try:
        cls = find(inner.kind, name)
    except UnknownNameError as error:
        raise failure(str(error), ("name",) if isinstance(raw, dict) else ()) from None
    return _read_fields(cls, without(tree, "name"), labelled)


def _union(members: Iterable[Any]) -> Any:
    return Union[tuple(members)]  # noqa: UP007 # the members are only known now


def _names(base: type[Part]) -> str:
    return f"allowed: {', '.join(parts(base.kind))}"


def _read_union(members: tuple[Any, ...], raw: Raw) -> Any:
    """The member that fits the value's shape: null, a list, or the rest."""
    if raw is None and type(None) in members:
        return None
    lists = [m for m in members if get_origin(m) is tuple]
    mappings = [m for m in members if dataclasses.is_dataclass(m) and not is_part_base(m)]
    others = [m for m in members if m is not type(None) and m not in (*lists, *mappings)]
    wanted = lists if lists and (isinstance(raw, list | tuple) or not others) else others
    if mappings and (isinstance(raw, dict) or type(raw) in mappings or not wanted):
        wanted = mappings
    if len(wanted) == 1 and (wanted is not others or not mappings):
        return _adapter(wanted[0]).validate_python(raw)
    try:
        return _adapter(_union(wanted)).validate_python(raw)
    except ValidationError as error:  # one error a member: no single one says what is allowed
        if len(wanted) == 1 and error.errors()[0]["type"].startswith("dnnexp"):
            raise
        allowed = [describe(dict(line), []).partition(", not ")[0] for line in error.errors()]
        allowed += ["a list"] * bool(lists) + ["a mapping"] * bool(mappings)
        raise failure(f"{' or '.join(allowed).replace('or must be', 'or')}, not {shown(raw)}") from None


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        # only plain types are left here, which pydantic tells apart by itself
        return TypeAdapter(hint, config=_CONFIG)
    return TypeAdapter(_annotation(hint, declarative=False), config=_CONFIG)


def _alternatives(hint: Any) -> Any:
    """All ways to write a value, as a union of models and bare names."""
    labelled = get_origin(hint) is Labelled
    inner = get_args(hint)[0] if labelled else hint
    if is_part_base(inner):
        known: Mapping[str, type] = parts(inner.kind)
        models = tuple(_model(cls, labelled, declarative=True) for cls in known.values())
        written = [Annotated[str, Field(pattern=f"^(?:{name}):.")] for name in subjects(inner)]
        return _union((Literal[tuple(known)], *written, *models))
    model = _model(inner, labelled, declarative=True)
    if (field := getattr(inner, "shorthand", None)) is None:
        return model
    held: Any = hints(inner)[field]
    return _union((model, _annotation(Labelled[held] if labelled else held, declarative=True)))

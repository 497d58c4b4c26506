"""`dnnexp list`: the parts that a config can name."""

from __future__ import annotations

import dataclasses
import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import click

from dnnexp.cli.options import load_plugins, plugin_option


@click.command("list", short_help="List what a config can name.")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_option
def list_parts(kind: str | None, name: str | None, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List the parts that a config can name: all kinds, the parts of one KIND, or one part in full."""
    from dnnexp.registry import UnknownNameError

    load_plugins(plugins)
    known = _known()
    singulars = (kind, kind.removesuffix("s"), kind.removesuffix("es")) if kind else ()
    chosen = next((word for word in singulars if word in known), kind)
    if chosen is not None and chosen not in known:
        raise click.UsageError(str(UnknownNameError("kind", chosen, known)))
    if chosen is not None and name is not None and name not in known[chosen]:
        raise click.UsageError(str(UnknownNameError(chosen, name, known[chosen])))
    shown = known if chosen is None else {chosen: known[chosen]}
    if name is not None:
        shown = {str(chosen): {name: known[str(chosen)][name]}}
    if as_json:
        described = {k: [_described(n, c) for n, c in v.items()] for k, v in shown.items()}
        click.echo(json.dumps(described, indent=2))
    elif name:
        _print_part(str(chosen), name, known[str(chosen)][name])
    else:
        _print_kinds(shown)


def _known() -> dict[str, dict[str, Any]]:
    """The class of every part by kind and name; that of an experiment is the class of its configs."""
    import dnnexp.core  # noqa: F401 # registers the built-in parts
    from dnnexp import experiments
    from dnnexp.registry import kinds, parts

    configs = {name: experiments.find(name).config_class for name in experiments.names()}
    return {"experiment": configs} | {kind: dict(parts(kind)) for kind in kinds()}


def _print_kinds(shown: dict[str, dict[str, Any]]) -> None:
    from dnnexp.registry import first_line

    formatter = click.HelpFormatter(width=min(shutil.get_terminal_size().columns, 110))
    for kind, classes in shown.items():
        with formatter.section(kind):
            formatter.write_dl([(name, first_line(cls)) for name, cls in classes.items()])
    click.echo(formatter.getvalue(), nl=False)


def _print_part(kind: str, name: str, cls: Any) -> None:
    described = _described(name, cls)
    click.echo(f"{kind} {name}\n\n{described['documentation']}")
    if described["fields"]:
        click.echo("\nfields:")
    for field in described["fields"]:
        default = "required" if field["default"] is None else f"default {field['default']}"
        click.echo(f"  {field['name']}: {field['type']}, {default}")


def _described(name: str, cls: Any) -> dict[str, Any]:
    """Name, documentation and fields of a part."""
    from dnnexp.config.shapes import hints
    from dnnexp.registry import fields

    found = hints(cls)
    return {
        "name": name,
        "documentation": inspect.getdoc(cls),
        "fields": [
            {"name": f.name, "type": _type(found[f.name]), "default": _default(f)} for f in fields(cls)
        ],
    }


def _type(hint: Any) -> str:
    """A type hint in the words of a config: `number > 0`, `mapping of low, high`."""
    import annotated_types as at

    from dnnexp.config.shapes import hints, is_part_base

    signs = {at.Gt: (">", "gt"), at.Ge: (">=", "ge"), at.Lt: ("<", "lt"), at.Le: ("<=", "le")}
    plain = {float: "number", int: "integer", str: "text", bool: "true or false"}
    bounds = [
        f"{signs[type(c)][0]} {getattr(c, signs[type(c)][1]):g}"
        for c in getattr(hint, "__metadata__", ())
        if type(c) in signs
    ]
    inner = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    arguments = getattr(inner, "__args__", None)
    if arguments and arguments[-1] is ...:
        return f"list of {_type(arguments[0])}"
    if arguments:
        words = (repr(a) if isinstance(a, str) else _type(a) for a in arguments if a is not type(None))
        return " or ".join(words)
    if is_part_base(inner):
        return f"one of `dnnexp list {inner.kind}`"
    if isinstance(inner, type) and dataclasses.is_dataclass(inner):
        return f"mapping of {', '.join(hints(inner))}"
    return " ".join([plain[inner], " and ".join(bounds)]).strip()


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is dataclasses.MISSING:
        return None
    return json.dumps(_written(field.default), ensure_ascii=False)


def _written(value: Any) -> Any:
    """A value as a config would hold it, without fields that have their defaults."""
    from dnnexp.registry import Part

    if isinstance(value, list | tuple):
        return [_written(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    said = {
        field.name: _written(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    }
    if isinstance(value, Part):
        return {"name": value.name} | said if said else value.name
    return said

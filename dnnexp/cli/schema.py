"""`dnnexp schema`: JSON Schema for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dnnexp.cli.options import load_plugins, plugin_option


@click.command(short_help="Print a JSON Schema for editors.")
@click.argument("experiment", required=False)
@plugin_option
def schema(experiment: str | None, plugins: tuple[Path, ...]) -> None:
    """Print the JSON Schema of EXPERIMENT's configs; without it, of all experiments and sweeps."""
    from dnnexp import experiments
    from dnnexp.config.json_schema import json_schema
    from dnnexp.config.load import commands
    from dnnexp.config.sweep import SweepConfig
    from dnnexp.registry import suggest

    load_plugins(plugins)
    if experiment is not None and experiment not in commands():
        hint = suggest(experiment, commands())
        raise click.BadParameter(f"unknown experiment {experiment!r}{hint}", param_hint="EXPERIMENT")
    classes = {name: experiments.find(name).config_class for name in experiments.names()}
    classes["sweep"] = SweepConfig
    chosen = list(classes.values()) if experiment is None else [classes[experiment]]
    click.echo(json.dumps(json_schema(chosen), indent=2))

"""The group of all commands. It imports nothing heavy: `dnnexp --help` must be quick."""

from __future__ import annotations

import io
import sys

import click

import dnnexp
from dnnexp.cli.init import init
from dnnexp.cli.list import list_parts
from dnnexp.cli.run import run_command
from dnnexp.cli.runs import runs
from dnnexp.cli.schema import schema
from dnnexp.cli.sweep import sweep

_SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=_SETTINGS)
@click.version_option(dnnexp.__version__, prog_name="dnnexp")
def cli() -> None:
    """Run experiments on the fundamentals of deep networks.

    Each run command takes YAML configs and leaves plots and metrics in a folder of its own under outputs/,
    with the outcome of every claim that the config makes. Without a config it runs its reference experiment.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # formulas, where the encoding has no Greek
        sys.stdout.reconfigure(errors="backslashreplace")


cli.add_command(run_command("optimize", "Compare optimizers from shared starts."))
cli.add_command(run_command("activations", "Show what each layer of a fresh network puts out."))
cli.add_command(run_command("gradcheck", "Check derivatives, each by several methods."))
cli.add_command(sweep)
cli.add_command(runs)
cli.add_command(list_parts)
cli.add_command(schema)
cli.add_command(init)

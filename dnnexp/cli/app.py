"""The group of all commands. It imports nothing heavy, so that `dnnexp --help` is quick."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

import dnnexp
from dnnexp import experiments
from dnnexp.cli.init import init
from dnnexp.cli.list import list_parts
from dnnexp.cli.options import load_plugins
from dnnexp.cli.run import run_command
from dnnexp.cli.runs import runs
from dnnexp.cli.schema import schema
from dnnexp.cli.sweep import sweep
from dnnexp.runs.threads import one_blas_thread

_SETTINGS = {"help_option_names": ["-h", "--help"]}


class _Commands(click.Group):
    """The commands, and one for every experiment, those of plugins included."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *experiments.names()])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if command := super().get_command(context, name):
            return command
        return run_command(experiments.find(name)) if name in experiments.names() else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Load the plugins among the arguments of a command that is not known: one may bring it."""
        plugins = list(_plugins_in(args[1:]))
        if plugins and self.get_command(context, args[0]) is None:
            one_blas_thread()
            load_plugins(plugins)
        if self.get_command(context, args[0]) is None and not context.resilient_parsing:
            near = difflib.get_close_matches(args[0], self.list_commands(context), n=1)
            context.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(context, args)


def _plugins_in(args: Sequence[str]) -> Iterator[Path]:
    """The existing files that `--plugin` names."""
    for place, argument in enumerate(args):
        option, _, value = argument.partition("=")
        if option == "--plugin":
            file = Path(value or "".join(args[place + 1 : place + 2]))
            if file.is_file():
                yield file


@click.group(cls=_Commands, context_settings=_SETTINGS)
@click.version_option(dnnexp.__version__, prog_name="dnnexp")
def cli() -> None:
    """Run experiments on the fundamentals of deep networks.

    Each experiment takes YAML configs and writes plots and metrics into a folder of its own under outputs/,
    with the outcome of every claim that the config makes. Without a config it runs its reference experiment.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # formulas, where the encoding has no Greek
        sys.stdout.reconfigure(errors="backslashreplace")


for _command in (sweep, runs, list_parts, schema, init):
    cli.add_command(_command)

"""`dnnexp runs`: the runs in the output folder."""

from __future__ import annotations

import importlib

import click

_COMMANDS = ("list", "show", "compare", "reproduce", "rm")
"""Each is the object `command` of the module of that name."""


class _Runs(click.Group):
    """Imports a command when it is used: every `dnnexp` imports the group itself."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*_COMMANDS]  # the module `list` hides the function here

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"dnnexp.cli.runs.{name}").command
        return command


@click.group(cls=_Runs, short_help="List, show, compare, reproduce and remove past runs.")
def runs() -> None:
    """List, show, compare, reproduce and remove past runs.

    RUN is a folder, the beginning of the name of one folder in the output folder, or `latest`.
    """

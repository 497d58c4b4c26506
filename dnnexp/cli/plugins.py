"""The option that names plugins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click


def load_plugins(files: Sequence[Path]) -> None:
    """Import each file.

    Raises:
        click.BadParameter: a file cannot be imported; the message has the line and the cause.
    """
    from dnnexp import plugins

    try:
        plugins.load_plugins(files)
    except plugins.PluginError as error:
        raise click.BadParameter(str(error), param_hint="--plugin") from None


plugin_option = click.option(
    "--plugin",
    "plugins",
    metavar="FILE.py",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Register the parts and functions in this Python file; may be given several times.",
)

"""The option that names plugins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

_LOADED = "dnnexp.plugins"
"""The key of click's context that holds the plugins that this invocation has loaded."""


def load_plugins(files: Sequence[Path]) -> None:
    """Import each file.

    Raises:
        click.BadParameter: a file cannot be imported; the message has the line and the cause.
    """
    from dnnexp import plugins

    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(_LOADED) == [*files]:
        return  # to find the command of a plugin's experiment
    try:
        plugins.load_plugins(files)
    except plugins.PluginError as error:
        raise click.BadParameter(str(error), param_hint="--plugin") from None
    if context is not None:
        context.meta[_LOADED] = [*files]


plugin_option = click.option(
    "--plugin",
    "plugins",
    metavar="FILE.py",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Register the parts and functions in this Python file; may be given several times.",
)

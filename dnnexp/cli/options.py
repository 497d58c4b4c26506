"""The options of a run command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dnnexp.execution.run import RunOptions

F = TypeVar("F", bound=Callable[..., Any])


def output_option(text: str, name: str = "output_dir") -> Callable[[F], F]:
    """The option that names the folder of run folders, as the parameter `name`."""
    kind = click.Path(path_type=Path)
    return click.option(
        "-o", "--output-dir", name, default="outputs", show_default=True, type=kind, help=text
    )


@dataclass(frozen=True)
class Options:
    """The options of a run command; see `dnnexp optimize --help`."""

    run: RunOptions
    output_dir: Path
    name: str | None
    seed: int | None
    dry_run: bool
    as_json: bool
    quiet: bool
    strict: bool
    junit: Path | None


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
    help="Register the parts and experiments in this Python file; may be repeated.",
)

"""The options of a run command."""

from __future__ import annotations

from collections.abc import Callable
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
    """The options of a run command, as `dnnexp optimize --help` explains them."""

    run: RunOptions
    output_dir: Path
    name: str | None
    seed: int | None
    dry_run: bool
    as_json: bool
    quiet: bool
    strict: bool
    junit: Path | None

"""The options of a run command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

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

    output_dir: Path
    name: str | None
    seed: int | None
    smoke: bool
    dry_run: bool
    no_plots: bool
    trace: int
    as_json: bool
    quiet: bool
    strict: bool
    junit: Path | None
    plugins: tuple[Path, ...]

"""The options of a run command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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

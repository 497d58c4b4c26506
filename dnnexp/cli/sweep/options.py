"""The options of `dnnexp sweep`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click


@dataclass(frozen=True)
class SweepOptions:
    """The options of `dnnexp sweep`, as its help explains them."""

    output_dir: Path
    name: str | None
    seed: int | None
    smoke: bool
    dry_run: bool
    jobs: int | None
    executor: str
    scheduler: str | None
    resume: Path | None
    extend: bool
    other_code: bool
    retries: int
    max_failures: int | None
    no_plots: bool
    as_json: bool
    quiet: bool
    strict: bool
    plugins: tuple[Path, ...]

    def check(self) -> None:
        """Refuse options that do not go together."""
        if self.resume is None and (self.extend or self.other_code):
            raise click.UsageError("--extend and --other-code are for --resume FOLDER")
        if self.executor == "dask" and find_spec("distributed") is None:
            raise click.UsageError("--executor dask needs Dask: pip install 'dnnexp[dask]'")
        if self.scheduler is not None and self.executor != "dask":
            raise click.UsageError("--scheduler is for --executor dask")
        if self.executor == "serial" and (self.jobs or 1) > 1:
            raise click.UsageError("--executor serial does one job at a time; leave out --jobs")
        if self.resume is not None and (self.dry_run or self.smoke or self.name or self.seed is not None):
            raise click.UsageError("--resume goes on with a sweep as it is; leave out its other options")

    @property
    def workers(self) -> int:
        """How many jobs at once."""
        return self.jobs or self.cores

    @property
    def cores(self) -> int:
        """The cores that this process may use."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

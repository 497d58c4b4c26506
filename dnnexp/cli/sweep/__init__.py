"""`dnnexp sweep`: many configs as one batch, in parallel, resumable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from dnnexp.cli.options import load_plugins, output_option, plugin_option
from dnnexp.runs.threads import one_blas_thread

_OPTIONS = (
    output_option("Folder in which the sweep's folder is made."),
    click.option("--name", help="Name of the sweep, instead of the file's."),
    click.option(
        "--seed", type=click.IntRange(min=0), help="Seed of every job; with repeats, the first seed."
    ),
    click.option("--smoke", is_flag=True, help="Shrink every job to a second or two."),
    click.option("--dry-run", is_flag=True, help="Print the jobs; write nothing."),
    click.option("-j", "--jobs", type=click.IntRange(min=1), help="Jobs at once (default: one per core)."),
    click.option(
        "--executor",
        type=click.Choice(["processes", "serial", "dask"]),
        default="processes",
        show_default=True,
        help="Where jobs run.",
    ),
    click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler (default: a local cluster)."),
    click.option(
        "--resume",
        metavar="FOLDER",
        type=click.Path(path_type=Path),
        help="Continue the sweep in this folder: run the jobs that are not complete.",
    ),
    click.option("--extend", is_flag=True, help="With --resume: accept jobs that were added to the files."),
    click.option(
        "--other-code",
        is_flag=True,
        help="With --resume: accept another version of dnnexp, or changed plugins.",
    ),
    click.option(
        "--retries", type=click.IntRange(min=0), default=0, help="Repeat a failed job up to N times."
    ),
    click.option("--fail-fast", is_flag=True, help="Stop at the first failed job."),
    click.option("--max-failures", type=click.IntRange(min=1), metavar="N", help="Stop at N failed jobs."),
    click.option("--no-plots", is_flag=True, help="Draw no figures, neither of jobs nor of the sweep."),
    click.option("--json", "as_json", is_flag=True, help="Print the results as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="Print neither progress nor summary."),
    click.option(
        "--strict",
        is_flag=True,
        help="Exit with 1 if an expectation fails or cannot be evaluated, or a job's verdict is no.",
    ),
    plugin_option,
)


@dataclass(frozen=True)
class SweepOptions:
    """The options of `dnnexp sweep`; see its help."""

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
        """Refuse options that exclude each other.

        Raises:
            click.UsageError: with the conflict.
        """
        if self.resume is None and (self.extend or self.other_code):
            raise click.UsageError("--extend and --other-code need --resume FOLDER")
        if self.executor == "dask" and find_spec("distributed") is None:
            raise click.UsageError("--executor dask needs Dask: pip install 'dnnexp[dask]'")
        if self.scheduler is not None and self.executor != "dask":
            raise click.UsageError("--scheduler needs --executor dask")
        if self.executor == "serial" and (self.jobs or 1) > 1:
            raise click.UsageError("--executor serial runs one job at a time; leave out --jobs")
        if self.resume is not None and (self.dry_run or self.smoke or self.name or self.seed is not None):
            raise click.UsageError(
                "--resume continues a sweep with its own settings;"
                " leave out --dry-run, --smoke, --name and --seed"
            )

    @property
    def workers(self) -> int:
        """The number of jobs that run at once."""
        return self.jobs or self.cores

    @property
    def cores(self) -> int:
        """The number of cores that this process may use."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1


def _sweep(arguments: tuple[str, ...], fail_fast: bool, max_failures: int | None, **rest: Any) -> int:
    """Run all variants of a config, each once, in parallel; resumable.

    CONFIG is a sweep file, or one or more configs of runs; key=a,b and 'key=range(0,10)' sweep a key,
    key=value sets it for all jobs. Every job has a folder of its own; results.csv has one row per job.
    """
    one_blas_thread(always=True)
    options = SweepOptions(max_failures=1 if fail_fast else max_failures, **rest)
    options.check()
    load_plugins(options.plugins)
    from dnnexp.cli.sweep.run import run

    return run(arguments, options)


for _option in reversed(_OPTIONS):
    _sweep = _option(_sweep)
sweep = click.command("sweep", short_help="Run grids of configs, in parallel, resumable.")(
    click.argument("arguments", nargs=-1, metavar="CONFIG... [key=value...]")(_sweep)
)

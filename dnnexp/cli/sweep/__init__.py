"""`dnnexp sweep`: many configs as one batch, in parallel, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dnnexp.cli.options import output_option
from dnnexp.cli.plugins import load_plugins, plugin_option
from dnnexp.cli.sweep.options import SweepOptions
from dnnexp.runs.threads import one_blas_thread

_OPTIONS = (
    output_option("Where the sweep's folder is made."),
    click.option("--name", help="Name of the sweep, in place of the file's."),
    click.option(
        "--seed", type=click.IntRange(min=0), help="Seed of every job, or the first of the repeats."
    ),
    click.option("--smoke", is_flag=True, help="Shrink every job to a second or two."),
    click.option("--dry-run", is_flag=True, help="Print the jobs; write nothing."),
    click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many at once (default: the cores)."),
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
        help="Go on with the sweep in this folder: do what is not complete.",
    ),
    click.option("--extend", is_flag=True, help="With --resume: accept jobs that were added since."),
    click.option(
        "--other-code", is_flag=True, help="With --resume: accept another dnnexp version, or changed plugins."
    ),
    click.option("--retries", type=click.IntRange(min=0), default=0, help="Do a failed job again N times."),
    click.option("--fail-fast", is_flag=True, help="Stop at the first failed job."),
    click.option("--max-failures", type=click.IntRange(min=1), metavar="N", help="Stop at N failed jobs."),
    click.option("--no-plots", is_flag=True, help="Draw nothing, neither of jobs nor of the sweep."),
    click.option("--json", "as_json", is_flag=True, help="Print the results as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no summary."),
    click.option(
        "--strict",
        is_flag=True,
        help="Exit with 1 if an expectation fails or cannot be evaluated, or a job's verdict is no.",
    ),
    plugin_option,
)


def _sweep(arguments: tuple[str, ...], fail_fast: bool, max_failures: int | None, **rest: Any) -> int:
    """Run all variants of a config, each once, in parallel; go on where it was stopped.

    CONFIG is a sweep file, or one or more configs of runs; key=a,b and 'key=range(0,10)' sweep a key,
    key=value sets it for all jobs. Every job has a folder of its own; results.csv has a row a job.
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

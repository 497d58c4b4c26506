"""`dnnexp runs reproduce`: run a config again and compare."""

from __future__ import annotations

from pathlib import Path

import click

from dnnexp.cli.options import plugin_option
from dnnexp.cli.runs.options import complete_run, find_runs, where_option


@click.command("reproduce", short_help="Repeat a run and compare the metrics.")
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@where_option
@click.option(
    "--rtol",
    default=1e-9,
    show_default=True,
    type=click.FloatRange(min=0, max=1),
    help="Largest relative difference at which numbers count as reproduced.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--no-plots", is_flag=True, help="Draw no figures.")
@click.option("-q", "--quiet", is_flag=True, help="Print no progress.")
@plugin_option
def command(
    name: str,
    output: Path,
    rtol: float,
    as_json: bool,
    no_plots: bool,
    quiet: bool,
    plugins: tuple[Path, ...],
) -> int:
    """Run the config of RUN again, into a new run folder, and compare every metric.

    Exit code 0: all metrics are identical or within the tolerance; 1: some differ.
    """
    from dnnexp.runs.threads import one_blas_thread

    one_blas_thread()
    from dnnexp.cli.runs.reproduction import Again, reproduced

    (folder,) = find_runs(output, [name])
    return reproduced(folder, Again(output, rtol, as_json, not no_plots, quiet, plugins))

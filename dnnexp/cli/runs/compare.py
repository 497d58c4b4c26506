"""`dnnexp runs compare`: what differs between runs, and their curves laid over each other."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dnnexp.cli.plugins import load_plugins, plugin_option
from dnnexp.cli.runs.options import complete_run, find_runs, where_option


def _png(context: click.Context, parameter: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and (file.suffix.lower() != ".png" or file.is_dir()):
        raise click.BadParameter(f"{file}: must be a file name that ends in .png")
    return file


@click.command("compare", short_help="Show what differs between runs.")
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...", shell_complete=complete_run)
@where_option
@click.option("--all", "show_all", is_flag=True, help="List what is equal, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plot",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    callback=_png,
    help="Where the plot is written.  [default: compare.png in the output folder]",
)
@click.option("--no-plots", is_flag=True, help="Write no PNG.")
@plugin_option
def command(
    names: tuple[str, ...],
    output: Path,
    show_all: bool,
    as_json: bool,
    plot: Path | None,
    no_plots: bool,
    plugins: tuple[Path, ...],
) -> int:
    """Show what differs between runs in config, environment and metrics, and draw their curves in one plot.

    The relative difference is over the larger of the two magnitudes.
    """
    from dnnexp.cli.runs import comparison
    from dnnexp.runs.folder import WriteError

    if len(names) < 2:
        raise click.UsageError("needs two runs or more to compare")
    load_plugins(plugins)
    runs = comparison.load(find_runs(output, names))
    compared = comparison.compared(runs)
    code = 0
    if not no_plots:
        try:  # before the answer, which may go to a pipe that is closed early
            comparison.draw(runs, compared, plot or output / "compare.png")
        except WriteError as error:
            click.echo(f"dnnexp: {error}", err=True)
            code = 3
    if as_json:
        click.echo(json.dumps(comparison.document(runs, compared, show_all), indent=2))
    else:
        comparison.show(runs, compared, show_all)
    return code

"""`dnnexp runs compare`: the differences between runs, and their curves in one figure."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dnnexp.cli.options import load_plugins, plugin_option
from dnnexp.cli.runs.options import complete_run, find_runs, where_option


def _png(context: click.Context, parameter: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and (file.suffix.lower() != ".png" or file.is_dir()):
        raise click.BadParameter(f"{file}: must be a file name that ends in .png")
    return file


@click.command("compare", short_help="Show the differences between runs.")
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...", shell_complete=complete_run)
@where_option
@click.option("--all", "show_all", is_flag=True, help="Also list what is equal.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plot",
    metavar="FILE.png",
    type=click.Path(path_type=Path),
    callback=_png,
    help="File of the figure.  [default: compare.png in the output folder]",
)
@click.option("--no-plots", is_flag=True, help="Draw no figures.")
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
    """Show the differences between runs in config, environment and metrics, and draw their curves.

    Relative differences are relative to the larger magnitude.
    """
    from dnnexp.cli.runs import comparison
    from dnnexp.runs.folder import WriteError

    if len(names) < 2:
        raise click.UsageError("name at least two runs to compare")
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

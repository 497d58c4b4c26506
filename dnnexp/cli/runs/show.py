"""`dnnexp runs show`: one run, from what its folder holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dnnexp.cli.runs.options import complete_run, find_runs, where_option


@click.command("show", short_help="Show a run and its results.")
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@where_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, without the metrics (see metrics.json).")
def command(name: str, output: Path, as_json: bool) -> None:
    """Show a run: its config, time, environment and results; of a sweep, also its failed jobs."""
    from rich.console import Console
    from rich.text import Text

    from dnnexp.cli.runs.description import description, document
    from dnnexp.runs.catalogue import look

    (folder,) = find_runs(output, [name])
    run = look(folder)
    if run is None:
        raise click.UsageError(f"{folder}: is not a run folder any more")
    if as_json:
        click.echo(json.dumps(document(run), indent=2))
        return
    console = Console()
    for part in description(run):
        console.print(part, soft_wrap=isinstance(part, Text))  # a summary has its own lines

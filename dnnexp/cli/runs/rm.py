"""`dnnexp runs rm`: remove runs."""

from __future__ import annotations

from pathlib import Path

import click

from dnnexp.cli.runs.options import complete_run, find_runs, where_option


@click.command("rm", short_help="Remove runs, after asking.")
@click.argument("names", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_run)
@where_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(names: tuple[str, ...], output: Path, yes: bool) -> int:
    """Remove each RUN, a run or a sweep with all its jobs; only inside the output folder.

    It lists the folders and asks first. `latest` then points to the newest complete run that is left.
    """
    from dnnexp.runs.folder import WriteError
    from dnnexp.runs.removal import RefusedError, removable, remove

    try:
        folders = removable(output, find_runs(output, names))
    except RefusedError as error:
        raise click.UsageError(str(error)) from None
    for folder in folders:
        click.echo(_line(folder), err=not yes)
    if not yes and not _confirmed(len(folders)):
        click.echo("dnnexp: nothing was removed", err=True)
        return 1
    try:
        remove(output, folders)
    except WriteError as error:
        click.echo(f"dnnexp: {error}", err=True)
        return 3
    return 0


def _line(folder: Path) -> str:
    """A folder, its status and its size."""
    from dnnexp.cli.runs.columns import size, state
    from dnnexp.runs.catalogue import look

    run = look(folder)
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    total = sum(path.stat().st_size for path in files)
    return f"{folder}  {state(run) if run else ''}  {len(files)} files, {size(total)}"


def _confirmed(count: int) -> bool:
    from dnnexp.cli.interrupts import check

    try:
        what = "this run" if count == 1 else f"these {count} runs"
        return click.confirm(f"Remove {what}?", err=True)
    except click.Abort:  # Ctrl-C, or the end of the input
        check()
        raise click.UsageError("stdin is not a terminal; pass --yes to remove without asking") from None

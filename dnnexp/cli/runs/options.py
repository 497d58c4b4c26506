"""What the commands on past runs share: where the runs are, and which are meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dnnexp.cli.options import output_option

where_option = output_option("Where the run folders are.", "output")


def complete_run(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the folders, for the shell."""
    from dnnexp.runs.lookup import names_in

    names = [*names_in(Path(context.params.get("output") or "outputs")), "latest"]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def find_runs(output: Path, names: Iterable[str]) -> list[Path]:
    """The folders of the runs that are meant.

    Raises:
        click.BadParameter: with everything that is wrong with the names.
    """
    from dnnexp.runs.lookup import LookupFailure, find

    found, problems = [], []
    for name in names:
        try:
            found.append(find(output, name))
        except LookupFailure as failure:
            problems.append(str(failure))
    if problems:
        raise click.BadParameter("\n".join(problems), param_hint="RUN")
    return found

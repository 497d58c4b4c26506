"""Options that the commands on past runs share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dnnexp.cli.options import output_option

where_option = output_option("Folder that holds the run folders.", "output")


def complete_run(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the run folders, for shell completion."""
    from dnnexp.runs.lookup import names_in

    names = [*names_in(Path(context.params.get("output") or "outputs")), "latest"]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def find_runs(output: Path, names: Iterable[str]) -> list[Path]:
    """The folders of the named runs.

    Raises:
        click.BadParameter: with all problems of the names.
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

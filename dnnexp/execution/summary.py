"""Summaries: the result of a run as tables for a terminal of 80 columns."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.experiments import Experiment
from dnnexp.experiments.base import Result

_STYLES = {"holds": "green", "fails": "red", "not_evaluable": "yellow", "skipped": "dim"}


def summary(experiment: Experiment, result: Result, outcomes: Sequence[dict[str, str]]) -> RenderableType:
    """The tables of a result, then the expectations with their outcomes."""
    return Group(*experiment.tables(result), *expectations(outcomes))


def refusal(experiment: Experiment, result: Result, unmet: Sequence[dict[str, str]]) -> RenderableType:
    """Why the exit code is 1: the experiment's own verdict where it is no, and the unmet expectations."""
    verdict = [] if result.passed else experiment.refusal(result)
    return Group(*verdict, *expectations(unmet))


def summary_text(experiment: Experiment, result: Result, outcomes: Sequence[dict[str, str]]) -> str:
    """The summary as plain text."""
    stream = io.StringIO()
    Console(file=stream, width=100, color_system=None).print(summary(experiment, result, outcomes))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def expectations(outcomes: Sequence[dict[str, str]]) -> list[RenderableType]:
    """Every claim with its outcome and the values that decided it."""
    if not outcomes:
        return []
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for entry in outcomes:
        style = _STYLES[entry["outcome"]]
        detail = Text(entry["detail"], style="dim")
        if entry["outcome"] == "holds":
            detail.no_wrap, detail.overflow = True, "ellipsis"
        word = Text(entry["outcome"].replace("_", " "), style=style)
        table.add_row(word, Group(Text(entry["claim"]), detail))
    return [Text(""), Text("expectations", style="bold"), table]

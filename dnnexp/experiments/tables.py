"""The tables of summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def table(*columns: str) -> Table:
    """An empty table of text in the first column and numbers in the others."""
    made = Table(box=box.SIMPLE_HEAD)
    made.add_column(columns[0], overflow="fold", min_width=9)
    for column in columns[1:]:
        made.add_column(column, justify="right", overflow="fold")
    return made


@dataclass(frozen=True)
class Titled:
    """A title and a table: the first of several that fits the terminal, so that no number is cut off."""

    title: str
    tables: Sequence[Table]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Title and table."""
        yield Text(self.title, style="bold")
        roomy = options.update(max_width=10_000)
        for made in self.tables[:-1]:
            if Measurement.get(console, roomy, made).maximum <= options.max_width:
                yield made
                return
        yield self.tables[-1]

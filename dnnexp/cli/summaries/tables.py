"""What the tables of all experiments share."""

from __future__ import annotations

from rich import box
from rich.table import Table


def table(title: str, *columns: str) -> Table:
    """An empty table of text in the first column and numbers in the others."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    made.add_column(columns[0], overflow="fold", min_width=9)
    for column in columns[1:]:
        made.add_column(column, justify="right", no_wrap=True)
    return made


def count(number: int, noun: str) -> str:
    """`1 start`, `2 starts`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def number(value: float | None) -> str:
    """Three digits, or a dash for what does not exist."""
    return "–" if value is None else f"{value:.3g}"

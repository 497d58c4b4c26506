"""Columns of text. Rich's tables measure and wrap every cell, which takes seconds for 10,000 rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from dnnexp.runs.record import Run

Cell: TypeAlias = str | tuple[str, str]
"""A text, or a text and its style."""
_GAP = "  "
_MIN_FIRST_COLUMN = 24
"""A first column narrower than this many characters gets lines of its own."""


@dataclass(frozen=True)
class Columns:
    """A heading and rows. The first column is folded where it is too wide, the others never are.

    Attributes:
        heading: a name for each column.
        rows: the cells.
        left: which columns, besides the first, are aligned to the left.
        indent: is written before every line.
    """

    heading: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left: frozenset[int] = frozenset()
    indent: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines."""
        table: list[Sequence[Cell]] = [[(name, "bold") for name in self.heading], *self.rows]
        widths = [max(cell_len(_text(cell)) for cell in column) for column in zip(*table, strict=True)]
        beside = len(self.indent) + sum(len(_GAP) + width for width in widths[1:])
        # into a pipe, such as to grep, names are written whole
        room = options.max_width - beside if options.is_terminal else widths[0]
        styles = {style: Style.parse(style) for row in table for style in map(_style, row) if style}
        for row in table:
            for line in self._lines(row, [min(widths[0], room), *widths[1:]]):
                yield from (Segment(text, styles.get(style)) for text, style in line)
                yield Segment.line()

    def _lines(self, row: Sequence[Cell], widths: Sequence[int]) -> Iterator[list[tuple[str, str]]]:
        """The lines of a row, each a list of texts with their styles."""
        name, style = _text(row[0]), _style(row[0])
        parts = list(_folded(name, max(widths[0], _MIN_FIRST_COLUMN)))
        if widths[0] < min(_MIN_FIRST_COLUMN, cell_len(name)):  # no room beside the others
            yield [(self.indent + name, style)]
            parts = [""]
        line = [(self.indent + _padded(parts[0], widths[0], True), style)]
        for place, cell in enumerate(row[1:], start=1):
            text = _padded(_text(cell), widths[place], place in self.left)
            is_last = place == len(row) - 1
            line += [(_GAP, ""), (text.rstrip() if is_last else text, _style(cell))]
        yield line
        for part in parts[1:]:
            yield [(self.indent + part, style)]


def _folded(text: str, width: int) -> Iterator[str]:
    """A text in lines of at most `width` cells, broken where a part of a name or path ends."""
    while cell_len(text) > width:
        head = set_cell_size(text, width).rstrip()
        end = max(head.rfind(mark) for mark in ".-_/") + 1
        end = end if 2 * end > len(head) else len(head)
        yield text[:end]
        text = text[end:]
    yield text


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]


def _padded(text: str, width: int, is_left: bool) -> str:
    space = " " * (width - cell_len(text))
    return text + space if is_left else space + text


STYLES = {"complete": "green", "running": "cyan", "failed": "red", "interrupted": "yellow", "torn": "magenta"}


def instant(time: datetime | None) -> str:
    """Such as `2026-11-22 20:15:31 UTC`."""
    return "not known" if time is None else f"{time:%Y-%m-%d %H:%M:%S} UTC"


def state(run: Run) -> str:
    """The status; of a sweep, also the numbers of its jobs."""
    if run.jobs is None:
        return run.status
    told = f"{run.status}: {run.jobs['complete']} of {run.jobs['jobs']}"
    return told + (f", {run.jobs['failed']} failed" if run.jobs["failed"] else "")


def size(count: int) -> str:
    """The size of a file: `12.3 kB`."""
    number = float(count)
    for unit in ("B", "kB", "MB"):
        if number < 999.5:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"

"""`results.csv`: the rows of the document, and beside them every scalar of each job's metrics."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from dnnexp.runs.leaves import leaves

_EMPTY = ","
_AS_JSON = (bool, list, dict)


class Scalars:
    """The scalars of many jobs, one line each, kept as text to save memory.

    New names are appended, so a line has the columns that were known when it was added.
    """

    def __init__(self) -> None:
        """No jobs yet."""
        self.names: dict[str, None] = {}
        self._lines: list[tuple[str, int]] = []

    def add(self, tree: Mapping[str, Any], leave_out: Collection[str] = ()) -> None:
        """Add a job's metrics without the scalars in `leave_out`; empty metrics give an empty line."""
        found = leaves(tree, "left out")
        for name in leave_out:
            found.pop(name, None)
        self.names |= dict.fromkeys(found)
        self._lines.append((_line(map(found.get, self.names)), len(self.names)))

    def lines(self) -> Iterable[str]:
        """The cells of each job, one for each name, without line ends."""
        return (text + _EMPTY * (len(self.names) - max(count, 1)) for text, count in self._lines)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], scalars: Scalars) -> str:
    """The table as RFC 4180 defines: numbers by repr, null empty, nested values as JSON.

    A scalar that has its name in common with a column is named `metrics.<name>`.
    """
    names = [f"metrics.{name}" if name in columns else name for name in scalars.names]
    lines = [_line([*columns, *names])]
    for row, more in zip(rows, scalars.lines(), strict=True):
        first = _line(map(row.get, columns))
        lines.append(f"{first},{more}" if names else first)
    return "".join(f"{line}\r\n" for line in lines)


def _line(values: Iterable[Any]) -> str:
    """Values as cells; an empty line stands for one empty cell or for none."""
    buffer = io.StringIO()
    cells = [json.dumps(v, ensure_ascii=False) if isinstance(v, _AS_JSON) else v for v in values]
    if cells not in ([], [None]):  # csv would write ""
        csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()

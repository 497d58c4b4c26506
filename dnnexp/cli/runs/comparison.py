"""A comparison of runs: read from their folders, printed and drawn."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import numpy as np
from rich.console import Console, RenderableType
from rich.text import Text

from dnnexp.cli.runs.columns import STYLES, Columns, state
from dnnexp.cli.runs.filters import config_of
from dnnexp.cli.runs.list import described
from dnnexp.runs.catalogue import look
from dnnexp.runs.compare import (
    ABSENT,
    ComparedRow,
    config_leaves,
    environment_leaves,
    metric_leaves,
    rows,
)
from dnnexp.runs.folder import RunFolder, reporting
from dnnexp.runs.record import Run, read_json
from dnnexp.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_CELL = 22
"""Characters of a value that is shown in a column; longer values get lines of their own."""
_MAX_SETTINGS = 3
"""Settings in the label of a run."""
_UNREADABLE = (OSError, EOFError, ValueError, TypeError, LookupError, zipfile.BadZipFile, zlib.error)
"""Errors of torn arrays, and of metrics that another version wrote."""


@dataclass(frozen=True)
class Loaded:
    """A run with the content of its folder; missing parts are empty."""

    run: Run
    config: Mapping[str, Any]
    record: Mapping[str, Any]
    metrics: Mapping[str, Any]


class Compared(NamedTuple):
    """Every key of the runs' configs, environments and metrics."""

    config: list[ComparedRow]
    environment: list[ComparedRow]
    metrics: list[ComparedRow]


def load(folders: Iterable[Path]) -> list[Loaded]:
    """The contents of the folders; a message names what one lacks.

    Raises:
        click.UsageError: a run is named twice, or is a sweep.
    """
    found: list[Loaded] = []
    for folder in folders:
        run = look(folder)
        if run is None or run.jobs is not None:
            message = f"{folder}: is a sweep; compare its jobs instead: {folder / 'jobs'}{os.sep}..."
            raise click.UsageError(message if run else f"{folder}: is not a run folder any more")
        if any(folder.resolve() == other.run.path.resolve() for other in found):
            raise click.UsageError(f"{folder}: is given twice")
        metrics = read_json(folder / "metrics.json").get("metrics")
        if not isinstance(metrics, dict):
            click.echo(f"dnnexp: {folder}: {no_metrics(run)}", err=True)
        record = read_json(folder / "run.json")
        found.append(Loaded(run, config_of(folder), record, metrics if isinstance(metrics, dict) else {}))
    return found


def no_metrics(run: Run) -> str:
    """Why a run has no metrics."""
    if run.status == "complete":
        return "metrics.json is damaged: it has no metrics"
    return f"is {run.status}: it has no metrics"


def compared(runs: Sequence[Loaded]) -> Compared:
    """All keys, with the values of each run."""
    return Compared(
        rows([config_leaves(run.config) for run in runs]),
        rows([environment_leaves(run.record) for run in runs]),
        rows([metric_leaves(run.metrics) for run in runs]),
    )


def document(runs: Sequence[Loaded], found: Compared, show_all: bool) -> dict[str, Any]:
    """The comparison for JSON: values in the order of the runs, null for a missing one."""
    entries = {
        name: [_entry(row, runs) for row in part if show_all or not row.is_equal]
        for name, part in found._asdict().items()
    }
    equal = {name: sum(row.is_equal for row in part) for name, part in found._asdict().items()}
    return {"runs": [described(run.run) for run in runs], **entries, "equal": equal}


def _entry(row: ComparedRow, runs: Sequence[Loaded]) -> dict[str, Any]:
    absent = [run.run.path.name for run, value in zip(runs, row.values, strict=True) if value is ABSENT]
    distances = {"difference": row.difference, "relative": row.relative}
    return {"key": row.key, "values": row.plain, "absent": absent, **distances}


def show(runs: Sequence[Loaded], found: Compared, show_all: bool) -> None:
    """Print the runs, each with a letter, and their differences."""
    console = Console()
    head = [
        (f"{letter}  {printable(run.run.path.name)}", (state(run.run), STYLES[run.run.status]))
        for letter, run in zip(letters(len(runs)), runs, strict=True)
    ]
    console.print(Columns(("runs", ""), head, frozenset({1})), soft_wrap=True)
    for name, part in found._asdict().items():
        for renderable in _section(name, part, letters(len(runs)), show_all):
            console.print(renderable, soft_wrap=True)


def letters(count: int) -> list[str]:
    """The letters a to z, then a2, b2 and so on."""
    return [chr(ord("a") + i % 26) + (str(i // 26 + 1) if i >= 26 else "") for i in range(count)]


def _section(
    name: str, part: Sequence[ComparedRow], heads: Sequence[str], show_all: bool
) -> Iterator[RenderableType]:
    """The differences in one respect, and the number of equal entries."""
    shown = [row for row in part if show_all or not row.is_equal]
    equal = sum(row.is_equal for row in part)
    differ = f"{len(part) - equal} differ" if equal < len(part) else "no difference"
    return section(f"{name}: {differ}, {equal} equal", shown, heads, has_distances=name == "metrics")


def section(
    title: str, shown: Sequence[ComparedRow], heads: Sequence[str], has_distances: bool
) -> Iterator[RenderableType]:
    """A title and a line for each key, or several if a value is long."""
    yield Text(f"\n{title}", style="bold")
    short, long = [row for row in shown if _is_short(row)], [row for row in shown if not _is_short(row)]
    has_distances = has_distances and any(row.difference is not None for row in short)
    if short:
        heading = ("", *heads, *(("difference", "relative") if has_distances else ()))
        yield Columns(heading, [_cells(row, has_distances) for row in short], indent="  ")
    for row in long:
        yield Text(f"  {printable(row.key)}")
        for letter, value in zip(heads, row.values, strict=True):
            yield Text(f"    {letter}  {word(value)}")


def _is_short(row: ComparedRow) -> bool:
    return all(len(word(value)) <= _MAX_CELL for value in row.values)


def _cells(row: ComparedRow, has_distances: bool) -> tuple[str, ...]:
    distances = (row.difference, row.relative) if has_distances else ()
    told = ("" if value is None else f"{value:.3g}" for value in distances)
    return (printable(row.key), *map(word, row.values), *told)


def word(value: Any) -> str:
    """A value for a table: six digits of a number, a dash for a missing value."""
    if value is ABSENT:
        return "–"
    if isinstance(value, str):
        return printable(value)
    return f"{value:.6g}" if isinstance(value, float) else printable(json.dumps(value, ensure_ascii=False))


def draw(runs: Sequence[Loaded], found: Compared, file: Path) -> None:
    """Draw the curves of the runs into a PNG and print its path, or why there is none.

    Raises:
        WriteError: it cannot be written.
    """
    from dnnexp.execution.run import drawn
    from dnnexp.experiments import find, names

    experiments = {run.run.experiment for run in runs}
    if len(experiments) > 1:
        click.echo("dnnexp: no plot: the runs are of different experiments", err=True)
        return
    (experiment,) = experiments
    if experiment not in names():
        click.echo(f"dnnexp: no plot: unknown experiment {experiment!r}; a --plugin may bring it", err=True)
        return
    compare = find(experiment).compare
    metrics, arrays, path = [run.metrics for run in runs], [], runs[0].run.path
    try:
        for path in (run.run.path for run in runs):
            arrays.append(_curves(path))
        made = [*drawn(lambda: _figures(compare(labels(runs, found.config), metrics, arrays)))]
    except _UNREADABLE:
        click.echo(f"dnnexp: no plot: {path}: its arrays or metrics cannot be read", err=True)
        return
    if not made:
        click.echo(f"dnnexp: no plot: {experiment} draws no comparison", err=True)
        return
    with reporting(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    ((_, png),) = made
    RunFolder(file.parent).write(file.name, png)
    click.echo(f"plot: {file}", err=True)


def _figures(figure: Figure | None) -> list[tuple[str, Figure | bytes]]:
    return [] if figure is None else [("compare", figure)]


def _curves(folder: Path) -> dict[str, Any]:
    """The arrays of a run that hold curves of values."""
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays if name == "evaluations" or name.endswith(".value")}


def labels(runs: Sequence[Loaded], config: Sequence[ComparedRow]) -> tuple[str, ...]:
    """A label for each run: its letter, and the settings in which it differs from the others."""
    telling = [
        row
        for row in config
        if not row.is_equal
        and row.key.partition(".")[0] not in ("name", "expect")
        and ABSENT not in row.values
        and _is_short(row)
    ]
    found = []
    for place, (letter, run) in enumerate(zip(letters(len(runs)), runs, strict=True)):
        said = [f"{row.key}={word(row.values[place])}" for row in telling[:_MAX_SETTINGS]]
        said += ["…"] * (len(telling) > _MAX_SETTINGS)
        found.append(f"{letter}: {', '.join(said) or run.run.path.name}")
    return tuple(found)

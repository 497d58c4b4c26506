"""A run described: from what its folder holds, whatever of it is missing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.cli.runs.columns import instant, size, state
from dnnexp.cli.runs.list import described
from dnnexp.runs.compare import environment_leaves
from dnnexp.runs.record import Run, read_json
from dnnexp.text import counted, duration, printable

_FAILURES = 20


def document(run: Run) -> dict[str, Any]:
    """What there is to say, as JSON has it."""
    record, results = read_json(run.path / "run.json"), _results(run)
    found = {**described(run), "record": record, "expectations": results.get("expectations", [])}
    return found | ({"failures": _failures(run.path)} if run.jobs is not None else {})


def description(run: Run) -> Iterator[RenderableType]:
    """What it was, where it was made, what it found."""
    record = read_json(run.path / "run.json")
    facts = [("folder", str(run.path)), *_facts(run, record), *_environment(record)]
    yield _grid([*facts, ("files", _files(run.path))], "bold")
    if run.jobs is not None:
        yield from _failed_jobs(run.path)
    yield from _findings(run)


def _grid(rows: Iterable[tuple[str, str]], style: str = "") -> Table:
    """Names, and beside them what may take several lines."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style=style)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, Text(_lines(value)))
    return grid


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.splitlines()))


def _results(run: Run) -> dict[str, Any]:
    return read_json(run.path / ("metrics.json" if run.jobs is None else "results.json"))


def _facts(run: Run, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What it was, and how it ended."""
    yield "experiment", run.experiment or "not known"
    yield "name", run.name or "not known"
    if run.seed is not None:
        yield "seed", str(run.seed)
    yield "status", state(run)
    if error := record.get("error"):
        yield "error", str(error)
    parts = _numbers(record.get("durations"))
    told = [f"{key} {duration(parts[key])}" for key in ("run", "plots") if key in parts]
    took = f", took {duration(run.seconds)}" if run.seconds is not None else ""
    yield "start", instant(run.start) + took + (f" ({', '.join(told)})" if told else "")
    if isinstance(command := record.get("command"), list):
        yield "command", shlex.join(map(str, command))


def _numbers(parts: Any) -> dict[str, float]:
    found = parts if isinstance(parts, dict) else {}
    return {key: value for key, value in found.items() if isinstance(value, int | float)}


def _environment(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where it was made."""
    leaves = environment_leaves(record)
    for group in ("versions", "git", "platform", "blas", "plugins"):
        found = {key.removeprefix(f"{group}."): v for key, v in leaves.items() if key.startswith(f"{group}.")}
        if found:
            yield group, ", ".join(f"{key} {_word(value)}" for key, value in found.items())


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _files(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return ", ".join(f"{path.name} ({size(path.stat().st_size)})" for path in files) or "none"


def _failures(folder: Path) -> list[dict[str, Any]]:
    from dnnexp.runs.sweeps import jobs

    return [
        {"job": job.key, "swept": dict(job.swept), "error": job.error}
        for job in jobs(folder)
        if job.status == "failed"
    ]


def _failed_jobs(folder: Path) -> Iterator[RenderableType]:
    """The failed jobs of a sweep, each with its error."""
    failures = _failures(folder)
    if failures:
        yield Text(f"\n{counted(len(failures), 'failed job')}", style="bold")
    rows = []
    for failure in failures[:_FAILURES]:
        swept = " ".join(f"{key}={_word(value)}" for key, value in failure["swept"].items())
        rows.append((failure["job"][:12], f"{swept}\n{failure['error'] or ''}".strip()))
    yield _grid(rows)
    if len(failures) > _FAILURES:
        yield Text(f"and {len(failures) - _FAILURES} more")


def _findings(run: Run) -> Iterator[RenderableType]:
    """The summary, in which expectations stand; without one, the expectations."""
    try:
        yield Text("\n" + _lines((run.path / "summary.txt").read_text(encoding="utf-8", errors="replace")))
        return
    except OSError:
        outcomes = _results(run).get("expectations")
    found = [entry for entry in outcomes if isinstance(entry, dict)] if isinstance(outcomes, list) else []
    if found:
        yield Text("\nexpectations", style="bold")
        words = [(str(entry.get("outcome")).replace("_", " "), _told(entry)) for entry in found]
        yield _grid(words)


def _told(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('claim')}\n{entry.get('detail')}"

"""A config run again: into a folder of its own, its metrics beside those of before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.text import Text

from dnnexp.cli.execute import answer, explain, point_latest
from dnnexp.cli.interrupts import check
from dnnexp.cli.options import load_plugins
from dnnexp.cli.progress import Display
from dnnexp.cli.runs.comparison import no_metrics, section
from dnnexp.config.load import ConfigError, load
from dnnexp.execution.run import RunOptions, execute_run
from dnnexp.experiments import names
from dnnexp.runs.catalogue import look
from dnnexp.runs.compare import ABSENT, ComparedRow, Reproduction, environment_leaves, reproduction, rows
from dnnexp.runs.environment import command_line
from dnnexp.runs.folder import RunFolder
from dnnexp.runs.record import Run, read_json

_COLOURS = {"identical": "green", "within tolerance": "green", "different": "red"}


class Again(NamedTuple):
    """How a config is run again, as `dnnexp runs reproduce --help` explains."""

    output: Path
    rtol: float
    as_json: bool
    plots: bool
    quiet: bool
    plugins: tuple[Path, ...]


def reproduced(folder: Path, again: Again) -> int:
    """Run it again and say what came of it; returns the exit code."""
    run, before, record = look(folder), read_json(folder / "metrics.json"), read_json(folder / "run.json")
    if run is None or run.jobs is not None:
        raise click.UsageError(f"{folder}: is not the folder of a run; of a sweep, name the folder of a job")
    if not isinstance(before.get("metrics"), dict):
        raise click.UsageError(f"{folder}: {no_metrics(run)} to compare with")
    load_plugins(again.plugins)
    _tell_of_plugins(record, again.plugins)
    if run.experiment not in names():
        raise click.UsageError(f"{folder}: unknown experiment {run.experiment!r}; a --plugin may bring it")
    try:
        config = load(run.experiment, folder / "config.yaml")
    except ConfigError as error:
        click.echo(str(error), err=True)
        return 2
    try:
        made = _run_again(run, config, again, is_smoke=_is_smoke(before))
        after = read_json(made / "metrics.json")
        found = reproduction(before["metrics"], after["metrics"], again.rtol)
        environments = [environment_leaves(record), environment_leaves(read_json(made / "run.json"))]
        changed = [row for row in rows(environments) if not row.is_equal]
        if again.as_json:
            answer(json.dumps(_document(folder, made, found, changed), indent=2))
        else:
            _show(made, found, changed, again.rtol)
    except BrokenPipeError:
        raise
    except Exception as error:
        return explain(config.name, error)
    return 1 if found.different else 0


def _tell_of_plugins(record: Mapping[str, Any], given: Sequence[Path]) -> None:
    """A plugin is only ever named on the command line: what the run had is not loaded by itself."""
    recorded = record.get("plugins")
    paths = [Path(str(entry.get("path"))) for entry in recorded or [] if isinstance(entry, dict)]
    names = {path.name for path in given}
    for path in paths:
        if path.name not in names:
            click.echo(f"dnnexp: the run used a plugin; to load it again, add --plugin {path}", err=True)


def _is_smoke(before: Mapping[str, Any]) -> bool:
    """Whether the expectations were skipped: `config.yaml` has the shrunk config, not that it is one."""
    outcomes = before.get("expectations") or []
    return bool(outcomes) and all(entry.get("outcome") == "skipped" for entry in outcomes)


def _run_again(run: Run, config: Any, again: Again, is_smoke: bool) -> Path:
    assert run.experiment is not None
    folder = RunFolder.claim(again.output, run.experiment, config.name)
    record = {"command": command_line(), "reproduces": str(run.path.resolve())}
    options = RunOptions(smoke=is_smoke, plots=again.plots, plugins=again.plugins)
    with Display(Console(stderr=True), config.name, again.quiet) as display:
        execute_run(run.experiment, config, folder, options, display, record, check)
    point_latest(folder)
    return folder.path


def _document(
    folder: Path, made: Path, found: Reproduction, changed: Sequence[ComparedRow]
) -> dict[str, Any]:
    counts = {name: len(part) for name, part in found._asdict().items()}
    metrics = [_entry(row, "within tolerance") for row in found.within]
    metrics += [_entry(row, "different") for row in found.different]
    environment = [_entry(row) for row in changed]
    head = {"run": str(folder), "reproduction": str(made), "verdict": found.verdict, "counts": counts}
    return {**head, "metrics": metrics, "environment": environment}


def _entry(row: ComparedRow, verdict: str = "") -> dict[str, Any]:
    before, now = row.plain
    absent = [name for name, value in zip(("before", "now"), row.values, strict=True) if value is ABSENT]
    distances = {"difference": row.difference, "relative": row.relative, "verdict": verdict}
    return {"key": row.key, "before": before, "now": now, "absent": absent} | (distances if verdict else {})


def _show(made: Path, found: Reproduction, changed: Sequence[ComparedRow], rtol: float) -> None:
    """The new folder, the verdict, every metric that is not identical, what may be the cause."""
    answer(str(made))
    console, heads = Console(), ("before", "now")
    counts = f"all {len(found.identical)} metrics"
    if found.within or found.different:
        counts = f"{len(found.different)} different, {len(found.within)} within {rtol:g}"
        counts += f", {len(found.identical)} identical metrics"
    console.print(Text(f"{found.verdict}: {counts}", style=_COLOURS[found.verdict]))
    changes = [*found.different, *found.within]
    parts = [section("metrics that are not identical", changes, heads, has_distances=True)] if changes else []
    if changes and changed:
        parts.append(section("likely cause: the environment differs", changed, heads, has_distances=False))
    for renderable in chain.from_iterable(parts):
        console.print(renderable, soft_wrap=True)
    if changes and not changed:
        console.print("\nthe recorded environment is the same")

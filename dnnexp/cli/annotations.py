"""GitHub Actions' annotations: lines on stderr that it shows beside the changed code.

The escapes are those of its documentation, "Workflow commands for GitHub Actions", and of its toolkit
(packages/core/src/command.ts).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from dnnexp.cli.execute import RunOutcome
from dnnexp.experiments import find

_MAX_ANNOTATIONS = 10
"""GitHub shows this many errors, and this many warnings, of a step."""
_MAX_DETAILS = 2
"""Details shown after the verdict of a run: other runs of the step need room, too."""


def show(lines: Sequence[str]) -> None:
    """Print annotations under GitHub Actions; an unwritable stderr is no reason to fail."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        with suppress(OSError):
            for line in lines:
                click.echo(line, err=True)


def of_config(experiment: str, file: Path | None, problems: Sequence[str]) -> list[str]:
    """The problems of a config, each with its place in the file."""
    title = f"dnnexp {experiment} config"
    return _few([_problem(title, file, problem) for problem in problems], title)


def of_run(experiment: str, name: str, file: Path | None, outcome: RunOutcome, strict: bool) -> list[str]:
    """The failures of a run: its error, its verdict, its unmet claims."""
    title = f"dnnexp {experiment} {name}"
    level = "error" if strict else "warning"
    lines = [_line("error", message, title=title, file=file) for message in _refusals(experiment, outcome)]
    for entry in outcome.unmet:
        message = f"{entry['claim']}: {entry['outcome'].replace('_', ' ')}: {entry['detail']}"
        lines.append(_line(level, message, title=title, file=file))
    return _few(lines, title)


def _refusals(experiment: str, outcome: RunOutcome) -> Iterator[str]:
    if outcome.error is not None:
        yield f"{type(outcome.error).__name__}: {outcome.error}"
    if outcome.result is not None and not outcome.result.passed:
        lines = [str(line).strip() for line in find(experiment).refusal(outcome.result)]
        yield from lines[: 1 + _MAX_DETAILS]


def _problem(title: str, file: Path | None, problem: str) -> str:
    """`FILE:LINE:COLUMN: message`, or a message about the file or an argument."""
    found = re.fullmatch(re.escape(str(file)) + r"(?::(\d+):(\d+))?: (.*)", problem, flags=re.DOTALL)
    if file is None or found is None:
        return _line("error", problem, title=title)
    return _line("error", found[3], title=title, file=file, line=found[1], col=found[2])


def _few(lines: list[str], title: str) -> list[str]:
    """At most ten lines; the last gives the number of the others."""
    if len(lines) <= _MAX_ANNOTATIONS:
        return lines
    kept = lines[: _MAX_ANNOTATIONS - 1]
    level = lines[-1].removeprefix("::").partition(" ")[0]
    return [*kept, _line(level, f"and {len(lines) - len(kept)} more: see the log", title=title)]


def _line(level: str, message: str, **properties: object) -> str:
    shown = {key: _escape(str(value)) for key, value in properties.items() if value is not None}
    pairs = ",".join(f"{key}={value.replace(':', '%3A').replace(',', '%2C')}" for key, value in shown.items())
    return f"::{level} {pairs}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

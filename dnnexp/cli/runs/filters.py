"""The filters of `dnnexp runs list`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from dnnexp.runs.record import Run, read_json

_OUTLINE: Mapping[str, Any] = {
    "experiment": str,
    "name": str,
    "seed": float,
    "status": str,
    "start": str,
    "seconds": float,
    "passed": bool,
    "metrics": object,
    "config": object,
}
"""The names that an expression may use, each with the type of its values."""


def keep(
    runs: Iterable[Run],
    experiments: Sequence[str],
    name: str | None,
    statuses: Sequence[str],
    since: datetime | None,
    where: str | None,
) -> Iterator[Run]:
    """The runs that pass all filters; the filters that read more than `run.json` come last.

    Raises:
        click.BadParameter: no such experiment, or an expression that cannot be used.
    """
    holds, runs = _condition(where), [*runs]
    _check(experiments, runs)
    for run in runs:
        if experiments and run.experiment not in experiments:
            continue
        if statuses and run.status not in statuses:
            continue
        if name is not None and not fnmatchcase(run.name or "", name):
            continue
        if since is not None and (run.start is None or run.start < since):
            continue
        if holds(run):
            yield run


def _check(wanted: Sequence[str], runs: Iterable[Run]) -> None:
    """An experiment is known by its command or, if a plugin brought it, by a run."""
    if not wanted:
        return
    from dnnexp.experiments import names
    from dnnexp.registry import suggest

    known = dict.fromkeys((*names(), "sweep", *(run.experiment for run in runs if run.experiment)))
    for name in wanted:
        if name not in known:
            message = f"unknown experiment {name!r}{suggest(name, known)}"
            raise click.BadParameter(message, param_hint="--experiment")


def _condition(where: str | None) -> Callable[[Run], bool]:
    if where is None:
        return lambda run: True
    from dnnexp.expression import ExpressionError, parse

    try:
        expression = parse(where)
        expression.check(_OUTLINE)
    except ExpressionError as error:
        raise click.BadParameter(str(error), param_hint="--where") from None
    return lambda run: expression.evaluate(_Facts(run)).value is True


class _Facts(Mapping[str, Any]):
    """The names of an expression for one run: a file is read when its content is needed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._read: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in _OUTLINE:
            raise KeyError(key)
        if key not in self._read:
            self._read[key] = self._find(key)
        return self._read[key]

    def __contains__(self, key: object) -> bool:
        return key in _OUTLINE

    def __iter__(self) -> Iterator[str]:
        return iter(_OUTLINE)

    def __len__(self) -> int:
        return len(_OUTLINE)

    def _find(self, key: str) -> Any:
        match key:
            case "start":
                return self._run.start and f"{self._run.start:%Y-%m-%dT%H:%M:%SZ}"
            case "metrics":
                return read_json(self._run.path / "metrics.json").get("metrics")
            case "passed":
                found = self["metrics"]
                passed = found.get("passed") if isinstance(found, dict) else None
                return passed if isinstance(passed, bool) else None
            case "config":
                return config_of(self._run.path)
        return getattr(self._run, key)


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ALLOWED = "a date such as 2026-11-24 or 2026-11-24T08:30, or how long ago: 90s, 30m, 2h, 3d, 1w"


def since(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """A duration before now, or a date or time; UTC unless it says otherwise."""
    if value is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", value):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{value!r} is not a time; allowed: {_ALLOWED}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def config_of(folder: Path) -> dict[str, Any]:
    """The tree in `config.yaml`; empty where it cannot be read."""
    from dnnexp.config import dialect

    try:
        document = dialect.parse((folder / "config.yaml").read_bytes())
    except OSError:
        return {}
    return document.value if isinstance(document.value, dict) and not document.problems else {}

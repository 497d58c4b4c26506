"""`sweep.json`: the plan of a sweep as it was made, and what has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dnnexp
from dnnexp.config.schema import read as read_config
from dnnexp.config.sweep import Job, Plan, SweepConfig
from dnnexp.registry import dotted, plain
from dnnexp.runs.folder import RunFolder

NAME = "sweep.json"
_SHOWN = 8


@dataclass(frozen=True)
class Command:
    """What a plan was made from: files (absolute), the other arguments, and options that change jobs."""

    files: tuple[str, ...]
    arguments: tuple[str, ...]
    smoke: bool = False
    name: str | None = None
    seed: int | None = None


class PlanError(Exception):
    """A sweep that cannot be resumed; the message says why, and what can be done."""


def write(folder: RunFolder, plan: Plan, command: Command, plugins: Sequence[Path]) -> None:
    """Write the plan.

    Raises:
        WriteError: it cannot be written.
    """
    jobs = [
        {"job": job.key, "experiment": job.experiment, "name": job.name, "base": job.base}
        | {"swept": job.swept, "config": job.tree}
        for job in plan.jobs
    ]
    document = {"schema_version": 1, "name": plan.sweep.name, "dnnexp": dnnexp.__version__}
    document |= {"command": vars(command), "plugins": hashes(plugins), "sweep": plain(plan.sweep)}
    document["sources"] = [str(path) for path in plan.sources]
    folder.write_json(NAME, document | {"jobs": jobs})


def read(folder: Path) -> dict[str, Any]:
    """The plan in a folder.

    Raises:
        PlanError: there is none, or it cannot be read.
    """
    try:
        document = json.loads((folder / NAME).read_bytes())
        document["command"] = Command(**document["command"])
    except FileNotFoundError:
        raise PlanError(f"{folder}: is no sweep: it has no {NAME}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{folder / NAME}: cannot be read: {error}") from None
    return dict(document)


def planned(document: Mapping[str, Any], folder: Path) -> Plan:
    """The plan as it was written.

    Raises:
        PlanError: another version wrote it, and this one cannot read it.
    """
    sweep, errors = read_config(SweepConfig, document["sweep"])
    if sweep is None:
        raise PlanError(f"{folder / NAME}: cannot be read: {dotted(errors[0][0])}: {errors[0][1]}")
    jobs = tuple(
        Job(job["job"], job["experiment"], job["name"], job["base"], job["swept"], job["config"])
        for job in document["jobs"]
    )
    return Plan(sweep, jobs, 0, 0, tuple(map(Path, document["sources"])))


def hashes(plugins: Sequence[Path]) -> list[str]:
    """The SHA-256 of each plugin."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in plugins]


def other_code(document: Mapping[str, Any], plugins: Sequence[Path]) -> str | None:
    """Which code a plan was made with, where it is not this one."""
    if document["dnnexp"] != dnnexp.__version__:
        return f"the sweep was made with dnnexp {document['dnnexp']}, this is {dnnexp.__version__}"
    if document["plugins"] != hashes(plugins):
        return "the plugins are not those that the sweep was made with"
    return None


def differences(before: Sequence[Job], now: Sequence[Job]) -> list[str]:
    """What has changed in the jobs: keys of their configs, jobs that are gone, jobs that are new."""
    old, new = {job.key: job for job in before}, {job.key: job for job in now}
    gone = {_place(job): job for key, job in old.items() if key not in new}
    added = {_place(job): job for key, job in new.items() if key not in old}
    changes: dict[str, int] = {}
    for place in gone.keys() & added.keys():
        for line in _changes(gone[place].tree, added[place].tree):
            changes[line] = changes.get(line, 0) + 1
    lines = [f"~ {line} (in {count} jobs)" for line, count in sorted(changes.items())]
    lines += [f"- {place}" for place in gone if place not in added]
    lines += [f"+ {place}" for place in added if place not in gone]
    rest = len(lines) - _SHOWN
    return lines if rest <= 1 else [*lines[:_SHOWN], f"... and {rest} more"]


def _place(job: Job) -> str:
    """A job's place in the sweep, in words."""
    words = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in job.swept.items())
    return f"{Path(job.base).name} {' '.join(words)}".strip()


def _changes(before: Any, now: Any) -> Iterator[str]:
    old, new = dict(_leaves(before)), dict(_leaves(now))
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in ("name", "expect") and not key.startswith("expect.") and old.get(key) != new.get(key):
            yield f"{key}: {_word(old, key)} -> {_word(new, key)}"


def _word(leaves: Mapping[str, Any], key: str) -> str:
    return json.dumps(leaves[key], ensure_ascii=False) if key in leaves else "(nothing)"


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by dotted keys; items of lists by number."""
    if isinstance(tree, dict | list) and tree:
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, tree

"""`sweep.json`: the stored plan of a sweep, and its differences from the plan of today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnnexp.config.schema import read as read_config
from dnnexp.config.sweep import Job, Plan, SweepConfig
from dnnexp.execution.code import Code
from dnnexp.registry import dotted, plain
from dnnexp.runs.folder import RunFolder
from dnnexp.runs.leaves import leaves
from dnnexp.runs.sweep_folder import PLAN

_CONFIGS = "configs.jsonl"
_MAX_LISTED_CHANGES = 8


@dataclass(frozen=True)
class Command:
    """The input of a plan: files (absolute), the other arguments, and options that change jobs."""

    files: tuple[str, ...]
    arguments: tuple[str, ...]
    smoke: bool = False
    name: str | None = None
    seed: int | None = None


class PlanError(Exception):
    """A sweep that cannot be resumed; the message says why, and what to do."""


def write(folder: RunFolder, plan: Plan, command: Command, code: Code) -> None:
    """Write the plan: the jobs in `sweep.json`, their configs, which may be many, in `configs.jsonl`.

    Raises:
        WriteError: it cannot be written.
    """
    configs = (json.dumps({"job": job.key, "config": job.tree}, allow_nan=False) for job in plan.jobs)
    folder.write(_CONFIGS, "".join(f"{line}\n" for line in configs))
    jobs = [
        {"job": job.key, "experiment": job.experiment, "name": job.name, "base": job.base, "swept": job.swept}
        for job in plan.jobs
    ]
    document = {"schema_version": 1, "name": plan.sweep.name, "dnnexp": code.version}
    document |= {"plugins": code.hashes, "command": vars(command), "sweep": plain(plan.sweep)}
    document |= {"sources": [str(path) for path in plan.sources], "jobs": jobs}
    folder.write(PLAN, json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


@dataclass(frozen=True)
class Planned:
    """A stored plan: its input, its code and its jobs."""

    command: Command
    version: str
    hashes: tuple[str, ...]
    plan: Plan

    def other_code(self, code: Code) -> str | None:
        """How this code differs from the plan's; None if it does not."""
        if self.version != code.version:
            return f"the sweep was made with dnnexp {self.version}; this is dnnexp {code.version}"
        if self.hashes != code.hashes:
            return "the plugins are not the ones that the sweep was made with"
        return None


def read(folder: Path) -> Planned:
    """The plan in a folder.

    Raises:
        PlanError: there is none, or it cannot be read.
    """
    with _readable(folder, PLAN):
        document = json.loads((folder / PLAN).read_bytes())
        sweep, errors = read_config(SweepConfig, document["sweep"])
        if sweep is None:  # another version wrote it
            raise ValueError(f"{dotted(errors[0][0])}: {errors[0][1]}")
        command: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in document["command"].items()
        }
        made = Command(**command)
        version, hashes = document["dnnexp"], tuple(document["plugins"])
        heads, sources = document["jobs"], tuple(map(Path, document["sources"]))
    with _readable(folder, _CONFIGS):
        lines = (folder / _CONFIGS).read_text().splitlines()
        trees = {found["job"]: found["config"] for found in map(json.loads, lines)}
        jobs = tuple(
            Job(job["job"], job["experiment"], job["name"], job["base"], job["swept"], trees[job["job"]])
            for job in heads
        )
    return Planned(made, version, hashes, Plan(sweep, jobs, 0, 0, sources))


@contextmanager
def _readable(folder: Path, name: str) -> Iterator[None]:
    """Turn every problem with a file into a PlanError that names it."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise PlanError(f"{folder}: is not a sweep folder: it has no {name}") from None
    except OSError as error:
        raise PlanError(f"{folder / name}: cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise PlanError(f"{folder / name}: is damaged: dnnexp did not write it like this") from None


def differences(before: Sequence[Job], now: Sequence[Job]) -> list[str]:
    """The differences between the jobs of two plans: changed keys, removed jobs, added jobs."""
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
    rest = len(lines) - _MAX_LISTED_CHANGES
    return lines if rest <= 1 else [*lines[:_MAX_LISTED_CHANGES], f"... and {rest} more"]


def _place(job: Job) -> str:
    """A job's place in the sweep as text."""
    words = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in job.swept.items())
    return f"{Path(job.base).name} {' '.join(words)}".strip()


def _changes(before: Any, now: Any) -> Iterator[str]:
    old, new = leaves(before, "whole"), leaves(now, "whole")
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in ("name", "expect") and not key.startswith("expect.") and old.get(key) != new.get(key):
            yield f"{key}: {_word(old, key)} -> {_word(new, key)}"


def _word(flat: Mapping[str, Any], key: str) -> str:
    return json.dumps(flat[key], ensure_ascii=False) if key in flat else "(nothing)"

"""Run folders and sweeps written by hand, as the documentation of the output folder has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RECORD = {
    "experiment": "optimize",
    "name": "x",
    "seed": 7,
    "status": "complete",
    "error": None,
    "command": ["dnnexp", "optimize"],
    "start": "2026-11-22T20:15:31.250+00:00",
    "end": "2026-11-22T20:15:33.750+00:00",
    "durations": {"run": 1.5, "plots": 0.5},
    "versions": {"dnnexp": "1.0", "numpy": "2.0"},
    "git": {"commit": "abc", "dirty": False},
    "platform": {"machine": "x86_64"},
    "blas": {"name": "openblas", "threads": {"OMP_NUM_THREADS": "1"}},
    "plugins": [],
    "process": {"host": "elsewhere", "id": 4711},
}


def write_run(
    folder: Path,
    record: Mapping[str, Any] = RECORD,
    metrics: Mapping[str, Any] | None = None,
    config: str = "",
    **changes: Any,
) -> Path:
    """A run folder; complete if it has metrics."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({**record, **changes}))
    if config:
        (folder / "config.yaml").write_text(config)
    if metrics is not None:
        head = {"schema_version": 1, **{key: record.get(key) for key in ("experiment", "name", "seed")}}
        document = {**head, **changes, "metrics": metrics, "expectations": []}
        (folder / "metrics.json").write_text(json.dumps(document, indent=2))
    return folder


def write_sweep(
    folder: Path, ended: Mapping[str, bool], missing: Sequence[str] = (), events: Sequence[Any] = ()
) -> Path:
    """A sweep of jobs that are complete (true) or failed, and of others that are missing."""
    folder.mkdir(parents=True)
    jobs = [{"job": key, "swept": {"seed": place}} for place, key in enumerate([*ended, *missing])]
    (folder / "sweep.json").write_text(json.dumps({"name": "grid", "jobs": jobs}))
    for key, is_complete in ended.items():
        status = "complete" if is_complete else "failed"
        write_run(folder / "jobs" / key, metrics={} if is_complete else None, status=status)
    lines = [{"time": time, "event": event, **details} for time, event, details in events]
    (folder / "journal.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder

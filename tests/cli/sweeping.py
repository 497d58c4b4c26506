"""A sweep of short jobs, and what must be true of its folder."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

from dnnexp.runs.journal import events

SHORT = """experiment: optimize
name: short
objective: {{name: quadratic, dimension: 10, condition_number: 10}}
starts: {{own: 1}}
steps: {steps}
record: {{spacing: log, count: 20}}
targets: [1]
optimizers: [{{name: gradient_descent, learning_rate: 0.1}}]
"""


def write_config(folder: Path, steps: int = 20) -> Path:
    """A config that takes some milliseconds, or more with more steps."""
    path = folder / "short.yaml"
    path.write_text(SHORT.format(steps=steps))
    return path


def command(*arguments: str | Path) -> list[str]:
    """`dnnexp sweep ARGUMENTS...` for a process of its own."""
    return [sys.executable, "-m", "dnnexp", "sweep", *map(str, arguments)]


def run(*arguments: str | Path, cwd: Path) -> Path:
    """The folder of a sweep that was run to its end."""
    ran = subprocess.run(command(*arguments), cwd=cwd, check=True, capture_output=True, text=True)
    return cwd / ran.stdout.strip()


def metrics(folder: Path) -> dict[str, bytes]:
    """The metrics of every job, as they stand on disk."""
    return {path.parent.name: path.read_bytes() for path in folder.glob("jobs/*/metrics.json")}


def rows(folder: Path) -> list[dict[str, str]]:
    """The table of a sweep."""
    with (folder / "results.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def assert_whole(folder: Path) -> None:
    """No file is torn, nothing is left over, and no job was done again after it was complete."""
    for path in folder.rglob("*.json"):
        json.loads(path.read_bytes())
    for path in folder.rglob("*.npz"):
        with zipfile.ZipFile(path) as arrays:
            assert arrays.testzip() is None
    names = {"sweep.json", "configs.jsonl", "journal.jsonl", "results.csv", "results.json"}
    beside = {"jobs", "journal.lock"}
    assert {path.name for path in folder.iterdir() if path.suffix != ".png"} - beside == names
    assert not [path for path in folder.rglob(".*")]
    complete = Counter(
        event["job"] for event in events(folder / "journal.jsonl") if event["event"] == "complete"
    )
    assert complete == {job: 1 for job in metrics(folder)}

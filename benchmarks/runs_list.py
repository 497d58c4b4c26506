"""`dnnexp runs list` over 10,000 run folders: the table, JSON, and a filter over every run's metrics.

Run: python benchmarks/runs_list.py. It makes the folders from one real run of the reference experiment, in a
temporary folder, and prints the median seconds of the whole process for each.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

RUNS, ROUNDS = 10_000, 5
COMMANDS = {
    "table": [],
    "json": ["--json"],
    "csv": ["--csv"],
    "table of failed runs": ["--status", "failed"],
    "where seed > 5000": ["--where", "seed > 5000"],
    "where over metrics of 100 runs": [
        *("--where", "seed < 100 and metrics.optimizers.adam.diverged == 0"),
    ],
}


def dnnexp(*arguments: str) -> float:
    begin = time.perf_counter()
    command = [sys.executable, "-m", "dnnexp", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def make(output: Path) -> None:
    """Copies of a run with other names and seeds; the large files, which no listing reads, are left empty."""
    dnnexp("optimize", "--smoke", "--quiet", "--no-plots", "-o", str(output / "first"))
    (first,) = (path for path in (output / "first").iterdir() if not path.is_symlink())
    record = json.loads((first / "run.json").read_bytes())
    metrics = (first / "metrics.json").read_bytes()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for seed in range(RUNS):
        start = begin + timedelta(seconds=seed)
        folder = output / "runs" / f"{start:%Y%m%dT%H%M%SZ}-optimize-reference"
        folder.mkdir(parents=True)
        own = {"seed": seed, "start": start.isoformat(), "status": "failed" if seed % 10 == 0 else "complete"}
        (folder / "run.json").write_text(json.dumps(record | own, indent=2))
        for name in ("config.yaml", "arrays.npz", "summary.txt", "convergence.png", "trajectories.png"):
            (folder / name).touch()
        if seed % 10:
            (folder / "metrics.json").write_bytes(metrics)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        os.sync()
        for name, options in COMMANDS.items():
            command = ("runs", "list", "-o", f"{folder}/runs", *options)
            seconds = [dnnexp(*command) for _ in range(ROUNDS)]
            print(f"{name}: {statistics.median(seconds):.2f} s (first {seconds[0]:.2f} s)")


if __name__ == "__main__":
    main()

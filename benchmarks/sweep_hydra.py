"""A sweep of a thousand short jobs, next to Hydra's joblib launcher doing the same work.

    pip install hydra-core hydra-joblib-launcher
    python benchmarks/sweep_hydra.py [REPETITIONS [JOBS]]

Each job is twenty steps of gradient descent on a quadratic of ten dimensions. dnnexp leaves a run folder each
(config, record, metrics, arrays, summary, log) and a table of all; Hydra leaves three files and a log, the
job writes its metrics. Both run two processes. Whole commands are timed, A B A B, start-up included; what the
jobs compute, measured in one process, is taken off for the overhead.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CORES = 2
CONFIG = """experiment: optimize
name: short
objective: {name: quadratic, dimension: 10, condition_number: 10}
starts: {own: 1}
steps: 20
targets: [1]
optimizers: [{name: gradient_descent, learning_rate: 0.1}]
"""
APP = """
import json, os, sys
from pathlib import Path
import hydra
from omegaconf import OmegaConf
from hydra.core.config_store import ConfigStore

sys.path.insert(0, {here!r})
from sweep_hydra import compute

ConfigStore.instance().store(name="config", node={{"seed": 0}})

@hydra.main(version_base=None, config_name="config")
def main(config):
    folder = Path(hydra.core.hydra_config.HydraConfig.get().runtime.output_dir)
    (folder / "metrics.json").write_text(json.dumps(compute(config.seed)))

main()
"""


def compute(seed: int) -> Any:
    """The work of a job, in this process."""
    from dnnexp.config.dialect import parse
    from dnnexp.config.schema import read
    from dnnexp.core.streams import Streams
    from dnnexp.experiments import find
    from dnnexp.experiments.base import RunContext

    experiment = find("optimize")
    config, errors = read(experiment.config_class, parse(CONFIG).value | {"seed": seed})
    assert config is not None, errors
    return experiment.run(config, RunContext(Streams(seed))).metrics


def timed(command: list[str], folder: Path, pattern: str, jobs: int) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    found = len(list(folder.glob(pattern)))
    assert found == jobs, f"{found} of {jobs} jobs"
    return seconds


def ours(jobs: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "short.yaml").write_text(CONFIG)
        command = [sys.executable, "-m", "dnnexp", "sweep", "short.yaml", f"seed=range(0,{jobs})"]
        command += ["--jobs", str(CORES), "--no-plots", "--quiet"]
        return timed(command, folder, "outputs/*-sweep-*/jobs/*/metrics.json", jobs)


def hydra(jobs: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP.format(here=str(Path(__file__).parent)))
        command = [sys.executable, "app.py", "-m", f"seed=range(0,{jobs})", "hydra/launcher=joblib"]
        command += [f"hydra.launcher.n_jobs={CORES}"]
        return timed(command, folder, "multirun/*/*/*/metrics.json", jobs)


def main() -> None:
    repetitions, jobs = (int(word) for word in [*sys.argv[1:], "3", "1000"][:2])
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"
    compute(0)
    start = time.perf_counter()
    for seed in range(100):
        json.dumps(compute(seed))
    work = (time.perf_counter() - start) / 100
    print(f"work: {1000 * work:.2f} ms a job")
    seconds: dict[str, list[float]] = {"dnnexp": [], "hydra": []}
    for _ in range(repetitions):
        seconds["dnnexp"].append(ours(jobs))
        seconds["hydra"].append(hydra(jobs))
    for name, found in seconds.items():
        median = statistics.median(found)
        overhead = 1000 * (median / jobs - work / CORES)
        all_of_them = ", ".join(f"{one:.2f}" for one in found)
        print(f"{name}: {median:.2f} s ({all_of_them}), overhead {overhead:.2f} ms a job")
    ratio = statistics.median(seconds["hydra"]) / statistics.median(seconds["dnnexp"])
    print(f"ratio: {ratio:.2f}")


if __name__ == "__main__":
    main()

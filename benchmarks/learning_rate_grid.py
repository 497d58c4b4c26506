"""The config `learning_rate_sensitivity`, whole: fourteen rules, 21 learning rates, 100 starts, 5000 steps.

The command without plots (tuned and untuned rules are run from 64 more starts) in turn with plain numpy
loops of gradient descent from as many columns, one loop a rule.

Run: python benchmarks/learning_rate_grid.py. It gives the medians of both, the median ratio, the peak memory.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CONFIG = Path(__file__).parent.parent / "configs/optimize/learning_rate_sensitivity.yaml"
RULES, COLUMNS, STEPS, ROUNDS = 14, 21 * 100, 5000, 3


def command() -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        arguments = ("optimize", str(CONFIG), "--no-plots", "--quiet", "-o", folder)
        subprocess.run([sys.executable, "-m", "dnnexp", *arguments], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin


def plain_loops() -> float:
    start = np.random.default_rng(0).uniform(-100, 100, (2, COLUMNS))
    begin = time.perf_counter()
    for _ in range(RULES):
        x = start
        for _ in range(STEPS):
            x = x - 1e-3 * np.array([x[0] / 10, 2 * x[1]])
    return time.perf_counter() - begin


def main() -> None:
    pairs = [(command(), plain_loops()) for _ in range(ROUNDS)]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"dnnexp {a:.2f} s, plain gradient descent {b:.2f} s, ratio {ratio:.2f}; peak memory {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()

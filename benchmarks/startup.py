"""`dnnexp --help` as a whole process against `python -c "import click"`, in turn.

Run: python benchmarks/startup.py. It prints the medians of both and the median ratio over the rounds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 21
OURS = [sys.executable, "-m", "dnnexp", "--help"]
CLICK = [sys.executable, "-c", "import click"]


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main() -> None:
    seconds(OURS), seconds(CLICK)  # once to fill the caches
    pairs = [(seconds(OURS), seconds(CLICK)) for _ in range(ROUNDS)]
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"dnnexp --help {a:.3f} s, import click {b:.3f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

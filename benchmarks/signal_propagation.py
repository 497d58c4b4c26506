"""One case of `activations` against drawing the same weights and the bare matrix products in numpy, in turn.

Width 2048, depth 50, a batch of 2048, single precision, forth only, one BLAS thread unless the environment
says otherwise. Each runs in a process of its own, whose peak memory is told, less that of an empty run, in
layer buffers (batch x width numbers).

Run: python benchmarks/signal_propagation.py
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time

WIDTH, DEPTH, BATCH, ROUNDS = 2048, 50, 2048, 5
BUFFER = 4 * WIDTH * BATCH


def bare() -> float:
    """Draw and multiply: the seconds it takes."""
    import numpy as np

    begin = time.perf_counter()
    generator = np.random.default_rng(0)
    a = generator.standard_normal((BATCH, WIDTH)).astype(np.float32)
    for _ in range(DEPTH):
        weights = (np.sqrt(2 / WIDTH) * generator.standard_normal((WIDTH, WIDTH))).astype(np.float32)
        a = a @ weights.T
    return time.perf_counter() - begin


def ours() -> float:
    """Every statistic and histogram, theory, verdict: the seconds they take."""
    from dnnexp.core.activations import ReLU
    from dnnexp.core.initializers import He, LayerInitializer
    from dnnexp.core.inputs import NormalInput
    from dnnexp.core.streams import Streams
    from dnnexp.experiments import find
    from dnnexp.experiments.activations.config import Widths
    from dnnexp.experiments.base import RunContext
    from dnnexp.registry import Labelled

    config = find("activations").config_class(
        network=Widths((WIDTH,) * (DEPTH + 1)),
        input=NormalInput(BATCH),
        activations=(Labelled("relu", ReLU()),),
        initializers=(Labelled("he", LayerInitializer(He())),),
        loss=None,
        dtype="float32",
    )
    begin = time.perf_counter()
    result = find("activations").run(config, RunContext(Streams(0)))
    assert len(result.metrics["cases"]["relu/he"]["layers"]) == DEPTH
    return time.perf_counter() - begin


def empty() -> float:
    """The imports of ours alone."""
    import scipy.optimize

    import dnnexp.experiments.activations

    assert scipy.optimize
    assert dnnexp.experiments.activations
    return 0.0


def measured(name: str) -> tuple[float, float]:
    """Seconds of the work without start-up, and the peak of memory in bytes."""
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    answer = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, check=True, env=environment
    ).stdout
    seconds, peak = json.loads(answer)
    return seconds, peak


def main() -> None:
    if len(sys.argv) > 1:
        seconds = {"bare": bare, "ours": ours, "empty": empty}[sys.argv[1]]()
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps([seconds, peak]))
        return
    base = measured("empty")[1]
    pairs = [(measured("ours"), measured("bare")) for _ in range(ROUNDS)]
    a, b = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
    ratio = statistics.median(mine[0] / plain[0] for mine, plain in pairs)
    most = max(mine[1] for mine, _ in pairs) - base
    print(f"dnnexp {a:.2f} s, bare numpy {b:.2f} s, ratio {ratio:.2f}")
    print(f"peak memory {most / BUFFER:.2f} layer buffers of {BUFFER / 2**20:.0f} MiB, weights included")


if __name__ == "__main__":
    main()

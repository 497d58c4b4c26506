"""The stepping loop against the same update rules written out as plain numpy loops, in turn.

Run: python benchmarks/stepping.py. Each line gives the medians of both and the median ratio over the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core.objectives import Valley
from dnnexp.core.optimizers import Adam, GradientDescent, Optimizer, RMSprop, stack
from dnnexp.core.stepping import Recording, descend, recorded_steps, steady

STEPS, RUNS, ROUNDS = 20_000, 64, 5


def slope(x: Any) -> Any:
    return np.array([x[0] / 10, 2 * x[1]])


def plain_gradient_descent(x: Any) -> Any:
    for _ in range(STEPS):
        x = x - 1e-3 * slope(x)
    return x


def plain_rmsprop(x: Any) -> Any:
    square = np.zeros_like(x)
    for _ in range(STEPS):
        g = slope(x)
        square = 0.9 * square + 0.1 * g**2
        x = x - 1e-2 * g / (np.sqrt(square) + 1e-9)
    return x


def plain_adam(x: Any) -> Any:
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = slope(x)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x


CASES: dict[str, tuple[Optimizer, Callable[[Any], Any]]] = {
    "gradient_descent": (GradientDescent(1e-3), plain_gradient_descent),
    "rmsprop": (RMSprop(1e-2, 0.9, 1e-9), plain_rmsprop),
    "adam": (Adam(0.1), plain_adam),
}


def seconds(function: Callable[[Any], Any], start: Any) -> float:
    begin = time.perf_counter()
    function(start)
    return time.perf_counter() - begin


def main() -> None:
    start = np.random.default_rng(0).uniform(-100, 100, (2, RUNS))
    valley = Valley()
    recording = Recording(recorded_steps(STEPS, "log", 200), np.array([1, 1e-3, 1e-6]), True)
    for name, (rule, plain) in CASES.items():
        stacked = stack([rule], RUNS)

        def ours(x: Any, stacked: Optimizer = stacked) -> Any:
            return descend(stacked, valley.value, steady(valley.gradient), x, recording)

        pairs = [(seconds(ours, start), seconds(plain, start)) for _ in range(ROUNDS)]
        a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name}: dnnexp {a:.3f} s, plain numpy {b:.3f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

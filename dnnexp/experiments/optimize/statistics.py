"""Statistics over the starts: evaluations, expected running times, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.stepping import Trajectory
from dnnexp.experiments.base import finite, quantile

RESAMPLES = 1000
CONFIDENCE = 0.95
_CHUNK_NUMBERS = 2**21


def spent(trajectory: Trajectory, target: int, steps: int) -> Integers:
    """The gradients that each run spent on a target: until it reached it, ended or diverged."""
    reached, diverged = trajectory.reached_step[target], trajectory.diverged_step
    return np.where(reached >= 0, reached, np.where(diverged >= 0, diverged, steps))


def running_time(evaluations: Any, reached: Any) -> Any:
    """The expected running time: all evaluations spent / runs that reached the target; inf if none did.

    Sums over the last axis. Hansen et al., "COCO: a platform for comparing continuous optimizers in a
    black-box setting", 2021, section 4.
    """
    count = np.sum(reached, axis=-1)
    with np.errstate(divide="ignore"):
        return np.where(count > 0, np.sum(evaluations, axis=-1) / np.maximum(count, 1), np.inf)


@dataclass(frozen=True)
class Bootstrap:
    """The percentile bootstrap over the runs (Efron and Tibshirani 1993, chapter 13).

    Attributes:
        generator: makes a new generator for every statistic, so that all use the same resamples.
        runs: the number of runs.
    """

    generator: Callable[[], np.random.Generator]
    runs: int

    def interval(self, statistic: Any, *samples: Any) -> list[float | None] | None:
        """The 95 % interval of a statistic of samples `(runs,)`; None for a single run.

        `statistic` maps samples `(resamples, runs)` to `(resamples,)`. An infinite end is None.
        """
        if self.runs < 2:
            return None
        generator = self.generator()
        found: list[Floats] = []
        rows = max(1, _CHUNK_NUMBERS // self.runs)
        for first in range(0, RESAMPLES, rows):
            count = min(rows, RESAMPLES - first)
            chosen = generator.integers(self.runs, size=(count, self.runs))
            found.append(statistic(*(np.asarray(sample)[chosen] for sample in samples)))
        tail = (1 - CONFIDENCE) / 2
        with np.errstate(invalid="ignore"):
            ends = np.quantile(np.concatenate(found), [tail, 1 - tail], method="nearest")
        return [finite(end) for end in ends]


def median(values: Any) -> Any:
    """The median over the last axis, +inf included."""
    return quantile(values, [0.5])[0]

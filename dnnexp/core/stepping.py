"""The stepping loop: one function that runs any update rule from all its starts at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import Function
from dnnexp.core.optimizers import Optimizer

Observer: TypeAlias = Callable[[int, Floats, Floats], None]
"""Called with the number of the first of some consecutive steps, their points `(d, B, runs)` and values
`(B, runs)`; frozen runs hold their last finite point and the value +inf."""

_BUFFER_NUMBERS = 2**15
"""About how many coordinates a buffer holds: it stays in the second-level cache."""


@dataclass(frozen=True)
class Recording:
    """What the loop keeps.

    Attributes:
        steps: the steps to record, ascending, `(K,)`; the last one is the number of steps to take.
        thresholds: values whose first reaching is noted, `(T,)`.
        keep_points: whether the points of the recorded steps are kept.
    """

    steps: Integers
    thresholds: Floats
    keep_points: bool


@dataclass(frozen=True)
class Trajectory:
    """What the loop recorded.

    Attributes:
        value: at the recorded steps, `(K, runs)`; +inf from the step at which a run became non-finite.
        point: at the recorded steps, `(K, d, runs)`, or None; a diverged run stays at its last finite point.
        final: the last point, `(d, runs)`.
        reached_step: the first step at which the value was at most each threshold, `(T, runs)`; -1 if never.
        diverged_step: the first step at which point or value was non-finite, `(runs,)`; -1 if never.
    """

    value: Floats
    point: Floats | None
    final: Floats
    reached_step: Integers
    diverged_step: Integers

    def runs(self, part: slice) -> Trajectory:
        """The same of some of the runs."""
        return Trajectory(
            value=self.value[:, part],
            point=None if self.point is None else self.point[:, :, part],
            final=self.final[:, part],
            reached_step=self.reached_step[:, part],
            diverged_step=self.diverged_step[part],
        )


def recorded_steps(steps: int, spacing: Literal["linear", "log", "every"], count: int) -> Integers:
    """About `count` of the steps 0 … `steps`, evenly or logarithmically spaced, or every one.

    0 and the last are always among them. Shape `(K,)`, ascending, no repeats.
    """
    if spacing == "every" or count > steps:
        return np.arange(steps + 1)
    inner = np.linspace(0, steps, count)
    if spacing == "log":
        inner = np.geomspace(1, steps, max(count - 1, 1))
    return np.unique(np.concatenate([[0], np.rint(inner).astype(np.int64), [steps]]))


def descend(
    rule: Optimizer,
    value: Function,
    gradient: Function,
    start: Floats,
    recording: Recording,
    observe: Observer = lambda first, points, values: None,
) -> Trajectory:
    """Take `recording.steps[-1]` steps of a rule from every column of `start`, `(d, runs)`.

    Steps are taken a buffer at a time; values, thresholds and finiteness are evaluated once a buffer.
    A run whose point or value becomes non-finite is frozen at its last finite point, and the step noted:
    that is a result, not an error.
    """
    ledger = _Ledger(recording, start)
    with np.errstate(all="ignore"):
        x, state = start, rule.init(start)
        ledger.enter(0, start[:, None, :].copy(), value(start[:, None, :]), observe)
        step, last = 0, int(recording.steps[-1])
        size = max(1, _BUFFER_NUMBERS // start.size)
        while step < last and not ledger.all_frozen():
            buffer = np.empty((start.shape[0], min(size, last - step), start.shape[1]))
            for k in range(buffer.shape[1]):
                slope = gradient(rule.query(x, state))
                displacement, state = rule.update(slope, state, x, step + k + 1)
                x = x + displacement
                buffer[:, k] = x
            ledger.enter(step + 1, buffer, value(buffer), observe)
            step += buffer.shape[1]
    return ledger.close()


class _Ledger:
    """The record of one call of `descend`, filled a buffer at a time."""

    def __init__(self, recording: Recording, start: Floats) -> None:
        d, runs = start.shape
        self._recording = recording
        self._held = start.copy()  # the newest finite point of every run
        count = len(recording.steps)
        self._result = Trajectory(
            value=np.full((count, runs), np.inf),
            point=np.empty((count, d, runs)) if recording.keep_points else None,
            final=self._held,
            reached_step=np.full((len(recording.thresholds), runs), -1),
            diverged_step=np.full(runs, -1),
        )
        self._entered = 0

    def all_frozen(self) -> bool:
        return bool((self._result.diverged_step >= 0).all())

    def enter(self, first: int, points: Floats, values: Floats, observe: Observer) -> None:
        """Note the steps from `first` on: points `(d, B, runs)`, values `(B, runs)`."""
        values = np.array(values, dtype=np.float64)
        self._freeze(first, points, values)
        self._note_thresholds(first, values)
        self._record(first, points, values)
        self._held[:] = points[:, -1]
        observe(first, points, values)

    def _freeze(self, first: int, points: Floats, values: Floats) -> None:
        """Overwrite what follows a run's first non-finite number: held points, infinite values."""
        diverged = self._result.diverged_step
        finite = np.isfinite(values) & np.isfinite(points).all(axis=0)
        for run in np.flatnonzero((diverged >= 0) | ~finite.all(axis=0)):
            bad = 0 if diverged[run] >= 0 else int(np.argmin(finite[:, run]))
            if diverged[run] < 0:
                diverged[run] = first + bad
            held = points[:, bad - 1, run] if bad else self._held[:, run]
            points[:, bad:, run] = held[:, None]
            values[bad:, run] = np.inf

    def _note_thresholds(self, first: int, values: Floats) -> None:
        for threshold, reached_step in zip(
            self._recording.thresholds, self._result.reached_step, strict=True
        ):
            pending = np.flatnonzero(reached_step < 0)
            below = values[:, pending] <= threshold
            hit = below.any(axis=0)
            reached_step[pending[hit]] = first + below[:, hit].argmax(axis=0)

    def _record(self, first: int, points: Floats, values: Floats) -> None:
        steps = self._recording.steps
        end = int(np.searchsorted(steps, first + len(values)))
        rows, at = slice(self._entered, end), steps[self._entered : end] - first
        self._result.value[rows] = values[at]
        if self._result.point is not None:
            self._result.point[rows] = points[:, at].transpose(1, 0, 2)
        self._entered = end

    def close(self) -> Trajectory:
        """The trajectory; what was not stepped because every run is frozen stays as it was held."""
        if self._result.point is not None:
            self._result.point[self._entered :] = self._held
        return replace(self._result, final=self._held.copy())

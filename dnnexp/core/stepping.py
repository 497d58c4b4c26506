"""The stepping loop: one function that runs any update rule from all its starts at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from dnnexp.core.arrays import Array, Floats, Integers
from dnnexp.core.differentiation import Function
from dnnexp.core.objectives import Slope
from dnnexp.core.optimizers import Optimizer

Observer: TypeAlias = Callable[[int, Floats, Floats], None]
"""Called with the number of the first of some consecutive steps, their points `(d, B, runs)` and values
`(B, runs)`. Frozen runs hold their last finite point and the value +inf; NaN is a value not taken."""

_BUFFER_NUMBERS = 2**15
"""About how many coordinates a buffer holds: it stays in the second-level cache."""


@dataclass(frozen=True)
class Recording:
    """What the loop keeps.

    Attributes:
        steps: the steps to record, ascending, `(K,)`; the last one is the number of steps to take.
        thresholds: values whose first reaching is noted, `(T,)`.
        keep_points: whether the points of the recorded steps are kept.
        every_value: whether the value is taken at every step, or at the recorded ones only; thresholds are
            then noted there, and a value that is not finite, too.
        measure: gives the quantities recorded beside the value, from points `(d, runs)` to named `(runs,)`.
    """

    steps: Integers
    thresholds: Floats
    keep_points: bool
    every_value: bool = True
    measure: Callable[[Floats], Mapping[str, Floats]] = lambda x: {}


@dataclass(frozen=True)
class Trajectory:
    """What the loop recorded.

    Attributes:
        value: at the recorded steps, `(K, runs)`; +inf from the step at which a run became non-finite.
        point: at the recorded steps, `(K, d, runs)`, or None; a diverged run stays at its last finite point.
        final: the last point, `(d, runs)`.
        reached_step: the first step at which the value was at most each threshold, `(T, runs)`; -1 if never.
        diverged_step: the first step at which point or value was non-finite, `(runs,)`; -1 if never.
        measured: what `Recording.measure` gave at the recorded steps, each `(K, runs)`; NaN once diverged.
    """

    value: Floats
    point: Floats | None
    final: Floats
    reached_step: Integers
    diverged_step: Integers
    measured: dict[str, Floats] = field(default_factory=dict)

    def runs(self, part: slice | Floats) -> Trajectory:
        """The same of some of the runs, by place or by a mask `(runs,)`."""
        return Trajectory(
            value=self.value[:, part],
            point=None if self.point is None else self.point[:, :, part],
            final=self.final[:, part],
            reached_step=self.reached_step[:, part],
            diverged_step=self.diverged_step[part],
            measured={name: found[:, part] for name, found in self.measured.items()},
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


def steady(gradient: Function) -> Slope:
    """A gradient that is the same function at every step."""
    return lambda x, step: gradient(x)


def descend(
    rule: Optimizer,
    value: Function,
    slope: Slope,
    start: Floats,
    recording: Recording,
    observe: Observer = lambda first, points, values: None,
) -> Trajectory:
    """Take `recording.steps[-1]` steps of a rule from every column of `start`, `(d, runs)`.

    Steps are taken a buffer at a time; values, thresholds and finiteness are evaluated once a buffer.
    A run whose point or value becomes non-finite is frozen at its last finite point, and the step noted:
    that is a result, not an error. `slope` is called once a step, in order.
    """
    ledger = _Ledger(recording, value, start, observe)
    with np.errstate(all="ignore"):
        x, state = start, rule.init(start)
        ledger.enter(0, start[:, None, :].copy(order="K"))
        step, last = 0, int(recording.steps[-1])
        take = RuleStep(rule, slope, last)
        size = max(1, _BUFFER_NUMBERS // start.size)
        while step < last and not ledger.all_frozen():
            buffer = _buffer_like(start, min(size, last - step))
            for k in range(buffer.shape[1]):
                x, state = take(x, state, step + k + 1)
                buffer[:, k] = x
            ledger.enter(step + 1, buffer)
            step += buffer.shape[1]
    return ledger.close()


def _buffer_like(x: Floats, steps: int) -> Floats:
    """An empty array `(d, steps, runs)` in the memory order of x, which a stack of networks needs."""
    d, runs = x.shape
    if x.flags.f_contiguous and not x.flags.c_contiguous:
        return np.empty((runs, steps, d)).transpose(2, 1, 0)
    return np.empty((d, steps, runs))


class RuleStep:
    """One step of a rule, with the schedule, clipping and weight decay around its update."""

    def __init__(self, rule: Optimizer, slope: Slope, last: int) -> None:
        """Prepare for a run of `last` steps."""
        self._rule, self._slope, self._last = rule, slope, last
        self._is_scheduled = not rule.schedule.is_constant
        self._decay = rule.decay if np.any(rule.weight_decay) else ""

    def __call__(self, x: Array, state: Any, step: int) -> tuple[Array, Any]:
        """The next point and state; `step` counts from 1."""
        rule, factor = self._rule, 1.0
        if self._is_scheduled:
            factor = rule.schedule.at(step - 1, self._last)
            rule = rule.scaled(factor)
        point = rule.query(x, state)
        gradient = self._slope(point, step)
        if rule.clips:
            gradient = rule.clipped(gradient)
        if self._decay == "coupled":
            gradient = gradient + rule.weight_decay * point
        displacement, state = rule.update(gradient, state, x, step)
        if self._decay == "decoupled":
            rate = factor if rule.decay_scale == "schedule" else getattr(rule, "learning_rate", factor)
            displacement = displacement - rate * rule.weight_decay * x
        return x + displacement, state


class _Ledger:
    """The record of one call of `descend`, filled a buffer at a time."""

    def __init__(self, recording: Recording, value: Function, start: Floats, observe: Observer) -> None:
        d, runs = start.shape
        self._recording, self._value, self._observe = recording, value, observe
        self._held = start.copy(order="K")  # the newest finite point of every run
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

    def enter(self, first: int, points: Floats) -> None:
        """Note the steps from `first` on: points `(d, B, runs)`."""
        end = int(np.searchsorted(self._recording.steps, first + points.shape[1]))
        entries = slice(self._entered, end)
        rows = self._recording.steps[entries] - first
        values = self._values(points, rows)
        self._freeze(first, points, values)
        self._note_thresholds(first, values)
        self._record(entries, rows, points, values)
        self._held[:] = points[:, -1]
        self._entered = end
        self._observe(first, points, values)

    def _values(self, points: Floats, rows: Integers) -> Floats:
        """The values `(B, runs)`; NaN where none is taken."""
        if self._recording.every_value:
            return np.array(self._value(points), dtype=np.float64)
        values = np.full(points.shape[1:], np.nan)
        for row in rows:
            values[row] = self._value(points[:, row])
            values[row][np.isnan(values[row])] = np.inf
        return values

    def _freeze(self, first: int, points: Floats, values: Floats) -> None:
        """Overwrite what follows a run's first non-finite number: held points, infinite values."""
        diverged = self._result.diverged_step
        frozen = np.flatnonzero(diverged >= 0)
        points[:, :, frozen] = self._held[:, None, frozen]
        values[:, frozen] = np.inf
        finite = np.isfinite(points).all(axis=0)
        finite &= np.isfinite(values) if self._recording.every_value else ~np.isinf(values)
        columns = np.flatnonzero((diverged < 0) & ~finite.all(axis=0))
        if columns.size == 0:
            return
        bad = finite[:, columns].argmin(axis=0)  # the first row to overwrite
        diverged[columns] = first + bad
        held = np.where(bad > 0, points[:, bad - 1, columns], self._held[:, columns])
        is_after = np.arange(len(values))[:, None] >= bad
        points[:, :, columns] = np.where(is_after, held[:, None, :], points[:, :, columns])
        values[:, columns] = np.where(is_after, np.inf, values[:, columns])

    def _note_thresholds(self, first: int, values: Floats) -> None:
        least = np.fmin.reduce(values, axis=0)  # past the NaN of values not taken
        for threshold, reached_step in zip(
            self._recording.thresholds, self._result.reached_step, strict=True
        ):
            hit = np.flatnonzero((reached_step < 0) & (least <= threshold))
            reached_step[hit] = first + (values[:, hit] <= threshold).argmax(axis=0)

    def _record(self, entries: slice, rows: Integers, points: Floats, values: Floats) -> None:
        self._result.value[entries] = values[rows]
        if self._result.point is not None:
            self._result.point[entries] = points[:, rows].transpose(1, 0, 2)
        measured = self._result.measured
        for entry, row in enumerate(rows, start=entries.start):
            for name, found in self._recording.measure(points[:, row]).items():
                curve = measured.setdefault(name, np.full(self._result.value.shape, np.nan))
                curve[entry] = np.where(np.isinf(values[row]), np.nan, found)

    def close(self) -> Trajectory:
        """The trajectory; steps after every run is frozen keep the last values."""
        if self._result.point is not None:
            self._result.point[self._entered :] = self._held
        return replace(self._result, final=self._held.copy())

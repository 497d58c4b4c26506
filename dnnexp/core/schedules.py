"""Schedules: the factor sₖ on a learning rate, step by step.

k counts the steps taken before (0 at the first step), K is how many the run takes. A schedule that needs a
length takes the whole run unless `steps` says otherwise; beyond its length it stays where it ended. A factor
is a number, or a `(runs,)` array where schedules of one kind are stacked.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MinLen

from dnnexp.registry import Checked, Count, Fraction, NonNegative, Part, Positive, Problem, check, register


@dataclass(frozen=True, kw_only=True)
class Schedule(Part, ABC):
    """Base of the schedules.

    Any of them may begin with a warm-up of `warmup` = w steps: sₖ = a + (1 − a) k/w for k < w, up from the
    fraction a, `warmup_start`; then the schedule, from its own beginning, for the rest of the run (Goyal et
    al., "Accurate, large minibatch SGD", 2017, section 2.2; PyTorch's LinearLR in a SequentialLR, optax's
    warmup_cosine_decay_schedule).
    """

    kind = "schedule"
    warmup: Annotated[int, Ge(0), Le(10**9)] = 0
    warmup_start: Fraction = 0.0

    @abstractmethod
    def factor(self, k: int, last: int) -> Any:
        """sₖ after k steps past the warm-up, of `last` such steps."""

    def at(self, k: int, last: int) -> Any:
        """What the learning rate is multiplied with after k steps of a run of `last` steps."""
        if k < self.warmup:
            return self.warmup_start + (1 - self.warmup_start) * (k / self.warmup)
        with np.errstate(all="ignore"):
            return self.factor(k - self.warmup, max(last - self.warmup, 1))

    @property
    def is_constant(self) -> bool:
        """Whether every factor is 1."""
        return False


def _real(value: Any) -> Any:
    """A number that overflows to infinity, as arrays do, where Python's raise an error."""
    return np.asarray(value, dtype=np.float64)[()]


def _share(k: int, steps: int | None, last: int) -> float:
    """How much of the schedule's length has passed: k / K, at most 1."""
    return min(k / max(steps or last, 1), 1.0)


@register("constant")
@dataclass(frozen=True)
class Constant(Schedule):
    """Constant: sₖ = 1."""

    @property
    def is_constant(self) -> bool:
        """Unless it warms up."""
        return self.warmup == 0

    def factor(self, k: int, last: int) -> float:
        """1."""
        return 1.0


@register("step")
@dataclass(frozen=True)
class Step(Schedule):
    """Step: sₖ = γ^⌊k/every⌋. PyTorch's StepLR; optax's exponential_decay with staircase."""

    every: Count
    gamma: Positive = 0.1

    def factor(self, k: int, last: int) -> Any:
        """γ^⌊k/every⌋."""
        return _real(self.gamma) ** (k // self.every)


@register("exponential")
@dataclass(frozen=True)
class Exponential(Schedule):
    """Exponential: sₖ = e^(k/K), from 1 to e, the factor at the `end`.

    PyTorch's ExponentialLR with γ = e^(1/K), optax's exponential_decay.
    """

    end: Positive = 1e-2
    steps: Count | None = None

    def factor(self, k: int, last: int) -> Any:
        """end^(k/K)."""
        return self.end ** _share(k, self.steps, last)


@register("polynomial")
@dataclass(frozen=True)
class Polynomial(Schedule):
    """Polynomial: sₖ = e + (1 − e)(1 − k/K)^p, linear for p = 1. PyTorch's PolynomialLR (e = 0); optax's."""

    power: Positive = 1.0
    end: NonNegative = 0.0
    steps: Count | None = None

    def factor(self, k: int, last: int) -> Any:
        """e + (1 − e)(1 − k/K)^p."""
        return self.end + (1 - self.end) * (1 - _share(k, self.steps, last)) ** self.power


@register("cosine")
@dataclass(frozen=True)
class Cosine(Schedule):
    """Cosine: sₖ = e + (1 − e)(1 + cos(π k/K))/2. Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5.

    PyTorch's CosineAnnealingLR; optax's cosine_decay_schedule with alpha = e.
    """

    end: NonNegative = 0.0
    steps: Count | None = None

    def factor(self, k: int, last: int) -> Any:
        """e + (1 − e)(1 + cos(π k/K))/2."""
        return self.end + (1 - self.end) * _half_cosine(_share(k, self.steps, last))


def _half_cosine(share: float) -> float:
    """From 1 at 0 to 0 at 1."""
    return (1 + math.cos(math.pi * share)) / 2


@register("inverse_time")
@dataclass(frozen=True)
class InverseTime(Schedule):
    """Inverse time: sₖ = 1 / (1 + r k)^p.

    Robbins and Monro, "A stochastic approximation method", 1951, ask for ½ < p ≤ 1. p = 1 is the lr_decay of
    PyTorch's Adagrad.
    """

    rate: NonNegative = 1e-2
    power: Positive = 1.0

    def factor(self, k: int, last: int) -> Any:
        """1 / (1 + r k)^p."""
        return 1 / _real(1 + self.rate * k) ** self.power


@register("one_cycle")
@dataclass(frozen=True)
class OneCycle(Schedule):
    """One cycle: half a cosine up from 1/i to 1 in the share `rise` of the steps, then down to 1/(i f).

    i is `initial`, f is `final`. Smith and Topin, "Super-convergence", 2018, as PyTorch's OneCycleLR with
    cosine annealing: the learning rate is the greatest (max_lr). The momentum is not cycled
    (cycle_momentum=False).
    """

    rise: Annotated[float, Gt(0), Lt(1)] = 0.3
    initial: Positive = 25.0
    final: Positive = 1e4
    steps: Annotated[int, Gt(1), Le(10**9)] | None = None

    def factor(self, k: int, last: int) -> Any:
        """The rise ends at the step rise · K − 1, the fall at K − 1, as in PyTorch."""
        total = max(self.steps or last, 2)
        peak, end = self.rise * total - 1, total - 1
        low = 1 / _real(self.initial)
        lowest = low / self.final
        if k <= peak:
            return low + (1 - low) * (1 - _half_cosine(k / peak if peak else 1.0))
        return lowest + (1 - lowest) * _half_cosine(min((k - peak) / (end - peak), 1.0))


@dataclass(frozen=True)
class SchedulePiece(Checked):
    """From the step `at` on, this factor."""

    at: Count
    factor: NonNegative


@register("piecewise")
@dataclass(frozen=True)
class Piecewise(Schedule):
    """Piecewise: 1, then the factor of the last piece whose step has come.

    optax's piecewise_constant_schedule, but for its factors, which multiply; here each is the factor itself.
    """

    pieces: Annotated[tuple[SchedulePiece, ...], MinLen(1)]

    @check("pieces")
    @staticmethod
    def ascending(pieces: tuple[SchedulePiece, ...]) -> Iterator[Problem]:
        """Every piece begins after the one before."""
        for index in range(1, len(pieces)):
            if pieces[index].at <= pieces[index - 1].at:
                yield ("pieces", index, "at"), f"must be after {pieces[index - 1].at}, not {pieces[index].at}"

    def factor(self, k: int, last: int) -> Any:
        """That of the last piece with `at` ≤ k."""
        return next((piece.factor for piece in reversed(self.pieces) if piece.at <= k), 1.0)

"""The base of all update rules: their interface, and the steps that any rule can have around it.

In the formulas g is the gradient, x the point, t the step (from 1), η the learning rate at that step. Points,
gradients and displacements have shape `(d, runs)`; a hyperparameter is a number or a `(runs,)` array.
A rule has no loop: `dnnexp.core.stepping.descend` is the only one.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np

from dnnexp.core.arrays import Array, Floats, coordinate_sum, namespace
from dnnexp.core.schedules import Constant, Schedule
from dnnexp.registry import NonNegative, Part, Positive

WeightDecay = Literal["coupled", "decoupled"]
Stackable = TypeVar("Stackable", bound=Part)


@dataclass(frozen=True, kw_only=True)
class Optimizer(Part, ABC):
    """Base of the update rules. A step evaluates one gradient.

    These steps are done around `update`, in this order, and are unknown to the rule:

    1. The learning rate of step t is η sₜ, with the factor sₜ of `schedule`.
    2. The gradient is clipped: every coordinate to ±`clip_value`; then g ← g min(1, c/‖g‖) with
       c = `clip_norm` (Pascanu, Mikolov and Bengio 2013, algorithm 1; as in optax, while PyTorch adds 1e-6
       to the norm). Both are off (null) by default.
    3. Weight decay λ. `coupled`: g ← g + λ x, L2 regularisation, at the point where the gradient was taken.
       `decoupled`: x loses η sₜ λ x besides the rule's displacement, or sₜ λ x with `decay_scale: schedule`
       (Loshchilov and Hutter 2019, algorithm 2; PyTorch's and optax's AdamW are `learning_rate`).
    """

    kind = "optimizer"
    weight_decay: NonNegative = 0.0
    decay: WeightDecay = "coupled"
    decay_scale: Literal["learning_rate", "schedule"] = "learning_rate"
    clip_value: Positive | None = None
    clip_norm: Positive | None = None
    schedule: Schedule = Constant()

    @abstractmethod
    def init(self, x: Array) -> Any:
        """The state before the first step, from the start x of shape `(d, runs)`."""

    @abstractmethod
    def update(self, gradient: Array, state: Any, x: Array, step: int) -> tuple[Array, Any]:
        """The displacement to add to x, and the next state.

        Args:
            gradient: at `query(x, state)`, shape `(d, runs)`.
            state: the state from `init` or from the previous step; not changed.
            x: the point before the step, shape `(d, runs)`.
            step: counts from 1.
        """

    def query(self, x: Array, state: Any) -> Array:
        """Where the gradient of the next step is evaluated: x, unless the rule looks ahead."""
        del state
        return x

    def iteration_matrix(self, curvature: float) -> Floats | None:
        """The matrix that maps (x, velocity) to the next step on f = ½ λ x²; None for nonlinear rules."""
        del curvature
        return None

    def stability_limit(self, curvature: float) -> float | None:
        """The learning rate above which f = ½ λ x² is not minimised; None without a theory."""
        del curvature
        return None

    def scaled(self, factor: Array) -> Self:
        """The same rule with its learning rate (if it has one) times a factor."""
        rate = getattr(self, "learning_rate", None)
        return self if rate is None else replaced(self, learning_rate=rate * factor)

    def clipped(self, gradient: Array) -> Array:
        """The gradient after `clip_value` and `clip_norm`."""
        xp = namespace(gradient)
        if self.clip_value is not None:
            gradient = xp.clip(gradient, -self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            norm = xp.sqrt(coordinate_sum(gradient * gradient))
            gradient = gradient * xp.where(norm > self.clip_norm, self.clip_norm / norm, 1.0)
        return gradient

    @property
    def clips(self) -> bool:
        """Whether the rule clips gradients."""
        return self.clip_value is not None or self.clip_norm is not None


def replaced(part: Stackable, **values: Any) -> Stackable:
    """A copy with other values, possibly arrays, of some fields; the checks of the class are not run."""
    changed = copy.copy(part)
    for name, value in values.items():
        object.__setattr__(changed, name, value)
    return changed


def stack(rules: Sequence[Stackable], runs: int) -> Stackable:
    """One rule for `len(rules) * runs` runs: a number in which the rules differ becomes a `(runs,)` array.

    The rules must have the same `stacking_key`; the runs of the first rule come first. The schedules are
    stacked in the same way.
    """
    values = [vars(rule) for rule in rules]
    columns: dict[str, Any] = {}
    for name, first in values[0].items():
        column = [value[name] for value in values]
        if all(value == first for value in column):
            continue
        columns[name] = stack(column, runs) if isinstance(first, Part) else np.repeat(column, runs)
    return replaced(rules[0], **columns)


def stacking_key(rule: Part) -> Hashable:
    """A key that is equal for rules that differ in real numbers only and can run as one."""
    return type(rule), tuple(map(_key, vars(rule).values()))


def _key(value: Any) -> Hashable:
    if isinstance(value, Part):
        return stacking_key(value)
    return float if isinstance(value, float) else value

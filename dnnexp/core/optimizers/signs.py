"""Rules that use the sign of a gradient, not its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from annotated_types import Gt, Lt

from dnnexp.core.arrays import Array, namespace
from dnnexp.core.optimizers.base import Optimizer, WeightDecay
from dnnexp.core.schedules import Schedule
from dnnexp.registry import Decay, Positive, Problem, check, register


class LionState(NamedTuple):
    """The decaying mean m of gradients, `(d, runs)`."""

    mean: Array


@register("lion")
@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion: x ← x − η sign(β₁ m + (1−β₁) g); m ← β₂ m + (1−β₂) g.

    Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, program 1, with its defaults.
    Its weight decay is decoupled; λ is 0 unless given (optax: 1e-3).
    """

    learning_rate: Positive = 1e-4
    beta1: Decay = 0.9
    beta2: Decay = 0.99
    decay: WeightDecay = field(default="decoupled", kw_only=True)

    def init(self, x: Array) -> LionState:
        """m = 0."""
        return LionState(namespace(x).zeros_like(x))

    def update(self, gradient: Array, state: LionState, x: Array, step: int) -> tuple[Array, LionState]:
        """−η sign(β₁ m + (1−β₁) g)."""
        direction = self.beta1 * state.mean + (1 - self.beta1) * gradient
        mean = self.beta2 * state.mean + (1 - self.beta2) * gradient
        return -self.learning_rate * namespace(x).sign(direction), LionState(mean)


class RpropState(NamedTuple):
    """The step size Δ and the last gradient (0 where its sign turned), both `(d, runs)`."""

    size: Array
    gradient: Array


@register("rprop")
@dataclass(frozen=True)
class Rprop(Optimizer):
    """Rprop: x ← x − Δ sign g; Δ grows by η⁺ while the sign of g holds, shrinks by η⁻ when it turns.

    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
    1993, in the form of PyTorch (iRprop⁻, Igel and Hüsken 2000): where the sign turns, the coordinate rests
    for a step and its gradient is forgotten. optax finds the same steps, but, up to 0.2.8 at least, takes
    each one step late. Δ starts at the learning rate and stays within `smallest_step` and `largest_step`.
    Made for full batches; a schedule has nothing to act on.
    """

    learning_rate: Positive = 1e-2
    shrink: Annotated[float, Gt(0), Lt(1)] = 0.5
    grow: Annotated[float, Gt(1)] = 1.2
    smallest_step: Positive = 1e-6
    largest_step: Positive = 50.0

    @check("schedule")
    @staticmethod
    def unscheduled(schedule: Schedule) -> Iterator[Problem]:
        """The learning rate is used once."""
        if not schedule.is_constant:
            yield ("schedule",), "has no effect on rprop, which sets its step sizes itself; use constant"

    @check("smallest_step", "largest_step")
    @staticmethod
    def ordered(smallest_step: float, largest_step: float) -> Iterator[Problem]:
        """There is a step size."""
        if smallest_step > largest_step:
            yield ("smallest_step",), f"must be at most largest_step {largest_step}, not {smallest_step}"

    def init(self, x: Array) -> RpropState:
        """Δ = the learning rate; no gradient before."""
        zeros = namespace(x).zeros_like(x)
        return RpropState(zeros + self.learning_rate, zeros)

    def update(self, gradient: Array, state: RpropState, x: Array, step: int) -> tuple[Array, RpropState]:
        """−Δ sign g, 0 where the sign turned."""
        xp = namespace(x)
        agreement = gradient * state.gradient
        holds, turns = (xp.astype(side, x.dtype) for side in (agreement > 0, agreement < 0))
        factor = 1 + (self.grow - 1) * holds + (self.shrink - 1) * turns
        size = xp.clip(state.size * factor, self.smallest_step, self.largest_step)
        gradient = gradient * (1 - turns)
        return -size * xp.sign(gradient), RpropState(size, gradient)

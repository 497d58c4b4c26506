"""Registered parts as targets: activations, losses, objectives, all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import EPSILON, Floats
from dnnexp.core.losses import Loss
from dnnexp.core.objectives import Objective
from dnnexp.core.streams import Streams
from dnnexp.experiments.gradcheck.cases import Case, Piece
from dnnexp.experiments.gradcheck.findings import Finding
from dnnexp.experiments.gradcheck.targets.base import Target, Tensor
from dnnexp.registry import examples, register, without_example

_GRID = np.concatenate([np.linspace(-6.1, 6.1, 50), [-30.0, -20.0, -12.0, 12.0, 20.0, 30.0]])
"""Pre-activations; none is a round number, where kinks are likely."""
_CLEARANCE = 0.02
"""How far from a kink a pre-activation must be."""
_ASIDE = 2.0**-20
"""How far from a kink, relative to max(1, |z|), the slopes on both sides of it are measured."""
_ROUNDINGS = 8
"""Rounding errors that a value beside a kink is allowed."""

Points = Annotated[int, Ge(1), Le(1000)]


@register("activation")
@dataclass(frozen=True)
class ActivationTarget(Target):
    """Activation: σ' against differences of σ, on a grid from −6 to 6 and some points up to ±30.

    At a kink σ' must lie between the slopes on both sides.
    """

    subject: ClassVar[str | None] = "activation"

    activation: Activation

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """The activation on the grid, but for the neighbourhood of kinks."""
        activation = self.activation
        distance = np.abs(_GRID[:, None] - np.array(activation.kinks)).min(axis=1, initial=np.inf)
        points = _GRID[distance > _CLEARANCE][None]
        return (
            Case(
                lambda z: activation.f(z[0]),
                activation.df,
                points,
                (Piece(self.tensors[0].name, slice(0, 1), ()),),
                findings=_slopes_at_kinks(activation),
            ),
        )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """One."""
        return (Tensor(f"activation:{self.activation.name}", 1),)


def _slopes_at_kinks(activation: Activation) -> tuple[Finding, ...]:
    """Where σ' at a kink lies outside the slopes of both sides."""
    found = []
    with np.errstate(all="ignore"):
        for kink in activation.kinks:
            (before, error), (after, other) = (_slope_beside(activation, kink, side) for side in (-1, 1))
            slope = float(np.asarray(activation.df(np.array([kink])))[0])
            low, high = min(before - error, after - other), max(before + error, after + other)
            if not low <= slope <= high:
                sides = f"{before:.6g} before it and {after:.6g} after it"
                text = f"the slope {slope:.6g} is not between those of both sides, {sides}"
                found.append(Finding("slope_at_kink", f"activation:{activation.name} at {kink:g}", text))
    return tuple(found)


def _slope_beside(activation: Activation, kink: float, side: int) -> tuple[float, float]:
    """σ' to one side of a kink, by extrapolation of two one-sided differences, and how far it may be off."""
    step = side * _ASIDE * max(1.0, abs(kink))
    z = kink + step * np.array([0.0, 0.5, 1.0])
    here, near, far = np.asarray(activation.f(z), dtype=np.float64)
    short, long = (near - here) / (z[1] - z[0]), (far - here) / (z[2] - z[0])
    rounding = _ROUNDINGS * EPSILON * max(abs(here), abs(near), abs(far)) / abs(step)
    return float(2 * short - long), float(abs(short - long) + rounding)


@register("loss")
@dataclass(frozen=True)
class LossTarget(Target):
    """Loss: ∂E/∂y against differences of E, at outputs of standard deviation 2 and targets that suit it."""

    subject: ClassVar[str | None] = "loss"

    loss: Loss
    batch: Annotated[int, Ge(1), Le(1000)] = 4
    width: Annotated[int, Ge(1), Le(1000)] = 5
    points: Points = 4

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """The loss as a function of all outputs of the batch."""
        loss, shape, label = self.loss, (self.batch, self.width), self.loss.name
        t = loss.example_targets(streams("targets", label), *shape)
        size = self.batch * self.width

        def batch(y: Floats) -> Any:
            return np.moveaxis(y, 0, -1).reshape(*y.shape[1:], *shape)

        def gradient(y: Floats) -> Any:
            return np.moveaxis(np.asarray(loss.gradient(batch(y), t)).reshape(*y.shape[1:], size), -1, 0)

        return (
            Case(
                lambda y: loss.value(batch(y), t),
                gradient,
                2 * streams("outputs", label).standard_normal((size, self.points)),
                (Piece(self.tensors[0].name, slice(0, size), shape),),
                difference=lambda a, b: loss.difference(batch(a), batch(b), t),
            ),
        )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """One."""
        return (Tensor(f"loss:{self.loss.name}", 3),)


@register("objective")
@dataclass(frozen=True)
class ObjectiveTarget(Target):
    """Objective: ∇f against differences of f, at points drawn as starts are, else standard normal ones."""

    subject: ClassVar[str | None] = "objective"

    objective: Objective
    points: Points = 5

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """The prepared objective."""
        objective, stream = self.objective.prepare(streams), streams("points", self.objective.name)
        shape = (objective.dimension, self.points)
        draws = objective.draws
        points = objective.draw(stream, self.points) if draws else stream.standard_normal(shape)
        (tensor,) = self.tensors
        piece = Piece(tensor.name, slice(0, objective.dimension), (objective.dimension,))
        return (Case(objective.value, objective.gradient, points, (piece,), tensor.takes_complex),)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """One."""
        return (Tensor(f"objective:{self.objective.name}", 2, self.objective.takes_complex),)


@register("all")
@dataclass(frozen=True)
class AllTargets(Target):
    """All: every registered activation, loss and objective, with default fields or those of its example."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The parts that need arguments, and so have no default."""
        text = "it has fields that must be given, and its class no method example()"
        return tuple(
            Finding("left_out", f"{kind}:{name}", text)
            for kind in ("activation", "loss", "objective")
            for name in without_example(kind)
        )

    @property
    def targets(self) -> tuple[Target, ...]:
        """One for each part."""
        return (
            *(ActivationTarget(part) for part in examples("activation")),
            *(LossTarget(part) for part in examples("loss")),
            *(ObjectiveTarget(part) for part in examples("objective")),
        )

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """Those of each."""
        return tuple(case for target in self.targets for case in target.cases(streams))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Those of each."""
        return tuple(tensor for target in self.targets for tensor in target.tensors)

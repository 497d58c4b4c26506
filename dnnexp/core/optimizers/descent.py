"""Gradient descent and its accelerated forms, with the linear theory of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from dnnexp.core.arrays import Array, Floats, namespace
from dnnexp.core.optimizers.base import Optimizer
from dnnexp.registry import Decay, Positive, Problem, check, register


@register("gradient_descent")
@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Gradient descent: x ← x − η g.

    Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", 1847. The
    default learning rate is PyTorch's for SGD.
    """

    learning_rate: Positive = 1e-3

    def init(self, x: Array) -> None:
        """No state."""

    def update(self, gradient: Array, state: None, x: Array, step: int) -> tuple[Array, None]:
        """−η g."""
        return -self.learning_rate * gradient, None

    def iteration_matrix(self, curvature: float) -> Floats:
        """(1 − η λ)."""
        return np.array([[1 - self.learning_rate * curvature]])

    def stability_limit(self, curvature: float) -> float:
        """2 / λ."""
        return 2 / curvature


class MomentumState(NamedTuple):
    """The velocity v, `(d, runs)`."""

    velocity: Array


@register("momentum")
@dataclass(frozen=True)
class Momentum(Optimizer):
    """Heavy ball: v ← μ v − η (1−τ) g(x); x ← x + v.

    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, in the form of
    Sutskever et al. 2013, eq. 1-2: the learning rate is inside the velocity. With `velocity: raw` it is
    outside, v ← μ v + (1−τ) g; x ← x − η v, as in PyTorch's SGD and optax; both give the same points as
    long as η is constant. The dampening τ spares the first step, as in PyTorch.
    """

    learning_rate: Positive = 1e-3
    momentum: Decay = 0.9
    dampening: Decay = 0.0
    velocity: Literal["scaled", "raw"] = "scaled"

    def init(self, x: Array) -> MomentumState:
        """v = 0."""
        return MomentumState(namespace(x).zeros_like(x))

    def update(
        self, gradient: Array, state: MomentumState, x: Array, step: int
    ) -> tuple[Array, MomentumState]:
        """μ v − η (1−τ) g, which is also the new velocity; or −η v with the raw one."""
        share: Any = 1 if step == 1 else 1 - self.dampening
        if self.velocity == "raw":
            velocity = self.momentum * state.velocity + share * gradient
            return -self.learning_rate * velocity, MomentumState(velocity)
        velocity = self.momentum * state.velocity - self.learning_rate * share * gradient
        return velocity, MomentumState(velocity)

    def iteration_matrix(self, curvature: float) -> Floats:
        """((1 − p, μ), (−p, μ)) with p = η (1−τ) λ; from the second step on, if τ > 0."""
        p, keep = self._scaled_curvature(curvature), self.momentum
        return self._for_velocity([[1 - p, keep], [-p, keep]], curvature)

    def stability_limit(self, curvature: float) -> float:
        """2 (1 + μ) / ((1−τ) λ)."""
        return 2 * (1 + self.momentum) / ((1 - self.dampening) * curvature)

    def _scaled_curvature(self, curvature: float) -> float:
        return self.learning_rate * (1 - self.dampening) * curvature

    def _for_velocity(self, matrix: list[list[float]], curvature: float) -> Floats:
        """The matrix for a velocity with the learning rate inside, or, raw, −1/η times as large."""
        (stay, drift), (_, keep) = matrix
        if self.velocity == "raw":
            # not divided by η: a schedule may end at 0
            matrix = [[stay, -self.learning_rate * drift], [(1 - self.dampening) * curvature, keep]]
        return np.array(matrix)


@register("nesterov")
@dataclass(frozen=True)
class Nesterov(Momentum):
    """Nesterov's accelerated gradient: v ← μ v − η g(x + μ v); x ← x + v.

    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", 1983, in
    the form of Sutskever et al. 2013, eq. 3-4: the gradient is taken at the look-ahead point x + μ v. With
    `form: rewritten` it is taken at x: v ← μ v − η g(x); x ← x + μ v − η g(x), as in PyTorch and optax; for
    constant η that x is the look-ahead point of the other form (Bengio, Boulanger-Lewandowski and Pascanu
    2013, eq. 7). There is no dampening.
    """

    form: Literal["look_ahead", "rewritten"] = "look_ahead"

    @check("dampening")
    @staticmethod
    def undamped(dampening: float) -> Iterator[Problem]:
        """Dampening would not give Nesterov's look-ahead; PyTorch refuses it as well."""
        if dampening:
            yield ("dampening",), f"must be 0 for nesterov, not {dampening}"

    def query(self, x: Array, state: MomentumState) -> Array:
        """The look-ahead point x + μ v (x − η μ v for a raw velocity); x in the rewritten form."""
        if self.form == "rewritten":
            return x
        if self.velocity == "raw":
            return x - self.learning_rate * self.momentum * state.velocity
        return x + self.momentum * state.velocity

    def update(
        self, gradient: Array, state: MomentumState, x: Array, step: int
    ) -> tuple[Array, MomentumState]:
        """The new velocity; in the rewritten form μ times it, and −η g."""
        displacement, state = super().update(gradient, state, x, step)
        if self.form == "rewritten":
            displacement = self.momentum * displacement - self.learning_rate * gradient
        return displacement, state

    def iteration_matrix(self, curvature: float) -> Floats:
        """((1−p, μ(1−p)), (−p, μ(1−p))) with p = η λ; rewritten: ((1−p−μp, μ²), (−p, μ))."""
        p, keep = self._scaled_curvature(curvature), self.momentum
        if self.form == "rewritten":
            return self._for_velocity([[1 - p - keep * p, keep**2], [-p, keep]], curvature)
        return self._for_velocity([[1 - p, keep * (1 - p)], [-p, keep * (1 - p)]], curvature)

    def stability_limit(self, curvature: float) -> float:
        """2 (1 + μ) / ((1 + 2μ) λ): where z = −1 solves z² − (1+μ)(1−ηλ) z + μ(1−ηλ) = 0."""
        return 2 * (1 + self.momentum) / ((1 + 2 * self.momentum) * curvature)

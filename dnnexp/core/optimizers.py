"""Update rules: frozen hyperparameters and a pure `init` / `query` / `update`.

In the formulas g is the gradient, x the point, t the step (from 1) and η the learning rate. Points,
gradients and displacements have shape `(d, runs)`; a hyperparameter is a number or a `(runs,)` array.
A rule has no loop: `dnnexp.core.stepping.descend` is the only one.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from dnnexp.core.arrays import Array, coordinate_sum, namespace
from dnnexp.registry import Decay, NonNegative, Part, Positive, register


class Optimizer(Part, ABC):
    """Base of the update rules. A step evaluates one gradient."""

    kind = "optimizer"

    @abstractmethod
    def init(self, x: Array) -> Any:
        """The state before the first step, from the start x of shape `(d, runs)`."""

    @abstractmethod
    def update(self, gradient: Array, state: Any, x: Array, step: int) -> tuple[Array, Any]:
        """The displacement to add to x, and the next state.

        Args:
            gradient: at `query(x, state)`, shape `(d, runs)`.
            state: what `init` or the previous step returned; not changed.
            x: the point before the step, shape `(d, runs)`.
            step: counts from 1.
        """

    def query(self, x: Array, state: Any) -> Array:
        """Where the gradient of the next step is evaluated: x, unless the rule looks ahead."""
        del state
        return x


def stack(rules: Sequence[Optimizer], runs: int) -> Optimizer:
    """One rule for `len(rules) * runs` runs: a number in which the rules differ becomes a `(runs,)` array.

    The rules must have the same `stacking_key`; the runs of the first rule come first.
    """
    values = [vars(rule) for rule in rules]
    columns: dict[str, Any] = {
        name: np.repeat([value[name] for value in values], runs)
        for name in values[0]
        if any(value[name] != values[0][name] for value in values)
    }
    stacked = copy.copy(rules[0])
    for name, column in columns.items():
        object.__setattr__(stacked, name, column)  # no check of the class is made for arrays
    return stacked


def stacking_key(rule: Optimizer) -> Hashable:
    """Equal for rules that differ in real numbers only, and can therefore run as one."""
    rest = tuple(float if isinstance(value, float) else value for value in vars(rule).values())
    return type(rule), rest


def _squared(gradient: Array, accumulator: str) -> Array:
    """What an accumulator adds up: g² for each coordinate, or ‖g‖² for all of them, `(1, runs)`."""
    square = gradient * gradient
    return square if accumulator == "coordinate" else coordinate_sum(square)


Accumulator = Literal["coordinate", "norm"]


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


class MomentumState(NamedTuple):
    """The velocity v, `(d, runs)`."""

    velocity: Array


@register("momentum")
@dataclass(frozen=True)
class Momentum(Optimizer):
    """Heavy ball: v ← μ v − η g(x); x ← x + v.

    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, in the form of
    Sutskever et al. 2013, eq. 1-2: the learning rate is inside the velocity. (PyTorch's SGD keeps it
    outside; with a constant learning rate both give the same points.)
    """

    learning_rate: Positive = 1e-3
    momentum: Decay = 0.9

    def init(self, x: Array) -> MomentumState:
        """v = 0."""
        return MomentumState(namespace(x).zeros_like(x))

    def update(
        self, gradient: Array, state: MomentumState, x: Array, step: int
    ) -> tuple[Array, MomentumState]:
        """μ v − η g, which is also the new velocity."""
        velocity = self.momentum * state.velocity - self.learning_rate * gradient
        return velocity, MomentumState(velocity)


@register("nesterov")
@dataclass(frozen=True)
class Nesterov(Momentum):
    """Nesterov's accelerated gradient: v ← μ v − η g(x + μ v); x ← x + v.

    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", 1983, in
    the form of Sutskever et al. 2013, eq. 3-4: the gradient is taken at the look-ahead point x + μ v.
    """

    def query(self, x: Array, state: MomentumState) -> Array:
        """The look-ahead point x + μ v."""
        return x + self.momentum * state.velocity


class AdaGradState(NamedTuple):
    """The sum of squares G: `(d, runs)`, or `(1, runs)` with `accumulator: norm`."""

    total: Array


@register("adagrad")
@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """AdaGrad: G ← G + g²; x ← x − η g / (√G + ε), per coordinate; or with one ‖g‖² for all.

    Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011, fig. 1 (diagonal). G starts at 0
    and ε = 1e-10 stands outside the root, as in PyTorch. `accumulator: norm` is AdaGrad-Norm
    (Ward, Wu and Bottou 2019, algorithm 1): G ← G + ‖g‖²; x ← x − η g / √(G + ε), ε inside.
    """

    learning_rate: Positive = 1e-2
    epsilon: NonNegative = 1e-10
    accumulator: Accumulator = "coordinate"

    def init(self, x: Array) -> AdaGradState:
        """G = 0."""
        return AdaGradState(namespace(x).zeros_like(_squared(x, self.accumulator)))

    def update(self, gradient: Array, state: AdaGradState, x: Array, step: int) -> tuple[Array, AdaGradState]:
        """−η g / (√G + ε), or −η g / √(G + ε) for the norm."""
        xp = namespace(x)
        total = state.total + _squared(gradient, self.accumulator)
        if self.accumulator == "norm":
            root = xp.sqrt(total + self.epsilon)
        else:
            root = xp.sqrt(total) + self.epsilon
        return -self.learning_rate * gradient / root, AdaGradState(total)


class RMSpropState(NamedTuple):
    """The decaying mean of squares G: `(d, runs)`, or `(1, runs)` with `accumulator: norm`."""

    mean_square: Array


@register("rmsprop")
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: G ← β G + (1−β) g²; x ← x − η g / (√G + ε), per coordinate; or with one ‖g‖² for all.

    Hinton, "Neural networks for machine learning", lecture 6e, 2012 (β = 0.9); ε = 1e-8 outside the
    root. PyTorch calls β alpha and sets it to 0.99. G starts at 0.
    """

    learning_rate: Positive = 1e-2
    beta: Decay = 0.9
    epsilon: NonNegative = 1e-8
    accumulator: Accumulator = "coordinate"

    def init(self, x: Array) -> RMSpropState:
        """G = 0."""
        return RMSpropState(namespace(x).zeros_like(_squared(x, self.accumulator)))

    def update(self, gradient: Array, state: RMSpropState, x: Array, step: int) -> tuple[Array, RMSpropState]:
        """−η g / (√G + ε)."""
        square = _squared(gradient, self.accumulator)
        mean_square = self.beta * state.mean_square + (1 - self.beta) * square
        root = namespace(x).sqrt(mean_square) + self.epsilon
        return -self.learning_rate * gradient / root, RMSpropState(mean_square)


class AdamState(NamedTuple):
    """The decaying means m of g and v of g², both `(d, runs)`."""

    mean: Array
    mean_square: Array


@register("adam")
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²; x ← x − η m̂ / (√v̂ + ε).

    m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ). Kingma and Ba, "Adam: a method for stochastic optimization",
    ICLR 2015, algorithm 1, with its defaults; ε outside the root.
    """

    learning_rate: Positive = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: NonNegative = 1e-8

    def init(self, x: Array) -> AdamState:
        """m = v = 0."""
        zeros = namespace(x).zeros_like(x)
        return AdamState(zeros, zeros)

    def update(self, gradient: Array, state: AdamState, x: Array, step: int) -> tuple[Array, AdamState]:
        """−η m̂ / (√v̂ + ε)."""
        xp = namespace(x)
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        mean_square = self.beta2 * state.mean_square + (1 - self.beta2) * (gradient * gradient)
        # powers of arrays, so that a rule takes the same steps by itself and stacked with others
        corrected_mean = mean / (1 - xp.asarray(self.beta1) ** step)
        corrected_square = mean_square / (1 - xp.asarray(self.beta2) ** step)
        root = xp.sqrt(corrected_square) + self.epsilon
        return -self.learning_rate * corrected_mean / root, AdamState(mean, mean_square)

"""Rules that divide each coordinate by the size of its past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dnnexp.core.arrays import Array, coordinate_sum, namespace
from dnnexp.core.optimizers.base import Optimizer
from dnnexp.registry import Decay, NonNegative, Positive, register

Accumulator = Literal["coordinate", "norm"]


def _squared(gradient: Array, accumulator: str) -> Array:
    """The term that an accumulator adds: g² for each coordinate, or ‖g‖² for all, `(1, runs)`."""
    square = gradient * gradient
    return square if accumulator == "coordinate" else coordinate_sum(square)


def _root(square: Array, epsilon: Any, place: str) -> Array:
    """√v + ε, or √(v + ε)."""
    xp = namespace(square)
    return xp.sqrt(square + epsilon) if place == "inside" else xp.sqrt(square) + epsilon


class AdaGradState(NamedTuple):
    """The sum of squares G: `(d, runs)`, or `(1, runs)` with `accumulator: norm`."""

    total: Array


@register("adagrad")
@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """AdaGrad: G ← G + g²; x ← x − η g / (√G + ε), per coordinate; or with one ‖g‖² for all.

    Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011, fig. 1 (diagonal). G starts at
    `initial_accumulator`, 0 as in PyTorch (optax: 0.1), and ε = 1e-10 stands outside the root, as in PyTorch
    (optax: 1e-7, `epsilon_place: inside`). `accumulator: norm` is AdaGrad-Norm (Ward, Wu and Bottou 2019,
    algorithm 1): G ← G + ‖g‖²; x ← x − η g / √(G + ε), with ε inside unless its place is given.
    """

    learning_rate: Positive = 1e-2
    epsilon: NonNegative = 1e-10
    accumulator: Accumulator = "coordinate"
    initial_accumulator: NonNegative = 0.0
    epsilon_place: Literal["auto", "outside", "inside"] = "auto"

    def init(self, x: Array) -> AdaGradState:
        """G = `initial_accumulator`."""
        return AdaGradState(namespace(x).zeros_like(_squared(x, self.accumulator)) + self.initial_accumulator)

    def update(self, gradient: Array, state: AdaGradState, x: Array, step: int) -> tuple[Array, AdaGradState]:
        """−η g / (√G + ε), or −η g / √(G + ε)."""
        place = self.epsilon_place
        if place == "auto":
            place = "inside" if self.accumulator == "norm" else "outside"
        total = state.total + _squared(gradient, self.accumulator)
        return -self.learning_rate * gradient / _root(total, self.epsilon, place), AdaGradState(total)


class RMSpropState(NamedTuple):
    """The decaying mean of squares G, `(d, runs)`, or `(1, runs)` with `accumulator: norm`.

    The decaying mean m of gradients and the velocity v, `(d, runs)` each, are None unless they are used.
    """

    mean_square: Array
    mean: Array | None = None
    velocity: Array | None = None


@register("rmsprop")
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: G ← β G + (1−β) g²; x ← x − η g / (√G + ε), per coordinate; or with one ‖g‖² for all.

    Hinton, "Neural networks for machine learning", lecture 6e, 2012 (β = 0.9); ε = 1e-8 outside the root,
    as in PyTorch, which calls β alpha and sets it to 0.99; optax has `epsilon_place: inside`. G starts at 0.
    `centered` divides by the root of G − m², with m ← β m + (1−β) g (Graves 2013, eq. 38-40). `momentum` μ
    feeds u = g / (√G + ε) to a velocity: v ← μ v + u; x ← x − η v as in PyTorch (`velocity: raw`), or
    v ← μ v − η u; x ← x + v as in optax (`scaled`).
    """

    learning_rate: Positive = 1e-2
    beta: Decay = 0.9
    epsilon: NonNegative = 1e-8
    accumulator: Accumulator = "coordinate"
    epsilon_place: Literal["outside", "inside"] = "outside"
    centered: bool = False
    momentum: Decay | None = None
    velocity: Literal["raw", "scaled"] = "raw"

    def init(self, x: Array) -> RMSpropState:
        """G = m = v = 0."""
        zeros = namespace(x).zeros_like(x)
        return RMSpropState(
            namespace(x).zeros_like(_squared(x, self.accumulator)),
            zeros if self.centered else None,
            None if self.momentum is None else zeros,
        )

    def update(self, gradient: Array, state: RMSpropState, x: Array, step: int) -> tuple[Array, RMSpropState]:
        """−η g / (√G + ε), or the displacement of the velocity."""
        square = _squared(gradient, self.accumulator)
        mean_square = self.beta * state.mean_square + (1 - self.beta) * square
        mean, spread = None, mean_square
        if state.mean is not None:
            mean = self.beta * state.mean + (1 - self.beta) * gradient
            spread = mean_square - _squared(mean, self.accumulator)
        root = _root(spread, self.epsilon, self.epsilon_place)
        if state.velocity is None:
            return -self.learning_rate * gradient / root, RMSpropState(mean_square, mean)
        kept = self.momentum * state.velocity
        if self.velocity == "scaled":
            velocity = kept - self.learning_rate * gradient / root
            return velocity, RMSpropState(mean_square, mean, velocity)
        velocity = kept + gradient / root
        return -self.learning_rate * velocity, RMSpropState(mean_square, mean, velocity)


class AdaDeltaState(NamedTuple):
    """The decaying means of g² and of the squared displacements, both `(d, runs)`."""

    mean_square: Array
    mean_square_step: Array


@register("adadelta")
@dataclass(frozen=True)
class AdaDelta(Optimizer):
    """AdaDelta: G ← β G + (1−β) g²; δ = g √(D + ε) / √(G + ε); D ← β D + (1−β) δ²; x ← x − η δ.

    Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1, which has no η (1 here and in
    PyTorch). β (rho in the paper) is 0.9 and ε 1e-6 as in PyTorch and optax; both roots hold ε inside.
    """

    learning_rate: Positive = 1.0
    beta: Decay = 0.9
    epsilon: NonNegative = 1e-6

    def init(self, x: Array) -> AdaDeltaState:
        """G = D = 0."""
        zeros = namespace(x).zeros_like(x)
        return AdaDeltaState(zeros, zeros)

    def update(
        self, gradient: Array, state: AdaDeltaState, x: Array, step: int
    ) -> tuple[Array, AdaDeltaState]:
        """−η δ."""
        xp = namespace(x)
        mean_square = self.beta * state.mean_square + (1 - self.beta) * (gradient * gradient)
        ratio = xp.sqrt(state.mean_square_step + self.epsilon) / xp.sqrt(mean_square + self.epsilon)
        delta = ratio * gradient
        mean_square_step = self.beta * state.mean_square_step + (1 - self.beta) * (delta * delta)
        return -self.learning_rate * delta, AdaDeltaState(mean_square, mean_square_step)

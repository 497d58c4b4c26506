"""Adam and its relatives: a decaying mean of gradients over the root of one of their squares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from annotated_types import Ge

from dnnexp.core.arrays import Array, namespace
from dnnexp.core.optimizers.base import Optimizer, WeightDecay
from dnnexp.registry import Decay, NonNegative, Positive, register


class AdamState(NamedTuple):
    """The decaying means m of g and v of g², both `(d, runs)`."""

    mean: Array
    mean_square: Array


def _gap(beta: Any, step: int, xp: Any) -> Any:
    """1 − βᵗ, as a power of an array: a rule takes the same steps by itself and stacked with others."""
    return 1 - xp.asarray(beta) ** step


@register("adam")
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: m ← β₁ m + (1−β₁) g; v ← β₂ v + (1−β₂) g²; x ← x − η m̂ / (√v̂ + ε).

    m̂ = m / (1−β₁ᵗ) and v̂ = v / (1−β₂ᵗ). Kingma and Ba, "Adam: a method for stochastic optimization",
    ICLR 2015, algorithm 1, with its defaults; ε outside the root, as in PyTorch. optax's `eps_root` is
    `epsilon_root`: √(v̂ + ε_root) + ε. `bias_correction: false` takes m and v for m̂ and v̂.
    """

    learning_rate: Positive = 1e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: NonNegative = 1e-8
    epsilon_root: NonNegative = 0.0
    bias_correction: bool = True

    def init(self, x: Array) -> Any:
        """m = v = 0."""
        zeros = namespace(x).zeros_like(x)
        return AdamState(zeros, zeros)

    def update(self, gradient: Array, state: Any, x: Array, step: int) -> tuple[Array, Any]:
        """−η m̂ / (√v̂ + ε)."""
        state = self._means(gradient, state)
        mean, mean_square = state
        if self.bias_correction:
            xp = namespace(x)
            mean = mean / _gap(self.beta1, step, xp)
            mean_square = mean_square / _gap(self.beta2, step, xp)
        return -self.learning_rate * mean / self._root(mean_square), state

    def _means(self, gradient: Array, state: Any) -> AdamState:
        """The next m and v."""
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        return AdamState(mean, self.beta2 * state.mean_square + (1 - self.beta2) * (gradient * gradient))

    def _root(self, square: Array) -> Array:
        """√(v + ε_root) + ε."""
        return namespace(square).sqrt(square + self.epsilon_root) + self.epsilon


@register("adamw")
@dataclass(frozen=True)
class AdamW(Adam):
    """AdamW: Adam, and besides it x ← x − η λ x: weight decay apart from the gradient.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2. λ is 0.01 as in
    PyTorch (optax: 1e-4), scaled by the learning rate as in both; `decay_scale: schedule` is the paper's, in
    which only the schedule scales λ.
    """

    weight_decay: NonNegative = field(default=1e-2, kw_only=True)
    decay: WeightDecay = field(default="decoupled", kw_only=True)


class AMSGradState(NamedTuple):
    """m, v, and the largest v (or v̂) so far, each `(d, runs)`."""

    mean: Array
    mean_square: Array
    largest: Array


@register("amsgrad")
@dataclass(frozen=True)
class AMSGrad(Adam):
    """AMSGrad: Adam with the largest v so far in place of v.

    Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2, with Adam's bias
    corrections. The maximum is taken of v, then corrected, as in PyTorch; with `maximum_of: corrected` of v̂,
    as in optax.
    """

    maximum_of: Literal["raw", "corrected"] = "raw"

    def init(self, x: Array) -> AMSGradState:
        """All 0."""
        zeros = namespace(x).zeros_like(x)
        return AMSGradState(zeros, zeros, zeros)

    def update(self, gradient: Array, state: AMSGradState, x: Array, step: int) -> tuple[Array, AMSGradState]:
        """−η m̂ / (√ max v̂ + ε)."""
        xp = namespace(x)
        mean, mean_square = self._means(gradient, state)
        first, second = (1.0, 1.0)
        if self.bias_correction:
            first, second = _gap(self.beta1, step, xp), _gap(self.beta2, step, xp)
        if self.maximum_of == "corrected":
            largest = xp.maximum(state.largest, mean_square / second)
            root = self._root(largest)
        else:
            largest = xp.maximum(state.largest, mean_square)
            root = self._root(largest / second)
        displacement = -self.learning_rate * (mean / first) / root
        return displacement, AMSGradState(mean, mean_square, largest)


class NAdamState(NamedTuple):
    """m and v, `(d, runs)` each, and the product of all μₜ so far, a number or `(runs,)`."""

    mean: Array
    mean_square: Array
    product: Any


@register("nadam")
@dataclass(frozen=True)
class NAdam(Adam):
    """NAdam: Adam with Nesterov's look-ahead: x ← x − η (μₜ₊₁ m̂' + (1−μₜ) ĝ) / (√v̂ + ε).

    m̂' = m / (1 − Π_{i≤t+1} μᵢ), ĝ = g / (1 − Π_{i≤t} μᵢ). Dozat, "Incorporating Nesterov momentum into Adam",
    2016, algorithm 2, with μₜ = β₁ (1 − ½ 0.96^(t ψ)) and ψ = `momentum_decay` = 4e-3, as in PyTorch, whose
    learning rate 2e-3 is the default. `momentum_decay: null` keeps μₜ = β₁, as in optax. The bias correction
    is part of the rule.
    """

    learning_rate: Positive = 2e-3
    momentum_decay: NonNegative | None = 4e-3

    def init(self, x: Array) -> NAdamState:
        """m = v = 0; the empty product."""
        zeros = namespace(x).zeros_like(x)
        return NAdamState(zeros, zeros, 1.0)

    def update(self, gradient: Array, state: NAdamState, x: Array, step: int) -> tuple[Array, NAdamState]:
        """−η (μₜ₊₁ m̂' + (1−μₜ) ĝ) / (√v̂ + ε)."""
        xp = namespace(x)
        mean, mean_square = self._means(gradient, state)
        now, following = self._momentum(step, xp), self._momentum(step + 1, xp)
        product = state.product * now
        ahead = following * mean / (1 - product * following) + (1 - now) * gradient / (1 - product)
        root = self._root(mean_square / _gap(self.beta2, step, xp))
        return -self.learning_rate * ahead / root, NAdamState(mean, mean_square, product)

    def _momentum(self, step: int, xp: Any) -> Any:
        """μₜ."""
        if self.momentum_decay is None:
            return xp.asarray(self.beta1)
        return self.beta1 * (1 - 0.5 * xp.asarray(0.96) ** (step * xp.asarray(self.momentum_decay)))


@register("radam")
@dataclass(frozen=True)
class RAdam(Adam):
    """RAdam: x ← x − η r m̂ / (√v̂ + ε) once the variance of v̂ is finite, x ← x − η m̂ before.

    ρ∞ = 2/(1−β₂) − 1, ρₜ = ρ∞ − 2t β₂ᵗ/(1−β₂ᵗ); r² = (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ), from ρₜ >
    `threshold` = 5 on, as in PyTorch and optax (the paper: 4). Liu et al., "On the variance of the adaptive
    learning rate and beyond", ICLR 2020, algorithm 2. ε is added to √v, before its correction, as in PyTorch;
    with `epsilon_after: corrected` to √v̂, as in the paper and optax. The bias correction is part of the rule.
    """

    threshold: Annotated[float, Ge(4)] = 5.0
    epsilon_after: Literal["raw", "corrected"] = "raw"

    def update(self, gradient: Array, state: AdamState, x: Array, step: int) -> tuple[Array, AdamState]:
        """−η r m̂ / (√v̂ + ε), or −η m̂."""
        xp = namespace(x)
        state = self._means(gradient, state)
        corrected_mean = state.mean / _gap(self.beta1, step, xp)
        share = _gap(self.beta2, step, xp)
        final = 2 / (1 - xp.asarray(self.beta2)) - 1
        length = final - 2 * step * (1 - share) / share
        rectified = xp.sqrt(
            xp.maximum((length - 4) * (length - 2) * final, 0 * length) / ((final - 4) * (final - 2) * length)
        )
        if self.epsilon_after == "raw":
            root = self._root(state.mean_square) / xp.sqrt(share)
        else:
            root = self._root(state.mean_square / share)
        factor = xp.where(length > self.threshold, rectified / root, xp.ones_like(root))
        return -self.learning_rate * corrected_mean * factor, state


@register("adamax")
@dataclass(frozen=True)
class Adamax(Optimizer):
    """Adamax: m ← β₁ m + (1−β₁) g; u ← max(β₂ u, |g| + ε); x ← x − η m / ((1−β₁ᵗ) u).

    Kingma and Ba 2015, algorithm 2, with its learning rate 2e-3; ε = 1e-8 keeps u from 0, as in PyTorch and
    optax.
    """

    learning_rate: Positive = 2e-3
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    epsilon: NonNegative = 1e-8

    def init(self, x: Array) -> AdamState:
        """m = u = 0."""
        zeros = namespace(x).zeros_like(x)
        return AdamState(zeros, zeros)

    def update(self, gradient: Array, state: AdamState, x: Array, step: int) -> tuple[Array, AdamState]:
        """−η m / ((1−β₁ᵗ) u)."""
        xp = namespace(x)
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        largest = xp.maximum(self.beta2 * state.mean_square, xp.abs(gradient) + self.epsilon)
        return -self.learning_rate * mean / (_gap(self.beta1, step, xp) * largest), AdamState(mean, largest)

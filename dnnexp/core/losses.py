"""Losses of an output y and a target t, both `(..., batch, n)`, summed over outputs and batch.

Each comes with its gradient and with its difference between two outputs in a form that does not
subtract two large values, for difference quotients of a small derivative.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from dnnexp.core.arrays import Array, Floats, complex_step, namespace, real
from dnnexp.registry import Part, register


class Loss(Part, ABC):
    """Base of the losses."""

    kind = "loss"
    follows_output: ClassVar[bool] = False
    """Whether ∂E/∂y grows with y, so that gradients depend on how large the output happens to be."""
    is_bounded: ClassVar[bool] = True
    """Whether it is bounded below, so that it can be minimised."""

    @abstractmethod
    def value(self, y: Array, t: Array) -> Array:
        """The loss, summed over outputs and batch: shape `(...)`."""

    @abstractmethod
    def gradient(self, y: Array, t: Array) -> Array:
        """∂E/∂y: the shape of y."""

    def gradient_tangent(self, y: Array, t: Array, y_dot: Array) -> Array:
        """∂²E/∂y² ẏ for real y and ẏ, by the complex step of the gradient: the shape of ẏ."""
        return complex_step(partial(self.gradient, t=t), y, y_dot)

    @abstractmethod
    def difference(self, y_plus: Array, y_minus: Array, t: Array) -> Array:
        """E(y₊, t) − E(y₋, t), accurate where y₊ and y₋ are close: shape `(...)`."""

    @abstractmethod
    def example_targets(self, generator: np.random.Generator, batch: int, width: int) -> Floats:
        """Random targets that suit the loss: shape `(batch, width)`."""


def _total(terms: Array) -> Array:
    """The sum over outputs and batch."""
    return namespace(terms).sum(terms, axis=(-2, -1))


@register("squared_error")
@dataclass(frozen=True)
class SquaredError(Loss):
    """Squared error: E = ½ Σ (y − t)²; ∂E/∂y = y − t."""

    follows_output: ClassVar[bool] = True

    def value(self, y: Array, t: Array) -> Array:
        """½ Σ (y − t)²."""
        return _total((y - t) ** 2) / 2

    def gradient(self, y: Array, t: Array) -> Array:
        """y − t."""
        return y - t

    def gradient_tangent(self, y: Array, t: Array, y_dot: Array) -> Array:
        """ẏ."""
        return y_dot + namespace(y).zeros_like(y)

    def difference(self, y_plus: Array, y_minus: Array, t: Array) -> Array:
        """Σ ½ (y₊ − y₋)(y₊ + y₋ − 2t)."""
        return _total((y_plus - y_minus) * (y_plus + y_minus - 2 * t)) / 2

    def example_targets(self, generator: np.random.Generator, batch: int, width: int) -> Floats:
        """Standard normal."""
        return generator.standard_normal((batch, width))


@register("linear")
@dataclass(frozen=True)
class Linear(Loss):
    """Linear: E = Σ t y with random t; ∂E/∂y = t whatever y is: backward starts from a random direction.

    It has no lower bound: there is nothing to minimise.
    """

    is_bounded: ClassVar[bool] = False

    def value(self, y: Array, t: Array) -> Array:
        """Σ t y."""
        return _total(t * y)

    def gradient(self, y: Array, t: Array) -> Array:
        """The t of every y."""
        return t + namespace(y).zeros_like(y)

    def gradient_tangent(self, y: Array, t: Array, y_dot: Array) -> Array:
        """0."""
        return 0 * (y + y_dot)

    def difference(self, y_plus: Array, y_minus: Array, t: Array) -> Array:
        """Σ t (y₊ − y₋)."""
        return _total(t * (y_plus - y_minus))

    def example_targets(self, generator: np.random.Generator, batch: int, width: int) -> Floats:
        """Standard normal."""
        return generator.standard_normal((batch, width))


@register("softmax_cross_entropy")
@dataclass(frozen=True)
class SoftmaxCrossEntropy(Loss):
    """Softmax cross-entropy: E = −Σ tₖ log pₖ, p = softmax(y); ∂E/∂y = p Σₖ tₖ − t.

    The logits y are shifted by their maximum before any exponential (Goodfellow, Bengio and Courville,
    "Deep learning", 2016, section 4.1), so they may be of any size.
    """

    def value(self, y: Array, t: Array) -> Array:
        """Σ tₖ (log Σⱼ exp yⱼ − yₖ)."""
        xp = namespace(y)
        shifted = y - xp.max(real(y), axis=-1, keepdims=True)
        log_sum = xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))
        return _total(t * (log_sum - shifted))

    def gradient(self, y: Array, t: Array) -> Array:
        """p Σₖ tₖ − t."""
        return softmax(y) * namespace(t).sum(t, axis=-1, keepdims=True) - t

    def gradient_tangent(self, y: Array, t: Array, y_dot: Array) -> Array:
        """p (ẏ − Σₖ pₖ ẏₖ) Σₖ tₖ."""
        xp, p = namespace(y), softmax(y)
        mean = xp.sum(p * y_dot, axis=-1, keepdims=True)
        return p * (y_dot - mean) * xp.sum(t, axis=-1, keepdims=True)

    def difference(self, y_plus: Array, y_minus: Array, t: Array) -> Array:
        """Σ tₖ (log(1 + Σⱼ p₋ⱼ (exp Δⱼ − 1)) − Δₖ) with Δ = y₊ − y₋."""
        xp = namespace(y_minus)
        delta = y_plus - y_minus
        growth = xp.sum(softmax(y_minus) * xp.expm1(delta), axis=-1, keepdims=True)
        return _total(t * (xp.log1p(growth) - delta))

    def example_targets(self, generator: np.random.Generator, batch: int, width: int) -> Floats:
        """One-hot, every class equally likely."""
        return np.eye(width)[generator.integers(width, size=batch)]


def softmax(y: Array) -> Array:
    """exp yₖ / Σⱼ exp yⱼ along the last axis, for logits of any size."""
    xp = namespace(y)
    raised = xp.exp(y - xp.max(real(y), axis=-1, keepdims=True))
    return raised / xp.sum(raised, axis=-1, keepdims=True)

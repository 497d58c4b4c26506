"""Convex objectives on data, whose minimum is computed: linear models."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dnnexp.core.activations import Identity
from dnnexp.core.arrays import Array, Floats
from dnnexp.core.data import Data, Table
from dnnexp.core.losses import Loss, SoftmaxCrossEntropy, SquaredError, softmax
from dnnexp.core.network import Network
from dnnexp.core.objectives.learning import Learning
from dnnexp.registry import NonNegative, Positive, Problem, check, register

_MAX_PARAMETERS = 3000
"""No minimum is computed for more parameters, whose Hessian would take over 72 MB."""
_MAX_PRODUCTS = 10**10
"""No minimum is computed for problems larger than this (rows times parameters squared)."""
_MAX_NEWTON_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class LinearModel(Learning):
    """Base of the linear models y = W x + b; θ holds W, `(k, d)` in row order, then b, `(k,)`."""

    @cached_property
    def network(self) -> Network:
        """One layer, linear."""
        shape = self.data.shape()
        return Network((shape.features, shape.targets), (Identity(),))

    @cached_property
    def _minimizer(self) -> Floats | None:
        """θ*, `(P,)`, of a prepared objective; None if it would take too long or is lost in rounding."""
        train, count = self.split.train, self.dimension
        if count > _MAX_PARAMETERS or len(train.features) * count**2 > _MAX_PRODUCTS:
            return None
        with np.errstate(all="ignore"):
            try:
                weights = self._solve(_with_ones(train), train.targets)  # (k, d + 1)
            except np.linalg.LinAlgError:
                return None
        if weights is None or not np.isfinite(weights).all():
            return None
        return np.concatenate([weights[:, :-1].ravel(), weights[:, -1]])

    @abstractmethod
    def _solve(self, x: Floats, t: Floats) -> Floats | None:
        """The optimal weights and biases `(k, d + 1)` for features with a column of ones, or None."""

    @cached_property
    def _least(self) -> float | None:
        return None if self._minimizer is None else float(self.value(self._minimizer))

    @property
    def minimum(self) -> float | None:
        """The value at the minimizer, of a prepared objective."""
        return self._least if "_split" in vars(self) else None

    def minimizers(self) -> Floats | None:
        """θ*, `(P, 1)`, of a prepared objective."""
        return None if self._minimizer is None else self._minimizer[:, None]

    def draw(self, generator: np.random.Generator, count: int) -> Floats:
        """θ ~ N(0, I)."""
        return generator.standard_normal((count, self.dimension)).T


def _with_ones(table: Table) -> Floats:
    """The features and a column of ones for the bias: `(n, d + 1)`."""
    return np.concatenate([table.features, np.ones((len(table.features), 1))], axis=1)


@register("least_squares")
@dataclass(frozen=True)
class LeastSquares(LinearModel):
    """Least squares: f = 1/(2n) Σ ‖W x + b − t‖² + (λ/2)‖θ‖²; its minimum is computed.

    λ is `l2`; θ holds W row by row, then b, and n counts the training rows. Classes are one-hot targets. The
    minimizer solves the normal equations, by the singular value decomposition of the features and √(nλ) I
    below them (of several minimizers, the one of smallest norm).
    """

    l2: NonNegative = 0.0

    @property
    def model_loss(self) -> Loss:
        """½‖y − t‖²."""
        return SquaredError()

    @property
    def penalty(self) -> float:
        """λ."""
        return self.l2

    def _solve(self, x: Floats, t: Floats) -> Floats:
        if self.l2:
            n, width = x.shape
            x = np.concatenate([x, np.sqrt(n * self.l2) * np.eye(width)])
            t = np.concatenate([t, np.zeros((width, t.shape[1]))])
        return np.asarray(np.linalg.lstsq(x, t)[0].T)


@dataclass(frozen=True)
class OneLogit(Loss):
    """The softmax cross-entropy of the logits (0, y), for two classes: E = Σ log(1 + eʸ) − t₁ y.

    y is `(..., batch, 1)`, t one-hot, `(..., batch, 2)`.
    """

    def value(self, y: Array, t: Array) -> Array:
        """Σ log(1 + eʸ) − t₁ y."""
        return SoftmaxCrossEntropy().value(_two_logits(y), t)

    def gradient(self, y: Array, t: Array) -> Array:
        """1 / (1 + e⁻ʸ) − t₁."""
        return SoftmaxCrossEntropy().gradient(_two_logits(y), t)[..., 1:]

    def difference(self, y_plus: Array, y_minus: Array, t: Array) -> Array:
        """That of the cross-entropy."""
        return SoftmaxCrossEntropy().difference(_two_logits(y_plus), _two_logits(y_minus), t)

    def example_targets(self, generator: np.random.Generator, batch: int, width: int) -> Floats:
        """One-hot in two columns, whatever the width of y."""
        return SoftmaxCrossEntropy().example_targets(generator, batch, 2)


def _two_logits(y: Array) -> Array:
    return np.concatenate([np.zeros_like(y), y], axis=-1)


@register("logistic_regression")
@dataclass(frozen=True)
class LogisticRegression(LinearModel):
    """Logistic regression: f = −1/n Σ log p(t | x) + (λ/2)‖θ‖²; its minimum is computed.

    Two classes, in their order: p(1 | x) = 1 / (1 + e⁻ʸ) with one logit y = w x + b. More classes:
    p = softmax(W x + b). λ is `l2`, on weights and biases alike, so that f is strictly convex; θ holds W row
    by row, then b, and n counts the training rows. scikit-learn's C is 1/(nλ), there without a penalty on b.

    The minimizer is found to rounding by the damped Newton method (Boyd and Vandenberghe, "Convex
    optimization", 2004, algorithm 9.5); it is not known for more than 3000 parameters, or where λ is so small
    that the Hessian is singular.
    """

    l2: Positive = 1e-3

    @check("data")
    @staticmethod
    def classes(data: Data) -> Iterator[Problem]:
        """The targets are classes."""
        if not data.shape().has_classes:
            hint = "; where they are classes, give task: classification" if hasattr(data, "task") else ""
            yield ("data",), f"must have classes, but the targets of {data.name} are numbers{hint}"

    @cached_property
    def network(self) -> Network:
        """One linear layer: one logit for two classes, else one per class."""
        shape = self.data.shape()
        return Network((shape.features, 1 if shape.targets == 2 else shape.targets), (Identity(),))

    @property
    def model_loss(self) -> Loss:
        """−log p(t | x)."""
        return OneLogit() if self.network.widths[-1] == 1 else SoftmaxCrossEntropy()

    @property
    def penalty(self) -> float:
        """λ."""
        return self.l2

    def _solve(self, x: Floats, t: Floats) -> Floats | None:
        """Newton's method from 0; None if it does not converge."""
        weights: Floats = np.zeros((self.network.widths[-1], x.shape[1]))
        value, best, smallest = self._value_of(weights, x, t), weights, np.inf
        for _ in range(_MAX_NEWTON_STEPS):
            p = _probabilities(x @ weights.T)
            gradient = (p - t[:, -len(weights) :]).T @ x / len(x) + self.l2 * weights
            newton: Any = np.linalg.solve(_hessian(p, x, self.l2), gradient.ravel())
            step = newton.reshape(weights.shape)
            decrease, norm = float(np.sum(gradient * step)), float(np.linalg.norm(gradient))
            if decrease <= _NEAR * value:  # lost in the rounding of f: only the gradient is informative
                if norm >= smallest / 2:
                    return weights if norm < smallest else best
                best, smallest, weights = weights, norm, weights - step
            else:
                weights, value = self._damped(weights, step, value, decrease, x, t)
        return None

    def _damped(
        self, weights: Floats, step: Floats, value: float, decrease: float, x: Floats, t: Floats
    ) -> tuple[Floats, float]:
        """The first of the step, its half, its quarter, … that decreases the value enough."""
        size = 1.0
        while size > 1e-10:
            new = weights - size * step
            if (found := self._value_of(new, x, t)) <= value - 1e-4 * size * decrease:
                return new, found
            size /= 2
        raise np.linalg.LinAlgError("no descent: the Hessian is singular up to rounding")

    def _value_of(self, weights: Floats, x: Floats, t: Floats) -> float:
        loss = float(self.model_loss.value(x @ weights.T, t)) / len(x)
        return loss + self.l2 / 2 * float(np.sum(weights**2))


_NEAR = 1e-10
"""Newton's method converges quadratically from here on: a step squares this, relative to the value."""


def _probabilities(logits: Floats) -> Floats:
    """The probabilities of the classes that have a logit, `(n, k)`."""
    return np.asarray(softmax(_two_logits(logits))[:, 1:] if logits.shape[1] == 1 else softmax(logits))


def _hessian(p: Floats, x: Floats, penalty: float) -> Floats:
    """1/n Σ (diag p − p pᵀ) ⊗ x xᵀ + λ I: `(k (d+1), k (d+1))`."""
    n, width = x.shape
    classes = p.shape[1]
    found = np.empty((classes, width, classes, width))
    for a in range(classes):
        for b in range(a + 1):
            curvature = p[:, a] * ((a == b) - p[:, b])
            found[a, :, b] = found[b, :, a] = x.T @ (curvature[:, None] * x) / n
    size = classes * width
    return found.reshape(size, size) + penalty * np.eye(size)

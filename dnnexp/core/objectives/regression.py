"""Convex objectives on data, whose minimum is computed: linear models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dnnexp.core.activations import Identity
from dnnexp.core.arrays import Floats
from dnnexp.core.data import Data, Table
from dnnexp.core.losses import Loss, SoftmaxCrossEntropy, SquaredError, softmax
from dnnexp.core.network import Network
from dnnexp.core.objectives.learning import Learning
from dnnexp.registry import Complaint, NonNegative, Positive, check, register

_MOST_PARAMETERS = 3000
"""Above it no minimum is computed: the Hessian would take 72 MB and more."""
_NEWTON_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class Linear(Learning):
    """Base of the linear models y = W x + b; θ holds W, `(k, d)` in row order, then b, `(k,)`."""

    @cached_property
    def network(self) -> Network:
        """One layer, linear."""
        shape = self.data.shape()
        return Network((shape.features, shape.targets), (Identity(),))

    @cached_property
    def _minimizer(self) -> Floats | None:
        """θ*, `(P,)`."""
        if self.dimension > _MOST_PARAMETERS:
            return None
        weights = self._solve(_with_ones(self.split.train), self.split.train.targets)  # (k, d + 1)
        return np.concatenate([weights[:, :-1].ravel(), weights[:, -1]])

    def _solve(self, x: Floats, t: Floats) -> Floats:
        raise NotImplementedError

    @property
    def minimum(self) -> float | None:
        """The value at the minimizer, of a prepared objective."""
        if "_split" not in vars(self) or self._minimizer is None:
            return None
        return float(self.value(self._minimizer[:, None])[0])

    def minimizers(self) -> Floats | None:
        """θ*, `(P, 1)`."""
        return None if self._minimizer is None else self._minimizer[:, None]

    def draw(self, generator: np.random.Generator, count: int) -> Floats:
        """θ ~ N(0, I)."""
        return generator.standard_normal((count, self.dimension)).T


def _with_ones(table: Table) -> Floats:
    """The features and a column of ones for the bias: `(n, d + 1)`."""
    return np.concatenate([table.features, np.ones((len(table.features), 1))], axis=1)


@register("least_squares")
@dataclass(frozen=True)
class LeastSquares(Linear):
    """Least squares: f = 1/(2n) Σ ‖W x + b − t‖² + (λ/2)‖θ‖²; its minimum is computed.

    λ is `l2`. The minimizer solves the normal equations, by the singular value decomposition of the features
    and √(nλ) I below them (the one of least norm where there are several).
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
        n, width = x.shape
        below = np.sqrt(n * self.l2) * np.eye(width)
        extended = np.concatenate([x, below])
        targets = np.concatenate([t, np.zeros((width, t.shape[1]))])
        return np.asarray(np.linalg.lstsq(extended, targets)[0].T)


@register("logistic_regression")
@dataclass(frozen=True)
class LogisticRegression(Linear):
    """Logistic regression: f = −1/n Σ log softmax(W x + b)ₜ + (λ/2)‖θ‖²; its minimum is computed.

    λ is `l2`, on weights and biases alike, so that f is strictly convex. Two classes have two logits, too:
    with weights ±w/2 that is one logit w x with a penalty of half the strength. The minimizer is found by
    Newton's method with halved steps (Boyd and Vandenberghe 2004, algorithm 9.5), to rounding.
    """

    l2: Positive = 1e-3

    @check("data")
    @staticmethod
    def classes(data: Data) -> Iterator[Complaint]:
        """There are classes."""
        if not data.shape().has_classes:
            yield ("data",), f"must have classes, but the targets of {data.name} are numbers"

    @property
    def model_loss(self) -> Loss:
        """−log softmax(y)ₜ."""
        return SoftmaxCrossEntropy()

    @property
    def penalty(self) -> float:
        """λ."""
        return self.l2

    def _solve(self, x: Floats, t: Floats) -> Floats:
        weights = np.zeros((t.shape[1], x.shape[1]))
        value = self._value_of(weights, x, t)
        for _ in range(_NEWTON_STEPS):
            p = softmax(x @ weights.T)
            gradient = (p - t).T @ x / len(x) + self.l2 * weights
            step = np.linalg.solve(_hessian(p, x, self.l2), gradient.ravel()).reshape(weights.shape)
            size, decrease = 1.0, float(np.sum(gradient * step))
            while (new := self._value_of(weights - size * step, x, t)) > value - 1e-4 * size * decrease:
                size /= 2
                if size < 1e-10:  # the decrease is below the rounding of the value
                    return weights - step if decrease < 1e-12 * abs(value) else weights
            weights, value = weights - size * step, new
        return weights

    def _value_of(self, weights: Floats, x: Floats, t: Floats) -> float:
        loss = float(self.model_loss.value(x @ weights.T, t)) / len(x)
        return loss + self.l2 / 2 * float(np.sum(weights**2))


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

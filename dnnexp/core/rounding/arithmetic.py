"""A network run in Monte Carlo arithmetic: every local error at random, of its own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product as pairs
from typing import Any, TypeAlias

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.directional import Direction
from dnnexp.core.network import Layer, Signals, affine
from dnnexp.core.problem import Problem

CONFIDENCE = 2.0
"""λ: every local error is taken λ times its bound.

The errors of 5,000 random networks in single precision, of 1 to 20 layers of 1 to 300 units, then stay below
0.3 of their bounds, but for underflow, wherever those leave a digit of the tensor's largest entry; a tensor's
median bound is about 40 times its largest error.
"""

DRAWS = 32
"""How many times signs are drawn."""

FUNCTION_ROUNDINGS = 5
"""λ times this many roundings of its value and of its argument may a function be off.

The activations' f are, by up to 4.5, their slopes by up to 8.4 (gelu's, form tanh).
"""

_SHARED = list(pairs((False, True), repeat=2))
"""Whether a draw's signs are the same for all samples, and for all units: equal ones round alike."""

_APART = [shared for shared in _SHARED if not shared[1]]
"""Those in which units round apart. Differences of losses stay below 0.3 of such bounds even where units are
equal; in layers of 100 units they are nine times smaller."""

_STACKED_NUMBERS = 2**22
"""About how many numbers a stack of such runs holds in one array (32 MiB)."""

Noise: TypeAlias = Callable[[Any], Any]
"""From the sizes of local errors `(1 or draws, ..., n, m)` to errors `(draws, ..., n, m)`."""


def silence(size: Any) -> Any:
    """No errors."""
    return 0.0


@dataclass(frozen=True)
class Arithmetic:
    """A problem in double precision, and what one rounding is in the precision it comes in.

    Every signal has the draws as its first axis, or 1 before it meets an error: `(draws, batch, n)`.
    """

    problem: Problem
    unit: float
    smallest: float

    @classmethod
    def of(cls, problem: Problem) -> Arithmetic:
        """In double precision, whatever the problem comes in."""
        precision = np.finfo(precision_of(problem))
        wide = {name: getattr(problem, name).astype(np.float64) for name in ("parameters", "x", "t")}
        return cls(replace(problem, **wide), float(precision.eps) / 2, float(precision.smallest_normal))

    @property
    def layers(self) -> list[Layer]:
        """Weights and biases."""
        return self.problem.network.layers(self.problem.parameters)

    def sum_error(self, terms: Any, count: int) -> Any:
        """√n u Σ |terms|."""
        return np.sqrt(count) * self.unit * terms

    def function(self, function: Callable[[Any], Any], z: Any, noise: Noise) -> Any:
        """A function's value, some roundings of the argument and of the value off."""
        off = FUNCTION_ROUNDINGS * self.unit
        value = function(z + noise(off * np.abs(z)))
        return value + noise(off * np.abs(value))

    def forward(self, noise: Noise, first: int = 0) -> Signals:
        """z and a of every layer, with errors from z of layer `first` on, and in σ of the one before."""
        signals = Signals([], [self.problem.x[None]])
        for level, (layer, activation) in enumerate(
            zip(self.layers, self.problem.network.activations, strict=True)
        ):
            z = affine(signals.output, layer)
            if level >= first:
                magnitudes = Layer(np.abs(layer.weights), np.abs(layer.biases))
                sizes = affine(np.abs(signals.output), magnitudes)
                z = z + noise(self.sum_error(sizes, layer.weights.shape[1] + 1))
            signals.pre.append(z)
            signals.post.append(self.function(activation.f, z, noise if level >= first - 1 else silence))
        return signals

    def slopes(self, signals: Signals, noise: Noise) -> list[Any]:
        """σ'(z) of every layer."""
        return [
            self.function(activation.df, z, noise)
            for activation, z in zip(self.problem.network.activations, signals.pre, strict=True)
        ]

    def pull(self, y: Any, noise: Noise) -> Any:
        """∂E/∂y, where it is a difference of t and something, that is at most |∂E/∂y| + |t|."""
        t, off = self.problem.t, FUNCTION_ROUNDINGS * self.unit
        pull = self.problem.loss.gradient(y + noise(off * np.abs(y)), t)
        sizes = np.abs(pull) + np.abs(t)
        return pull + noise(off * sizes + self.sum_error(sizes, y.shape[-1]))

    def deltas(self, signals: Signals, noise: Noise, cotangent: Any = None) -> list[Any]:
        """δ of every layer, the first one's first; from the loss, or from an exact cotangent."""
        slopes, found = self.slopes(signals, noise), []
        back = self.pull(signals.output, noise) if cotangent is None else cotangent
        for layer, slope in zip(reversed(self.layers), reversed(slopes), strict=True):
            delta = back * slope
            delta = delta + noise(self.unit * np.abs(delta))
            found.append(delta)
            sizes = np.abs(delta) @ np.abs(layer.weights)
            back = delta @ layer.weights + noise(self.sum_error(sizes, layer.weights.shape[0]))
        return found[::-1]

    def gradient(self, noise: Noise) -> Floats:
        """∂E/∂θ with errors: `(draws, P)`."""
        signals = self.forward(noise)
        return self.assemble(signals.post, self.deltas(signals, noise))

    def assemble(self, a: list[Any], deltas: list[Any]) -> Floats:
        """∂E/∂w = δᵀ a and ∂E/∂b = Σ δ of every layer: `(draws, P)`."""
        found = np.empty((self.problem.network.parameter_count, len(deltas[0])), order="F")
        for layer, below, delta in zip(self.problem.network.layers(found), a[:-1], deltas, strict=True):
            np.matmul(delta.swapaxes(-1, -2), below, out=layer.weights)
            np.sum(delta, axis=-2, out=layer.biases)
        return found.T

    def along(self, a: list[Any], deltas: list[Any], direction: Direction, noise: Noise) -> Any:
        """Σ δᵀ (ẇ a + ḃ) over layers and samples, and Σ (w^(1)ᵀ δ^(1)) ẋ, with errors: `(draws,)`.

        Forward mode sums over a unit's inputs first, the pass back over samples: the errors are of both.
        """
        found, (by_parameters, by_inputs) = np.zeros(len(deltas[0])), direction
        if by_parameters is not None:
            layers = zip(self.problem.network.layers(by_parameters), a[:-1], deltas, strict=True)
            for layer, below, delta in layers:
                sizes = affine(np.abs(below), Layer(np.abs(layer.weights), np.abs(layer.biases)))
                count = layer.weights.shape[1] + len(self.problem.x)
                z_dot = affine(below, layer) + noise(self.sum_error(sizes, count + 1))
                found = found + (delta * z_dot).sum(axis=(1, 2))
        if by_inputs is not None:
            weights = self.layers[0].weights
            sizes = np.abs(deltas[0]) @ np.abs(weights)
            back = deltas[0] @ weights + noise(self.sum_error(sizes, sum(weights.shape)))
            found = found + (back * by_inputs).sum(axis=(1, 2))
        return found

    def jacobian(self, noise: Noise) -> Any:
        """∂y/∂x, multiplied from the narrower end: `(draws, batch, n_L, n_0)`."""
        widths, signals = self.problem.network.widths, self.forward(noise)
        chain = list(zip(self.layers, self.slopes(signals, noise), strict=True))
        found = np.eye(min(widths[0], widths[-1]))
        if widths[0] <= widths[-1]:
            for layer, slope in chain:
                sizes = np.abs(slope)[..., None] * (np.abs(layer.weights) @ np.abs(found))
                found = slope[..., None] * (layer.weights @ found)
                found = found + noise(self.sum_error(sizes, layer.weights.shape[1] + 1))
            return found
        for layer, slope in reversed(chain):
            scaled = found * slope[..., None, :]
            found = scaled @ layer.weights
            sizes = np.abs(scaled) @ np.abs(layer.weights)
            found = found + noise(self.sum_error(sizes, layer.weights.shape[0] + 1))
        return found

    def loss_changes(self, first: int, by_unit: bool = False) -> Floats:
        """How far the errors of both outputs, from layer `first` on, move E₊ − E₋, Σ ∂E/∂y (Δy₊ − Δy₋).

        Of each unit's output by itself, `(n_L,)`, or of all, `(1,)`.
        """
        pull = self.pull(self.forward(silence).output, silence)

        def difference(noise: Noise) -> Any:
            plus, minus = self.forward(noise, first).output, self.forward(noise, first).output
            moved = (pull * (plus - minus)).sum(axis=-2)  # (draws, n_L)
            return moved if by_unit else moved.sum(axis=-1, keepdims=True)

        return self.spread(difference, _SHARED if by_unit else _APART)

    def spread(self, quantity: Callable[[Noise], Any], alike: Sequence[Any] = _SHARED) -> Floats:
        """The largest change of every entry of a quantity in the draws; infinite where one overflows."""
        generator, exact = np.random.default_rng(0), quantity(silence)[0]
        numbers = max(exact.size, len(self.problem.x) * max(self.problem.network.widths))
        count = DRAWS // len(alike)
        stack = max(1, min(count, _STACKED_NUMBERS // numbers))
        largest = np.zeros(exact.shape)
        for shared in alike:
            for first in range(0, count, stack):
                noise = self.noise(generator, min(stack, count - first), *shared)
                largest = np.maximum(largest, np.abs(quantity(noise) - exact).max(axis=0))
        return self.resolved(largest)

    def noise(self, generator: np.random.Generator, draws: int, by_sample: bool, by_unit: bool) -> Noise:
        """Errors of λ times their sizes with random signs; what is exactly 0 stays so."""

        def draw(size: Any) -> Any:
            n, m = size.shape[-2:]
            shape = (draws, *size.shape[1:-2], 1 if by_sample else n, 1 if by_unit else m)
            signs = 2.0 * generator.integers(2, size=shape, dtype=np.int8) - 1
            return signs * np.where(size > 0, CONFIDENCE * size + self.smallest, 0.0)

        return draw

    def resolved(self, bound: Any) -> Floats:
        """A bound that is at least the smallest normal number, and infinite where it is not finite."""
        return np.where(np.isfinite(bound), np.maximum(bound, self.smallest), np.inf)


def precision_of(problem: Problem) -> Any:
    """The coarsest dtype among parameters, inputs and targets."""
    dtypes = [array.dtype for array in (problem.parameters, problem.x, problem.t)]
    return max(dtypes, key=lambda dtype: float(np.finfo(dtype).eps))

"""A network run in Monte Carlo arithmetic: each operation gets a random error as large as its own bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.directional import Direction
from dnnexp.core.network import Layer, Signals, affine
from dnnexp.core.problem import Problem

CONFIDENCE = 2.0
"""λ: each local error is its bound times λ.

The errors of 5,000 random networks in single precision, of 1 to 20 layers of 1 to 300 units, then stay below
0.3 of their bounds, except for underflow, wherever the bounds leave one digit of the tensor's largest entry.
A tensor's median bound is about 40 times its largest error.
"""

DRAWS = 32
"""Number of runs with random signs."""

FUNCTION_ROUNDINGS = 5
"""Local error of a function, in units of λ u: of its value, and of its argument.

Measured: up to 4.5 for the activations' f, up to 8.4 for their derivatives (gelu's, form tanh).
"""

_SIGN_SHARING = list(product((False, True), repeat=2))
"""Whether samples share signs, and whether units do: equal samples and equal units round alike."""

_UNITS_APART = [sharing for sharing in _SIGN_SHARING if not sharing[1]]
"""The cases in which units have their own signs. Differences of losses stay below 0.3 of bounds from these
cases even where units are equal; in layers of 100 units these bounds are nine times smaller."""

_NUMBERS_PER_STACK = 2**22
"""About how many numbers one array holds when several runs are stacked (32 MiB)."""

Noise: TypeAlias = Callable[[Any], Any]
"""From the sizes of local errors `(1 or draws, ..., n, m)` to errors `(draws, ..., n, m)`."""


def no_errors(size: Any) -> Any:
    """The noise of exact arithmetic: 0."""
    return 0.0


@dataclass(frozen=True)
class Arithmetic:
    """A problem converted to double precision, with the unit roundoff of its original precision.

    Every signal has the draws as its first axis, of length 1 before the first error: `(draws, batch, n)`.

    Attributes:
        problem: the problem in double precision.
        unit: u, the unit roundoff of the original precision.
        smallest: the smallest normal number of the original precision.
    """

    problem: Problem
    unit: float
    smallest: float

    @classmethod
    def of(cls, problem: Problem) -> Arithmetic:
        """Convert a problem of any precision."""
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
        """f(z) with rounding errors in its argument and in its value."""
        relative = FUNCTION_ROUNDINGS * self.unit
        value = function(z + noise(relative * np.abs(z)))
        return value + noise(relative * np.abs(value))

    def forward(self, noise: Noise, first: int = 0) -> Signals:
        """z and a of every layer, with errors from z of layer `first` on, and in σ of the layer before it."""
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
            signals.post.append(self.function(activation.f, z, noise if level >= first - 1 else no_errors))
        return signals

    def derivatives(self, signals: Signals, noise: Noise) -> list[Any]:
        """σ'(z) of every layer, with errors."""
        return [
            self.function(activation.df, z, noise)
            for activation, z in zip(self.problem.network.activations, signals.pre, strict=True)
        ]

    def cotangent(self, y: Any, noise: Noise) -> Any:
        """∂E/∂y with errors; its terms, where it is a difference with t, are at most |∂E/∂y| + |t|."""
        t, relative = self.problem.t, FUNCTION_ROUNDINGS * self.unit
        cotangent = self.problem.loss.gradient(y + noise(relative * np.abs(y)), t)
        sizes = np.abs(cotangent) + np.abs(t)
        return cotangent + noise(relative * sizes + self.sum_error(sizes, y.shape[-1]))

    def deltas(self, signals: Signals, noise: Noise, cotangent: Any = None) -> list[Any]:
        """δ of every layer, from the first to the last; the cotangent ∂E/∂y is by default the loss's."""
        derivatives, deltas = self.derivatives(signals, noise), []
        if cotangent is None:
            cotangent = self.cotangent(signals.output, noise)
        for layer, derivative in zip(reversed(self.layers), reversed(derivatives), strict=True):
            delta = cotangent * derivative
            delta = delta + noise(self.unit * np.abs(delta))
            deltas.append(delta)
            sizes = np.abs(delta) @ np.abs(layer.weights)
            cotangent = delta @ layer.weights + noise(self.sum_error(sizes, layer.weights.shape[0]))
        return deltas[::-1]

    def gradient(self, noise: Noise) -> Floats:
        """∂E/∂θ with errors: `(draws, P)`."""
        signals = self.forward(noise)
        return self.assemble(signals.post, self.deltas(signals, noise))

    def assemble(self, a: list[Any], deltas: list[Any]) -> Floats:
        """∂E/∂w = δᵀ a and ∂E/∂b = Σ δ of every layer: `(draws, P)`."""
        gradient = np.empty((self.problem.network.parameter_count, len(deltas[0])), order="F")
        for layer, incoming, delta in zip(self.problem.network.layers(gradient), a[:-1], deltas, strict=True):
            np.matmul(delta.swapaxes(-1, -2), incoming, out=layer.weights)
            np.sum(delta, axis=-2, out=layer.biases)
        return gradient.T

    def along(self, a: list[Any], deltas: list[Any], direction: Direction, noise: Noise) -> Any:
        """Σ δᵀ (ẇ a + ḃ) over layers and samples, and Σ (w^(1)ᵀ δ^(1)) ẋ, with errors: `(draws,)`.

        Forward mode sums over a unit's inputs first, the backward pass over samples; the errors cover both.
        """
        derivative, (by_parameters, by_inputs) = np.zeros(len(deltas[0])), direction
        if by_parameters is not None:
            layers = zip(self.problem.network.layers(by_parameters), a[:-1], deltas, strict=True)
            for layer, incoming, delta in layers:
                sizes = affine(np.abs(incoming), Layer(np.abs(layer.weights), np.abs(layer.biases)))
                count = layer.weights.shape[1] + len(self.problem.x)
                z_dot = affine(incoming, layer) + noise(self.sum_error(sizes, count + 1))
                derivative = derivative + (delta * z_dot).sum(axis=(1, 2))
        if by_inputs is not None:
            weights = self.layers[0].weights
            sizes = np.abs(deltas[0]) @ np.abs(weights)
            cotangent = deltas[0] @ weights + noise(self.sum_error(sizes, sum(weights.shape)))
            derivative = derivative + (cotangent * by_inputs).sum(axis=(1, 2))
        return derivative

    def jacobian(self, noise: Noise) -> Any:
        """∂y/∂x, multiplied from the narrower end: `(draws, batch, n_L, n_0)`."""
        widths, signals = self.problem.network.widths, self.forward(noise)
        chain = list(zip(self.layers, self.derivatives(signals, noise), strict=True))
        jacobian = np.eye(min(widths[0], widths[-1]))
        if widths[0] <= widths[-1]:
            for layer, derivative in chain:
                sizes = np.abs(derivative)[..., None] * (np.abs(layer.weights) @ np.abs(jacobian))
                jacobian = derivative[..., None] * (layer.weights @ jacobian)
                jacobian = jacobian + noise(self.sum_error(sizes, layer.weights.shape[1] + 1))
            return jacobian
        for layer, derivative in reversed(chain):
            scaled = jacobian * derivative[..., None, :]
            jacobian = scaled @ layer.weights
            sizes = np.abs(scaled) @ np.abs(layer.weights)
            jacobian = jacobian + noise(self.sum_error(sizes, layer.weights.shape[0] + 1))
        return jacobian

    def loss_changes(self, first: int, by_unit: bool = False) -> Floats:
        """How far errors from layer `first` on move E₊ − E₋, to first order Σ ∂E/∂y (Δy₊ − Δy₋).

        For the errors of each output unit alone, `(n_L,)`, or of all together, `(1,)`.
        """
        cotangent = self.cotangent(self.forward(no_errors).output, no_errors)

        def difference(noise: Noise) -> Any:
            plus, minus = self.forward(noise, first).output, self.forward(noise, first).output
            change = (cotangent * (plus - minus)).sum(axis=-2)  # (draws, n_L)
            return change if by_unit else change.sum(axis=-1, keepdims=True)

        return self.spread(difference, _SIGN_SHARING if by_unit else _UNITS_APART)

    def spread(self, quantity: Callable[[Noise], Any], sharing: Sequence[Any] = _SIGN_SHARING) -> Floats:
        """The largest change of every entry of a quantity in the draws; infinite where one overflows."""
        generator, exact = np.random.default_rng(0), quantity(no_errors)[0]
        numbers = max(exact.size, len(self.problem.x) * max(self.problem.network.widths))
        count = DRAWS // len(sharing)
        stack = max(1, min(count, _NUMBERS_PER_STACK // numbers))
        largest = np.zeros(exact.shape)
        for by_sample, by_unit in sharing:
            for first in range(0, count, stack):
                noise = self.noise(generator, min(stack, count - first), by_sample, by_unit)
                largest = np.maximum(largest, np.abs(quantity(noise) - exact).max(axis=0))
        return self.resolved(largest)

    def noise(self, generator: np.random.Generator, draws: int, by_sample: bool, by_unit: bool) -> Noise:
        """Errors of λ times their sizes with random signs, shared by samples or units; 0 stays 0."""

        def draw(size: Any) -> Any:
            n, m = size.shape[-2:]
            shape = (draws, *size.shape[1:-2], 1 if by_sample else n, 1 if by_unit else m)
            signs = 2.0 * generator.integers(2, size=shape, dtype=np.int8) - 1
            return signs * np.where(size > 0, CONFIDENCE * size + self.smallest, 0.0)

        return draw

    def resolved(self, bound: Any) -> Floats:
        """The bound, raised to the smallest normal number; infinite where it is not finite."""
        return np.where(np.isfinite(bound), np.maximum(bound, self.smallest), np.inf)


def precision_of(problem: Problem) -> Any:
    """The coarsest dtype among parameters, inputs and targets."""
    dtypes = [array.dtype for array in (problem.parameters, problem.x, problem.t)]
    return max(dtypes, key=lambda dtype: float(np.finfo(dtype).eps))

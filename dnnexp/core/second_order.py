"""Products of a loss's Hessian with vectors: H v = ∂/∂s ∇E(θ + s v), by several methods.

Directions v are `(P,)`, or `(P, K)` for K at once; products have the same shape. Steps are relative to 1 / ‖v
/ max(1, |θ|)‖: with a step h no parameter moves by more than h max(1, |θ|), whatever the length of v.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_STEP, COMPLEX_STEP
from dnnexp.core.extrapolation import Extrapolated, extrapolate, step_ladder
from dnnexp.core.network import Layer, Signals, affine, product
from dnnexp.core.parameter_derivatives import Differences
from dnnexp.core.perturbation import crosses
from dnnexp.core.problem import Problem

_FEW_STEPS = np.s_[:30:3]
"""Every third step of the ladder, down to 1e-8."""
_ACCEPTED_ERROR = 1e-6
"""The error, relative to the tensor's largest entry, up to which an entry from these steps is accepted."""


class Tangents(NamedTuple):
    """ż^(1) … ż^(L) and ȧ^(0) … ȧ^(L) along directions of the parameters: `(..., batch, width)` each."""

    pre: list[Any]
    post: list[Any]


def tangents(problem: Problem, signals: Signals, derivatives: list[Any], directions: list[Layer]) -> Tangents:
    """ż = ȧ wᵀ + a ẇᵀ + ḃ, ȧ = σ'(z) ⊙ ż; ȧ^(0) = 0."""
    pre: list[Any] = []
    post: list[Any] = [np.zeros_like(problem.x)]
    layers = problem.network.layers(problem.parameters)
    for layer, direction, a, derivative in zip(
        layers, directions, signals.post[:-1], derivatives, strict=True
    ):
        z_dot = affine(a, direction)
        if pre:
            z_dot = product(post[-1], layer.weights.T) + z_dot
        pre.append(z_dot)
        post.append(derivative * z_dot)
    return Tangents(pre, post)


def forward_over_reverse(problem: Problem, v: Floats) -> Floats:
    """H v by the tangents of the backward pass, at the cost of two gradients a direction.

    With the cotangent g = ∂E/∂a and δ = σ'(z) ⊙ g, layer by layer from the last:
    δ̇ = σ'(z) ⊙ ġ + σ''(z) ⊙ ż ⊙ g; the products are δ̇ᵀ a + δᵀ ȧ and Σ δ̇; for the layer
    below, ġ = δ̇ w + δ ẇ. (Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 1994.)
    """
    network, signals = problem.network, problem.signals()
    layers, directions = network.layers(problem.parameters), network.layers(v)
    derivatives = network.derivatives(signals)
    z_dots, a_dots = tangents(problem, signals, derivatives, directions)
    cotangent = problem.loss.gradient(signals.output, problem.t)
    cotangent_dot = problem.loss.gradient_tangent(signals.output, problem.t, a_dots[-1])
    products = np.empty_like(v, order="F")
    places = network.layers(products)
    for level in reversed(range(network.depth)):
        second = network.activations[level].d2f(signals.pre[level])
        delta = derivatives[level] * cotangent
        delta_dot = derivatives[level] * cotangent_dot + second * cotangent * z_dots[level]
        np.matmul(delta_dot.swapaxes(-1, -2), signals.post[level], out=places[level].weights)
        np.sum(delta_dot, axis=-2, out=places[level].biases)
        if level:
            places[level].weights[:] += delta.T @ a_dots[level]
            weights = layers[level].weights
            cotangent = delta @ weights
            cotangent_dot = product(delta_dot, weights) + delta @ directions[level].weights
    return products


def complex_of_gradient(problem: Problem, v: Floats, step: float = COMPLEX_STEP) -> Floats:
    """Im ∇E(θ + i h v) / h: exact to rounding for small h."""
    h = step * _unit(problem, v)
    return np.asarray(_gradient(problem, _moved(problem, v, 1j * h)).imag / h)


def central_of_gradient(problem: Problem, v: Floats, step: float = CENTRAL_STEP) -> Differences:
    """(∇E(θ + h v) − ∇E(θ − h v)) / 2h, with a truncation error of order h² and cancellation.

    `crossed` `(K,)` marks the directions along which a unit crossed a kink (a point where σ' jumps).
    """
    h = step * _unit(problem, v)
    up, down = (_moved(problem, v, shift) for shift in (h, -h))
    value = (_gradient(problem, up) - _gradient(problem, down)) / (2 * h)
    crossed, units = np.zeros(v.shape[1:], bool), []
    sides = [problem.network.forward(side, problem.x).pre for side in (up, down)]
    for activation, z, *there in zip(problem.network.activations, problem.signals().pre, *sides, strict=True):
        crossing = np.any([crosses(activation.kinks, z, side) for side in there], axis=0)  # ([K,] batch, n)
        crossed |= crossing.any(axis=(-2, -1))
        units.append(crossing.reshape(-1, crossing.shape[-1]).any(axis=0))
    return Differences(value, crossed, tuple(units))


def extrapolated_of_gradient(problem: Problem, v: Floats, noise: Floats) -> Extrapolated:
    """H v by extrapolation of central differences of gradients, each entry with an error.

    An entry is computed from a third of the steps, and from all of them if its error is above 1e-6 of its
    tensor's largest entry.

    Args:
        problem: the network, its batch and loss.
        v: the directions.
        noise: about how far rounding moves each entry of the gradient, `(P,)`.
    """
    columns = v.reshape(len(v), -1).T
    products = [_extrapolated(problem, column, noise) for column in columns]
    return Extrapolated(*(np.stack(parts, axis=-1).reshape(v.shape) for parts in zip(*products, strict=True)))


def _extrapolated(problem: Problem, v: Floats, noise: Floats) -> Extrapolated:
    """Along one direction `(P,)`."""
    h = step_ladder(np.zeros(1)) * _unit(problem, v)  # (H, 1)
    with np.errstate(all="ignore"):
        difference, bend = _differences(problem, v, h[:, 0])
    steps = np.broadcast_to(h, difference.shape)
    entries = extrapolate(steps[_FEW_STEPS], difference[_FEW_STEPS], noise, bend[_FEW_STEPS])
    (poor,) = np.nonzero(~(entries.error <= _ACCEPTED_ERROR * _sizes(problem, entries.value)))
    again = extrapolate(steps[:, poor], difference[:, poor], noise[poor], bend[:, poor])
    better = again.error < entries.error[poor]
    for old, new in zip(entries, again, strict=True):
        old[poor[better]] = new[better]
    return entries


def _differences(problem: Problem, v: Floats, h: Floats) -> tuple[Floats, Floats]:
    """g(h) − g(−h) and g(h) − 2 g(0) + g(−h) of g(s) = ∇E(θ + s v), for steps `(H,)`: `(H, P)`."""
    here = _gradient(problem, problem.parameters)
    difference, bend = np.empty((2, len(h), len(v)))
    for row, step in enumerate(h):
        plus, minus = (_gradient(problem, _moved(problem, v, shift)) for shift in (step, -step))
        difference[row], bend[row] = plus - minus, (plus - here) + (minus - here)
    return difference, bend


def _sizes(problem: Problem, values: Floats) -> Floats:
    """For each of the values `(P,)`, the largest size in its tensor: `(P,)`."""
    sizes = np.empty_like(values)
    layers = problem.network.layers
    for places, tensors in zip(layers(sizes), layers(values), strict=True):
        for place, tensor in zip(places, tensors, strict=True):
            place[:] = np.abs(np.nan_to_num(tensor)).max()
    return sizes


def _unit(problem: Problem, v: Floats) -> Any:
    """1 / ‖v / max(1, |θ|)‖, a direction's step of size 1, in the precision of v: `(K,)`; of v = 0: 1."""
    scale = np.maximum(1.0, np.abs(problem.parameters))
    length = np.sqrt(((v.T / scale) ** 2).sum(axis=-1))
    return np.where(length > 0, 1 / np.where(length > 0, length, 1), 1).astype(v.dtype)


def _moved(problem: Problem, v: Floats, shift: Any) -> Any:
    """θ + s v: the shape of v, each direction's contiguous."""
    return (problem.parameters + (shift * v).T).T


def _gradient(problem: Problem, parameters: Any) -> Any:
    return problem.network.gradient(parameters, problem.x, problem.t, problem.loss)

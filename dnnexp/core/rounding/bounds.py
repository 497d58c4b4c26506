"""Rounding bounds of first derivatives and of difference quotients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.directional import Direction
from dnnexp.core.problem import Problem
from dnnexp.core.rounding.arithmetic import (
    CONFIDENCE,
    DRAWS,
    FUNCTION_ROUNDINGS,
    Arithmetic,
    Noise,
    no_errors,
    precision_of,
)


def gradient_bound(problem: Problem) -> Floats:
    """How far rounding may move ∂E/∂θ by backward, forward mode or the complex step: `(P,)`.

    Two methods may differ by twice the bound. The cost is that of some 200 gradients.
    """
    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        signals = arithmetic.forward(no_errors)
        a = [np.abs(post) for post in signals.post]
        deltas = [np.abs(delta) for delta in arithmetic.deltas(signals, no_errors)]
        sums = CONFIDENCE * arithmetic.sum_error(arithmetic.assemble(a, deltas)[0], len(problem.x))
        return arithmetic.resolved(arithmetic.spread(arithmetic.gradient) + sums)


def jacobian_bound(problem: Problem) -> Floats:
    """How far rounding may move ∂y/∂x, multiplied from either end or by the complex step.

    Shape `(batch, n_L, n_0)`.
    """
    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        return arithmetic.spread(arithmetic.jacobian)


def output_bound(problem: Problem) -> Floats:
    """How far rounding may move y: `(batch, n_L)`."""
    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        return arithmetic.spread(lambda noise: arithmetic.forward(noise).output)


def quotient_bound(problem: Problem, h: Floats) -> Floats:
    """How far the errors of E₊ and E₋ may move (E₊ − E₋) / 2h for steps h of the parameters: `(P,)`.

    As in `central_derivatives`, one parameter moves at a time: only the layers after it are run again, and of
    the last layer only the parameter's unit. Add `gradient_bound` for rounding of the derivative itself, and
    truncation. Errors of y are weighted by ∂E/∂y at θ, so h must be short enough for ∂E/∂y to stay the same.
    """
    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        changes = np.empty_like(arithmetic.problem.parameters)
        for level, layer in enumerate(problem.network.layers(changes)):
            is_last = level == problem.network.depth - 1
            moved = arithmetic.loss_changes(level + 1, by_unit=is_last)
            layer.weights[:], layer.biases[:] = moved[:, None], moved
        return np.asarray(changes / (2 * np.abs(h)))


def directional_quotient_bound(problem: Problem, h: float) -> float:
    """`quotient_bound` for two whole passes, in any direction; add `directional_bound`."""
    with np.errstate(all="ignore"):
        return float(Arithmetic.of(problem).loss_changes(0)[0] / (2 * h))


def jacobian_quotient_bound(problem: Problem, h: Floats) -> Floats:
    """How far the errors of y₊ and y₋ may move (y₊ − y₋) / 2h for steps h of the inputs `(batch, n_0)`.

    Shape `(batch, n_L, n_0)`; add `jacobian_bound` and truncation.
    """
    return np.asarray(output_bound(problem)[:, :, None] / np.abs(h)[:, None, :])


def directional_bound(problem: Problem, direction: Direction) -> float:
    """How far rounding may move the derivative along a direction, by backward or forward mode."""
    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        signals = arithmetic.forward(no_errors)
        sums = _sum_error(arithmetic, signals.post, arithmetic.deltas(signals, no_errors), direction)

        def derivative(noise: Noise) -> Any:
            signals = arithmetic.forward(noise)
            return arithmetic.along(signals.post, arithmetic.deltas(signals, noise), direction, noise)

        return float(arithmetic.resolved(arithmetic.spread(derivative) + CONFIDENCE * sums))


def _sum_error(arithmetic: Arithmetic, a: list[Any], deltas: list[Any], direction: Direction) -> float:
    """√n u times the partial sums of the n terms Σ ∂E/∂θ v + Σ ∂E/∂x w, whatever their order in a layer.

    Partial sums are about as large as the sums over the layer and over its units, plus a random walk of the
    terms: far less than Σ |terms|.
    """
    size, count, (v, w), layers = 0.0, len(arithmetic.problem.x), direction, arithmetic.problem.network.layers
    products: list[Any] = []
    if v is not None:
        for layer in layers(arithmetic.assemble(a, deltas)[0] * v):
            products.append(np.hstack([layer.weights, layer.biases[:, None]]))
    if w is not None:
        products.append((deltas[0][0] @ arithmetic.layers[0].weights) * w)
    for terms in products:
        size += abs(terms.sum()) + np.linalg.norm(terms.sum(axis=1)) + np.linalg.norm(terms)
        count += terms.size
    return float(arithmetic.sum_error(size, count))


def adjoint_bound(problem: Problem, u: Floats, v: Floats, w: Floats) -> Floats:
    """How far rounding may move ⟨u, J (v, w)⟩ and ⟨Jᵀu, (v, w)⟩ for J = ∂y/∂(θ, x): `(K,)`.

    The sum of the products counts as exact. u is `(K, batch, n_L)`, v `(P, K)`, w `(K, batch, n_0)`.
    """

    def form(noise: Noise, cotangent: Floats, direction: Direction) -> Any:
        signals = arithmetic.forward(noise)
        deltas = arithmetic.deltas(signals, noise, cotangent[None])
        return arithmetic.along(signals.post, deltas, direction, noise)

    with np.errstate(all="ignore"):
        arithmetic = Arithmetic.of(problem)
        pairs = zip(u, map(Direction, v.T, w), strict=True)
        bounds = [arithmetic.spread(partial(form, cotangent=one, direction=other)) for one, other in pairs]
    return np.array(bounds)


def explain(problem: Problem) -> str:
    """How the bounds are derived, with their numbers, in two sentences."""
    dtype = precision_of(problem)
    longest = max(len(problem.x), 1 + max(problem.network.widths))
    unit = float(np.finfo(dtype).eps) / 2
    return (
        f"Rounding in {dtype} (u = {unit:.2g}): a sum of n terms may err by λ √n u Σ|terms| with "
        f"λ = {CONFIDENCE:g} and n up to {longest}, a function by λ {FUNCTION_ROUNDINGS} u of its value and "
        f"of its argument. Sent with random signs through the {problem.network.depth} layers, {DRAWS} times, "
        f"these errors move each entry by at most its own bound."
    )

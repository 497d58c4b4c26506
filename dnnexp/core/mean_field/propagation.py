"""Mean-field predictions for a network: layer by layer, and in the limit of great depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field import averages
from dnnexp.core.mean_field.correlation import chi, fixed_correlation
from dnnexp.core.mean_field.quadrature import Real
from dnnexp.core.mean_field.variance import (
    LARGEST_VARIANCE,
    chi_1,
    chi_parallel,
    depth_scale,
    fixed_variance,
    layer_variances,
)

_EQUAL_LAYERS_TOLERANCE = 1e-12
"""Layers count as equal if their variances differ relatively by no more than this."""


class Limit(NamedTuple):
    """Fixed points and depth scales of many equal layers; None if they do not exist (diverging variance)."""

    q_star: float | None = None
    chi_1: float | None = None
    chi_parallel: float | None = None
    c_star: float | None = None
    xi_q: float | None = None
    xi_c: float | None = None


class Propagation(NamedTuple):
    """Predictions for layers 1 … L: arrays `(L, ...)`, whose last axes are those of the mean squares.

    Attributes:
        sigma_w2: σ_w² of each layer, `(L,)`.
        sigma_b2: σ_b² of each layer, `(L,)`.
        q: the variances of the pre-activations; values of 1e30 and more count as diverging.
        output_mean: E[φ(u)], the mean of the activations.
        output_std: √Var[φ(u)], the standard deviation of the activations.
        chi_1: σ_w² E[φ′(u)²] with this layer's q and φ and the next layer's σ_w² (or its own,
            for the last layer): the factor on the squared gradient with respect to pre-activations from the
            next layer to this one. (For the gradient with respect to weights, multiply by mean(a²) as well.)
        gradient_growth: E|∂E/∂z^l|² / E|∂E/∂z^L|², the product of χ₁ from l to L − 1.
        limit: the limit of great depth, for the mean of the mean squares; empty where layers differ.
    """

    sigma_w2: Floats
    sigma_b2: Floats
    q: Floats
    output_mean: Floats
    output_std: Floats
    chi_1: Floats
    gradient_growth: Floats
    limit: Limit


def propagation(
    activations: Activation | Sequence[Activation],
    sigma_w2: float | Sequence[float],
    sigma_b2: float | Sequence[float],
    mean_square: Real,
    depth: int,
    shares: Floats | None = None,
) -> Propagation:
    """Propagate a signal and its gradient through `depth` wide layers.

    As usual, the weights of the backward pass count as independent of those of the forward pass: Schoenholz
    et al., "Deep information propagation", ICLR 2017.

    Args:
        activations: one for all layers, or one for each layer.
        sigma_w2: σ_w², fan_in times the variance of the weights: one for all layers, or one for each.
        sigma_b2: σ_b², the variance of the biases, likewise.
        mean_square: mean of x² over the coordinates of an input; an array for many inputs.
        depth: L ≥ 1.
        shares: the weight of each input in the mean for the limit; equal by default.

    Raises:
        ValueError: a number is negative or not finite, or there is neither one value nor one for each layer.
    """
    if depth < 1:
        raise ValueError(f"depth: {depth} given; it must be at least 1")
    chosen = [activations] * depth if isinstance(activations, Activation) else list(activations)
    w, b = _layers("sigma_w2", sigma_w2, depth), _layers("sigma_b2", sigma_b2, depth)
    if len(chosen) != depth:
        raise ValueError(f"activations: {len(chosen)} given for {depth} layers; give one, or one for each")
    squares = np.asarray(mean_square, np.float64)
    for square in squares.flat:
        _layers("mean_square", float(square), 1)
    q = layer_variances(chosen, w, b, squares)
    mean, std, factors = _of_layers(chosen, q, np.array([*w[1:], w[-1]]))
    average = float(np.average(squares, weights=shares))
    is_uniform = len(set(chosen)) == 1 and all(
        max(v) - min(v) <= _EQUAL_LAYERS_TOLERANCE * max(v) for v in (w, b)
    )
    return Propagation(
        sigma_w2=np.array(w),
        sigma_b2=np.array(b),
        q=q,
        output_mean=mean,
        output_std=std,
        chi_1=factors,
        gradient_growth=gradient_growth(factors),
        limit=limit(chosen[0], w[0], b[0], average) if is_uniform else Limit(),
    )


def limit(activation: Activation, sigma_w2: float, sigma_b2: float, mean_square: float = 1.0) -> Limit:
    """The fixed points that a signal with the given mean of x² approaches, and their depth scales."""
    q = float(fixed_variance(activation, sigma_w2, sigma_b2, sigma_w2 * mean_square + sigma_b2))
    if not math.isfinite(q):
        return Limit()
    parallel = float(chi_parallel(activation, q, sigma_w2))
    c = fixed_correlation(activation, q, sigma_w2, sigma_b2)
    chi_c = None if c is None else float(chi(activation, c, q, sigma_w2))
    return Limit(
        q_star=q,
        chi_1=float(chi_1(activation, q, sigma_w2)),
        chi_parallel=parallel,
        c_star=c,
        xi_q=depth_scale(parallel),
        xi_c=depth_scale(chi_c),
    )


def gradient_growth(chi_1: Floats) -> Floats:
    """E|∂E/∂z^l|² / E|∂E/∂z^L|²: from χ₁ of all layers, `(L, ...)`, the product of those of l … L − 1."""
    with np.errstate(over="ignore"):
        return np.concatenate([np.cumprod(chi_1[-2::-1], axis=0)[::-1], np.ones_like(chi_1[:1])])


def _of_layers(activations: list[Activation], q: Floats, next_sigma_w2: Floats) -> Floats:
    """E[φ], √Var[φ] and χ₁ of the layers: `(3, L, ...)`."""
    statistics = np.empty((3, *q.shape))
    for activation in dict.fromkeys(activations):
        mine = [level for level, other in enumerate(activations) if other == activation]
        some = np.minimum(q[mine], LARGEST_VARIANCE)
        following = next_sigma_w2[mine].reshape(-1, *[1] * (q.ndim - 1))
        mean, std = averages.output_mean(activation, some).value, averages.output_std(activation, some)
        statistics[:, mine] = mean, std, chi_1(activation, some, following)
    return statistics


def _layers(name: str, value: float | Sequence[float], depth: int) -> list[float]:
    """One number for each layer; ValueError if the count is wrong, or a number negative or not finite."""
    values = [value] * depth if isinstance(value, int | float) else list(value)
    if len(values) != depth:
        raise ValueError(f"{name}: {len(values)} given for {depth} layers; give one, or one for each")
    for number in values:
        if not 0 <= number < math.inf:
            raise ValueError(f"{name}: {number!r} given; it must be at least 0 and finite")
    return [float(number) for number in values]

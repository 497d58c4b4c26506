"""All that mean-field theory says of a network: of its layers one by one, and of its limit of great depth."""

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
    LARGEST,
    chi_1,
    chi_parallel,
    depth_scale,
    fixed_variance,
    layer_variances,
)

_SAME = 1e-12
"""Variances that differ by no more than this, relatively, are those of equal layers."""


class Limit(NamedTuple):
    """The fixed points of many equal layers; None for what does not exist: all, if the variance diverges."""

    q_star: float | None = None
    chi_1: float | None = None
    chi_parallel: float | None = None
    c_star: float | None = None
    xi_q: float | None = None
    xi_c: float | None = None


class Propagation(NamedTuple):
    """What to expect of a network's layers 1 … L: arrays `(L, ...)`, for inputs of as many mean squares.

    Attributes:
        sigma_w2: σ_w² of each layer, `(L,)`.
        sigma_b2: σ_b² of each layer, `(L,)`.
        q: the variances of the pre-activations; from 1e30 on they count as diverging.
        output_mean: E[φ(u)], of the activations.
        output_std: √Var[φ(u)], of the activations.
        chi_1: σ_w² E[φ′(u)²] with this layer's q and φ and the next one's σ_w² (of the last: its own): what
            a squared gradient with respect to pre-activations is multiplied by on its way from the next
            layer to this one. (With respect to weights it is multiplied by that and by mean(a²).)
        gradient_growth: E|∂E/∂z^l|² / E|∂E/∂z^L|², the product of χ₁ from l to L − 1.
        limit: of great depth, for the mean of the mean squares; empty where the layers differ.
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

    Gradients go back with weights that are independent of those on the way forth, as is usual: Schoenholz et
    al., "Deep information propagation", ICLR 2017.

    Args:
        activations: one for all layers, or one a layer.
        sigma_w2: σ_w², fan_in times the variance of the weights: one for all layers, or one a layer.
        sigma_b2: σ_b², the variance of the biases, likewise.
        mean_square: mean of x² over the coordinates of an input; an array for many inputs.
        depth: L ≥ 1.
        shares: by how much each of many inputs counts in the mean of the limit; by default alike.

    Raises:
        ValueError: a number is negative or not finite, or there is neither one value nor one a layer.
    """
    if depth < 1:
        raise ValueError(f"depth: {depth} given; there is at least one layer")
    chosen = [activations] * depth if isinstance(activations, Activation) else list(activations)
    w, b = _layers("sigma_w2", sigma_w2, depth), _layers("sigma_b2", sigma_b2, depth)
    if len(chosen) != depth:
        raise ValueError(f"activations: {len(chosen)} given for {depth} layers; one for all or one a layer")
    squares = np.asarray(mean_square, np.float64)
    for square in squares.flat:
        _layers("mean_square", float(square), 1)
    q = layer_variances(chosen, w, b, squares)
    mean, std, slopes = _of_layers(chosen, q, np.array([*w[1:], w[-1]]))
    average = float(np.average(squares, weights=shares))
    is_uniform = len(set(chosen)) == 1 and all(max(v) - min(v) <= _SAME * max(v) for v in (w, b))
    return Propagation(
        sigma_w2=np.array(w),
        sigma_b2=np.array(b),
        q=q,
        output_mean=mean,
        output_std=std,
        chi_1=slopes,
        gradient_growth=gradient_growth(slopes),
        limit=limit(chosen[0], w[0], b[0], average) if is_uniform else Limit(),
    )


def limit(activation: Activation, sigma_w2: float, sigma_b2: float, mean_square: float = 1.0) -> Limit:
    """The fixed points that a signal with the given mean of x² approaches, and the depths that it takes."""
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


def gradient_growth(slopes: Floats) -> Floats:
    """E|∂E/∂z^l|² / E|∂E/∂z^L|²: from χ₁ of all layers, `(L, ...)`, the product of those of l … L − 1."""
    with np.errstate(over="ignore"):
        return np.concatenate([np.cumprod(slopes[-2::-1], axis=0)[::-1], np.ones_like(slopes[:1])])


def _of_layers(activations: list[Activation], q: Floats, next_sigma_w2: Floats) -> Floats:
    """E[φ], √Var[φ] and χ₁ of the layers: `(3, L, ...)`."""
    found = np.empty((3, *q.shape))
    for activation in dict.fromkeys(activations):
        mine = [level for level, other in enumerate(activations) if other == activation]
        some = np.minimum(q[mine], LARGEST)
        following = next_sigma_w2[mine].reshape(-1, *[1] * (q.ndim - 1))
        mean, std = averages.output_mean(activation, some).value, averages.output_std(activation, some)
        found[:, mine] = mean, std, chi_1(activation, some, following)
    return found


def _layers(name: str, value: float | Sequence[float], depth: int) -> list[float]:
    """One number a layer; ValueError for what is none, or negative, or not finite."""
    values = [value] * depth if isinstance(value, int | float) else list(value)
    if len(values) != depth:
        raise ValueError(f"{name}: {len(values)} given for {depth} layers; one for all or one a layer")
    for number in values:
        if not 0 <= number < math.inf:
            raise ValueError(f"{name}: {number!r} given; it must be at least 0 and finite")
    return [float(number) for number in values]

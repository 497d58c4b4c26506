"""The correlation of two inputs from layer to layer, and its fixed point.

    c′ = (σ_w² E[φ(u₁) φ(u₂)] + σ_b²) / q′,   u₁, u₂ ~ N(0, q) with correlation c.

Poole et al., "Exponential expressivity in deep neural networks through transient chaos", NIPS 2016;
Schoenholz et al., "Deep information propagation", ICLR 2017. For the rectifier the expectations have closed
forms: Cho and Saul, "Kernel methods for deep learning", NIPS 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.averages import product, product_of_derivatives
from dnnexp.core.mean_field.quadrature import Real
from dnnexp.core.mean_field.variance import LARGEST_VARIANCE, chi_1, variance_map

_CORRELATION_TOLERANCE = 1e-12
"""Correlations that differ by less than this count as equal."""
_HALVING_COUNT = 40
"""The search for a fixed point halves its distance to 1 at most this often."""


def correlation_map(
    activation: Activation,
    c: Real,
    q: Real,
    sigma_w2: Real,
    sigma_b2: Real,
) -> Floats:
    """c ↦ c′ at the variance q, elementwise. Division by q′ maps 1 to 1 even if q is not a fixed point.

    The map is convex and increasing on [0, 1]: E[φ(u₁) φ(u₂)] is a power series in c without negative terms.
    """
    covariance = sigma_w2 * product(activation, q, c).value + sigma_b2
    with np.errstate(invalid="ignore"):  # 0/0 where the signal has died out
        return np.asarray(covariance / variance_map(activation, q, sigma_w2, sigma_b2))


def layer_correlations(
    activations: Sequence[Activation],
    sigma_w2: Sequence[float],
    sigma_b2: Sequence[float],
    q: Floats,
    mean_square: float,
    cosine: Real,
) -> Floats:
    """c¹ … c^L, `(L, ...)`, of the pre-activations of two inputs with equal mean of x² and the given cosines.

    Args:
        activations: one for each layer.
        sigma_w2: σ_w² of each layer.
        sigma_b2: σ_b² of each layer.
        q: q¹ … q^L of either input, as from `layer_variances`.
        mean_square: the mean of x² of either input.
        cosine: x·x′ / (|x| |x′|), of any shape.
    """
    first = (sigma_w2[0] * mean_square * np.asarray(cosine, np.float64) + sigma_b2[0]) / q[0]
    c = [np.asarray(first)]
    for activation, variance, w, b in zip(activations[:-1], q[:-1], sigma_w2[1:], sigma_b2[1:], strict=True):
        following = correlation_map(activation, c[-1], min(variance, LARGEST_VARIANCE), w, b)
        c.append(np.clip(following, -1, 1))  # round-off
    return np.array(c)


def chi(activation: Activation, c: Real, q: Real, sigma_w2: Real) -> Floats:
    """χ_c = σ_w² E[φ′(u₁) φ′(u₂)]: at q*, the slope of the correlation map at c; χ₁ at c = 1."""
    return np.asarray(sigma_w2 * product_of_derivatives(activation, q, c).value)


def fixed_correlation(
    activation: Activation, q_star: float, sigma_w2: float, sigma_b2: float
) -> float | None:
    """c*, the stable fixed point in [0, 1] of the correlation map at q*.

    1 in the ordered phase (χ₁ ≤ 1), also where it is approached slower than exponentially (χ₁ = 1); the only
    one below 1 in the chaotic phase, since the map is convex. None where every correlation is a fixed point,
    as with a linear activation and no bias, or where none exists because q* is 0 or ∞.
    """
    if not 0 < q_star <= LARGEST_VARIANCE:
        return None

    def excess(c: float) -> float:
        """(c′ − c) / (1 − c), which removes the root at c = 1; the limit there is 1 − χ₁."""
        return (float(correlation_map(activation, c, q_star, sigma_w2, sigma_b2)) - c) / (1 - c)

    at_zero = excess(0.0)
    if at_zero <= _CORRELATION_TOLERANCE and abs(excess(0.5)) <= _CORRELATION_TOLERANCE:
        return None
    if chi_1(activation, q_star, sigma_w2) <= 1 + _CORRELATION_TOLERANCE:
        return 1.0
    return 0.0 if at_zero <= _CORRELATION_TOLERANCE else _root(excess)


def _root(excess: Callable[[float], float]) -> float:
    """The root of (c′ − c) / (1 − c), positive at 0 and decreasing; 1 if the root is too close to 1."""
    from scipy.optimize import brentq

    ends = [1 - 0.5**n for n in range(_HALVING_COUNT)]
    for low, high in pairwise(ends):
        if excess(high) < 0:
            return float(brentq(excess, low, high, xtol=1e-15, rtol=1e-15))
    return 1.0

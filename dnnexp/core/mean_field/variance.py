"""The variance of pre-activations from layer to layer, its fixed point, and the rate of approach.

With W ~ N(0, σ_w² / fan_in) and b ~ N(0, σ_b²), in the limit of wide layers,

    q¹ = σ_w² mean(x²) + σ_b²,   q^l = σ_w² E[φ(√q^{l-1} z)²] + σ_b²,   z ~ N(0, 1).

Poole et al., "Exponential expressivity in deep neural networks through transient chaos", NIPS 2016;
Schoenholz et al., "Deep information propagation", ICLR 2017. For φ linear near 0, constant variance
is the condition of Glorot and Bengio, AISTATS 2010; for the rectifier, σ_w² = 2 is that of He et al., ICCV
2015.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.averages import growth_of_square, square, squared_derivative
from dnnexp.core.mean_field.quadrature import Real

LARGEST_VARIANCE, SMALLEST_VARIANCE = 1e30, 1e-30
"""A variance above the former counts as diverging, and one below the latter as 0."""
QUADRATURE_NOISE = 4e-15
"""Relative error of the quadrature: smaller changes of a variance count as 0."""

_PLAIN_ITERATIONS = 10
"""Number of plain iterations; unless they converge slowly, they end near a fixed point."""
_NEIGHBOUR_DISTANCE = 1e-3
"""Relative distance of the points that tell an isolated fixed point from an interval of fixed points."""
_CRITICAL_TOLERANCE = 1e-12
"""A χ within this distance of 1 counts as 1."""


def variance_map(activation: Activation, q: Real, sigma_w2: Real, sigma_b2: Real) -> Floats:
    """q ↦ q′ = σ_w² E[φ(√q z)²] + σ_b², elementwise."""
    return np.asarray(sigma_w2 * square(activation, q).value + sigma_b2)


def layer_variances(
    activations: Sequence[Activation],
    sigma_w2: Sequence[float],
    sigma_b2: Sequence[float],
    mean_square: Real,
) -> Floats:
    """q¹ … q^L, `(L, ...)`, for inputs with the given means of x², of any shape.

    The three sequences have one entry for each layer.
    """
    q = [np.asarray(sigma_w2[0] * np.asarray(mean_square, np.float64) + sigma_b2[0])]
    for activation, w, b in zip(activations[:-1], sigma_w2[1:], sigma_b2[1:], strict=True):
        q.append(variance_map(activation, np.minimum(q[-1], LARGEST_VARIANCE), w, b))
    return np.array(q)


def chi_1(activation: Activation, q: Real, sigma_w2: Real) -> Floats:
    """χ₁ = σ_w² E[φ′(√q z)²]: a layer's factor on a squared gradient; at q*, the slope of c ↦ c′ at 1."""
    return np.asarray(sigma_w2 * squared_derivative(activation, q).value)


def chi_parallel(activation: Activation, q: Real, sigma_w2: Real) -> Floats:
    """χ_∥ = σ_w² E[z φ(√q z) φ′(√q z)] / √q = dq′/dq: the factor of a layer on a deviation from q*.

    It is χ₁ + σ_w² E[φ φ″], as Schoenholz et al. 2017 write it, without the second derivative.
    """
    return np.asarray(sigma_w2 * growth_of_square(activation, q).value)


def depth_scale(chi: float | None) -> float | None:
    """ξ = −1 / ln χ, in layers; None unless 0 < χ < 1 (by more than round-off): Schoenholz et al. 2017."""
    if chi is None or not 0 < chi < 1 - _CRITICAL_TOLERANCE:
        return None
    return -1 / math.log(chi)


def fixed_variance(
    activation: Activation,
    sigma_w2: Real,
    sigma_b2: Real,
    start: Real = 1.0,
) -> Floats:
    """q*, the fixed point of the variance map that its iteration from q = `start` reaches, elementwise.

    0 where the variance dies out (φ(0) = 0, σ_b = 0); ∞ where it diverges. Where every q is fixed, as for the
    rectifier with σ_w² = 2 and σ_b = 0, it is the start. Cycles are impossible: the map may decrease, but
    √q E[φ²] never does, so the slope of the map in logarithms is at least −½.

    After a few iterations, steps of doubling length (in ln q, the first one the map's own) continue in the
    same direction until the map reverses it. This brackets the fixed point even near criticality, where plain
    iteration is slow; only a pair of further fixed points within one step would be missed. The relative error
    is that of the quadrature, near 1e-15, divided by 1 − χ_∥.
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (sigma_w2, sigma_b2, start)))
    w, b, q = (a.ravel() for a in arrays)
    for _ in range(_PLAIN_ITERATIONS):
        q = np.minimum(variance_map(activation, q, w, b), LARGEST_VARIANCE)
    near, far = _bracket(activation, w, b, q)
    q_star = np.where(near > LARGEST_VARIANCE, np.inf, np.where(near < SMALLEST_VARIANCE, 0.0, near))
    between = np.flatnonzero(near != far)
    if len(between):
        w, b, near, far = w[between], b[between], near[between], far[between]
        q_star[between] = _root(activation, w, b, np.minimum(near, far), np.maximum(near, far))
    return q_star.reshape(arrays[0].shape)


def _bracket(activation: Activation, w: Floats, b: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Two variances with the fixed point between them; equal where q is a fixed point or none exists."""
    near, far, growth = q.copy(), q.copy(), _growth(q, activation, w, b)
    still = np.flatnonzero((np.abs(growth) <= QUADRATURE_NOISE) & (q >= SMALLEST_VARIANCE))
    low, high = q[still] * (1 - _NEIGHBOUR_DISTANCE), q[still] * (1 + _NEIGHBOUR_DISTANCE)
    ends = [_growth(end, activation, w[still], b[still]) for end in (low, high)]
    isolated = (ends[0] > QUADRATURE_NOISE) & (ends[1] < -QUADRATURE_NOISE)
    near[still[isolated]], far[still[isolated]] = low[isolated], high[isolated]

    left = np.flatnonzero((np.abs(growth) > QUADRATURE_NOISE) & (q >= SMALLEST_VARIANCE))
    length = np.log1p(np.maximum(growth, -0.999))
    while len(left):
        far[left] = near[left] * np.exp(length[left])
        gone = (far[left] < SMALLEST_VARIANCE) | (far[left] > LARGEST_VARIANCE)
        near[left[gone]] = far[left[gone]]
        left = left[~gone]
        ahead = _growth(far[left], activation, w[left], b[left]) * np.sign(length[left])
        forward = left[ahead > QUADRATURE_NOISE]
        near[forward] = far[forward]
        left = left[ahead >= -QUADRATURE_NOISE]  # near a fixed point round-off may hide the direction
        length[left] *= 2
    return near, far


def _growth(q: Floats, activation: Activation, w: Floats, b: Floats) -> Floats:
    """q′/q − 1, for q > 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return variance_map(activation, q, w, b) / q - 1


def _root(activation: Activation, w: Floats, b: Floats, low: Floats, high: Floats) -> Floats:
    """Where q′ = q between two variances."""
    from scipy.optimize import elementwise

    solution = elementwise.find_root(lambda q, w, b: _growth(q, activation, w, b), (low, high), args=(w, b))
    return np.asarray(solution.x)

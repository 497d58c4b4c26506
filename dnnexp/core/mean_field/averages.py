"""What mean-field theory needs to know of an activation φ, for pre-activations u = √q z, z ~ N(0, 1).

All are elementwise over the variance q ≥ 0 (and the correlation c); at q = 0 they are the limits q → 0.
"""

from __future__ import annotations

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.mean_field.quadrature import (
    TOLERANCE,
    Estimate,
    Real,
    cuts,
    expectation,
    integrate,
    pair_expectation,
)

_SMALLEST = 1e-170  # of √q: its square underflows to 0, and the slopes on either side of a kink at 0 are seen
_SMALLEST_OF_SHIFTED = 1e-5  # where φ(0) ≠ 0, for a difference over 2√q: truncation and round-off near 1e-10


def square(activation: Activation, q: Real) -> Estimate:
    """E[φ(u)²]."""
    return expectation(lambda u: activation.f(u) ** 2, _root(q), activation.kinks)


def squared_slope(activation: Activation, q: Real) -> Estimate:
    """E[φ′(u)²]."""
    return expectation(lambda u: activation.df(u) ** 2, _root(q), activation.kinks)


def growth_of_square(activation: Activation, q: Real) -> Estimate:
    """dE[φ(u)²]/dq = E[z φ(u) φ′(u)] / √q, which needs no second derivative."""
    at_zero = float(activation.f(np.zeros(1))[0])
    root = np.maximum(_root(q), _SMALLEST_OF_SHIFTED if at_zero else _SMALLEST)
    sigmas = root.ravel()

    def integrand(z: Floats, which: Integers) -> Floats:
        u = sigmas[which] * z
        growth: Floats = z * (activation.f(u) / sigmas[which]) * activation.df(u)
        return growth

    value, error = integrate(integrand, cuts(np.zeros_like(sigmas), sigmas, activation.kinks), TOLERANCE)
    return Estimate(value.reshape(root.shape), error.reshape(root.shape))


def product(activation: Activation, q: Real, c: Real) -> Estimate:
    """E[φ(u₁) φ(u₂)] at correlation c."""
    return pair_expectation(activation.f, _root(q), c, activation.kinks)


def product_of_slopes(activation: Activation, q: Real, c: Real) -> Estimate:
    """E[φ′(u₁) φ′(u₂)] at correlation c."""
    return pair_expectation(activation.df, _root(q), c, activation.kinks)


def output_mean(activation: Activation, q: Real) -> Estimate:
    """E[φ(u)]."""
    return expectation(activation.f, _root(q), activation.kinks)


def output_std(activation: Activation, q: Real) -> Floats:
    """√E[(φ(u) − E[φ])²]: not from E[φ²] − E[φ]², which cancels where the mean is large."""
    root = _root(q)
    sigmas, means = root.ravel(), output_mean(activation, q).value.ravel()

    def integrand(z: Floats, which: Integers) -> Floats:
        deviation: Floats = activation.f(sigmas[which] * z) - means[which]
        return deviation**2

    variance = integrate(integrand, cuts(np.zeros_like(sigmas), sigmas, activation.kinks), TOLERANCE).value
    return np.sqrt(variance).reshape(root.shape)


def saturated_probability(activation: Activation, q: Real) -> Floats | None:
    """P(φ(u) outside the activation's saturation interval); None where it has none."""
    if activation.saturation is None:
        return None
    low, high = activation.saturation

    def is_saturated(u: Floats) -> Floats:
        y: Floats = activation.f(u)
        return ((y < low) | (y > high)).astype(np.float64)

    steps = (*activation.kinks, *_crossings(activation, low), *_crossings(activation, high))
    return expectation(is_saturated, _root(q), steps).value


def _crossings(activation: Activation, level: float) -> list[float]:
    """The arguments at which φ crosses a level, as far as a fine grid tells them apart."""
    from scipy.optimize import elementwise

    positive = np.geomspace(1e-3, 1e3, 3000)
    u = np.concatenate([-positive[::-1], positive])
    turns = np.flatnonzero(np.diff(activation.f(u) < level))
    if not len(turns):
        return []
    found = elementwise.find_root(lambda u: activation.f(u) - level, (u[turns], u[turns + 1]))
    return [float(root) for root in found.x]


def _root(q: Real) -> Floats:
    return np.maximum(np.sqrt(np.asarray(q, np.float64)), _SMALLEST)

"""Gaussian averages of an activation φ for pre-activations u = √q z, z ~ N(0, 1).

All are elementwise over the variance q ≥ 0 (and the correlation c); at q = 0 they are the limits for q → 0.
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

_SMALLEST_SIGMA = 1e-170
"""Lower limit of √q: its square underflows to 0, yet u still has values on both sides of a kink at 0."""
_SMALLEST_SIGMA_WITH_OFFSET = 1e-5
"""Lower limit of √q where φ(0) ≠ 0: dividing by √q then loses about 1e-10 to truncation and round-off."""


def square(activation: Activation, q: Real) -> Estimate:
    """E[φ(u)²]."""
    return expectation(lambda u: activation.f(u) ** 2, _sigma(q), activation.kinks)


def squared_derivative(activation: Activation, q: Real) -> Estimate:
    """E[φ′(u)²]."""
    return expectation(lambda u: activation.df(u) ** 2, _sigma(q), activation.kinks)


def growth_of_square(activation: Activation, q: Real) -> Estimate:
    """dE[φ(u)²]/dq = E[z φ(u) φ′(u)] / √q, a form without the second derivative."""
    at_zero = float(activation.f(np.zeros(1))[0])
    sigma = np.maximum(_sigma(q), _SMALLEST_SIGMA_WITH_OFFSET if at_zero else _SMALLEST_SIGMA)
    sigmas = sigma.ravel()

    def integrand(z: Floats, which: Integers) -> Floats:
        u = sigmas[which] * z
        growth: Floats = z * (activation.f(u) / sigmas[which]) * activation.df(u)
        return growth

    value, error = integrate(integrand, cuts(np.zeros_like(sigmas), sigmas, activation.kinks), TOLERANCE)
    return Estimate(value.reshape(sigma.shape), error.reshape(sigma.shape))


def product(activation: Activation, q: Real, c: Real) -> Estimate:
    """E[φ(u₁) φ(u₂)] at correlation c."""
    return pair_expectation(activation.f, _sigma(q), c, activation.kinks)


def product_of_derivatives(activation: Activation, q: Real, c: Real) -> Estimate:
    """E[φ′(u₁) φ′(u₂)] at correlation c."""
    return pair_expectation(activation.df, _sigma(q), c, activation.kinks)


def output_mean(activation: Activation, q: Real) -> Estimate:
    """E[φ(u)]."""
    return expectation(activation.f, _sigma(q), activation.kinks)


def output_std(activation: Activation, q: Real) -> Floats:
    """√E[(φ(u) − E[φ])²], without the cancellation of E[φ²] − E[φ]² at a large mean."""
    sigma = _sigma(q)
    sigmas, means = sigma.ravel(), output_mean(activation, q).value.ravel()

    def integrand(z: Floats, which: Integers) -> Floats:
        deviation: Floats = activation.f(sigmas[which] * z) - means[which]
        return deviation**2

    variance = integrate(integrand, cuts(np.zeros_like(sigmas), sigmas, activation.kinks), TOLERANCE).value
    return np.sqrt(variance).reshape(sigma.shape)


def saturated_probability(activation: Activation, q: Real) -> Floats | None:
    """P(φ(u) outside the activation's saturation interval); None for an activation that does not saturate."""
    if activation.saturation is None:
        return None
    low, high = activation.saturation

    def is_saturated(u: Floats) -> Floats:
        y: Floats = activation.f(u)
        return ((y < low) | (y > high)).astype(np.float64)

    jumps = (*activation.kinks, *_crossings(activation, low), *_crossings(activation, high))
    return expectation(is_saturated, _sigma(q), jumps).value


def _crossings(activation: Activation, level: float) -> list[float]:
    """The arguments at which φ crosses a level, to the resolution of a fine grid."""
    from scipy.optimize import elementwise

    positive = np.geomspace(1e-3, 1e3, 3000)
    u = np.concatenate([-positive[::-1], positive])
    starts = np.flatnonzero(np.diff(activation.f(u) < level))
    if not len(starts):
        return []
    solution = elementwise.find_root(lambda u: activation.f(u) - level, (u[starts], u[starts + 1]))
    return [float(root) for root in solution.x]


def _sigma(q: Real) -> Floats:
    return np.maximum(np.sqrt(np.asarray(q, np.float64)), _SMALLEST_SIGMA)

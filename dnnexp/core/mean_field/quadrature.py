"""Gaussian expectations of functions with kinks, at any scale: E[g(μ + σ z)] and E[g(u₁) g(u₂)].

Gauss-Hermite quadrature adapts neither to kinks (jumps of a derivative) nor to scales: with 256 nodes it is
14 % off for E[φ′²] of tanh at σ² = 50, and 38 % for hard tanh. Here z is cut into panels: at kinks, around
u = μ + σ z = 0 on the activation's scale, and elsewhere on the Gaussian's. Each panel is integrated by
Gauss-Legendre rules of different order, and halved until they agree. This also covers oscillating functions,
and the difference of the rules estimates the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from dnnexp.core.arrays import EPSILON, Floats, Integers

REACH = 9.5
"""Limit of |z|: the Gaussian beyond holds 2e-21, and 2e-19 with the factor z² of a growing function."""
TOLERANCE = 1e-15
"""Largest difference of the rules on a panel, relative to E|g|."""
PAIR_TOLERANCE = 1e-14
"""Largest difference of the rules on a panel for the two dimensions of a pair, relative to E[g²]."""

Real: TypeAlias = float | Floats
"""A number, or an array of any shape."""
Function: TypeAlias = Callable[[Floats], Any]
Integrand: TypeAlias = Callable[[Floats, Integers], Floats]
"""g at z `(panels, nodes)`, for the expectations with indices `(panels, 1)`."""

_GAUSSIAN_CUTS = np.array([-9.5, -5.0, -2.5, 0.0, 2.5, 5.0, 9.5])
"""Panels of the Gaussian in z, by trial as wide as the rules allow at this tolerance."""
_WIDEST_PANEL = 2.0
"""Panels around u = 0 widen up to this multiple of σ."""
_NARROW_BLUR = 0.25
"""A correlated partner blurs a kink over √(1−c²); a blur below this width gets its own panels."""
_FINE_NODES, _FINE = np.polynomial.legendre.leggauss(16)
_COARSE_NODES, _COARSE = np.polynomial.legendre.leggauss(11)
_NODES = np.concatenate([_FINE_NODES, _COARSE_NODES])
# In the thousands of panels of a fast wave, two rules sometimes agree by accident. A third rule on all nodes,
# exact to degree 22, is independent of both. It rounds more, so only a quarter of its difference counts.
_THIRD = np.linalg.lstsq(np.polynomial.legendre.legvander(_NODES, 22).T, 2.0 * (np.arange(23) == 0))[0]
_PANELS_PER_BLOCK = 2048
"""Number of panels computed at a time, so that arrays stay in a processor's cache."""
_MOST_PANELS = 2**16
"""Largest number of panels of an expectation that are still halved; beyond, their difference is error."""
_TINY = float(np.finfo(np.float64).tiny)
"""Absolute tolerance, because products of subnormal numbers never agree."""


class Estimate(NamedTuple):
    """Expectations, and an estimate of their absolute error, mostly far above the true error.

    The estimate holds at the default tolerance if all kinks are given. A kink that is not given may hide
    between two nodes, and so may a fast wave at a coarse tolerance.
    """

    value: Floats
    error: Floats


def expectation(
    function: Function,
    sigma: Real,
    kinks: tuple[float, ...] = (),
    mean: Real = 0.0,
    tolerance: float = TOLERANCE,
    scale: Real = 0.0,
) -> Estimate:
    """E[g(μ + σ z)] for z ~ N(0, 1), elementwise over σ ≥ 0 and μ, whose shapes broadcast.

    Args:
        function: g, elementwise; it grows no faster than a power.
        sigma: σ.
        kinks: where g, its slope or its curvature jumps; 0 counts as one. Missing ones are mostly detected.
        mean: μ.
        tolerance: largest difference of the rules on a panel, relative to E|g|, or to `scale`.
        scale: errors are relative to this where it exceeds E|g|.
    """
    arrays = (np.asarray(array, np.float64) for array in (mean, sigma, scale))
    means, sigmas, scales = np.broadcast_arrays(*arrays)
    shape, means, sigmas = means.shape, means.ravel(), sigmas.ravel()

    def integrand(z: Floats, which: Integers) -> Floats:
        return np.asarray(function(means[which] + sigmas[which] * z))

    value, error = integrate(integrand, cuts(means, sigmas, kinks), tolerance, scales.ravel())
    return Estimate(value.reshape(shape), error.reshape(shape))


def pair_expectation(
    function: Function,
    sigma: Real,
    correlation: Real,
    kinks: tuple[float, ...] = (),
    tolerance: float = PAIR_TOLERANCE,
) -> Estimate:
    """E[g(u₁) g(u₂)] for u₁ = σ z₁, u₂ = σ (c z₁ + √(1−c²) z₂), elementwise over σ ≥ 0 and c in [−1, 1].

    The inner integral, over z₂, is an expectation of its own, with mean σ c z₁ and standard deviation
    σ √(1−c²), so panels are cut at the kinks. At c = ±1 it is g(±u₁).

    Args:
        function: g, elementwise; it grows no faster than a power.
        sigma: σ of both.
        correlation: c.
        kinks: where g, its slope or its curvature jumps.
        tolerance: largest difference of the rules on a panel, relative to E[g²] (the value at c = 1).
    """
    sigmas, c = np.broadcast_arrays(np.asarray(sigma, np.float64), np.asarray(correlation, np.float64))
    shape, sigmas, c = c.shape, sigmas.ravel(), c.ravel()
    rest = sigmas * np.sqrt((1 - c) * (1 + c))

    square = expectation(lambda u: function(u) ** 2, sigmas, kinks).value
    size = np.sqrt(square)  # at least E|g|, the scale of inner errors

    def integrand(z: Floats, which: Integers) -> Floats:
        u = sigmas[which] * z
        inner = expectation(function, rest[which], kinks, c[which] * u, tolerance, size[which])
        return np.asarray(function(u) * inner.value)

    places = [cuts(np.zeros_like(c), sigmas, kinks), _blurred(sigmas, c, kinks)]
    value, error = integrate(integrand, np.sort(np.concatenate(places, axis=1), axis=1), tolerance, square)
    return Estimate(value.reshape(shape), (error + tolerance * square).reshape(shape))


def cuts(means: Floats, sigmas: Floats, kinks: tuple[float, ...]) -> Floats:
    """The ends of panels in z, ascending, `(expectations, cuts)`; a superfluous cut repeats another.

    From u = ±1 outwards each panel ends three times as far, until panels are as wide as the Gaussian's.
    """
    widest = _WIDEST_PANEL * float(np.max(sigmas, where=np.isfinite(sigmas), initial=0.5))
    scale = 3.0 ** np.arange(math.ceil(math.log(max(widest, 1.0), 3)))
    u = np.concatenate([[0.0], kinks, scale, -scale])
    z = _clipped(u - means[:, None], sigmas[:, None])
    superfluous = np.abs(u) > _WIDEST_PANEL * sigmas[:, None]
    superfluous[:, : 1 + len(kinks)] = False
    z[superfluous] = REACH
    return np.sort(
        np.concatenate([np.broadcast_to(_GAUSSIAN_CUTS, (len(z), len(_GAUSSIAN_CUTS))), z], axis=1), axis=1
    )


def _blurred(sigmas: Floats, c: Floats, kinks: tuple[float, ...]) -> Floats:
    """The z₁ at which the inner integral has the partner's kinks, and the ends of their blur."""
    width = np.sqrt((1 - c) * (1 + c))
    offsets = np.array([-8.0, -2.0, 0.0, 2.0, 8.0]) * np.where(width < _NARROW_BLUR, width, 0)[:, None]
    k = np.array([0.0, *kinks])
    places = k[:, None] + (sigmas[:, None] * offsets)[:, None, :]  # σ c z₁: (pairs, kinks, offsets)
    return _clipped(places.reshape(len(c), -1), (c * sigmas)[:, None])


def _clipped(numerator: Floats, denominator: Floats) -> Floats:
    """A quotient, clipped to the range of z; 0/0 becomes the end of the range."""
    with np.errstate(all="ignore"):
        quotient = numerator / denominator
    return np.clip(np.where(np.isnan(quotient), REACH, quotient), -REACH, REACH)


def integrate(integrand: Integrand, cut: Floats, tolerance: float, scale: Real = 0.0) -> Estimate:
    """E[g(z)] from panels between the cuts `(expectations, cuts)`, halved until two rules agree on each.

    Rules agree if they differ by at most the tolerance times E|g|, or times `scale` where that is larger.
    """
    count = len(cut)
    which, places = np.nonzero(cut[:, 1:] > cut[:, :-1])
    low, high = cut[which, places], cut[which, places + 1]
    value, error, size = np.zeros((3, count))
    with np.errstate(over="ignore", invalid="ignore"):
        while len(low):
            fine, difference, absolute = _panels(integrand, low, high, which)
            allowed = tolerance * np.maximum(size + np.bincount(which, absolute, count), scale) + _TINY
            middle = (low + high) / 2
            split = (difference > allowed[which]) & (low < middle) & (middle < high)
            split &= len(low) <= _MOST_PANELS * count
            done = ~split
            value += np.bincount(which[done], fine[done], count)
            error += np.bincount(which[done], difference[done], count)
            size += np.bincount(which[done], absolute[done], count)
            low, middle, high, which = low[split], middle[split], high[split], np.tile(which[split], 2)
            low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return Estimate(value, error + 4 * EPSILON * size)


def _panels(
    integrand: Integrand, low: Floats, high: Floats, which: Integers
) -> tuple[Floats, Floats, Floats]:
    """For each panel: ∫ g, the largest difference of other rules, and ∫ |g|, with the Gaussian density."""
    fine, difference, absolute = np.empty((3, len(low)))
    for start in range(0, len(low), _PANELS_PER_BLOCK):
        part = slice(start, start + _PANELS_PER_BLOCK)
        half = (high[part] - low[part])[:, None] / 2
        z = (low[part] + high[part])[:, None] / 2 + half * _NODES  # (panels, nodes)
        density = np.exp(-z * z / 2) * (half / math.sqrt(2 * math.pi))
        terms = integrand(z, which[part, None]) * density
        finer = terms[:, : len(_FINE)]
        fine[part] = finer @ _FINE
        coarse, third = terms[:, len(_FINE) :] @ _COARSE, terms @ _THIRD
        difference[part] = np.maximum(np.abs(coarse - fine[part]), np.abs(third - fine[part]) / 4)
        absolute[part] = np.abs(finer) @ _FINE
    return fine, difference, absolute

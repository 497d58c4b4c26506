"""Where signals and gradients keep their size: χ₁ = 1 at q*, the edge between order and chaos.

At a given q*, χ₁ = 1 and q* = q*′ fix both variances:

    σ_w² = 1 / E[φ′(√q* z)²],   σ_b² = q* − σ_w² E[φ(√q* z)²].

Poole et al., "Exponential expressivity in deep neural networks through transient chaos", NIPS 2016;
Schoenholz et al., "Deep information propagation", ICLR 2017. The rectifier is critical at σ_w² = 2, σ_b = 0
for every q*: He et al., "Delving deep into rectifiers", ICCV 2015.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.averages import square, squared_slope
from dnnexp.core.mean_field.quadrature import Real
from dnnexp.core.mean_field.variance import chi_parallel

_ZERO = 1e-13  # of σ_b² relative to q*: what round-off makes of 0
_LEAST, _MOST = 1e-12, 1e4  # of q*, the latter relative to σ_b² where that is above 1
_PER_DECADE = 16


class CriticalPoint(NamedTuple):
    """Variances at which χ₁ = 1, with the fixed point q*: it attracts where χ_∥ < 1, repels where χ_∥ > 1."""

    q_star: float
    sigma_w2: float
    sigma_b2: float
    chi_parallel: float


class CriticalLine(NamedTuple):
    """Critical σ_w² and σ_b² by q*, all of one shape; NaN where σ_b² would be negative."""

    q_star: Floats
    sigma_w2: Floats
    sigma_b2: Floats


def critical_line(activation: Activation, q_star: Real) -> CriticalLine:
    """The critical variances at every q* > 0."""
    q = np.asarray(q_star, np.float64)
    sigma_w2, sigma_b2 = _critical_variances(activation, q)
    is_possible = sigma_b2 >= 0
    return CriticalLine(q, np.where(is_possible, sigma_w2, np.nan), np.where(is_possible, sigma_b2, np.nan))


def critical_at_variance(activation: Activation, q_star: float) -> CriticalPoint | None:
    """The critical variances at q* > 0; None where σ_b² would be negative."""
    if not 0 < q_star < math.inf:
        raise ValueError(f"q_star: {q_star!r} given; it must be positive and finite")
    sigma_b2 = float(_critical_variances(activation, np.array(q_star))[1])
    return _at(activation, q_star, sigma_b2) if sigma_b2 >= 0 else None


def critical_at_bias(activation: Activation, sigma_b2: float, q: float = 1.0) -> CriticalPoint:
    """The critical σ_w² and q* at σ_b² ≥ 0; of several the attracting one with the smallest q*.

    Args:
        activation: φ.
        sigma_b2: σ_b².
        q: the q* to take where all are critical, as for the rectifier with σ_b = 0.

    Raises:
        ValueError: there is none.
    """
    if not 0 <= sigma_b2 < math.inf:
        raise ValueError(f"sigma_b2: {sigma_b2!r} given; it must be at least 0 and finite")
    low, high = max(sigma_b2, _LEAST), max(sigma_b2, 1.0) * _MOST  # q* ≥ σ_b²
    grid = np.geomspace(low, high, math.ceil(_PER_DECADE * math.log10(high / low)))
    line = _critical_variances(activation, grid)[1]
    if sigma_b2 == 0 and not line.any():
        return _at(activation, q, sigma_b2)
    if sigma_b2 == 0 and _dies_out(activation):
        return _at(activation, 0.0, sigma_b2)
    roots = _roots(activation, sigma_b2, grid, line) if line.any() else []
    if not roots:
        raise ValueError(_why_none(activation, sigma_b2, line))
    points = [_at(activation, root, sigma_b2) for root in roots]
    return next((point for point in points if point.chi_parallel <= 1), points[0])


def _critical_variances(activation: Activation, q: Floats) -> tuple[Floats, Floats]:
    """σ_w² and σ_b², which may be negative; round-off near 0 is 0."""
    with np.errstate(divide="ignore"):
        sigma_w2 = 1 / squared_slope(activation, q).value
    sigma_b2 = q - sigma_w2 * square(activation, q).value
    return sigma_w2, np.where(np.abs(sigma_b2) <= _ZERO * q, 0.0, sigma_b2)


def _dies_out(activation: Activation) -> bool:
    """Whether q = 0 is a fixed point without biases, and has a critical σ_w² (slopes at 0 that are not 0)."""
    return float(activation.f(np.zeros(1))[0]) == 0 and float(squared_slope(activation, 0.0).value) > 0


def _at(activation: Activation, q_star: float, sigma_b2: float) -> CriticalPoint:
    sigma_w2 = float(_critical_variances(activation, np.array(q_star))[0])
    return CriticalPoint(q_star, sigma_w2, float(sigma_b2), float(chi_parallel(activation, q_star, sigma_w2)))


def _roots(activation: Activation, sigma_b2: float, grid: Floats, line: Floats) -> list[float]:
    """Every q* whose critical σ_b² is the one given, ascending."""
    from scipy.optimize import elementwise

    above = line > sigma_b2
    turns = np.flatnonzero(above[1:] != above[:-1])

    def excess(q: Floats) -> Floats:
        return _critical_variances(activation, q)[1] - sigma_b2

    if not len(turns):
        return []
    solution = elementwise.find_root(excess, (grid[turns], grid[turns + 1]))
    return [float(root) for root in solution.x]


def _why_none(activation: Activation, sigma_b2: float, line: Floats) -> str:
    given = f"sigma_b2: {sigma_b2:g} given; "
    if not line.any():
        return f"{given}{activation.name} is critical at 0 only, for every q*"
    if line.max() < 0:
        return f"{given}{activation.name} is nowhere critical: χ₁ = 1 at q* would need sigma_b2 < 0"
    return f"{given}{activation.name} is critical up to {line.max():.6g} only"

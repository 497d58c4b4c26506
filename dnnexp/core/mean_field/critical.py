"""The edge of chaos, χ₁ = 1 at q*, where signals and gradients keep their size, and the phases on both sides.

Where χ₁ < 1 at the fixed point q*, two inputs become equal and gradients vanish (order); where χ₁ > 1,
neighbouring inputs separate and gradients explode (chaos).

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
import numpy.typing as npt

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.averages import square, squared_derivative
from dnnexp.core.mean_field.quadrature import Real
from dnnexp.core.mean_field.variance import LARGEST_VARIANCE, chi_1, chi_parallel, fixed_variance

_ZERO_TOLERANCE = 1e-13
"""A σ_b² below this fraction of q* is 0 up to round-off."""
_SMALLEST_Q_STAR, _LARGEST_Q_STAR = 1e-12, 1e4
"""The range of q* that is searched; the upper end is multiplied by σ_b² where that exceeds 1."""
_GRID_POINTS_PER_DECADE = 16
"""Density of the grid of q* on which roots are bracketed."""


class CriticalPoint(NamedTuple):
    """Variances at which χ₁ = 1. The fixed point q* attracts if χ_∥ < 1 and repels if χ_∥ > 1."""

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
    """The critical σ_w² and q* at σ_b² ≥ 0; of several, the attracting one with the smallest q*.

    Args:
        activation: φ.
        sigma_b2: σ_b².
        q: the q* to return where all are critical, as for the rectifier with σ_b = 0.

    Raises:
        ValueError: no critical point exists.
    """
    if not 0 <= sigma_b2 < math.inf:
        raise ValueError(f"sigma_b2: {sigma_b2!r} given; it must be at least 0 and finite")
    low, high = max(sigma_b2, _SMALLEST_Q_STAR), max(sigma_b2, 1.0) * _LARGEST_Q_STAR  # q* ≥ σ_b²
    grid = np.geomspace(low, high, math.ceil(_GRID_POINTS_PER_DECADE * math.log10(high / low)))
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
    """σ_w² and σ_b²; the latter may be negative, and round-off near 0 becomes 0."""
    with np.errstate(divide="ignore"):
        sigma_w2 = 1 / squared_derivative(activation, q).value
    sigma_b2 = q - sigma_w2 * square(activation, q).value
    return sigma_w2, np.where(np.abs(sigma_b2) <= _ZERO_TOLERANCE * q, 0.0, sigma_b2)


def _dies_out(activation: Activation) -> bool:
    """Whether q = 0 is a fixed point without biases, and has a critical σ_w² (because φ′ is not 0 there)."""
    return float(activation.f(np.zeros(1))[0]) == 0 and float(squared_derivative(activation, 0.0).value) > 0


def _at(activation: Activation, q_star: float, sigma_b2: float) -> CriticalPoint:
    sigma_w2 = float(_critical_variances(activation, np.array(q_star))[0])
    return CriticalPoint(q_star, sigma_w2, float(sigma_b2), float(chi_parallel(activation, q_star, sigma_w2)))


def _roots(activation: Activation, sigma_b2: float, grid: Floats, line: Floats) -> list[float]:
    """Every q* whose critical σ_b² is the one given, ascending."""
    from scipy.optimize import elementwise

    above = line > sigma_b2
    starts = np.flatnonzero(above[1:] != above[:-1])

    def excess(q: Floats) -> Floats:
        return _critical_variances(activation, q)[1] - sigma_b2

    if not len(starts):
        return []
    solution = elementwise.find_root(excess, (grid[starts], grid[starts + 1]))
    return [float(root) for root in solution.x]


def _why_none(activation: Activation, sigma_b2: float, line: Floats) -> str:
    given = f"sigma_b2: {sigma_b2:g} given; "
    if not line.any():
        return f"{given}{activation.name} is critical only at 0, for every q*"
    if line.max() < 0:
        return f"{given}{activation.name} is never critical: χ₁ = 1 at q* requires sigma_b2 < 0"
    return f"{given}{activation.name} is critical only up to {line.max():.6g}"


class PhaseDiagram(NamedTuple):
    """q* and χ₁ `(B, W)` over σ_w² `(W,)` and σ_b² `(B,)`; q* is ∞ where the variance diverges."""

    sigma_w2: Floats
    sigma_b2: Floats
    q_star: Floats
    chi_1: Floats

    @property
    def is_chaotic(self) -> npt.NDArray[np.bool_]:
        """Where χ₁ > 1."""
        return self.chi_1 > 1


def phase_diagram(
    activation: Activation, sigma_w2: Floats, sigma_b2: Floats, mean_square: float = 1.0
) -> PhaseDiagram:
    """q* and χ₁ on a grid, for inputs with the given mean of x².

    Where q* is ∞, χ₁ is its limit.
    """
    w, b = (np.atleast_1d(np.asarray(axis, np.float64)) for axis in (sigma_w2, sigma_b2))
    columns, rows = np.meshgrid(w, b)
    q_star = fixed_variance(activation, columns, rows, columns * mean_square + rows)
    chi = chi_1(activation, np.minimum(q_star, LARGEST_VARIANCE), columns)
    return PhaseDiagram(w, b, q_star, chi)

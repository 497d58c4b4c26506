"""The phase diagram of an activation: order and chaos over σ_w² and σ_b².

Where χ₁ < 1 at the fixed point q*, two inputs become the same and gradients vanish (order); where χ₁ > 1,
neighbouring inputs part and gradients explode (chaos).

Poole et al., "Exponential expressivity in deep neural networks through transient chaos", NIPS 2016.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field.variance import LARGEST, chi_1, fixed_variance


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
    slopes = chi_1(activation, np.minimum(q_star, LARGEST), columns)
    return PhaseDiagram(w, b, q_star, slopes)

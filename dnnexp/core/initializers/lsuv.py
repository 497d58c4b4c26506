"""The initializer that looks at the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers.matrices import MatrixInitializer, Orthogonal
from dnnexp.registry import Positive, register

_ROUNDING = 1e-12
"""Of the largest pre-activation: a deviation below it is rounding, and the pre-activations are constant."""


@register("lsuv")
@dataclass(frozen=True)
class LSUV(MatrixInitializer):
    """LSUV: orthonormal, then scaled layer by layer so that W a has standard deviation `std` on the data.

    The deviation is that over samples and units, biases left out. W a is linear in W, so that one division
    suffices where the paper iterates. Weights stay orthonormal where W a is constant, or not finite.

    Mishkin and Matas, "All you need is a good init", ICLR 2016, algorithm 1 (layer-sequential unit-variance).
    """

    needs_data: ClassVar[bool] = True
    std: Positive = 1.0

    def matrix(self, generator: np.random.Generator, rows: int, columns: int) -> Floats:
        """An orthonormal matrix, not scaled yet."""
        return Orthogonal().matrix(generator, rows, columns)

    def fitted(self, weights: Floats, a: Floats) -> Floats:
        """W · std / std(W a)."""
        with np.errstate(all="ignore"):
            z = a @ weights.T  # (batch, n_out)
            deviation = z.std()
            scale = self.std / deviation
            is_constant = deviation <= _ROUNDING * np.abs(z).max(initial=0.0)
        return weights if is_constant or not 0 < scale < np.inf else scale * weights

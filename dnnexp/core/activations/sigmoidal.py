"""S-shaped activations: bounded, smooth at the bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dnnexp.core.activations.base import Activation, bell, logistic_slope, magnitude
from dnnexp.core.arrays import Array, clamp_below, namespace, real
from dnnexp.registry import register


@register("sigmoid")
@dataclass(frozen=True)
class Sigmoid(Activation):
    """Logistic sigmoid: σ(z) = 1 / (1 + e⁻ᶻ); σ' = σ(z) σ(−z). Saturated outside [0.01, 0.99]."""

    saturation: ClassVar[tuple[float, float] | None] = (0.01, 0.99)

    def f(self, z: Array) -> Array:
        """1 / (1 + e⁻ᶻ), with z kept above log(tiny), so that the exponential cannot overflow."""
        xp = namespace(z)
        low = math.log(float(xp.finfo(z.dtype).smallest_normal))
        denominator = xp.exp(-clamp_below(z, low))
        denominator += 1
        return 1 / denominator

    def df(self, z: Array) -> Array:
        """e⁻ᶻ / (1 + e⁻ᶻ)², even in z."""
        return logistic_slope(z)


@register("tanh")
@dataclass(frozen=True)
class Tanh(Activation):
    """Hyperbolic tangent: tanh z; derivative 1 − tanh² z. Saturated outside [-0.97, 0.97]."""

    saturation: ClassVar[tuple[float, float] | None] = (-0.97, 0.97)

    def f(self, z: Array) -> Array:
        """tanh z."""
        return namespace(z).tanh(z)

    def df(self, z: Array) -> Array:
        """4 e⁻²ᶻ / (1 + e⁻²ᶻ)², even in z: 1 − tanh² z without its cancellation."""
        return 4 * logistic_slope(z, rate=2.0)


@register("softsign")
@dataclass(frozen=True)
class Softsign(Activation):
    """Softsign: z / (1 + |z|); derivative 1 / (1 + |z|)². Saturated outside [-0.98, 0.98].

    It approaches its bounds as 1/|z|, not exponentially: 0.98 is reached at z = 49. The second derivative
    jumps from 2 to −2 at 0.

    Bergstra et al., "Quadratic polynomials learn better image features", 2009; as a remedy for saturation in
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    kinks: ClassVar[tuple[float, ...]] = (0.0,)
    saturation: ClassVar[tuple[float, float] | None] = (-0.98, 0.98)

    def f(self, z: Array) -> Array:
        """z / (1 + |z|), beyond ±1 as ±(1 − 1 / (1 + |z|)), in which the complex step cancels nothing."""
        xp, size = namespace(z), magnitude(z)
        rest = 1 / (1 + size)
        far = xp.where(real(z) >= 0, 1 - rest, rest - 1)
        return xp.where(real(size) > 1, far, z * rest)

    def df(self, z: Array) -> Array:
        """1 / (1 + |z|)², inverted before it is squared."""
        inverse = 1 / (1 + magnitude(z))
        return inverse * inverse


@register("erf")
@dataclass(frozen=True)
class Erf(Activation):
    """Error function: erf z = 2/√π ∫₀ᶻ e^(−t²) dt; derivative 2/√π e^(−z²). Saturated outside [-0.98, 0.98].

    Williams, "Computing with infinite networks", NIPS 1996, which has its mean field in closed form.
    """

    saturation: ClassVar[tuple[float, float] | None] = (-0.98, 0.98)

    def f(self, z: Array) -> Array:
        """erf z, which the array standard lacks: SciPy's.

        That of a complex z, 1e-13 off near 0, is left for the real one and the slope where the step is short.
        """
        xp = namespace(z)
        if not xp.isdtype(z.dtype, "complex floating"):
            return _erf(z)
        real_z, x = xp.real(z), xp.astype(xp.real(z), z.dtype)
        along = xp.astype(_erf(real_z), z.dtype) + (z - x) * xp.astype(self.df(real_z), z.dtype)
        short = xp.abs(xp.imag(z)) < _SHORT
        return along if bool(xp.all(short)) else xp.where(short, along, _erf(z))

    def df(self, z: Array) -> Array:
        """2/√π e^(−z²)."""
        return 2 / math.sqrt(math.pi) * bell(z, rate=1.0)


_SHORT = 1e-10
"""The square of such a step is beyond double precision."""


def _erf(z: Array) -> Array:
    """SciPy's."""
    from scipy import special

    return namespace(z).asarray(special.erf(np.asarray(z)), dtype=z.dtype)

"""Smooth relatives of the rectifier: softplus, and z times something that goes from 0 to 1.

All are bounded below only, and not counted as saturated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dnnexp.core.activations.base import (
    Activation,
    bell,
    clamp,
    decay,
    logistic,
    logistic_slope,
    magnitude,
)
from dnnexp.core.arrays import Array, namespace, real
from dnnexp.registry import Positive, register


@register("softplus")
@dataclass(frozen=True)
class Softplus(Activation):
    """Softplus: log(1 + exp(β z)) / β; derivative the sigmoid of β z.

    Dugas et al., "Incorporating second-order functional knowledge for better option pricing", NIPS 2000.
    PyTorch returns z where β z > 20, with an error of up to 2e-9 / β; here the formula is used everywhere.
    """

    beta: Positive = 1.0

    def f(self, z: Array) -> Array:
        """max(z, 0) + log(1 + e) / β with e = exp(−β |z|) ≤ 1.

        The logarithm is 2 artanh(e / (2 + e)): log1p of a complex number need not keep a small real part.
        """
        xp, fading = namespace(z), decay(z, self.beta)
        above = z / 2 + magnitude(z) / 2
        return above + 2 / self.beta * xp.atanh(fading / (2 + fading))

    def df(self, z: Array) -> Array:
        """σ(β z)."""
        return logistic(z, self.beta)


@register("silu")
@dataclass(frozen=True)
class SiLU(Activation):
    """Sigmoid linear unit (swish): z σ(z); derivative σ(z) + z σ'(z). Lowest, −0.278, at z = −1.278.

    Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function approximation in
    reinforcement learning", 2018; Ramachandran, Zoph and Le, "Searching for activation functions", 2017.
    """

    def f(self, z: Array) -> Array:
        """z σ(z)."""
        return z * logistic(z)

    def df(self, z: Array) -> Array:
        """σ(z) + z σ'(z)."""
        return logistic(z) + z * logistic_slope(z)


@register("gelu")
@dataclass(frozen=True)
class GELU(Activation):
    """Gaussian error linear unit: z Φ(z), Φ the normal distribution function; derivative Φ(z) + z Φ'(z).

    `form: tanh` is the approximation z ½ (1 + tanh u), u = √(2/π) (z + 0.044715 z³), which is within 5e-4.

    Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", 2016.
    """

    form: Literal["exact", "tanh"] = "exact"

    def f(self, z: Array) -> Array:
        """z Φ(z), or z σ(2u)."""
        return z * (_normal_distribution(z) if self.form == "exact" else logistic(_tanh_argument(z)))

    def df(self, z: Array) -> Array:
        """Φ(z) + z exp(−z²/2) / √2π, or σ(2u) + z σ'(2u) 2u'."""
        if self.form == "exact":
            return _normal_distribution(z) + z * bell(z, rate=0.5) / math.sqrt(2 * math.pi)
        argument = _tanh_argument(z)
        return logistic(argument) + z * logistic_slope(argument) * _tanh_argument_slope(z)


def _normal_distribution(z: Array) -> Array:
    """Φ(z) = ½ (1 + erf(z/√2)), accurate in its lower tail: SciPy's, for the standard has no erf."""
    from scipy import special

    return namespace(z).asarray(special.ndtr(np.asarray(z)), dtype=z.dtype)


_TANH_SCALE = 2 * math.sqrt(2 / math.pi)
_TANH_CUBIC = 0.044715
_TANH_END = 30.0
"""At z = ±30 the sigmoid of 2u is 0 or 1: the cube need not go further."""


def _tanh_argument(z: Array) -> Array:
    """2u: ½ (1 + tanh u) is σ(2u), which cancels nothing."""
    near = clamp(z, -_TANH_END, _TANH_END)
    return _TANH_SCALE * near * (1 + _TANH_CUBIC * near * near)


def _tanh_argument_slope(z: Array) -> Array:
    """2u'."""
    near = clamp(z, -_TANH_END, _TANH_END)
    return _TANH_SCALE * (1 + 3 * _TANH_CUBIC * near * near)


@register("mish")
@dataclass(frozen=True)
class Mish(Activation):
    """Mish: z tanh(softplus(z)); derivative tanh s + z σ(z) (1 − tanh² s), s = softplus(z).

    Lowest, −0.309, at z = −1.192. Misra, "Mish: a self regularized non-monotonic activation function",
    BMVC 2020.
    """

    def f(self, z: Array) -> Array:
        """Of e = exp(−|z|): z (1 + 2e) / (1 + 2e + 2e²) where z ≥ 0, z (e² + 2e) / (e² + 2e + 2) else."""
        numerator, rest = _tanh_of_softplus(z)
        return z * (numerator / (numerator + rest))

    def df(self, z: Array) -> Array:
        """The same for the derivative, (tanh softplus z)' being 4 (1 + e) e² / (1 + 2e + 2e²)² where z ≥ 0.

        And 4 (1 + e) e / (e² + 2e + 2)² else.
        """
        fading = decay(z)
        numerator, rest = _tanh_of_softplus(z)
        power = namespace(z).where(real(z) >= 0, fading * fading, fading)
        slope = 4 * (1 + fading) * power / (numerator + rest) ** 2
        return numerator / (numerator + rest) + z * slope


def _tanh_of_softplus(z: Array) -> tuple[Array, Array]:
    """n and r with tanh(softplus z) = n / (n + r)."""
    xp, fading = namespace(z), decay(z)
    is_positive = real(z) >= 0
    numerator = xp.where(is_positive, 1 + 2 * fading, fading * (fading + 2))
    return numerator, xp.where(is_positive, 2 * fading * fading, 2.0)

"""Activations: a function and its derivative side by side, element by element, real or complex.

They are stable for any finite argument, and analytic off their kinks, so that a complex step through
them gives the derivative.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from dnnexp.core.arrays import Array, clamp_below, namespace, real
from dnnexp.registry import Part, register


class Activation(Part, ABC):
    """Base of the activations; z and the results have any shape."""

    kind = "activation"
    kinks: ClassVar[tuple[float, ...]] = ()
    """The arguments at which f has no derivative."""
    saturation: ClassVar[tuple[float, float] | None] = None
    """Outputs outside this interval count as saturated; None where the activation does not saturate."""

    @abstractmethod
    def f(self, z: Array) -> Array:
        """The activation of the pre-activation z."""

    @abstractmethod
    def df(self, z: Array) -> Array:
        """The derivative at the pre-activation z."""


def _away_from_zero(z: Array) -> Array:
    """z or −z, whichever has a real part ≥ 0: |z| for a real z, and analytic for a complex one."""
    return namespace(z).where(real(z) >= 0, z, -z)


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
        decay = namespace(z).exp(-_away_from_zero(z))
        return decay / (1 + decay) ** 2


@register("relu")
@dataclass(frozen=True)
class ReLU(Activation):
    """Rectifier: max(0, z); derivative 1 where z > 0, else 0 (at the kink, too).

    Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.
    """

    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: Array) -> Array:
        """z where its real part is positive, else 0; NaN stays NaN."""
        return clamp_below(z, 0.0)

    def df(self, z: Array) -> Array:
        """1 where the real part of z is positive, else 0."""
        return namespace(z).astype(real(z) > 0, z.dtype)


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
        decay = namespace(z).exp(-2 * _away_from_zero(z))
        return 4 * decay / (1 + decay) ** 2


@register("identity")
@dataclass(frozen=True)
class Identity(Activation):
    """Identity: z; derivative 1. It makes a layer linear."""

    def f(self, z: Array) -> Array:
        """z itself."""
        return z

    def df(self, z: Array) -> Array:
        """1."""
        return namespace(z).ones_like(z)

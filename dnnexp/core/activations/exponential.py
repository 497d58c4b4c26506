"""Exponential linear units: z above 0, an exponential that levels off below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dnnexp.core.activations.base import Activation
from dnnexp.core.arrays import Array, clamp_below, namespace, real
from dnnexp.registry import Positive, register


@register("elu")
@dataclass(frozen=True)
class ELU(Activation):
    """Exponential linear unit: z where z > 0, else α (eᶻ − 1); derivative 1 or α eᶻ (at 0: α).

    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units
    (ELUs)", ICLR 2016. It has a bound below only, −α, and is not counted as saturated. The slope jumps at 0
    unless α = 1; then the second derivative does.
    """

    alpha: Positive = 1.0
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: Array) -> Array:
        """z, or α (eᶻ − 1) by expm1."""
        xp = namespace(z)
        return xp.where(real(z) > 0, z, self.alpha * xp.expm1(_negative_part(z)))

    def df(self, z: Array) -> Array:
        """1, or α eᶻ."""
        xp = namespace(z)
        return xp.where(real(z) > 0, 1.0, self.alpha * xp.exp(_negative_part(z)))


def _negative_part(z: Array) -> Array:
    """z, but 0 where the real part is positive, so that its exponential cannot overflow."""
    return namespace(z).where(real(z) > 0, 0.0, z)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
"""Of the paper's appendix: with these, mean 0 and variance 1 of a normal z are those of the output, too."""


@register("selu")
@dataclass(frozen=True)
class SELU(Activation):
    """Scaled exponential linear unit: λ z where z > 0, else λ α (eᶻ − 1), λ = 1.0507…, α = 1.6732….

    Its derivative is λ or λ α eᶻ (at 0: λ α). A standard normal z gives an output of mean 0 and variance 1.

    Klambauer et al., "Self-normalizing neural networks", NIPS 2017, eq. 2. Bounded below only, and not
    counted as saturated.
    """

    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: Array) -> Array:
        """λ times the exponential linear unit of that α."""
        return SELU_SCALE * ELU(SELU_ALPHA).f(z)

    def df(self, z: Array) -> Array:
        """λ times the derivative of the exponential linear unit of that α."""
        return SELU_SCALE * ELU(SELU_ALPHA).df(z)


@register("celu")
@dataclass(frozen=True)
class CELU(Activation):
    """Continuously differentiable ELU: z where z > 0, else α (exp(z/α) − 1); derivative 1 or exp(z/α).

    Barron, "Continuously differentiable exponential linear units", 2017. The slope is continuous for every
    α, the second derivative jumps at 0. Bounded below only, and not counted as saturated.
    """

    alpha: Positive = 1.0
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def _exponent(self, z: Array) -> Array:
        """z/α where z is negative, else 0; e⁻⁸⁰⁰ is 0, so that the quotient need not go further."""
        return clamp_below(_negative_part(z), -800 * self.alpha) / self.alpha

    def f(self, z: Array) -> Array:
        """z, or α (exp(z/α) − 1)."""
        xp = namespace(z)
        return xp.where(real(z) > 0, z, self.alpha * xp.expm1(self._exponent(z)))

    def df(self, z: Array) -> Array:
        """1, or exp(z/α)."""
        xp = namespace(z)
        return xp.where(real(z) > 0, 1.0, xp.exp(self._exponent(z)))

"""What an activation is, and the pieces that several are made of.

Every piece takes z to |z| first, by the sign of the real part, so that no exponential grows. All keep the
precision of z, real or complex, and NaN stays NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from dnnexp.core.arrays import Array, clamp_below, complex_step, namespace, real
from dnnexp.registry import Part


class Activation(Part, ABC):
    """Base of the activations; z and the results have any shape."""

    kind = "activation"
    kinks: ClassVar[tuple[float, ...]] = ()
    """The kinks: arguments at which f has no second derivative.

    Across a kink a central difference does not approximate the derivative, or only to first order, and a
    quadrature rule loses its accuracy.
    """
    saturation: ClassVar[tuple[float, float] | None] = None
    """Outputs outside this interval count as saturated; None where the activation does not saturate.

    A function that approaches its bounds smoothly is saturated within about 1 % of its range of either bound;
    a function of straight pieces is saturated where it has reached a bound. A lower bound of 0 alone does not
    count: such outputs are counted as zeros.
    """

    complex_roundings: ClassVar[int] = 8
    """Additional roundings that f of a complex z may be off, compared to f of a real z."""

    @abstractmethod
    def f(self, z: Array) -> Array:
        """The activation of the pre-activation z."""

    @abstractmethod
    def df(self, z: Array) -> Array:
        """The derivative at the pre-activation z."""

    def d2f(self, z: Array) -> Array:
        """The second derivative at a real pre-activation z, by the complex step: Im f'(z + i h) / h.

        At a kink it is that of one side.
        """
        return complex_step(self.df, z)


_FAR = 800.0
"""e⁻⁸⁰⁰ is 0 in double and in single precision."""


def magnitude(z: Array) -> Array:
    """|z| of a real z; of a complex one its analytic continuation: z or −z, whichever has a real part ≥ 0."""
    xp = namespace(z)
    if xp.isdtype(z.dtype, "complex floating"):
        return xp.where(xp.real(z) >= 0, z, -z)
    return xp.abs(z)


def clamp_above(x: Array, high: float) -> Array:
    """x where its real part is below `high`, else `high`; NaN stays NaN."""
    xp = namespace(x)
    limit = xp.asarray(high, dtype=x.dtype)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.where(xp.real(x) >= high, limit, x)
    return xp.minimum(x, limit)


def clamp(x: Array, low: float, high: float) -> Array:
    """x where its real part is between the two, else the nearer one; NaN stays NaN."""
    return clamp_above(clamp_below(x, low), high)


def decay(z: Array, rate: float = 1.0) -> Array:
    """exp(−rate · |z|), without overflow of the product."""
    return namespace(z).exp(-rate * clamp_above(magnitude(z), _FAR / rate))


def bell(z: Array, rate: float) -> Array:
    """exp(−rate · z²) for a rate ≥ ½, without overflow of the square."""
    near = clamp_above(magnitude(z), (2 * _FAR) ** 0.5)
    return namespace(z).exp(-rate * near * near)


def logistic(z: Array, rate: float = 1.0) -> Array:
    """1 / (1 + exp(−rate · z)), down to the smallest number and then 0."""
    fading = decay(z, rate)
    return namespace(z).where(real(z) >= 0, 1.0, fading) / (1 + fading)


def logistic_slope(z: Array, rate: float = 1.0) -> Array:
    """The derivative of 1 / (1 + e⁻ˢ) at s = rate · z: e⁻ˢ / (1 + e⁻ˢ)², even in s."""
    fading = decay(z, rate)
    return fading / (1 + fading) ** 2


def indicator(condition: Array, z: Array) -> Array:
    """1 where the condition holds, else 0, in the precision of z."""
    return namespace(z).astype(condition, z.dtype)

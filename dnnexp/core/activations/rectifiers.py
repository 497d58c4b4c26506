"""Rectifiers: made of straight lines; all but the capped one are unbounded above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from dnnexp.core.activations.base import Activation, clamp, indicator
from dnnexp.core.arrays import Array, clamp_below, namespace, real
from dnnexp.registry import register


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
        return indicator(real(z) > 0, z)


@register("leaky_relu")
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """Leaky rectifier: z where z > 0, else slope · z; derivative 1 or slope (at the kink: slope).

    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """

    slope: Annotated[float, Ge(0), Lt(1)] = 0.01
    kinks: ClassVar[tuple[float, ...]] = (0.0,)

    def f(self, z: Array) -> Array:
        """z or slope · z, by the sign of the real part."""
        return namespace(z).where(real(z) > 0, z, self.slope * z)

    def df(self, z: Array) -> Array:
        """1 where the real part of z is positive, else slope."""
        positive = indicator(real(z) > 0, z)
        return positive + self.slope * (1 - positive)


@register("relu6")
@dataclass(frozen=True)
class ReLU6(Activation):
    """Capped rectifier: min(max(0, z), 6); derivative 1 where 0 < z < 6, else 0. Saturated at 6.

    At its lower bound an output is a zero, as ReLU's is.

    Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    """

    kinks: ClassVar[tuple[float, ...]] = (0.0, 6.0)
    saturation: ClassVar[tuple[float, float] | None] = (0.0, 6 * (1 - 1e-6))

    def f(self, z: Array) -> Array:
        """z between 0 and 6, by its real part."""
        return clamp(z, 0.0, 6.0)

    def df(self, z: Array) -> Array:
        """1 where the real part of z is between 0 and 6, else 0."""
        return indicator((real(z) > 0) & (real(z) < 6), z)

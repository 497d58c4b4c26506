"""Hard forms: sigmoid, tanh and swish made of straight pieces and a parabola."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dnnexp.core.activations.base import Activation, clamp, indicator
from dnnexp.core.arrays import Array, namespace, real
from dnnexp.registry import register


@register("hard_sigmoid")
@dataclass(frozen=True)
class HardSigmoid(Activation):
    """Hard sigmoid: relu6(z + 3) / 6; derivative 1/6 where −3 < z < 3, else 0. Saturated at 0 and 1.

    Courbariaux, Bengio and David, "BinaryConnect", NIPS 2015, with slope 1/2; with PyTorch's 1/6 in Howard et
    al., "Searching for MobileNetV3", ICCV 2019.
    """

    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)
    saturation: ClassVar[tuple[float, float] | None] = (1e-6, 1 - 1e-6)

    def f(self, z: Array) -> Array:
        """(z + 3) / 6 between 0 and 1."""
        return clamp(z + 3, 0.0, 6.0) / 6

    def df(self, z: Array) -> Array:
        """1/6 between the kinks, else 0."""
        return _inside(z, 3.0) / 6


@register("hard_tanh")
@dataclass(frozen=True)
class HardTanh(Activation):
    """Hard tanh: z between −1 and 1; derivative 1 where −1 < z < 1, else 0. Saturated at −1 and 1.

    Collobert, "Large scale machine learning", 2004.
    """

    kinks: ClassVar[tuple[float, ...]] = (-1.0, 1.0)
    saturation: ClassVar[tuple[float, float] | None] = (-1 + 2e-6, 1 - 2e-6)

    def f(self, z: Array) -> Array:
        """z between −1 and 1, by its real part."""
        return clamp(z, -1.0, 1.0)

    def df(self, z: Array) -> Array:
        """1 between the kinks, else 0."""
        return _inside(z, 1.0)


@register("hard_swish")
@dataclass(frozen=True)
class HardSwish(Activation):
    """Hard swish: z relu6(z + 3) / 6; derivative 0 below −3, (2z + 3) / 6, and 1 above 3.

    Howard et al., "Searching for MobileNetV3", ICCV 2019. The slope jumps by −½ at both kinks.
    """

    kinks: ClassVar[tuple[float, ...]] = (-3.0, 3.0)

    def f(self, z: Array) -> Array:
        """z times the hard sigmoid of z."""
        return z * HardSigmoid().f(z)

    def df(self, z: Array) -> Array:
        """(2z + 3) / 6 between the kinks; 0 and 1 outside, and at them."""
        parabola = (2 * clamp(z, -3.0, 3.0) + 3) / 6
        return namespace(z).where(_inside(z, 3.0) == 1, parabola, indicator(real(z) > 0, z))


def _inside(z: Array, end: float) -> Array:
    """1 where −end < z < end, by the real part, else 0."""
    return indicator((real(z) > -end) & (real(z) < end), z)

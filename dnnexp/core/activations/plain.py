"""A straight line and a wave, which do not saturate."""

from __future__ import annotations

from dataclasses import dataclass

from dnnexp.core.activations.base import Activation, clamp
from dnnexp.core.arrays import Array, namespace, real
from dnnexp.registry import Positive, register


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


@register("sine")
@dataclass(frozen=True)
class Sine(Activation):
    """Sine: sin(ω z); derivative ω cos(ω z). ω is `frequency`, 1 unless given; SIREN takes 30.

    Sitzmann et al., "Implicit neural representations with periodic activation functions", NeurIPS 2020.
    It does not saturate, since it does not stay near its bounds.
    """

    frequency: Positive = 1.0

    def _phase(self, z: Array) -> Array:
        """ω z, with the real part of z moved to where the product cannot overflow."""
        x, end = real(z), float(namespace(z).finfo(z.dtype).max) / max(1.0, self.frequency)
        return self.frequency * (z + (clamp(x, -end, end) - x))

    def f(self, z: Array) -> Array:
        """sin(ω z)."""
        return namespace(z).sin(self._phase(z))

    def df(self, z: Array) -> Array:
        """ω cos(ω z)."""
        return self.frequency * namespace(z).cos(self._phase(z))

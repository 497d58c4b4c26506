"""Faults in a step of the chain rule: a wrong σ', w or a, in one layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.faults.base import LayerFault
from dnnexp.registry import register

_PROBED_Z = np.linspace(-40.0, 40.0, 8001)
"""Pre-activations at which σ' is compared: they include 0 and reach beyond every kink."""


@register("sign")
@dataclass(frozen=True)
class Sign(LayerFault):
    """Wrong sign: −δ for δ. In the last layer: t − y for y − t.

    The sign carries over to all earlier layers: the gradients of layers 1 … l and dy/dx change sign.
    """

    @property
    def evidence(self) -> str:
        """The sign."""
        return f"as if δ had the wrong sign in layer {self.layer}"

    def derivative(self, level: int, activation: Activation, z: Any, a: Any) -> Any:
        """−σ'(z), which makes −δ."""
        derivative = super().derivative(level, activation, z, a)
        return -derivative if self.is_at(level) else derivative


@register("missing_slope")
@dataclass(frozen=True)
class MissingSlope(LayerFault):
    """Missing slope: δ without σ'(z).

    The gradients of layers 1 … l and dy/dx are wrong.
    """

    @property
    def evidence(self) -> str:
        """The missing factor."""
        return f"as if σ' were left out in layer {self.layer}"

    def derivative(self, level: int, activation: Activation, z: Any, a: Any) -> Any:
        """1."""
        return np.ones_like(z) if self.is_at(level) else super().derivative(level, activation, z, a)

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """σ' is 1 everywhere."""
        if np.all(activation.df(_PROBED_Z) == 1):
            return f"the derivative of {activation.name} is 1, so nothing is left out in layer {self.layer}"
        return None


@register("slope_at_output")
@dataclass(frozen=True)
class SlopeAtOutput(LayerFault):
    """Slope at the output: σ'(a) for σ'(z).

    The gradients of layers 1 … l and dy/dx are wrong.
    """

    @property
    def evidence(self) -> str:
        """The wrong argument."""
        return f"as if σ' were taken at a instead of z in layer {self.layer}"

    def derivative(self, level: int, activation: Activation, z: Any, a: Any) -> Any:
        """σ'(a)."""
        return super().derivative(level, activation, a if self.is_at(level) else z, a)

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """Output and pre-activation are on the same straight piece, as in ReLU."""
        if np.array_equal(activation.df(activation.f(_PROBED_Z)), activation.df(_PROBED_Z)):
            return f"σ'(a) = σ'(z) for {activation.name} in layer {self.layer}"
        return None


@register("transposed_weight")
@dataclass(frozen=True)
class TransposedWeight(LayerFault):
    """Transposed weight: w δ for wᵀ δ on the way back through the layer, whose w is square.

    The gradients of layers 1 … l − 1 and dy/dx are wrong; with l = 1 dy/dx alone is.
    """

    @property
    def evidence(self) -> str:
        """The wrong matrix."""
        return f"as if δ came back through layer {self.layer} by w instead of its transpose"

    def weights(self, level: int, weights: Any) -> Any:
        """wᵀ.

        Raises:
            ValueError: w is not square.
        """
        if not self.is_at(level):
            return weights
        n_out, n_in = weights.shape[-2:]
        if message := self._not_square(n_in, n_out):
            raise ValueError(message)
        return weights.swapaxes(-1, -2)

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """The matrix is not square, or has a single entry."""
        if n_in == n_out == 1:
            return f"layer {self.layer} has one weight, which is its own transpose"
        return self._not_square(n_in, n_out)

    def _not_square(self, n_in: int, n_out: int) -> str | None:
        if n_in == n_out:
            return None
        return f"layer {self.layer} has {n_out} × {n_in} weights; only a square matrix can be transposed"


@register("stale_activation")
@dataclass(frozen=True)
class StaleActivation(LayerFault):
    """Stale activation: ∂E/∂w = δ aᵀ with the incoming a of the sample before, of the last for the first.

    Only ∂E/∂w^(l) is wrong.
    """

    @property
    def evidence(self) -> str:
        """The wrong sample."""
        return f"as if the incoming activations of layer {self.layer} were those of the sample before"

    def incoming(self, level: int, a: Any) -> Any:
        """The rows of a, each moved one place down."""
        return np.roll(a, 1, axis=-2) if self.is_at(level) else a

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """There is no other sample."""
        return "a batch of one sample has no previous sample" if batch == 1 else None

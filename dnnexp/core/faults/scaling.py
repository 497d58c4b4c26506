"""Faults that scale a finished gradient: a wrong factor, or a bias gradient left at 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.faults.base import Fault, LayerFault
from dnnexp.core.network import Network
from dnnexp.registry import register

_RATIO_TOLERANCE = 1e-6
"""A ratio this close to 1 is the error of a difference quotient rather than a wrong factor."""


@register("missing_bias")
@dataclass(frozen=True)
class MissingBias(LayerFault):
    """Missing bias: ∂E/∂b is left out, 0. The bias is still added to z, and so affects σ'(z).

    Only ∂E/∂b^(l) is wrong.
    """

    @property
    def evidence(self) -> str:
        """The missing gradient."""
        return f"as if the gradient of the biases were left out in layer {self.layer}"

    def scales(self, level: int, batch: int) -> tuple[float, float]:
        """1 and 0."""
        return 1.0, 0.0 if self.is_at(level) else 1.0


@register("batch_size")
@dataclass(frozen=True)
class BatchSize(Fault):
    """Batch size: all gradients divided by it, the mean for the sum over the batch; or multiplied by it.

    All gradients are wrong, dy/dx is not.
    """

    operation: Literal["divide", "multiply"] = "divide"

    @classmethod
    def suspects(cls, ratios: Sequence[float]) -> Iterator[Self]:
        """Both operations."""
        yield cls("divide")
        yield cls("multiply")

    @property
    def evidence(self) -> str:
        """The operation."""
        past = "divided" if self.operation == "divide" else "multiplied"
        return f"as if the gradients of all layers were {past} by the batch size"

    def cannot_show(self, network: Network, batch: int) -> str | None:
        """The batch size is 1."""
        return "the batch size is 1, so the scale is right" if batch == 1 else None

    def scales(self, level: int, batch: int) -> tuple[float, float]:
        """1/batch or batch."""
        scale = 1 / batch if self.operation == "divide" else float(batch)
        return scale, scale


@register("factor")
@dataclass(frozen=True)
class Factor(LayerFault):
    """Factor: the layer's gradients times a number, as by a forgotten ½.

    Only ∂E/∂w^(l) and ∂E/∂b^(l) are wrong.
    """

    factor: float = 2.0

    @classmethod
    def suspects(cls, ratios: Sequence[float]) -> Iterator[Self]:
        """Each layer's own ratio, where it is finite and differs from 1."""
        for level, ratio in reversed(list(enumerate(ratios))):
            if np.isfinite(ratio) and abs(ratio - 1) > _RATIO_TOLERANCE:
                yield cls(level + 1, float(f"{ratio:.12g}"))

    @property
    def evidence(self) -> str:
        """The number."""
        return f"as if the gradients of layer {self.layer} were multiplied by {self.factor:.6g}"

    def scales(self, level: int, batch: int) -> tuple[float, float]:
        """The factor."""
        scale = self.factor if self.is_at(level) else 1.0
        return scale, scale

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """It is 1."""
        return "a factor of 1 changes nothing" if self.factor == 1 else None

"""What is differentiated: a network at a point, its batch, its loss."""

from __future__ import annotations

from dataclasses import dataclass

from dnnexp.core.arrays import Floats
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network, Signals


@dataclass(frozen=True)
class Problem:
    """A network at given parameters `(P,)`, a batch x and t, and a loss."""

    network: Network
    parameters: Floats
    x: Floats
    t: Floats
    loss: Loss

    def signals(self) -> Signals:
        """The unperturbed forward pass."""
        return self.network.forward(self.parameters, self.x)

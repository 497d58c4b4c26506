"""The base classes of faults in back-propagation, and the backward pass with a fault."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.core.network import CHAIN_RULE, ChainRule, Network, Signals
from dnnexp.core.problem import Problem
from dnnexp.registry import Count, Part


class Fault(Part, ChainRule, ABC):
    """Base of the faults: the chain rule with one wrong step, or with wrongly scaled gradients."""

    kind = "fault"

    @classmethod
    @abstractmethod
    def suspects(cls, ratios: Sequence[float]) -> Iterator[Self]:
        """The faults of this class that a network might have, from the last layer to the first.

        `ratios` holds for each layer the suspect gradient over the true one, at its largest entry.
        """

    @property
    @abstractmethod
    def evidence(self) -> str:
        """The mistake in plain words: "as if …"."""

    @abstractmethod
    def cannot_show(self, network: Network, batch: int) -> str | None:
        """Why the fault changes no derivative, or is impossible, for any parameters; None if it can show."""

    def scales(self, level: int, batch: int) -> tuple[float, float]:
        """The factors that finally multiply ∂E/∂w and ∂E/∂b of a layer."""
        return 1.0, 1.0


@dataclass(frozen=True)
class LayerFault(Fault):
    """Base of the faults in one layer, counted from 1."""

    layer: Count

    @classmethod
    def suspects(cls, ratios: Sequence[float]) -> Iterator[Self]:
        """One in each layer."""
        yield from (cls(level + 1) for level in reversed(range(len(ratios))))

    def cannot_show(self, network: Network, batch: int) -> str | None:
        """Why the fault cannot show: the layer does not exist, or its properties hide the fault."""
        if self.layer > network.depth:
            return f"there is no layer {self.layer}: the network has {network.depth}"
        level = self.layer - 1
        n_in, n_out = network.widths[level : level + 2]
        return self.hidden(network.activations[level], n_in, n_out, batch)

    def hidden(self, activation: Activation, n_in: int, n_out: int, batch: int) -> str | None:
        """Why the fault does not show in its layer; None if it can."""
        return None

    def is_at(self, level: int) -> bool:
        """Whether a layer, counted from 0, is the one with the fault."""
        return level == self.layer - 1


def backward(
    network: Network,
    parameters: Numbers,
    signals: Signals,
    cotangent: Numbers,
    fault: Fault | None = None,
    to_input: bool = True,
) -> tuple[Numbers, Any]:
    """`Network.backward` with a fault: ∂E/∂θ in the parameters' shape, and ∂E/∂x `(..., batch, n_0)`.

    Raises:
        ValueError: the fault is impossible in this network.
    """
    gradient, by_input = network.backward(parameters, signals, cotangent, to_input, fault or CHAIN_RULE)
    if fault is not None:
        for level, layer in enumerate(network.layers(gradient)):
            for tensor, scale in zip(layer, fault.scales(level, cotangent.shape[-2]), strict=True):
                np.multiply(tensor, scale, out=tensor)
    return gradient, by_input


def jacobian_backward(
    network: Network, parameters: Numbers, signals: Signals, fault: Fault | None = None
) -> Any:
    """`Network.jacobian_backward` with a fault: ∂y/∂x, `(..., batch, n_L, n_0)`.

    Raises:
        ValueError: the fault is impossible in this network.
    """
    return network.jacobian_backward(parameters, signals, fault or CHAIN_RULE)


def faulty_gradient(problem: Problem, fault: Fault | None) -> Floats:
    """∂E/∂θ by the backward pass with a fault, or the right one: `(P,)`.

    Raises:
        ValueError: the fault is impossible in this network.
    """
    signals = problem.signals()
    cotangent = problem.loss.gradient(signals.output, problem.t)
    return backward(problem.network, problem.parameters, signals, cotangent, fault, to_input=False)[0]

"""The training of a fully connected network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dnnexp.core.activations import Activation, Identity, ReLU
from dnnexp.core.arrays import Floats
from dnnexp.core.data import Data
from dnnexp.core.initializers import He, LayerInitializer
from dnnexp.core.losses import Loss, SoftmaxCrossEntropy, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.objectives.learning import Learning
from dnnexp.registry import Count, Problem, check, parts, register


@register("network")
@dataclass(frozen=True)
class NetworkTraining(Learning):
    """Network: the mean loss of a fully connected network on data, full batch or in mini-batches.

    The widths are the data's features, those of `hidden`, and the data's targets; hidden layers have the
    activation, the last is linear. The loss is softmax cross-entropy for classes and ½‖y − t‖² for numbers
    unless another is named. A start is a draw of the initializer, which sees the training rows where it needs
    data. The minimum is not known, so targets refer to the loss itself.
    """

    hidden: tuple[Count, ...] = (32,)
    activation: Activation = ReLU()
    initializer: LayerInitializer = LayerInitializer(He())
    loss: Loss | None = None
    batch: Count | None = 32

    @check("data", "loss")
    @staticmethod
    def suited(data: Data, loss: Loss | None) -> Iterator[Problem]:
        """Cross-entropy needs classes."""
        if isinstance(loss, SoftmaxCrossEntropy) and not data.shape().has_classes:
            yield ("loss",), f"needs classes, but the targets of {data.name} are numbers; use squared_error"

    @check("loss")
    @staticmethod
    def bounded(loss: Loss | None) -> Iterator[Problem]:
        """The loss is bounded below."""
        if loss is not None and not loss.is_bounded:
            allowed = ", ".join(name for name, cls in parts(loss.kind).items() if cls.is_bounded)
            yield ("loss",), f"{loss.name} is not bounded below, so it cannot be trained; allowed: {allowed}"

    @check("data", "hidden", "activation", "initializer")
    @staticmethod
    def initialized(
        data: Data, hidden: tuple[int, ...], activation: Activation, initializer: LayerInitializer
    ) -> Iterator[Problem]:
        """The initializer supports the activation and the linear last layer."""
        found = _network(data, hidden, activation).complaints(initializer)
        for function, message in found.items():
            where = "the last layer is linear: " if function == Identity() else ""
            yield ("initializer", "weights"), f"{where}{message}"

    @cached_property
    def network(self) -> Network:
        """Hidden layers with the activation, and a linear one."""
        return _network(self.data, self.hidden, self.activation)

    @property
    def model_loss(self) -> Loss:
        """The named loss, or the one that suits the data."""
        return self.loss or (SoftmaxCrossEntropy() if self.data.shape().has_classes else SquaredError())

    @property
    def minimum(self) -> None:
        """Not known."""

    @property
    def is_costly(self) -> bool:
        """Always: a value takes all rows."""
        return True

    def draw(self, generator: np.random.Generator, count: int) -> Floats:
        """Fresh parameters, one network after another, `(P, count)` in Fortran order."""
        x = self.split.train.features if self.initializer.weights.needs_data else None
        networks = [self.network.draw(self.initializer, generator, generator, x) for _ in range(count)]
        return np.stack(networks).T


def _network(data: Data, hidden: tuple[int, ...], activation: Activation) -> Network:
    """Hidden layers with the activation, and a linear one."""
    shape = data.shape()
    return Network((shape.features, *hidden, shape.targets), (*[activation] * len(hidden), Identity()))

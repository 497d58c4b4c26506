"""Objectives on data: the mean loss of a model over the training rows, all at once or in mini-batches.

Parameters are points `(P, runs)`, best in Fortran order (see `dnnexp.core.network`): the networks of all runs
are one stacked computation. The loss is a mean over rows, so that learning rates do not depend on the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.data import Data, Split, Table
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network
from dnnexp.core.objectives.base import Objective, Slope
from dnnexp.core.optimizers import replaced
from dnnexp.core.streams import Streams
from dnnexp.registry import Complaint, Count, check

_BLOCK_NUMBERS = 2**21
"""About how many numbers a layer's outputs hold where all rows are sent through many networks."""


@dataclass(frozen=True, kw_only=True)
class Learning(Objective, ABC):
    """Base of the objectives on data.

    `batch` rows make a gradient: every start goes through the rows in an order of its own, drawn anew for
    each epoch; rows that are left when no whole batch is, wait for another. Without `batch`, all rows do.
    """

    data: Data
    batch: Count | None = None

    @check("data", "batch")
    @staticmethod
    def enough_rows(data: Data, batch: int | None) -> Iterator[Complaint]:
        """There are rows for a batch, and for the validation part that is asked for."""
        rows = data.shape().rows
        left = rows - data.held_out()
        tail = f"of {rows} rows, {data.validation:g} of them held out, {left} are left to train on"
        if left < (batch or 1):
            yield ("batch",), f"is {batch or 'all rows'}, but {tail}"
        if data.validation and not data.held_out():
            yield ("data", "validation"), f"is {data.validation:g}, of {rows} rows less than one"

    @property
    @abstractmethod
    def network(self) -> Network:
        """The model."""

    @property
    @abstractmethod
    def model_loss(self) -> Loss:
        """The loss of an output and a target."""

    @property
    def penalty(self) -> float:
        """λ of the term (λ/2)‖θ‖²."""
        return 0.0

    @property
    def dimension(self) -> int:
        """P, the number of parameters."""
        return self.network.parameter_count

    @property
    def is_costly(self) -> bool:
        """Where gradients are of mini-batches."""
        return self.batch is not None

    @property
    def measures(self) -> tuple[str, ...]:
        """Loss, for classes accuracy, of the training part and of the validation part where there is one."""
        parts = ["train"] + ["validation"] * (self.data.held_out() > 0)
        kinds = ["loss"] + ["accuracy"] * self.data.shape().has_classes
        return tuple(f"{part}_{kind}" for part in parts for kind in kinds)

    @property
    def draws(self) -> bool:
        """Parameters can always be drawn."""
        return True

    def prepare(self, streams: Streams) -> Objective:
        """The same with the data loaded and split."""
        return replaced(self, _split=self.data.split(streams))

    @property
    def split(self) -> Split:
        """The data of a prepared objective."""
        found: Split | None = vars(self).get("_split")
        if found is None:
            raise RuntimeError(f"the objective {self.name} has no data before it is prepared")
        return found

    def value(self, x: Floats) -> Floats:
        """The mean loss over the training rows and the penalty: from `(P, ...)` to `(...)`."""
        flat = x.reshape(len(x), -1)
        loss = self._over(self.split.train, flat)["loss"]
        return np.asarray(loss + self._penalty_of(flat)).reshape(x.shape[1:])

    def _penalty_of(self, x: Floats) -> Any:
        return self.penalty / 2 * np.sum(np.ascontiguousarray(x.T) ** 2, axis=-1) if self.penalty else 0.0

    def gradient(self, x: Floats) -> Floats:
        """The gradient of `value` at points `(P, runs)`."""
        train = self.split.train
        rows = max(1, _BLOCK_NUMBERS // (len(train.features) * max(self.network.widths)))
        blocks = [x[:, first : first + rows] for first in range(0, x.shape[1], rows)]
        found = [self._gradient(block, train.features, train.targets) for block in blocks]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def _gradient(self, x: Floats, features: Floats, targets: Floats) -> Floats:
        found = self.network.gradient(x, features, targets, self.model_loss)
        found /= targets.shape[-2]
        if self.penalty:
            found += self.penalty * x
        return found

    def slope(self, generator: np.random.Generator, starts: int) -> Slope | None:
        """The gradients of mini-batches; None where every step takes all rows."""
        if self.batch is None:
            return None
        train, batches = (
            self.split.train,
            _batches(generator, starts, len(self.split.train.features), self.batch),
        )

        def slope(x: Floats, step: int) -> Floats:
            rows = np.tile(batches(step), (x.shape[1] // starts, 1))  # (runs, batch)
            return self._gradient(x, train.features[rows], train.targets[rows])

        return slope

    def measure(self, x: Floats) -> Mapping[str, Floats]:
        """Loss and accuracy of both parts at `(P, runs)`, each `(runs,)`."""
        parts = {"train": self.split.train, "validation": self.split.validation}
        return {
            f"{name}_{what}": found
            for name, part in parts.items()
            if part is not None
            for what, found in self._over(part, x).items()
        }

    def _over(self, table: Table, x: Floats) -> dict[str, Floats]:
        """Mean loss and accuracy of every network over a table, a bounded number of networks at a time."""
        rows = len(table.features)
        size = max(1, _BLOCK_NUMBERS // (rows * max(self.network.widths)))
        losses, accuracies = [], []
        for first in range(0, x.shape[1], size):
            output = self.network.forward(x[:, first : first + size], table.features).output
            losses.append(self.model_loss.value(output, table.targets) / rows)
            if table.classes is not None:
                right = output.real.argmax(axis=-1) == table.targets.argmax(axis=-1)
                accuracies.append(right.mean(axis=-1))
        found = {"loss": np.concatenate(losses)}
        return found | ({"accuracy": np.concatenate(accuracies)} if accuracies else {})


def _batches(generator: np.random.Generator, starts: int, rows: int, batch: int) -> Callable[[int], Integers]:
    """From the number of a step (from 1, in order) to every start's rows, `(starts, batch)`."""
    a_pass = rows // batch  # batches of an epoch
    every = np.tile(np.arange(rows), (starts, 1))
    order = every

    def batches(step: int) -> Integers:
        nonlocal order
        place = (step - 1) % a_pass
        if place == 0:
            order = generator.permuted(every, axis=1)
        return order[:, place * batch : (place + 1) * batch]

    return batches

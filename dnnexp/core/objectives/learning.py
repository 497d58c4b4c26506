"""Objectives on data: the mean loss of a model over the training rows, all at once or in mini-batches.

Parameters are points `(P, runs)`, best in Fortran order (see `dnnexp.core.network`): the networks of all runs
are one stacked computation. The loss is a mean over rows, so that learning rates do not depend on the batch.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, TypeAlias

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.data import Data, Split, Table
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network
from dnnexp.core.objectives.base import Objective, Slope
from dnnexp.core.optimizers import replaced
from dnnexp.core.streams import Streams
from dnnexp.registry import Count, Problem, check

_BLOCK_NUMBERS = 2**21
"""Numbers in a layer's outputs when many rows are sent through many networks (16 MiB)."""
Rows: TypeAlias = tuple[Floats, Floats]
"""Features `(..., batch, d)` and targets `(..., batch, k)`."""


@dataclass(frozen=True, kw_only=True)
class Learning(Objective, ABC):
    """Base of the objectives on data.

    `batch` rows make a gradient: every start goes through the training rows in an order of its own, drawn
    anew for each epoch; rows left over at its end, fewer than a batch, are not used.
    Without `batch` (null), all rows make a gradient. All optimizers see the same batches. `value` is the loss
    over all training rows.
    """

    takes_complex: ClassVar[bool] = False  # accuracies, and blocks of real numbers

    data: Data
    batch: Count | None = None

    @classmethod
    def example(cls) -> Self:
        """On two moons."""
        return cls(data=Moons(samples=60))

    @check("data", "batch")
    @staticmethod
    def enough_rows(data: Data, batch: int | None) -> Iterator[Problem]:
        """There are enough rows for a batch and for validation."""
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
        """Whether gradients are of mini-batches."""
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
        return replaced(dataclasses.replace(self), _split=self.data.split(streams))

    @property
    def split(self) -> Split:
        """The data of a prepared objective."""
        found: Split | None = vars(self).get("_split")
        if found is None:
            raise RuntimeError(f"the objective {self.name} has no data before it is prepared")
        return found

    def value(self, x: Floats) -> Floats:
        """The mean loss over the training rows and the penalty: from `(P, ...)` to `(...)`."""
        flat = _columns(x)
        values = self._over(self.split.train, flat)["loss"]
        if self.penalty:
            values = values + self.penalty / 2 * np.sum(flat.T**2, axis=-1)
        return np.asarray(values.reshape(x.shape[:0:-1]).T)

    def gradient(self, x: Floats) -> Floats:
        """The gradient of `value`: from `(P, ...)` to the same shape."""
        flat, train = _columns(x), self.split.train
        found = [self._gradient(block, self._parts(train)) for block in self._blocks(flat, train)]
        return np.asarray(np.concatenate(found, axis=1).T.reshape(x.shape[::-1]).T)

    def _gradient(self, x: Floats, batch: Iterable[Rows]) -> Floats:
        """The mean gradient over the rows of some parts, and the penalty's: `(P, runs)`."""
        count, total = 0, None
        for features, targets in batch:
            found = self.network.gradient(x, features, targets, self.model_loss)
            total = found if total is None else total + found
            count += targets.shape[-2]
        assert total is not None
        total /= count
        if self.penalty:
            total += self.penalty * x
        return total

    def _parts(self, table: Table) -> Iterator[Rows]:
        """The rows of a table in parts, so that a layer's outputs fit a block."""
        size = max(1, _BLOCK_NUMBERS // max(self.network.widths))
        for first in range(0, len(table.features), size):
            yield table.features[first : first + size], table.targets[first : first + size]

    def _blocks(self, x: Floats, table: Table) -> Iterator[Floats]:
        """The networks `(P, runs)` in parts that fit a block; the networks do not affect each other."""
        size = max(1, _BLOCK_NUMBERS // (len(table.features) * max(self.network.widths)))
        for first in range(0, x.shape[1], size):
            yield x[:, first : first + size]

    def slope(self, generator: np.random.Generator, starts: int) -> Slope | None:
        """The gradients of mini-batches; None where every step takes all rows."""
        if self.batch is None:
            return None
        train = self.split.train
        batches = _batches(generator, starts, len(train.features), self.batch)

        def slope(x: Floats, step: int) -> Floats:
            rows = np.tile(batches(step), (x.shape[1] // starts, 1))  # (runs, batch)
            return self._gradient(_columns(x), [(train.features[rows], train.targets[rows])])

        return slope

    def measure(self, x: Floats) -> Mapping[str, Floats]:
        """Loss (without penalty) and accuracy of both parts at `(P, runs)`, each `(runs,)`."""
        parts, flat = {"train": self.split.train, "validation": self.split.validation}, _columns(x)
        return {
            f"{name}_{what}": found
            for name, part in parts.items()
            if part is not None
            for what, found in self._over(part, flat).items()
        }

    def _over(self, table: Table, x: Floats) -> dict[str, Floats]:
        """Mean loss, and accuracy for classes, of every network over a table, each `(runs,)`."""
        found = [self._sums(table, block) for block in self._blocks(x, table)]
        loss, right = (np.concatenate(sums) / len(table.features) for sums in zip(*found, strict=True))
        return {"loss": loss} if table.classes is None else {"loss": loss, "accuracy": right}

    def _sums(self, table: Table, x: Floats) -> tuple[Floats, Floats]:
        """The sum of the losses over a table, and the number of correctly classified rows, each `(runs,)`."""
        losses, right = [], []
        for features, targets in self._parts(table):
            output = self.network.forward(x, features).output
            losses.append(self.model_loss.value(output, targets))
            right.append((_predicted(output) == targets.argmax(axis=-1)).sum(axis=-1))
        return np.asarray(sum(losses)), np.asarray(sum(right))


def _columns(x: Floats) -> Floats:
    """Points `(P, ...)` as `(P, runs)` in Fortran order, so that every network's parameters are contiguous.

    In another order a product of matrices may be summed in another order, too.
    """
    return np.ascontiguousarray(x.T).reshape(-1, len(x)).T


def _predicted(output: Floats) -> Integers:
    """The class of the largest output (the first of equal ones); a single output is the logit of class 1."""
    scores = output.real
    return (scores[..., 0] > 0).astype(np.int64) if scores.shape[-1] == 1 else scores.argmax(axis=-1)


def _batches(generator: np.random.Generator, starts: int, rows: int, batch: int) -> Callable[[int], Integers]:
    """From the number of a step (from 1, in order) to every start's rows, `(starts, batch)`.

    Every start has a generator of its own: with more starts, the first ones keep their batches.
    """
    generators = generator.spawn(starts)
    a_pass = rows // batch  # batches of an epoch
    order = np.empty((starts, rows), dtype=np.int64)

    def batches(step: int) -> Integers:
        place = (step - 1) % a_pass
        if place == 0:
            for own, row in zip(generators, order, strict=True):
                row[:] = own.permutation(rows)
        return order[:, place * batch : (place + 1) * batch]

    return batches

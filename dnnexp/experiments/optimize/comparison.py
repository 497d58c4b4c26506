"""The comparison of rules on one objective: rules of one kind run as one computation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from dnnexp.core.arrays import Array, Floats
from dnnexp.core.objectives import Objective, Slope
from dnnexp.core.optimizers import Optimizer, stack, stacking_key
from dnnexp.core.stepping import Observer, Recording, Trajectory, descend, steady
from dnnexp.core.streams import Streams
from dnnexp.experiments.optimize.config import OptimizeConfig

Key = TypeVar("Key", bound=Hashable)
Watch: TypeAlias = Callable[[list[Key], int], Observer]
"""Gives the observer of a block of rules, from their keys and the number of steps taken before."""

_BLOCK_COORDINATES = 2**15
"""Coordinates that are stepped as one array, so that temporary arrays stay in the cache."""


@dataclass(frozen=True)
class Comparison:
    """All that the compared optimizers share: an objective, starts, the order of the data, noise.

    Attributes:
        config: the config of the experiment.
        objective: the prepared objective.
        starts: the starts, `(d, runs)`.
        streams: the random streams of data order and noise.
        purpose: the purpose of the streams, "" or "tuning "; different purposes have different noise.
    """

    config: OptimizeConfig
    objective: Objective
    starts: Floats
    streams: Streams
    purpose: str

    def recording(self, every_step: bool) -> Recording:
        """The recording of the config, or of the first and the last step only."""
        config, objective = self.config, self.objective
        last = config.steps
        with np.errstate(over="ignore"):
            thresholds = (objective.minimum or 0.0) + np.array(sorted(config.targets))
        steps = config.record.steps(last) if every_step else np.unique([0, last])
        return Recording(
            steps=steps,
            thresholds=thresholds,
            keep_points=every_step and config.record.keeps_points(objective.dimension),
            every_value=not objective.is_costly,
            measure=objective.measure,
        )

    def slope(self, copies: int) -> Slope:
        """The gradient at points `(d, copies · runs)`, for `copies` copies of all starts."""
        runs = self.starts.shape[1]
        order = self.streams(f"{self.purpose}data order")
        slope = self.objective.slope(order, runs) or steady(self.config.gradient.of(self.objective))
        std = self.config.noise.std
        if std == 0:
            return slope
        generator = self.streams(f"{self.purpose}noise")

        def noisy(x: Array, step: int) -> Array:
            noise = std * generator.standard_normal(self.starts.shape)
            return slope(x, step) + np.tile(noise, copies)

        return noisy

    def descend_all(
        self, rules: Mapping[Key, Optimizer], recording: Recording, watch: Watch[Key]
    ) -> dict[Key, Trajectory]:
        """The trajectories of all rules, in the given order; a run does not depend on its neighbours."""
        runs, found, done = self.starts.shape[1], {}, 0
        for keys in self._blocks(rules):
            trajectory = descend(
                stack([rules[key] for key in keys], runs),
                self.objective.value,
                self.slope(len(keys)),
                np.concatenate([self.starts] * len(keys), axis=1),  # keeps the memory order, as tile does not
                recording,
                watch(keys, done),
            )
            for place, key in enumerate(keys):
                found[key] = trajectory.runs(slice(place * runs, (place + 1) * runs))
            done += len(keys) * self.config.steps
        return {key: found[key] for key in rules}

    def _blocks(self, rules: Mapping[Key, Optimizer]) -> Iterator[list[Key]]:
        """Keys of rules that can be stacked, as many at a time as fit the cache."""
        groups: dict[Hashable, list[Key]] = {}
        for key, rule in rules.items():
            groups.setdefault(stacking_key(rule), []).append(key)
        size = max(1, _BLOCK_COORDINATES // self.starts.size)
        for group in groups.values():
            yield from (group[first : first + size] for first in range(0, len(group), size))

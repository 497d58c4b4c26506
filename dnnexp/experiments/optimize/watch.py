"""The progress of `optimize`, and the trace of the first start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.stepping import Observer
from dnnexp.experiments.base import Line, RunContext, Work
from dnnexp.experiments.optimize.config import OptimizeConfig


@dataclass(frozen=True)
class Watcher:
    """Reports progress and, with a trace, the state of each optimizer's first start."""

    config: OptimizeConfig
    context: RunContext

    def of_stage(self, stage: str, rules: int, objective: str) -> Callable[[list[Any], int], Observer]:
        """Gives the observers of a stage, in which `rules` rules are run on an objective."""
        name = f"{stage} on {objective}" if objective else stage
        total = rules * self.config.steps

        def watch(keys: list[Any], done: int) -> Observer:
            labels = (key if isinstance(key, str) else key[0] for key in keys)
            item = " ".join(dict.fromkeys(label.partition(".")[0] for label in labels))

            def observe(first: int, points: Floats, values: Floats) -> None:
                steps = np.arange(first, first + len(values))
                if self.context.trace and stage == "steps":
                    self._trace(keys, steps, points, values, objective)
                self.context.progress(Work(name, done + len(keys) * int(steps[-1]), total, item))

            return observe

        return watch

    def _trace(self, keys: list[str], steps: Any, points: Floats, values: Floats, objective: str) -> None:
        wanted = np.flatnonzero((steps % self.context.trace == 0) | (steps == self.config.steps))
        runs = points.shape[2] // len(keys)
        for place, key in enumerate(keys):
            label = f"{objective}/{key}" if objective else key
            for row in wanted:
                x, f = points[:, row, place * runs], values[row, place * runs]
                self.context.progress(Line(_state(label, steps[row], x, f)))


_MAX_COORDINATES = 10
"""Coordinates in a line of the trace."""


def _state(label: str, step: int, x: Floats, f: float) -> str:
    point = ", ".join(f"{coordinate:.10g}" for coordinate in x[:_MAX_COORDINATES])
    more = f", … {len(x) - _MAX_COORDINATES} more" if len(x) > _MAX_COORDINATES else ""
    value = "not taken" if np.isnan(f) else f"{f:.10g}"
    return f"{label}: step {step}, x = ({point}{more}), f = {value}"

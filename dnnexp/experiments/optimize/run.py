"""The run of `optimize`: every optimizer from the same starts, rules of one kind as one computation."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.objectives import Objective
from dnnexp.core.optimizers import Optimizer, stack, stacking_key
from dnnexp.core.stepping import Observer, Recording, Trajectory, descend
from dnnexp.experiments.base import Line, Request, Result, Work
from dnnexp.experiments.optimize.config import OptimizeConfig
from dnnexp.experiments.optimize.metrics import summarize
from dnnexp.registry import Labelled

_LANDSCAPE_POINTS = 201
"""How many points a side the landscape under the trajectories has."""


def run(config: OptimizeConfig, request: Request) -> Result:
    """Run every optimizer from the shared starts and summarize what each reached."""
    objective = config.objective
    starts = config.starts.draw(request.streams, objective.dimension)
    recording = Recording(
        steps=config.record.steps(config.steps),
        thresholds=objective.minimum + np.array(sorted(config.targets)),
        keep_points=config.record.keeps_points(objective.dimension),
    )
    trajectories = _descend_all(config, starts, recording, request)
    arrays: dict[str, Any] = {"evaluations": recording.steps, "start": starts}
    for label, trajectory in trajectories.items():
        arrays |= _arrays(label, trajectory)
    if objective.dimension == 2:
        arrays |= _landscape(objective, starts, trajectories.values())
    return Result(config, summarize(config, starts, trajectories), arrays)


def _descend_all(
    config: OptimizeConfig, starts: Floats, recording: Recording, request: Request
) -> dict[str, Trajectory]:
    """The trajectories by label, in the config's order."""
    groups: dict[Hashable, list[Labelled[Optimizer]]] = {}
    for entry in config.optimizers:
        groups.setdefault(stacking_key(entry.item), []).append(entry)
    runs, found, done = starts.shape[1], {}, 0
    for group in groups.values():
        labels = [entry.label for entry in group]
        trajectory = descend(
            stack([entry.item for entry in group], runs),
            config.objective.value,
            config.gradient.of(config.objective),
            np.tile(starts, len(group)),
            recording,
            _observer(config, request, labels, runs, done),
        )
        for place, label in enumerate(labels):
            found[label] = trajectory.runs(slice(place * runs, (place + 1) * runs))
        done += len(group) * config.steps
    return {entry.label: found[entry.label] for entry in config.optimizers}


def _observer(config: OptimizeConfig, request: Request, labels: list[str], runs: int, done: int) -> Observer:
    """Reports progress and, where asked for, the state of each label's first start."""
    total = len(config.optimizers) * config.steps

    def observe(first: int, points: Floats, values: Floats) -> None:
        steps = np.arange(first, first + len(values))
        if request.trace:
            wanted = np.flatnonzero((steps % request.trace == 0) | (steps == config.steps))
            for place, label in enumerate(labels):
                for row in wanted:
                    x, f = points[:, row, place * runs], values[row, place * runs]
                    request.progress(Line(_state(label, steps[row], x, f)))
        request.progress(Work("steps", done + len(labels) * int(steps[-1]), total))

    return observe


def _state(label: str, step: int, x: Floats, f: float) -> str:
    point = ", ".join(f"{coordinate:.10g}" for coordinate in x)
    return f"{label}: step {step}, x = ({point}), f = {f:.10g}"


def _arrays(label: str, trajectory: Trajectory) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        f"{label}.value": trajectory.value,
        f"{label}.final": trajectory.final,
        f"{label}.diverged_step": trajectory.diverged_step,
    }
    if trajectory.point is not None:
        arrays[f"{label}.point"] = trajectory.point
    return arrays


def _landscape(objective: Objective, starts: Floats, trajectories: Iterable[Trajectory]) -> dict[str, Any]:
    """The objective on a grid that holds the minimizers and the first start's paths, less diverged ones."""
    minimizers = objective.minimizers()
    tame = [path for path in trajectories if path.diverged_step[0] < 0]
    ends = np.concatenate([starts[:, :1], minimizers, *(path.final[:, :1] for path in tame)], axis=1)
    low, high = ends.min(axis=1, keepdims=True), ends.max(axis=1, keepdims=True)
    # paths may swing out by as much as their ends are apart; beyond that they leave the picture
    paths = [path.point[:, :, 0].T for path in tame if path.point is not None]
    seen = np.concatenate([ends, *(np.clip(path, 2 * low - high, 2 * high - low) for path in paths)], axis=1)
    low, high = seen.min(axis=1), seen.max(axis=1)
    low_domain, high_domain = objective.domain()
    margin = 0.15 * np.maximum(high - low, 0.05 * (high_domain - low_domain))
    axes = np.linspace(low - margin, high + margin, _LANDSCAPE_POINTS, axis=1)
    grid = np.stack(np.meshgrid(*axes, indexing="xy"))
    with np.errstate(all="ignore"):
        value = objective.value(grid)
    return {  # no label begins with an underscore
        "_landscape.x": axes[0],
        "_landscape.y": axes[1],
        "_landscape.value": value,
        "_landscape.minimizers": minimizers,
    }

"""The sampled objective under the paths of a run in two dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.objectives import Objective
from dnnexp.core.stepping import Trajectory

_SIDE = 201
"""How many points a side it has."""
_FARTHEST = 1e250
"""Of a coordinate that has a place in a picture."""
_LOST = 20.0
"""An end so many times as far from the start as the median of all is not kept in the picture."""


def landscape(objective: Objective, starts: Floats, trajectories: Iterable[Trajectory]) -> dict[str, Any]:
    """The objective on a grid that holds the minimizers and the first start's paths, less lost ones."""
    minimizers = objective.minimizers()
    known = np.empty((2, 0)) if minimizers is None else minimizers
    tame = _tame(starts[:, :1], known, [path for path in trajectories if path.diverged_step[0] < 0])
    ends = np.concatenate([starts[:, :1], known, *(path.final[:, :1] for path in tame)], axis=1)
    ends = np.clip(ends, -_FARTHEST, _FARTHEST)
    low, high = ends.min(axis=1, keepdims=True), ends.max(axis=1, keepdims=True)
    # paths may swing out by as much as their ends are apart; beyond that they leave the picture
    paths = [path.point[:, :, 0].T for path in tame if path.point is not None]
    seen = np.concatenate([ends, *(np.clip(path, 2 * low - high, 2 * high - low) for path in paths)], axis=1)
    low, high = seen.min(axis=1), seen.max(axis=1)
    margin = 0.15 * np.maximum(high - low, _least_width(objective, low, high))
    sample = _sampled(objective, "_landscape", low - margin, high + margin)
    return sample | {"_landscape.minimizers": known}


def _tame(start: Floats, minimizers: Floats, paths: list[Trajectory]) -> list[Trajectory]:
    """The paths whose ends are not much further from the start than most ends and minimizers are."""
    ends = np.concatenate([*(path.final[:, :1] for path in paths), minimizers], axis=1)
    with np.errstate(over="ignore"):
        away = np.abs(ends - start).max(axis=0)
    limit = _LOST * np.median(away) if away.size else 0.0
    return [path for path, distance in zip(paths, away, strict=False) if distance <= limit]


def overview(objective: Objective, starts: Floats) -> dict[str, Any]:
    """The objective on a grid that holds all starts and minimizers."""
    minimizers = objective.minimizers()
    inside = starts if minimizers is None else np.concatenate([starts, minimizers], axis=1)
    inside = np.clip(inside, -_FARTHEST, _FARTHEST)
    low, high = inside.min(axis=1), inside.max(axis=1)
    margin = 0.05 * np.maximum(high - low, _least_width(objective, low, high))
    return _sampled(objective, "_overview", low - margin, high + margin)


def _sampled(objective: Objective, name: str, low: Floats, high: Floats) -> dict[str, Any]:
    """The objective on a grid in a box; no label begins with an underscore, as the names here do."""
    x, y = np.linspace(low, high, _SIDE, axis=1)
    with np.errstate(all="ignore"):
        value = objective.value(np.stack(np.meshgrid(x, y, indexing="xy")))
    return {f"{name}.x": x, f"{name}.y": y, f"{name}.value": value}


def _least_width(objective: Objective, low: Floats, high: Floats) -> Floats:
    """A twentieth of the domain, so that a run that does not move has a picture, too.

    And so much of the coordinates that the corners differ in digits that are drawn.
    """
    box = objective.domain()
    digits = 1e-6 * np.maximum(np.abs(low), np.abs(high))
    if box is None:
        return np.maximum(0.05 * max(float((high - low).max()), 1.0), digits)
    return np.maximum(0.05 * (box[1] - box[0]), digits)

"""Samples of an objective in two dimensions, drawn under the paths of a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.objectives import Objective
from dnnexp.core.stepping import Trajectory

_GRID_SIDE = 201
"""Grid points per axis."""
_MAX_COORDINATE = 1e250
"""Larger coordinates are clipped."""
_LOST_FACTOR = 20.0
"""A path whose end is this many times farther away than the median end is not shown whole."""


def landscape(objective: Objective, starts: Floats, trajectories: Iterable[Trajectory]) -> dict[str, Any]:
    """The objective on a grid around the minimizers and the first start's paths, without lost paths."""
    minimizers = objective.minimizers()
    known = np.empty((2, 0)) if minimizers is None else minimizers
    tame = _tame(starts[:, :1], known, [path for path in trajectories if path.diverged_step[0] < 0])
    ends = np.concatenate([starts[:, :1], known, *(path.final[:, :1] for path in tame)], axis=1)
    ends = np.clip(ends, -_MAX_COORDINATE, _MAX_COORDINATE)
    low, high = ends.min(axis=1, keepdims=True), ends.max(axis=1, keepdims=True)
    # paths may overshoot by the distance of their ends; beyond that they leave the picture
    paths = [path.point[:, :, 0].T for path in tame if path.point is not None]
    seen = np.concatenate([ends, *(np.clip(path, 2 * low - high, 2 * high - low) for path in paths)], axis=1)
    low, high = seen.min(axis=1), seen.max(axis=1)
    margin = 0.15 * np.maximum(high - low, _min_width(objective, low, high))
    sample = _sampled(objective, "_landscape", low - margin, high + margin)
    return sample | {"_landscape.minimizers": known}


def _tame(start: Floats, minimizers: Floats, paths: list[Trajectory]) -> list[Trajectory]:
    """The paths whose ends are not much farther from the start than most ends and minimizers."""
    ends = np.concatenate([*(path.final[:, :1] for path in paths), minimizers], axis=1)
    with np.errstate(over="ignore"):
        away = np.abs(ends - start).max(axis=0)
    limit = _LOST_FACTOR * np.median(away) if away.size else 0.0
    return [path for path, distance in zip(paths, away, strict=False) if distance <= limit]


def overview(objective: Objective, starts: Floats) -> dict[str, Any]:
    """The objective on a grid around all starts and minimizers."""
    minimizers = objective.minimizers()
    inside = starts if minimizers is None else np.concatenate([starts, minimizers], axis=1)
    inside = np.clip(inside, -_MAX_COORDINATE, _MAX_COORDINATE)
    low, high = inside.min(axis=1), inside.max(axis=1)
    margin = 0.05 * np.maximum(high - low, _min_width(objective, low, high))
    return _sampled(objective, "_overview", low - margin, high + margin)


def _sampled(objective: Objective, name: str, low: Floats, high: Floats) -> dict[str, Any]:
    """The objective on a grid in a box; the names begin with an underscore, as no label does."""
    x, y = np.linspace(low, high, _GRID_SIDE, axis=1)
    with np.errstate(all="ignore"):
        value = objective.value(np.stack(np.meshgrid(x, y, indexing="xy")))
    return {f"{name}.x": x, f"{name}.y": y, f"{name}.value": value}


def _min_width(objective: Objective, low: Floats, high: Floats) -> Floats:
    """The smallest width: 1/20 of the domain, so that a run that does not move can be drawn.

    It is also large enough that the corners differ in the digits of tick labels.
    """
    box = objective.domain()
    digits = 1e-6 * np.maximum(np.abs(low), np.abs(high))
    if box is None:
        return np.maximum(0.05 * max(float((high - low).max()), 1.0), digits)
    return np.maximum(0.05 * (box[1] - box[0]), digits)

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


def landscape(objective: Objective, starts: Floats, trajectories: Iterable[Trajectory]) -> dict[str, Any]:
    """The objective on a grid that holds the minimizers and the first start's paths, less diverged ones."""
    minimizers = objective.minimizers()
    known = np.empty((2, 0)) if minimizers is None else minimizers
    tame = [path for path in trajectories if path.diverged_step[0] < 0]
    ends = np.concatenate([starts[:, :1], known, *(path.final[:, :1] for path in tame)], axis=1)
    low, high = ends.min(axis=1, keepdims=True), ends.max(axis=1, keepdims=True)
    # paths may swing out by as much as their ends are apart; beyond that they leave the picture
    paths = [path.point[:, :, 0].T for path in tame if path.point is not None]
    seen = np.concatenate([ends, *(np.clip(path, 2 * low - high, 2 * high - low) for path in paths)], axis=1)
    low, high = seen.min(axis=1), seen.max(axis=1)
    margin = 0.15 * np.maximum(high - low, _least_width(objective, high - low))
    axes = np.linspace(low - margin, high + margin, _SIDE, axis=1)
    grid = np.stack(np.meshgrid(*axes, indexing="xy"))
    with np.errstate(all="ignore"):
        value = objective.value(grid)
    return {  # no label begins with an underscore
        "_landscape.x": axes[0],
        "_landscape.y": axes[1],
        "_landscape.value": value,
        "_landscape.minimizers": known,
    }


def _least_width(objective: Objective, seen: Floats) -> Floats:
    """A twentieth of the domain, so that a run that does not move has a picture, too."""
    box = objective.domain()
    if box is None:
        return np.full(2, 0.05 * max(float(seen.max()), 1.0))
    return np.asarray(0.05 * (box[1] - box[0]))

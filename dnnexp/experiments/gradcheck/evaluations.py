"""Progress of a function that is called point by point, and may be slow: its calls are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.extrapolation import STEP_COUNT
from dnnexp.experiments.base import RunContext, Work
from dnnexp.experiments.gradcheck.cases import Case
from dnnexp.experiments.gradcheck.config import GradcheckConfig, part_methods

CALLS = {"central": 2, "central4": 4, "richardson": 2 * STEP_COUNT, "complex": 1}
"""Function values that each method needs for one entry."""
_OF_A_POINT = 200
"""Calls of value and gradient for each point; most of them measure noise."""
_OF_A_DIRECTION, _OF_A_STEP = 60, 10
"""Calls for each direction of the error curve, and for each of its steps."""
_EVENTS = 1000


def watched(config: GradcheckConfig, case: Case, context: RunContext) -> Case:
    """The same case, whose calls are reported as they are made, with their total."""
    total, done = _expected(config, case), 0
    size = max(1, total // _EVENTS)

    def reported(function: Callable[[Floats], Any]) -> Callable[[Floats], Any]:
        def values(x: Floats) -> Any:
            nonlocal done
            columns, found = x.reshape(len(x), -1), []
            for first in range(0, columns.shape[1], size):
                part = columns[:, first : first + size]
                found.append(np.asarray(function(part)))
                done += part.shape[1]
                context.progress(Work("evaluations", done, max(done, total), case.name))
            return np.concatenate(found, axis=-1).reshape(*found[0].shape[:-1], *x.shape[1:])

        return values

    return replace(case, value=reported(case.value), gradient=reported(case.gradient))


def _expected(config: GradcheckConfig, case: Case) -> int:
    """About how many calls there will be."""
    calls = sum(CALLS.get(method, 0) for method in part_methods(config, case.takes_complex))
    entries = max(len(case.pieces), round(config.fraction * case.points.size))
    steps = _OF_A_STEP * len(config.step_sweep.steps())
    directions = config.step_sweep.directions * (_OF_A_DIRECTION + steps)
    total: int = calls * entries + _OF_A_POINT * case.points.shape[1] + directions
    return total

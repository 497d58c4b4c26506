"""Functions with their derivatives, right or wrong, given to the gradient check as they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck.cases import Case, Piece
from dnnexp.experiments.gradcheck.config import GradcheckConfig, StepSweep
from dnnexp.experiments.gradcheck.targets import Target, Tensor

gradcheck = find("gradcheck")

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Given(Target):
    """Cases as they stand."""

    given: tuple[Case, ...]

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """Those given."""
        return self.given

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """One for each piece."""
        return tuple(
            Tensor(piece.tensor, 1 + len(piece.shape), case.takes_complex)
            for case in self.given
            for piece in case.pieces
        )


def made(value: Function, gradient: Function, points: Any, takes_complex: bool = True, **rest: Any) -> Case:
    """A case of one tensor, f, at points `(d, N)`."""
    points = np.asarray(points, dtype=np.float64)
    piece = Piece("f", slice(0, len(points)), (len(points),))
    return Case(value, gradient, points, (piece,), takes_complex, **rest)


def metrics_of(target: Target | Case, seed: int = 0, **changes: Any) -> Any:
    """The metrics of a check of the target, or of one case."""
    checked = Given((target,)) if isinstance(target, Case) else target
    sweep = StepSweep(per_decade=1, directions=1)
    config = GradcheckConfig(target=checked, step_sweep=sweep, **changes)
    return gradcheck.run(config, RunContext(Streams(seed))).metrics


def negated(case: Case) -> Case:
    """The wrong sign."""
    return replace(case, gradient=lambda x: -case.gradient(x))


def doubled(case: Case) -> Case:
    """Twice the derivative."""
    return replace(case, gradient=lambda x: 2 * case.gradient(x))


def off_in_one_coordinate(case: Case) -> Case:
    """The last coordinate off by 1e-4 of the largest entry."""
    amount = 1e-4 * np.abs(case.gradient(case.points.copy())).max()

    def gradient(x: Any) -> Any:
        found = np.array(case.gradient(x))
        found[-1] += amount
        return found

    return replace(case, gradient=gradient)


def shifted(case: Case) -> Case:
    """The derivative somewhere else."""
    return replace(case, gradient=lambda x: case.gradient(x + 0.013))

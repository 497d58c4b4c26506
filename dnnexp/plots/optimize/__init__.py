"""The plots of `optimize`: what applies to a result is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.plots.optimize.animation import paths_gif
from dnnexp.plots.optimize.cases import Case, cases
from dnnexp.plots.optimize.convergence import convergence
from dnnexp.plots.optimize.paths import outcomes, trajectories
from dnnexp.plots.optimize.schedules import has_schedules, schedules
from dnnexp.plots.optimize.suite import ecdf, performance_profile, suite_convergence
from dnnexp.plots.optimize.training import training
from dnnexp.plots.optimize.tuning import learning_rates, tuning

_FEWEST_STARTS = 50
"""From so many starts on, their outcomes make a map."""


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """All of one objective; of a suite the plots over all its objectives."""
    found = cases(result)
    if result.config.objectives:
        yield "convergence", suite_convergence(result, found)
        yield "ecdf", ecdf(result, found)
        yield "performance_profile", performance_profile(result, found)
        return
    (case,) = found
    yield "convergence", convergence(case)
    yield from _of_one(case)


def _of_one(case: Case) -> Iterator[tuple[str, Figure]]:
    """The plots that an objective may have besides `convergence`."""
    if case.has_paths:
        yield "trajectories", trajectories(case)
    if case.has_landscape and case.runs >= _FEWEST_STARTS:
        yield "outcomes", outcomes(case)
    if case.config.tune is not None:
        yield "tuning", tuning(case)
        if any("learning_rate" in found["tuning"]["best"] for found in case.optimizers.values()):
            yield "learning_rates", learning_rates(case)
    if has_schedules(case):
        yield "schedules", schedules(case)
    if case.measures("train_loss"):
        yield "training", training(case)


def animations(result: Result) -> Iterator[tuple[str, bytes]]:
    """`paths.gif`, where it is asked for."""
    if result.config.animate:
        (case,) = cases(result)
        yield "paths.gif", paths_gif(case)

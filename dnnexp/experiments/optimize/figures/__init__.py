"""The plots of `optimize`: what applies to a result is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.animation import paths_gif
from dnnexp.experiments.optimize.figures.cases import Case, cases
from dnnexp.experiments.optimize.figures.convergence import convergence
from dnnexp.experiments.optimize.figures.paths import outcomes, trajectories
from dnnexp.experiments.optimize.figures.schedules import has_schedules, schedules
from dnnexp.experiments.optimize.figures.suite import ecdf, performance_profile, suite_convergence
from dnnexp.experiments.optimize.figures.training import training
from dnnexp.experiments.optimize.figures.tuning import learning_rates, tuning

_FEWEST_STARTS = 50
"""Number of starts from which on their outcomes make a map."""


def figures(result: Result) -> Iterator[tuple[str, Figure | bytes]]:
    """All of one objective; of a suite the plots over all its objectives."""
    suite = cases(result)
    if result.config.objectives:
        yield from suite_convergence(result, suite)
        yield "ecdf", ecdf(result, suite)
        yield "performance_profile", performance_profile(result, suite)
        return
    (case,) = suite
    yield "convergence", convergence(case)
    yield from _of_one(case)
    if result.config.animate:
        yield "paths.gif", paths_gif(case)


def _of_one(case: Case) -> Iterator[tuple[str, Figure]]:
    """The plots that an objective may have besides `convergence`."""
    if case.has_paths:
        yield from trajectories(case)
    if case.has_landscape and case.runs >= _FEWEST_STARTS:
        yield from outcomes(case)
    if case.config.tune is not None:
        yield "tuning", tuning(case)
        if any("learning_rate" in metrics["tuning"]["best"] for metrics in case.optimizers.values()):
            yield from learning_rates(case)
    if has_schedules(case):
        yield "schedules", schedules(case)
    if case.measures("train_loss"):
        yield "training", training(case)

"""Plots over a suite: convergence by objective, ECDF, performance profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.experiments.optimize.figures.convergence import draw_curves
from dnnexp.figures.labels import literal
from dnnexp.figures.layout import Sheet, pages
from dnnexp.figures.scales import Scale

_PANEL_INCHES, _SHARES_INCHES = (2.5, 1.95), (6.2, 4.0)
_MOST_BANDS = 4
"""With more optimizers no bands are drawn in a small panel: they would hide the curves."""
_MOST_LISTED = 6
"""More targets than this are counted in the title, not listed."""


def suite_convergence(result: Result, cases: list[Case]) -> Iterator[tuple[str, Figure]]:
    """A panel an objective: median and quartiles of the value above the minimum; pages if there are many."""
    has_bands = len(result.metrics["ranking"]) <= _MOST_BANDS

    def draw(shown: Sequence[Case], part: str) -> Figure:
        sheet = Sheet(_suite_title(result, cases, has_bands) + part, len(shown), _PANEL_INCHES, sharex=True)
        for axes, case in zip(sheet.panels, shown, strict=True):
            names = {label: case.short(label) for label in case.ranking}
            draw_curves(axes, case, names, has_bands, ticks=5)
            sheet.heading(axes, f"{literal(case.label)} (d = {len(case.array('start'))})")
        is_known = all(case.metrics["minimum"] is not None for case in shown)
        sheet.labels("gradient evaluations", "f(x) − f*" if is_known else "f(x) − f*, or f(x)")
        sheet.legend(is_below=True)
        return sheet.finish()

    return pages("convergence", cases, draw)


def _suite_title(result: Result, cases: list[Case], has_bands: bool) -> str:
    """What is drawn, and what is not."""
    config, starts = result.config, cases[0].starts
    notes = [f"{cases[0].run_name}: " + (f"noise std {config.noise.std:g}, " if config.noise.std else "")]
    notes[0] += starts if has_bands else starts.replace("median and quartiles", "median")
    if config.tune is not None:
        notes.append("tuned")
    return "; ".join([*notes, "no theory drawn"])


def ecdf(result: Result, cases: list[Case]) -> Figure:
    """The share of all (objective, start, target) triples reached, against gradient evaluations."""
    steps, metrics = result.config.steps, result.metrics
    curves = {label: ecdf_curve(cases, label, steps) for label in metrics["ranking"]}
    targets = [f"{target:g}" for target in sorted(result.config.targets, reverse=True)]
    listed = f"{len(targets)} targets" if len(targets) > _MOST_LISTED else f"targets {', '.join(targets)}"
    count = f"{len(cases)} objectives, {cases[0].runs} starts, {listed}"
    sheet, axes = _shares(f"{cases[0].run_name}: ECDF, {count}", max(steps, 2))
    for label, (x, share) in curves.items():
        name = f"{cases[0].described(label)}  {share[-1]:.0%}, area {metrics['ecdf'][label]:.3f}"
        axes.plot(x, share, drawstyle="steps-post", label=name, **cases[0].style(label))
    sheet.labels("gradient evaluations", "share of (objective, start, target) reached")
    sheet.legend(title="by area under the curve")
    return sheet.finish()


def ecdf_curve(cases: list[Case], label: str, steps: int) -> tuple[Any, Any]:
    """Evaluations, and the share of the triples reached by then; a start at its target counts from 1 on."""
    reached = np.concatenate([case.array(f"{label}.reached_step").ravel() for case in cases])
    hits, counts = np.unique(np.maximum(reached[reached >= 0], 1), return_counts=True)
    x = np.concatenate([[1], hits, [max(steps, 2)]])
    return x, np.concatenate([[0], np.cumsum(counts), [counts.sum()]]) / len(reached)


def performance_profile(result: Result, cases: list[Case]) -> Figure:
    """The share of (objective, target) pairs in which an optimizer is within a factor τ of the best.

    By expected running time, of the pairs that any optimizer reached. Dolan and Moré, "Benchmarking
    optimization software with performance profiles", 2002, section 2.
    """
    ratios = profile_ratios(result, cases)
    ranking, pairs = result.metrics["ranking"], len(cases) * len(result.config.targets)
    best = (ratios == 1).sum(axis=1)
    finite = ratios[np.isfinite(ratios)]
    end = 2 * max(float(finite.max()) if finite.size else 1.0, 2.0)
    count = f"{ratios.shape[1]} of {pairs} (objective, target) pairs that any optimizer reached"
    sheet, axes = _shares(f"{cases[0].run_name}: performance profiles, {count}", end)
    for row, label, wins in zip(ratios, ranking, best, strict=True):
        name = f"{cases[0].described(label)}  best on {wins}"
        factors, counts = np.unique(row[np.isfinite(row)], return_counts=True)
        x = np.concatenate([[1], factors, [end]])
        share = np.concatenate([[0], np.cumsum(counts), [counts.sum()]]) / max(len(row), 1)
        axes.plot(x, share, drawstyle="steps-post", label=name, **cases[0].style(label))
    x_label = "factor τ on the expected running time of the best optimizer"
    sheet.labels(x_label, "share of (objective, target) within τ")
    sheet.legend(title="by area under the ECDF")
    return sheet.finish()


def profile_ratios(result: Result, cases: list[Case]) -> Any:
    """Expected running time over the best's, `(optimizers, pairs)`, of the pairs that any reached."""
    times = np.array([_times(cases, label) for label in result.metrics["ranking"]])
    times = np.maximum(times, 1)  # a start may lie at the target already
    best = times.min(axis=0)
    return times[:, np.isfinite(best)] / best[np.isfinite(best)]


def _times(cases: list[Case], label: str) -> list[float]:
    """The expected running times of an optimizer to all targets of all objectives; inf where never."""
    found = [target for case in cases for target in case.optimizers[label]["targets"].values()]
    times = [target["expected_running_time"] for target in found]
    return [np.inf if time is None else time for time in times]


def _shares(title: str, end: float) -> tuple[Sheet, Axes]:
    """Axes of shares, over a logarithmic x axis from 1 on."""
    sheet = Sheet(title, size=_SHARES_INCHES)
    (axes,) = sheet.panels
    replace(Scale.between(0.0, 1.0, margin=0), top=1.01, is_percent=True).frame(axes.yaxis)
    Scale.between(1.0, end, "log", margin=0).frame(axes.xaxis)
    axes.grid(visible=True, axis="y")
    return sheet, axes

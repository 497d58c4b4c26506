"""Plots over a suite: convergence by objective, ECDF, performance profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.figures.cases import Case, short
from dnnexp.experiments.optimize.figures.convergence import draw_curves
from dnnexp.experiments.optimize.figures.frames import (
    beside,
    columns_of,
    labels,
    legend,
    panels,
    panels_width,
    title,
)

_COLUMNS = 5
_SIZE = (2.4, 1.95)
_MOST_PANELS = 24
_MOST_BANDS = 4
"""Of more optimizers no bands are drawn in a small panel: they would hide the curves."""
_TITLE = 16
_MOST_LISTED = 6


def suite_convergence(result: Result, cases: list[Case]) -> Figure:
    """A panel an objective: median and quartiles of the value above the minimum."""
    ranking, shown = result.metrics["ranking"], cases[:_MOST_PANELS]
    names = [*map(short, ranking)]
    columns = columns_of(names, panels_width(len(shown), _COLUMNS, _SIZE[0]))
    head = 0.5 + 0.17 * -(-len(names) // columns)
    figure, grid = panels(len(shown), _COLUMNS, _SIZE, head, sharex=True)
    width, height = figure.get_size_inches()
    figure.subplots_adjust(0.7 / width, 0.5 / height, 1 - 0.1 / width, 1 - (head + 0.2) / height, 0.32, 0.32)
    has_bands = len(ranking) <= _MOST_BANDS
    for axes, case in zip(grid, shown, strict=True):
        draw_curves(axes, case, {label: short(label) for label in ranking}, has_bands, ticks=5)
        axes.tick_params(labelsize=7)
        axes.set_title(f"{short(case.label, _TITLE)} (d = {len(case.array('start'))})", loc="left")
    title(figure, _suite_title(result, cases, has_bands))
    handles = {str(line.get_label()): line for axes in grid for line in axes.get_lines()}
    place = (0.005, 1 - 0.26 / height)
    named = [handles[name] for name in names if name in handles]
    figure.legend(handles=named, ncols=columns, loc="upper left", bbox_to_anchor=place, fontsize=8)
    known = all(case.metrics["minimum"] is not None for case in shown)
    labels(figure, "gradient evaluations", "f(x) − f*" if known else "f(x) − f*, or f(x)")
    return figure


def _suite_title(result: Result, cases: list[Case], has_bands: bool) -> str:
    """What is drawn, and what is not."""
    config, starts = result.config, cases[0].starts
    notes = [f"{cases[0].run_name}: " + (f"noise std {config.noise.std:g}, " if config.noise.std else "")]
    notes[0] += starts if has_bands else starts.replace("median and quartiles", "median")
    if config.tune is not None:
        notes.append("tuned")
    notes.append("no theory drawn")
    if len(cases) > _MOST_PANELS:
        notes.append(f"the first {_MOST_PANELS} of {len(cases)} objectives")
    return "; ".join(notes)


def ecdf(result: Result, cases: list[Case]) -> Figure:
    """The share of all (objective, start, target) triples reached, against gradient evaluations."""
    steps, metrics = result.config.steps, result.metrics
    curves = {label: ecdf_curve(cases, label, steps) for label in metrics["ranking"]}
    names = {
        label: f"{cases[0].told(label)}  {share[-1]:.0%}, area {metrics['ecdf'][label]:.3f}"
        for label, (_, share) in curves.items()
    }
    figure, axes = _shares([*names.values()])
    for label, (x, share) in curves.items():
        axes.plot(x, share, drawstyle="steps-post", label=names[label], **cases[0].style(label))
    axes.set_xlim(1, max(steps, 2))
    axes.set_xlabel("gradient evaluations")
    axes.set_ylabel("share of (objective, start, target) reached")
    targets = [f"{target:g}" for target in sorted(result.config.targets, reverse=True)]
    listed = f"{len(targets)} targets" if len(targets) > _MOST_LISTED else f"targets {', '.join(targets)}"
    count = f"{len(cases)} objectives, {cases[0].runs} starts, {listed}"
    axes.set_title(f"{cases[0].run_name}: ECDF, {count}", loc="left")
    legend(axes, "by area under the curve")
    return figure


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
    names = [f"{cases[0].told(label)}  best on {n}" for label, n in zip(ranking, best, strict=True)]
    figure, axes = _shares(names)
    finite = ratios[np.isfinite(ratios)]
    end = 2 * max(float(finite.max()) if finite.size else 1.0, 2.0)
    for row, label, name in zip(ratios, ranking, names, strict=True):
        factors, counts = np.unique(row[np.isfinite(row)], return_counts=True)
        x = np.concatenate([[1], factors, [end]])
        share = np.concatenate([[0], np.cumsum(counts), [counts.sum()]]) / max(len(row), 1)
        axes.plot(x, share, drawstyle="steps-post", label=name, **cases[0].style(label))
    axes.set_xlim(1, end)
    axes.set_xlabel("factor τ on the expected running time of the best optimizer")
    axes.set_ylabel("share of (objective, target) within τ")
    count = f"{ratios.shape[1]} of {pairs} (objective, target) pairs that any optimizer reached"
    axes.set_title(f"{cases[0].run_name}: performance profiles, {count}", loc="left")
    legend(axes, "by area under the ECDF")
    return figure


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


def _shares(names: list[str]) -> tuple[Figure, Axes]:
    """Axes of shares, over a logarithmic x axis."""
    figure, axes = beside(names, width=6.4)
    axes.set_ylim(0, 1.01)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=True, axis="y")
    axes.set_xscale("log")
    return figure, axes

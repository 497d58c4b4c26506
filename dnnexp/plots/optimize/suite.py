"""Plots over a suite: convergence by objective, ECDF, performance profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, PercentFormatter

from dnnexp.experiments.base import Result
from dnnexp.plots.optimize.cases import Case, short
from dnnexp.plots.optimize.convergence import draw_curves

_COLUMNS = 5


def suite_convergence(result: Result, cases: list[Case]) -> Figure:
    """A panel an objective: median and quartiles of the value above the minimum."""
    columns = min(_COLUMNS, len(cases))
    rows = -(-len(cases) // columns)
    labels = result.metrics["ranking"]
    legend_rows = -(-len(labels) // 6)
    top = 0.45 + 0.17 * legend_rows
    width, height = max(2.3 * columns, 7.0) + 0.5, 1.9 * rows + 0.6 + top
    figure = Figure(figsize=(width, height))
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False)
    figure.subplots_adjust(0.7 / width, 0.55 / height, 1 - 0.1 / width, 1 - (top + 0.25) / height, 0.3, 0.35)
    for index, axes in enumerate(panels.flat):
        axes.set_visible(index < len(cases))
        if index < len(cases):
            names = {label: short(label) for label in labels} if index == 0 else {}
            draw_curves(axes, cases[index], names, theory=False)
            axes.yaxis.set_major_locator(LogLocator(numticks=5))
            axes.minorticks_off()
            axes.tick_params(labelbottom=index + columns >= len(cases), labelsize=7)
            axes.set_title(f"{short(cases[index].label)} (d = {_dimension(cases[index])})", loc="left")
    title = f"{result.config.name}: median and quartiles of {cases[0].runs} starts"
    figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top")
    handles = {handle.get_label(): handle for handle in panels.flat[0].get_lines()}
    figure.legend(
        handles=[handles[short(label)] for label in labels],
        ncols=6,
        loc="upper left",
        bbox_to_anchor=(0.005, 1 - 0.25 / height),
        fontsize=8,
    )
    figure.supxlabel("gradient evaluations", y=0.1 / height, va="bottom")
    figure.supylabel("value above the minimum", x=0.08 / width, ha="left")
    return figure


def _dimension(case: Case) -> int:
    return int(case.array("start").shape[0])


def ecdf(result: Result, cases: list[Case]) -> Figure:
    """The share of all (objective, start, target) triples reached, against gradient evaluations."""
    steps, metrics = result.config.steps, result.metrics
    figure, axes = _axes(metrics["ranking"])
    for label in metrics["ranking"]:
        reached = np.concatenate([case.array(f"{label}.reached_step").ravel() for case in cases])
        hits = np.sort(np.maximum(reached[reached >= 0], 1))
        x = np.concatenate([[1], hits, [max(steps, 1)]])
        share = np.concatenate([[0], np.arange(1, len(hits) + 1), [len(hits)]]) / len(reached)
        name = f"{short(label)}  {share[-1]:.0%}, area {metrics['ecdf'][label]:.3f}"
        axes.plot(x, share, drawstyle="steps-post", label=name, **cases[0].style(label))
    axes.set_xscale("log")
    axes.set_xlim(1, max(steps, 2))
    axes.set_xlabel("gradient evaluations")
    axes.set_ylabel("share of (objective, start, target) reached")
    count = f"{len(cases)} objectives, {cases[0].runs} starts, targets {_listed(result.config.targets)}"
    axes.set_title(f"{result.config.name}: ECDF, {count}", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title="by area under the curve")
    return figure


def performance_profile(result: Result, cases: list[Case]) -> Figure:
    """The share of (objective, target) pairs in which an optimizer is within a factor τ of the best.

    By expected running time. Dolan and Moré, "Benchmarking optimization software with performance
    profiles", 2002, eq. 2.1.
    """
    ratios = profile_ratios(result, cases)
    figure, axes = _axes(result.metrics["ranking"])
    finite = ratios[np.isfinite(ratios)]
    greatest = max(float(finite.max()) if finite.size else 1.0, 2.0)
    for row, label in zip(ratios, result.metrics["ranking"], strict=True):
        inside = np.sort(row[np.isfinite(row)])
        x = np.concatenate([[1], inside, [2 * greatest]])
        share = np.concatenate([[0], np.arange(1, len(inside) + 1), [len(inside)]]) / max(len(row), 1)
        name = f"{short(label)}  best on {np.mean(row == 1):.0%}"
        axes.plot(x, share, drawstyle="steps-post", label=name, **cases[0].style(label))
    axes.set_xscale("log")
    axes.set_xlim(1, 2 * greatest)
    axes.set_xlabel("factor τ on the expected running time of the best optimizer")
    axes.set_ylabel("share of (objective, target) within τ")
    axes.set_title(f"{result.config.name}: performance profiles, {len(ratios[0])} pairs", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title="by area under the ECDF")
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


def _axes(labels: list[str]) -> tuple[Figure, Axes]:
    width = 7.3 + 2.0 + 0.075 * max(len(short(label)) for label in labels)
    height = max(4.6, 1.0 + 0.19 * len(labels))
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.65 / width, 0.5 / height, 6.4 / width, 1 - 0.85 / height))
    axes.set_ylim(0, 1.01)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=True, axis="y")
    return figure, axes


def _listed(targets: Any) -> str:
    return ", ".join(f"{target:g}" for target in sorted(targets, reverse=True))

"""What tuning found: the score against the learning rate, and against the budget."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from dnnexp.plots.optimize.cases import Case, quartiles, short
from dnnexp.plots.style import FAINT, INK

_COLUMNS = 4
_KEY = (
    "line: median, band: quartiles, grey: the other optimizers, ring: best by the score, "
    "×: half or more diverged, dotted: stability limit (theory)"
)


def learning_rates(case: Case) -> Figure:
    """The final value against the learning rate: median and quartiles of the tuning starts, a panel each."""
    labels = [label for label in case.ranking if case.has(f"{label}.tuning.learning_rate")]
    curves = {label: _by_rate(case, label) for label in labels}
    columns = min(_COLUMNS, len(labels))
    rows = -(-len(labels) // columns)
    width, height = max(2.5 * columns, 5.4) + 0.7, 1.9 * rows + 1.0
    figure = Figure(figsize=(width, height))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(0.75 / width, 0.55 / height, 1 - 0.1 / width, 1 - 0.75 / height, 0.08, 0.32)
    floor, ceiling = _range(case, curves)
    for index, axes in enumerate(panels.flat):
        if index >= len(labels):
            axes.set_visible(False)
            continue
        axes.tick_params(labelbottom=index + columns >= len(labels))
        for rates, _, middle, _, _ in curves.values():
            axes.plot(rates, np.clip(middle, floor / 10, ceiling), color="#dddddd", linewidth=0.7)
        _sensitivity(axes, case, labels[index], curves[labels[index]], floor, ceiling)
    title = case.title(f"{case.config.tune.starts} tuning starts, {case.config.steps:,} steps")
    figure.suptitle(title, x=0.01, y=1 - 0.06 / height, ha="left", va="top")
    figure.text(0.012, 1 - 0.27 / height, _KEY, fontsize=7, color=FAINT, va="top")
    figure.supxlabel("learning rate", y=0.1 / height, va="bottom")
    figure.supylabel(f"final {case.gap_name}", x=0.08 / width, ha="left")
    return figure


def _by_rate(case: Case, label: str) -> tuple[Any, Any, Any, Any, Any]:
    """Learning rates in order, quartiles of the final value above the minimum, share diverged."""
    rates = case.array(f"{label}.tuning.learning_rate")
    order = np.argsort(rates, kind="stable")
    values = case.array(f"{label}.tuning.value")
    gap = values - (0.0 if case.measures("validation_loss") else case.metrics["minimum"] or 0.0)
    low, middle, high = quartiles(gap[order])
    return rates[order], low, middle, high, np.isinf(values[order]).mean(axis=1)


def _range(case: Case, curves: Any) -> tuple[float, float]:
    """From a little below the smallest target to a little above the greatest median."""
    middles = np.concatenate([curve[2] for curve in curves.values()])
    floor = min(case.config.targets) * 1e-3
    seen = middles[np.isfinite(middles) & (middles > floor)]
    top = min(float(seen.max()), 1e6 * max(case.config.targets)) if seen.size else 1.0
    return (max(float(seen.min()), floor) / 3 if seen.size else floor), top * 10


def _sensitivity(axes: Axes, case: Case, label: str, curve: Any, floor: float, ceiling: float) -> None:
    rates, low, middle, high, diverged = curve
    style, found = case.style(label), case.optimizers[label]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(floor, ceiling)
    axes.set_xlim(rates[0] / 1.3, rates[-1] * 1.3)
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.minorticks_off()
    low, middle, high = (np.clip(part, floor / 10, ceiling) for part in (low, middle, high))
    top = np.where(np.isnan(high), ceiling, high)
    axes.fill_between(rates, low, top, color=style["color"], alpha=0.18, linewidth=0)
    axes.plot(rates, middle, color=style["color"])
    bad = diverged >= 0.5
    axes.plot(rates[bad], np.full(bad.sum(), ceiling / 2), "x", color="#D55E00", markersize=4, clip_on=False)
    best = found["tuning"]["best"]["learning_rate"]
    at = int(np.argmin(np.abs(np.log(rates / best))))
    (ring,) = axes.plot(best, np.fmax(middle[at], floor), "o", markerfacecolor="none", markersize=7)
    ring.set(markeredgecolor=INK, clip_on=False)
    limit = found["theory"]["stability_limit"]
    if limit is not None:
        axes.axvline(limit, color=INK, linewidth=0.9, linestyle=(0, (1.5, 1.5)))
    edge = ", at the edge" if found["tuning"]["at_edge"] else ""
    axes.set_title(f"{short(label)}\nbest {best:.3g}{edge}", loc="left", y=1.0)


def tuning(case: Case) -> Figure:
    """The score against the budget: median and quartiles of the best of k trials drawn at random."""
    names = {label: case.told(label) for label in case.ranking}
    width = 7.2 + 0.8 + 0.075 * max(map(len, names.values()))
    height = max(4.2, 1.0 + 0.19 * len(names))
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.75 / width, 0.5 / height, 6.3 / width, 1 - 0.85 / height))
    tune = case.config.tune
    name, shift, floor = _score(case)
    trials = np.arange(1, tune.trials + 1)
    for label in sorted(names, key=lambda label: float(case.array(f"{label}.tuning.score").min())):
        budget = case.array(f"{label}.tuning.budget")
        low, middle, high = np.where(np.isfinite(budget), np.maximum(budget - shift, floor), np.nan)
        style = case.style(label)
        axes.plot(trials, middle, label=names[label], **style)
        axes.fill_between(trials, low, high, color=style["color"], alpha=0.1, linewidth=0)
    axes.set_yscale("log")
    axes.set_xlim(1, tune.trials)
    axes.minorticks_off()
    axes.grid(visible=True, axis="y")
    axes.set_xlabel(f"trials of {tune.trials} taken at random")
    axes.set_ylabel(f"best score: {name}")
    title = f"what tuning buys (median and quartiles, {tune.starts} tuning starts)"
    axes.set_title(case.title(title), loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title="by score of all trials")
    return figure


def _score(case: Case) -> tuple[str, float, float]:
    """What the score is, what is subtracted from it, and the least that is shown of the rest."""
    targets = case.config.targets
    if case.config.tune.score == "running_time":
        return f"running time to {min(targets):g}", 0.0, 0.5
    if case.measures("validation_loss"):
        return "median final validation loss", 0.0, 1e-12
    return f"median final {case.gap_name}", case.metrics["minimum"] or 0.0, min(targets) * 1e-3

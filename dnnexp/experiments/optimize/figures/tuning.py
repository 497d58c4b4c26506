"""What tuning found: the final value against the learning rate, and the score against the budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from dnnexp.experiments.optimize.figures.cases import Case, quartiles, short
from dnnexp.experiments.optimize.figures.frames import (
    beside,
    labels,
    legend,
    panels,
    panels_width,
    title,
    wrapped,
)
from dnnexp.experiments.optimize.figures.scales import Range, value_range
from dnnexp.figures.style import ALARM, FAINT, INK

_COLUMNS = 4
_SIZE = (2.55, 1.95)
_MOST_BANDS = 8
_KEY = (
    "line or dots: median; band or bars: quartiles; grey: the other optimizers; ring: best by the score; "
    "×: half or more diverged; dotted: stability limit (theory)"
)


@dataclass(frozen=True)
class _Sensitivity:
    """The final values of the trials of one optimizer, by learning rate, ascending.

    Attributes:
        label: of the optimizer.
        rates: the learning rates, `(trials,)`.
        quartiles: of the final values over the tuning starts, `(3, trials)`.
        is_lost: whether half or more of the starts diverged, `(trials,)`.
        is_curve: whether nothing else was tuned.
    """

    label: str
    rates: Any
    quartiles: Any
    is_lost: Any
    is_curve: bool

    @property
    def style(self) -> dict[str, Any]:
        """A line, or dots where neighbours differ in something else."""
        return {} if self.is_curve else {"linestyle": "", "marker": ".", "markersize": 3}


def learning_rates(case: Case) -> Figure:
    """The final value against the learning rate: median and quartiles of the tuning starts, a panel each."""
    tuned = [entry.label for entry in case.config.optimizers]
    found = [_sensitivity(case, label) for label in tuned if case.has(f"{label}.tuning.learning_rate")]
    shown = _down_to_target(case, np.concatenate([one.quartiles[1] for one in found]))
    key = wrapped(_KEY + _foot(case, shown), panels_width(len(found), _COLUMNS, _SIZE[0]))
    head = 0.62 + 0.13 * len(key)
    figure, grid = panels(len(found), _COLUMNS, _SIZE, head + 0.1, sharex=True, sharey=True)
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        0.75 / width, 0.5 / height, 1 - 0.1 / width, 1 - (head + 0.15) / height, 0.08, 0.34
    )
    low, high = (end([end(one.rates) for one in found]) for end in (min, max))
    for axes, one in zip(grid, found, strict=True):
        axes.set_xscale("log")
        axes.set_xlim(low / 1.3, high * 1.3)
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        shown.frame(axes, ticks=6)
        for other in found:
            axes.plot(other.rates, shown.kept(other.quartiles[1]), color="#dddddd", lw=0.7, **other.style)
        _draw(axes, case, one, shown)
    title(figure, case.title(f"{case.config.tune.starts} tuning starts, {case.config.steps:,} steps"))
    figure.text(0.012, 1 - 0.29 / height, "\n".join(key), fontsize=7, color=FAINT, va="top")
    name = "validation loss" if case.measures("validation_loss") else case.gap_symbol
    labels(figure, "learning rate", f"final {name}")
    return figure


def _sensitivity(case: Case, label: str) -> _Sensitivity:
    rates = case.array(f"{label}.tuning.learning_rate")
    values = case.array(f"{label}.tuning.value")
    order = np.argsort(rates, kind="stable")
    gap = values - (0.0 if case.measures("validation_loss") else case.metrics["minimum"] or 0.0)
    is_lost = np.isinf(values[order]).mean(axis=1) >= 0.5
    is_curve = set(case.optimizers[label]["tuning"]["best"]) == {"learning_rate"}
    return _Sensitivity(label, rates[order], quartiles(gap[order]), is_lost, is_curve)


def _draw(axes: Axes, case: Case, one: _Sensitivity, shown: Range) -> None:
    """One optimizer's values, what diverged, the best trial and the limit of theory."""
    shade, found = case.style(one.label)["color"], case.optimizers[one.label]
    low, middle, high = shown.kept(one.quartiles)
    if one.is_curve:
        axes.fill_between(one.rates, low, high, color=shade, alpha=0.18, linewidth=0)
    else:
        axes.vlines(one.rates, low, high, color=shade, alpha=0.3, linewidth=1)
    axes.plot(one.rates, middle, color=shade, **one.style)
    lost = one.rates[one.is_lost]
    style: Any = {"color": ALARM, "markersize": 4, "clip_on": False, "transform": axes.get_xaxis_transform()}
    axes.plot(lost, np.full(len(lost), 0.97), "x", **style)
    best = found["tuning"]["best"]["learning_rate"]
    value = np.clip(middle[np.argmin(np.abs(one.rates - best))], shown.floor, shown.ceiling)
    (ring,) = axes.plot(best, value, "o", markerfacecolor="none", markersize=7, clip_on=False)
    ring.set_markeredgecolor(INK)
    limit = found["theory"]["stability_limit"]
    if limit is not None and one.is_curve:
        axes.axvline(limit, color=INK, linewidth=0.9, linestyle=(0, (1.5, 1.5)))
    edge = ": at the edge" if found["tuning"]["at_edge"] else ""
    name = f"{short(one.label)}\nbest {case.chosen(one.label)}{edge}"
    axes.set_title(name, loc="left", y=1.0, color=ALARM if edge else INK)


def tuning(case: Case) -> Figure:
    """The score against the budget: median and quartiles of the best of k trials drawn at random."""
    tune, (name, shift) = case.config.tune, _score(case)
    budgets = {label: case.array(f"{label}.tuning.budget") - shift for label in case.ranking}
    ranking = sorted(budgets, key=lambda label: float(budgets[label][1, -1]))
    names = {label: case.told(label) for label in ranking}
    figure, axes = beside(list(names.values()), width=6.3)
    shown = _down_to_target(case, np.concatenate([budget[1] for budget in budgets.values()]))
    if tune.score == "running_time":
        shown = _times(np.concatenate([budget[1] for budget in budgets.values()]))
    shown.frame(axes)
    trials, has_bands = np.arange(1, tune.trials + 1), len(names) <= _MOST_BANDS
    for label, caption in names.items():
        low, middle, high = shown.kept(budgets[label])
        style = case.style(label)
        axes.plot(trials, middle, label=caption, **style)
        if has_bands:
            axes.fill_between(trials, low, high, color=style["color"], alpha=0.1, linewidth=0)
    axes.set_xlim(1, tune.trials)
    inner = MaxNLocator(integer=True).tick_values(1, tune.trials)
    axes.set_xticks([1, *(tick for tick in inner if 1 < tick <= tune.trials)])
    axes.grid(visible=True, axis="y")
    axes.set_xlabel(f"k, of {tune.trials} trials")
    axes.set_ylabel(name)
    bands = "median and quartiles" if has_bands else "median"
    axes.set_title(case.title(f"best of k trials taken at random ({bands})"), loc="left")
    legend(axes, "by score of all trials")
    return figure


def _down_to_target(case: Case, values: Any) -> Range:
    """The range of values, of which those at the smallest target lie along the foot."""
    shown, target = value_range(case, values, 1.0), min(case.config.targets)
    is_reached = case.metrics["minimum"] is not None and (values <= target).any()
    return replace(shown, floor=target) if is_reached and not case.measures("validation_loss") else shown


def _foot(case: Case, shown: Range) -> str:
    """What the foot of the panels stands for, where it is the smallest target."""
    target = min(case.config.targets)
    return f"; at the foot: {target:g} or less" if shown.floor == target else ""


def _times(times: Any) -> Range:
    """The range of the running times."""
    seen = times[np.isfinite(times)]
    low, high = (max(float(seen.min()), 0.5), float(seen.max())) if seen.size else (1.0, 10.0)
    return Range(low / 1.5, max(high, 2 * low) * 1.5, True)


def _score(case: Case) -> tuple[str, float]:
    """What the score is, and what is subtracted from it."""
    tune = case.config.tune
    if tune.score == "running_time":
        return f"running time to {min(case.config.targets):g}, {tune.starts} tuning starts", 0.0
    over = f"median final {{}} of {tune.starts} tuning starts"
    if case.measures("validation_loss"):
        return over.format("validation loss"), 0.0
    return over.format(case.gap_symbol), case.metrics["minimum"] or 0.0

"""Figures of tuning: the final value against the learning rate, and the score against the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dnnexp.experiments.optimize.figures.cases import Case, quartiles
from dnnexp.experiments.optimize.figures.scales import value_scale
from dnnexp.figures.layout import Sheet, pages
from dnnexp.figures.palette import THEORY
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import ALARM, INK

_PANEL_INCHES, _SIZE_INCHES = (2.4, 1.9), (6.2, 4.0)
_MOST_BANDS = 8
_OTHERS = "#dddddd"
_ABOVE_FOOT = 1.3
"""Values below the foot of a logarithmic axis lie along a line at this multiple of it."""
_KEY = (
    "line or dots: median; band or bars: quartiles; grey: the other optimizers; ring: best by the score; "
    "×: half or more diverged; dashed: stability limit (theory)"
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


def learning_rates(case: Case) -> Iterator[tuple[str, Figure]]:
    """The final value against the learning rate: median and quartiles of the tuning starts, a panel each."""
    tuned = [_sensitivity(case, label) for label in case.labels if case.has(f"{label}.tuning.learning_rate")]
    scale = _down_to_target(case, np.concatenate([each.quartiles[1] for each in tuned]))
    low, high = (end([end(each.rates) for each in tuned]) for end in (min, max))
    name = "validation loss" if case.measures("validation_loss") else case.gap_symbol
    title = case.title(f"{case.config.tune.starts} tuning starts, {case.config.steps:,} steps")

    def draw(shown: Sequence[_Sensitivity], part: str) -> Figure:
        sheet = Sheet(title + part, len(shown), _PANEL_INCHES, sharex=True, sharey=True)
        Scale.between(low / 1.3, high * 1.3, "log", margin=0).frame(sheet.panels[0].xaxis)
        scale.frame(sheet.panels[0].yaxis)
        for axes, each in zip(sheet.panels, shown, strict=True):
            for other in tuned:
                axes.plot(other.rates, _kept(scale, other.quartiles[1]), color=_OTHERS, lw=0.7, **other.style)
            _draw(axes, case, each, scale)
            _head(sheet, axes, case, each.label)
        sheet.labels("learning rate", f"final {name}")
        sheet.notes(_KEY + _foot(case, scale))
        return sheet.finish()

    return pages("learning_rates", tuned, draw)


def _head(sheet: Sheet, axes: Axes, case: Case, label: str) -> None:
    """Name the best trial, in the colour of alarm if it lies at the edge of what was searched."""
    is_at_edge = case.optimizers[label]["tuning"]["at_edge"]
    edge = ": at the edge" if is_at_edge else ""
    text = f"{case.short(label)}\nbest {case.chosen(label)}{edge}"
    sheet.heading(axes, text, lines=3, color=ALARM if is_at_edge else INK)


def _kept(scale: Scale, values: Any) -> Any:
    """The values, those below the foot as a line along it."""
    return np.maximum(scale.clip(values), scale.bottom * (_ABOVE_FOOT if scale.is_log else 1.0))


def _sensitivity(case: Case, label: str) -> _Sensitivity:
    rates = case.array(f"{label}.tuning.learning_rate")
    values = case.array(f"{label}.tuning.value")
    order = np.argsort(rates, kind="stable")
    gap = values - (0.0 if case.measures("validation_loss") else case.metrics["minimum"] or 0.0)
    is_lost = np.isinf(values[order]).mean(axis=1) >= 0.5
    is_curve = set(case.optimizers[label]["tuning"]["best"]) == {"learning_rate"}
    return _Sensitivity(label, rates[order], quartiles(gap[order]), is_lost, is_curve)


def _draw(axes: Axes, case: Case, one: _Sensitivity, scale: Scale) -> None:
    """One optimizer's values, the diverged ones, the best trial and the limit of theory."""
    shade, metrics = case.colour(one.label), case.optimizers[one.label]
    low, middle, high = _kept(scale, one.quartiles)
    if one.is_curve:
        axes.fill_between(one.rates, low, high, color=shade, alpha=0.18, linewidth=0)
    else:
        axes.vlines(one.rates, low, high, color=shade, alpha=0.3, linewidth=1)
    axes.plot(one.rates, middle, color=shade, **one.style)
    lost = one.rates[one.is_lost]
    style: Any = {"color": ALARM, "markersize": 4, "clip_on": False, "transform": axes.get_xaxis_transform()}
    axes.plot(lost, np.full(len(lost), 0.97), "x", **style)
    best = metrics["tuning"]["best"]["learning_rate"]
    value = scale.place(middle[np.argmin(np.abs(one.rates - best))])
    ring: Any = {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 7, "clip_on": False}
    axes.plot(best, value, "o", **ring)
    limit = metrics["theory"]["stability_limit"]
    if limit is not None and one.is_curve:
        axes.axvline(limit, **THEORY)


def tuning(case: Case) -> Figure:
    """The score against the budget: median and quartiles of the best of k trials drawn at random."""
    tune, (name, shift) = case.config.tune, _score(case)
    budgets = {label: case.array(f"{label}.tuning.budget") - shift for label in case.ranking}
    medians = np.concatenate([budget[1] for budget in budgets.values()])
    scale = _times(medians) if tune.score == "running_time" else _down_to_target(case, medians)
    has_bands = len(budgets) <= _MOST_BANDS
    bands = "median and quartiles" if has_bands else "median"
    sheet = Sheet(case.title(f"best of k trials taken at random ({bands})"), size=_SIZE_INCHES)
    (axes,) = sheet.panels
    scale.frame(axes.yaxis, ticks=8)
    trials = np.arange(1, tune.trials + 1)
    for label in sorted(budgets, key=lambda label: float(budgets[label][1, -1])):
        low, middle, high = _kept(scale, budgets[label])
        style = case.style(label)
        axes.plot(trials, middle, label=case.described(label), **style)
        if has_bands:
            axes.fill_between(trials, low, high, color=style["color"], alpha=0.1, linewidth=0)
    axes.set_xlim(1, tune.trials)
    inner = MaxNLocator(integer=True).tick_values(1, tune.trials)
    axes.set_xticks([1, *(tick for tick in inner if 1 < tick <= tune.trials)])
    axes.grid(visible=True, axis="y")
    sheet.labels(f"k, of {tune.trials} trials", name)
    sheet.legend(title="by score of all trials")
    return sheet.finish()


def _down_to_target(case: Case, values: Any) -> Scale:
    """The scale of values, with those at the smallest target along the foot."""
    scale, target = value_scale(case, values, 1.0), min(case.config.targets)
    is_reached = case.metrics["minimum"] is not None and (values <= target).any()
    if not is_reached or case.measures("validation_loss") or not scale.is_log:
        return scale
    return Scale.between(target, max(scale.top, 2 * target), "log", margin=0)


def _foot(case: Case, scale: Scale) -> str:
    """What the foot of the panels stands for, where it is the smallest target."""
    target = min(case.config.targets)
    return f"; at the foot: {target:g} or less" if scale.bottom == target else ""


def _times(times: Any) -> Scale:
    """The scale of the running times."""
    seen = times[np.isfinite(times)]
    low, high = (max(float(seen.min()), 0.5), float(seen.max())) if seen.size else (1.0, 10.0)
    return Scale.between(low / 1.5, max(high, 2 * low) * 1.5, "log", margin=0)


def _score(case: Case) -> tuple[str, float]:
    """What the score is, and what is subtracted from it."""
    tune = case.config.tune
    if tune.score == "running_time":
        return f"running time to {min(case.config.targets):g}, {tune.starts} tuning starts", 0.0
    over = f"median final {{}} of {tune.starts} tuning starts"
    if case.measures("validation_loss"):
        return over.format("validation loss"), 0.0
    return over.format(case.gap_symbol), case.metrics["minimum"] or 0.0

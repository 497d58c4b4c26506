"""Convergence curves: value above the minimum against gradient evaluations, theory beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.optimize.figures.cases import Case, quartiles, short
from dnnexp.experiments.optimize.figures.frames import beside, legend
from dnnexp.experiments.optimize.figures.scales import Range, evaluations_axis, value_range
from dnnexp.figures.style import FAINT, INK

_RATE = "theory: ∝ ρ²ᵏ"
_MEAN = "theory: the mean"
_TARGET_INCHES = 0.85
_TARGET_SPACING = 0.035
"""The least distance of two targets that are named, as a share of the height."""
_THIN = {"linewidth": 0.6, "markersize": 2.5}
_EARLY = 0.05
_MOST_UNTUNED = 8
_FEW = 6
"""So many bands can lie over each other and be seen; of more, each is fainter."""


def convergence(case: Case) -> Figure:
    """Median and quartile band over the starts, one curve an optimizer; dashed, what theory predicts."""
    names = {label: case.caption(label) for label in case.ranking}
    figure, axes = beside([*names.values(), _MEAN], margin=_TARGET_INCHES, notes=_notes(case))
    shown, medians = draw_curves(axes, case, names)
    _draw_theory(axes, case, shown, medians)
    axes.grid(visible=True, axis="y")
    _mark_targets(axes, case, shown)
    axes.set_xlabel("gradient evaluations")
    axes.set_ylabel(case.gap_name)
    axes.set_title(case.title(case.starts), loc="left")
    legend(axes, f"by running time to {min(case.config.targets):g}", _TARGET_INCHES)
    return figure


def _notes(case: Case) -> str:
    """What thin curves are, and for which optimizers no theory is drawn, or not yet a settled one."""
    notes = []
    if case.config.tune is not None:
        notes.append("thin: untuned" if _has_untuned(case) else "untuned curves are not drawn")
    reasons: dict[str, list[str]] = {}
    for label in case.ranking:
        found = case.optimizers[label]
        if reason := found["theory"]["note"].replace(f" of {found['name']}", ""):
            reasons.setdefault(reason, []).append(short(label))
    for reason, labels in reasons.items():
        whom = ", ".join(labels) if len(labels) < len(case.ranking) else "any"
        if not reason.startswith(("no ", "not ")):
            notes.append(f"no theory drawn for {whom} ({reason})")
        else:
            notes.append(reason if whom == "any" else f"{reason}: {whom}")
    return "; ".join(notes)


def _has_untuned(case: Case) -> bool:
    """Whether untuned curves are drawn: not where they would be lines among too many."""
    return case.config.tune is not None and not case.label and len(case.ranking) <= _MOST_UNTUNED


def draw_curves(
    axes: Axes, case: Case, names: Mapping[str, str], has_bands: bool = True, ticks: int = 12
) -> tuple[Range, dict[str, Any]]:
    """The curves of all optimizers, best first; returns the range of the values shown, and the medians."""
    found = {label: quartiles(case.gap(label)) for label in case.ranking}
    shown = value_range(case, np.concatenate(list(found.values()), axis=1))
    shown.frame(axes, ticks)
    evaluations_axis(axes, case)
    is_point = len(case.evaluations) == 1
    dot: Any = {"marker": "o", "markevery": 1, "clip_on": False} if is_point else {}
    for label in case.ranking:
        style = case.style(label)
        low, middle, high = shown.clip(found[label])
        axes.plot(case.evaluations, middle, label=names.get(label), **style | dot)
        if has_bands and case.runs > 1:
            alpha = 0.13 * min(1.0, _FEW / len(found))
            axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=alpha, linewidth=0)
        if _has_untuned(case):
            untuned = shown.clip(quartiles(case.gap(f"{label}.untuned"))[1])
            axes.plot(case.evaluations, untuned, **style | _THIN)
    return shown, {label: curves[1] for label, curves in found.items()}


def _draw_theory(axes: Axes, case: Case, shown: Range, medians: Mapping[str, Any]) -> None:
    """The predicted lines; one entry in the legend for all rates, and one for all means."""
    style: Any = {"color": INK, "linewidth": 1.0, "linestyle": (0, (4, 3)), "zorder": 3}
    named: set[str] = set()
    for label, median in medians.items():
        predicted = case.array(f"{label}.theory")
        known = np.isfinite(predicted)
        if not known.any():
            continue
        kind = _RATE if case.optimizers[label]["theory"]["predicted_mean"] is None else _MEAN
        drawn = known & _is_asymptotic(case, predicted, median) if kind == _RATE else known
        name = None if kind in named else kind
        axes.plot(case.evaluations[drawn], shown.clip(predicted[drawn]), label=name, **style)
        named.add(kind)


def _is_asymptotic(case: Case, predicted: Any, median: Any) -> Any:
    """The steps that a rate is about: all but the early ones that it is far from."""
    is_near = (predicted > 0.1 * median) & (predicted < 10 * median)
    is_late = case.evaluations >= _EARLY * case.evaluations[np.isfinite(predicted)].max()
    return np.cumsum(is_near | is_late) > 0


def _mark_targets(axes: Axes, case: Case, shown: Range) -> None:
    """A line for each target, named to its right unless the name would lie on another."""
    inside = [target for target in sorted(case.config.targets) if shown.floor < target < shown.ceiling]
    last = -1.0
    for target in inside:
        axes.axhline(target, color=FAINT, linewidth=0.9, linestyle=":", zorder=1)
        place = shown.place(target)
        if place - last > _TARGET_SPACING:
            style: Any = {"color": FAINT, "fontsize": 8, "va": "center", "transform": axes.transAxes}
            axes.text(1.006, place, f"target {target:g}", **style)
            last = place

"""Convergence curves: value above the minimum against gradient evaluations, theory beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.experiments.optimize.figures.cases import Case, quartiles
from dnnexp.experiments.optimize.figures.scales import case_evaluations_axis, value_scale
from dnnexp.figures import legend
from dnnexp.figures.layout import Sheet
from dnnexp.figures.palette import THEORY
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import FAINT, SMALL_POINTS

_SIZE_INCHES = (6.6, 4.2)
_RATE, _MEAN = "theory: ∝ ρ²ᵏ", "theory: the mean"
_OF_RULES = ", dots: colour of its rule"
_TARGET_SPACING = 0.045
"""Smallest distance of two targets that are named, as a share of the height."""
_TARGET: Any = {"color": FAINT, "linewidth": 0.8, "linestyle": ":", "zorder": 1}
_UNTUNED: Any = {"linewidth": 0.6, "markersize": 2.5}
_EARLY = 0.05
"""Share of the evaluations during which a rate may be far from the curve, and is left out."""
_MOST_UNTUNED = 8
"""Untuned curves are drawn beside at most this many tuned ones."""
_FEW = 6
"""This many bands can lie over each other and be seen; of more, each is fainter."""
_ALPHA = 0.13
_THEORY_DOTS = 0.16
"""Distance of the coloured dots on a line of theory, as a share of the diagonal of the axes."""


def convergence(case: Case) -> Figure:
    """Median and quartile band over the starts, one curve an optimizer; dashed, what theory predicts."""
    sheet = Sheet(case.title(case.starts), size=_SIZE_INCHES)
    (axes,) = sheet.panels
    names = {label: case.caption(label) for label in case.ranking}
    scale, medians = draw_curves(axes, case, names)
    theories = _draw_theory(axes, case, scale, medians)
    axes.grid(visible=True, axis="y")
    _mark_targets(axes, case, scale)
    sheet.labels("gradient evaluations", case.gap_name)
    sheet.legend(theories, title=f"by running time to {min(case.config.targets):g}")
    sheet.notes(_notes(case))
    return sheet.finish()


def _notes(case: Case) -> str:
    """What thin curves are, and for which optimizers no theory is drawn, or not yet a settled one."""
    notes = []
    if case.config.tune is not None:
        notes.append("thin: untuned" if _has_untuned(case) else "untuned curves are not drawn")
    reasons: dict[str, list[str]] = {}
    for label in case.ranking:
        metrics = case.optimizers[label]
        if reason := metrics["theory"]["note"].replace(f" of {metrics['name']}", ""):
            reasons.setdefault(reason, []).append(case.short(label))
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
    axes: Axes, case: Case, names: Mapping[str, str], has_bands: bool = True, ticks: int = 8
) -> tuple[Scale, dict[str, Any]]:
    """The curves of all optimizers, best first; returns the scale of the values shown, and the medians."""
    curves = {label: quartiles(case.gap(label)) for label in case.ranking}
    scale = value_scale(case, np.concatenate(list(curves.values()), axis=1))
    scale.frame(axes.yaxis, ticks)
    case_evaluations_axis(axes, case)
    is_point = len(case.evaluations) == 1
    dot: Any = {"marker": "o", "markevery": 1, "clip_on": False} if is_point else {}
    for label in case.ranking:
        style = case.style(label)
        low, middle, high = scale.clip(curves[label])
        axes.plot(case.evaluations, middle, label=names[label], **style | dot)
        if has_bands and case.runs > 1:
            alpha = _ALPHA * min(1.0, _FEW / len(curves))
            axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=alpha, linewidth=0)
        if _has_untuned(case):
            untuned = scale.clip(quartiles(case.gap(f"{label}.untuned"))[1])
            axes.plot(case.evaluations, untuned, **style | _UNTUNED)
    return scale, {label: quartile[1] for label, quartile in curves.items()}


def _draw_theory(axes: Axes, case: Case, scale: Scale, medians: Mapping[str, Any]) -> list[Line2D]:
    """The predicted lines; returns legend entries, one for all rates and one for all means."""
    kinds: dict[str, int] = {}
    for label, median in medians.items():
        predicted = case.array(f"{label}.theory")
        known = np.isfinite(predicted)
        if not known.any():
            continue
        kind = _RATE if case.optimizers[label]["theory"]["predicted_mean"] is None else _MEAN
        drawn = known & _is_asymptotic(case, predicted, median) if kind == _RATE else known
        first = _THEORY_DOTS * (sum(kinds.values()) % 4 + 1) / 4  # so the dots of equal lines lie apart
        shade = {f"marker{part}color": case.colour(label) for part in ("face", "edge")}
        dots: Any = {"marker": "o", "markersize": 3.5, "markevery": (first, _THEORY_DOTS)} | shade
        axes.plot(case.evaluations[drawn], scale.clip(predicted[drawn]), **THEORY | dots)
        kinds[kind] = kinds.get(kind, 0) + 1
    return [legend.entry(kind + _OF_RULES, **THEORY) for kind in kinds]


def _is_asymptotic(case: Case, predicted: Any, median: Any) -> Any:
    """The steps that a rate is about: all but the early ones that it is far from."""
    is_near = (predicted > 0.1 * median) & (predicted < 10 * median)
    is_late = case.evaluations >= _EARLY * case.evaluations[np.isfinite(predicted)].max()
    return np.cumsum(is_near | is_late) > 0


def _mark_targets(axes: Axes, case: Case, scale: Scale) -> None:
    """A line for each target, named to its right unless the name would lie on another."""
    last = -1.0
    for target in sorted(case.config.targets):
        if not scale.bottom < target < scale.top:
            continue
        axes.axhline(target, **_TARGET)
        place = float(scale.share(target))
        if place - last > _TARGET_SPACING:
            style: Any = {"color": FAINT, "fontsize": SMALL_POINTS, "va": "center"}
            axes.text(1.006, place, f"target {target:g}", transform=axes.transAxes, **style)
            last = place

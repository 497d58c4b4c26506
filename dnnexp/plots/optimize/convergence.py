"""Convergence curves: value above the minimum against gradient evaluations, theory beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from dnnexp.plots.optimize.cases import Case, quartiles
from dnnexp.plots.style import FAINT, INK


def convergence(case: Case) -> Figure:
    """Median and quartile band over the starts, one curve an optimizer; dashed, what theory predicts."""
    names = {label: _name(case, label) for label in case.ranking}
    legend_width = 1.0 + 0.075 * max(len(name) for name in names.values())  # inches
    width = 7.7 + legend_width
    height = max(5.0, 1.2 + 0.19 * (len(names) + 6))
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.75 / width, 0.5 / height, 6.8 / width, 1 - 0.85 / height))
    floor, ceiling = draw_curves(axes, case, names)
    axes.yaxis.set_major_locator(LogLocator(numticks=12))
    axes.grid(visible=True, axis="y")
    axes.minorticks_off()
    _mark_targets(axes, [target for target in case.config.targets if floor < target < ceiling])
    axes.set_xlabel("gradient evaluations")
    axes.set_ylabel(case.gap_name)
    spread = f"median and quartiles of {case.runs} starts" if case.runs > 1 else "one start"
    axes.set_title(case.title(spread), loc="left")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), title=f"by running time to {min(case.config.targets):g}"
    )
    figure.text(0.99, 0.012, _notes(case), ha="right", va="bottom", fontsize=7, color=FAINT)
    return figure


def _name(case: Case, label: str) -> str:
    found = case.optimizers[label]
    chosen = found.get("tuning", {"best": {}})["best"]
    tuned = "".join(f", {value:.3g}" for value in chosen.values())
    diverged = f" ({found['diverged']} diverged)" if found["diverged"] else ""
    return f"{case.told(label)}{tuned}{diverged}"


def _notes(case: Case) -> str:
    """What no theory is drawn for, and what thin curves are."""
    without = [label for label in case.ranking if not np.isfinite(case.array(f"{label}.theory")).any()]
    notes = []
    if case.config.tune is not None:
        notes.append("thin: untuned")
    if 0 < len(without) < len(case.ranking):
        notes.append(f"no theory for {', '.join(without)}")
    elif without:
        notes.append(f"no theory drawn: {case.optimizers[without[0]]['theory']['note']}")
    text = "; ".join(notes)
    return text if len(text) < 150 else f"{text[:149]}…"


def draw_curves(axes: Axes, case: Case, names: Any, theory: bool = True) -> tuple[float, float]:
    """The curves of all optimizers, best first; returns the limits of the values shown."""
    floor, ceiling = limits(case)
    axes.set_yscale("log")
    axes.set_ylim(floor, ceiling)
    for label in case.ranking:
        style = case.style(label)
        low, middle, high = np.clip(quartiles(case.gap(label)), floor / 10, ceiling * 10)
        marker = "o" if len(middle) == 1 else None
        axes.plot(case.evaluations, middle, label=names.get(label), marker=marker, **style)
        if case.runs > 1:
            axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=0.13, linewidth=0)
        if case.config.tune is not None:
            middle = np.clip(quartiles(case.gap(f"{label}.untuned"))[1], floor / 10, ceiling * 10)
            axes.plot(case.evaluations, middle, **style | {"linewidth": 0.6})
    if theory:
        _draw_theory(axes, case, floor)
    steps = case.config.steps
    if case.config.record.spacing == "log":
        axes.set_xscale("symlog", linthresh=max(1, steps / 1000))
    axes.set_xlim(0, max(steps, 1))
    return floor, ceiling


def _draw_theory(axes: Axes, case: Case, floor: float) -> None:
    """The predicted lines, with one entry in the legend for all."""
    label: str | None = "theory: ρ²ᵏ, f − f* by rate ρ"
    for optimizer in case.ranking:
        predicted = case.array(f"{optimizer}.theory")
        if np.isfinite(predicted).any():
            line = np.where(predicted > floor, predicted, np.nan)
            axes.plot(
                case.evaluations, line, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label=label, zorder=3
            )
            label = None


def limits(case: Case) -> tuple[float, float]:
    """The least and the greatest value to show: not far below the targets, nor far above the starts."""
    gaps = np.concatenate([case.gap(label) for label in case.ranking], axis=1)
    floor = min(case.config.targets) * 1e-4
    start = np.max(gaps[0], initial=floor, where=np.isfinite(gaps[0]))
    seen = gaps[(gaps > floor) & (gaps < 1e3 * start)]
    if seen.size == 0:
        return floor, 10 * floor
    return max(float(seen.min()) / 2, floor), float(seen.max()) * 2


def _mark_targets(axes: Axes, targets: list[float]) -> None:
    for target in targets:
        axes.axhline(target, color=FAINT, linewidth=0.9, linestyle=":", zorder=1)
        axes.annotate(
            f"target {target:g}",
            (0.005, target),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            color=FAINT,
            fontsize=8,
        )

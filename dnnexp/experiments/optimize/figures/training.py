"""Training curves: loss and accuracy of the training and the validation part."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dnnexp.experiments.optimize.figures.cases import Case, quartiles
from dnnexp.experiments.optimize.figures.frames import legend, title
from dnnexp.experiments.optimize.figures.scales import evaluations_axis

_WIDTH = 4.6
_SMALLEST = 1e-300


def training(case: Case) -> Figure:
    """Median and band over the starts: validation thick, training thin."""
    kinds = ["loss"] + ["accuracy"] * case.measures("train_accuracy")
    names = {label: case.caption(label) for label in case.ranking}
    width = max(_WIDTH * len(kinds) + 1.2 + 0.075 * max(map(len, names.values())), 7.5)
    height = max(4.4, 1.2 + 0.19 * len(names))
    figure = Figure(figsize=(width, height))
    for place, kind in enumerate(kinds):
        corner = (0.65 + _WIDTH * place) / width, 0.5 / height
        axes = figure.add_axes((*corner, (_WIDTH - 0.75) / width, 1 - 1.1 / height))
        _panel(axes, case, kind, names)
    legend(axes, "by running time")
    parts = "thick: validation, thin: training" if case.measures("validation_loss") else "training"
    title(figure, case.title(f"{case.starts}; {parts}"))
    return figure


def _panel(axes: Axes, case: Case, kind: str, names: Any) -> None:
    """The curves of one measure."""
    thick = "validation" if case.measures("validation_loss") else "train"
    bands = {label: _quartiles(case, f"{label}.{thick}_{kind}", kind) for label in names}
    thin = {label: _quartiles(case, f"{label}.train_{kind}", kind)[1] for label in names}
    clip = _scale(axes, np.array([*(band[1] for band in bands.values()), *thin.values()]), kind)
    for label, name in names.items():
        style = case.style(label)
        low, middle, high = clip(bands[label])
        axes.plot(case.evaluations, middle, label=name, **style)
        if case.runs > 1:
            axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=0.15, linewidth=0)
        if thick == "validation":
            axes.plot(case.evaluations, clip(thin[label]), **style | {"linewidth": 0.7, "marker": ""})
    evaluations_axis(axes, case)
    axes.set_xlabel("gradient evaluations")
    axes.grid(visible=True, axis="y")
    axes.set_title(kind, loc="left")


def _quartiles(case: Case, name: str, kind: str) -> Any:
    """Quartiles over the starts; a diverged run counts as the worst."""
    values = case.array(name)
    return quartiles(values) if kind == "loss" else -quartiles(-values)[::-1]


def _scale(axes: Axes, medians: Any, kind: str) -> Any:
    """Limits and scale of the y axis, and what keeps curves near them.

    Losses are on a log axis, unless some are 0; accuracies from the level that the last three quarters of
    the records do not leave.
    """
    seen = medians[np.isfinite(medians)]
    if kind == "accuracy":
        late = medians[:, medians.shape[1] // 4 :]
        low = float(np.min(late, initial=1.0, where=np.isfinite(late)))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_ylim(max(0.0, low - 0.05), 1.005)
        return lambda values: np.clip(values, -1, 2)
    if seen.size == 0:
        return lambda values: np.where(np.isfinite(values), values, np.nan)
    high = min(float(seen.max()), 1e3 * float(medians[:, 0].max()))
    if (seen > 0).all():
        low = max(float(seen.min()), _SMALLEST)
        axes.set_yscale("log")
        axes.set_ylim(low / 1.5, high * 1.5)
        return lambda values: np.clip(values, low / 100, high * 100)
    axes.set_ylim(0, high * 1.05 + 1e-12)
    return lambda values: np.clip(values, 0, 10 * high + 1)

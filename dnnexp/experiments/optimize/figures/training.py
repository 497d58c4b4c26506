"""Training curves: loss and accuracy of the training and the validation part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.optimize.figures.cases import Case, quartiles
from dnnexp.experiments.optimize.figures.scales import case_evaluations_axis
from dnnexp.figures.layout import Sheet
from dnnexp.figures.scales import Scale

_SIZE_INCHES = (3.9, 3.5)
_SMALLEST = 1e-280
_ABOVE_START = 1e3
"""Losses are shown up to this multiple of the largest start."""
_THIN: Any = {"linewidth": 0.7, "marker": ""}


def training(case: Case) -> Figure:
    """Median and band over the starts: validation thick, training thin."""
    kinds = ["loss"] + ["accuracy"] * case.measures("train_accuracy")
    parts = "thick: validation, thin: training" if case.measures("validation_loss") else "training"
    sheet = Sheet(case.title(f"{case.starts}; {parts}"), len(kinds), _SIZE_INCHES)
    for axes, kind in zip(sheet.panels, kinds, strict=True):
        _panel(axes, case, kind)
        sheet.heading(axes, kind)
    sheet.labels(x="gradient evaluations")
    sheet.legend(title="by running time")
    return sheet.finish()


def _panel(axes: Axes, case: Case, kind: str) -> None:
    """The curves of one measure."""
    thick = "validation" if case.measures("validation_loss") else "train"
    bands = {label: _quartiles(case, f"{label}.{thick}_{kind}", kind) for label in case.ranking}
    thin = {label: _quartiles(case, f"{label}.train_{kind}", kind)[1] for label in case.ranking}
    scale = _scale(np.array([*(band[1] for band in bands.values()), *thin.values()]), kind)
    scale.frame(axes.yaxis)
    for label in case.ranking:
        style = case.style(label)
        low, middle, high = scale.clip(bands[label])
        axes.plot(case.evaluations, middle, label=case.caption(label), **style)
        if case.runs > 1:
            axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=0.15, linewidth=0)
        if thick == "validation":
            axes.plot(case.evaluations, scale.clip(thin[label]), **style | _THIN)
    case_evaluations_axis(axes, case)
    axes.grid(visible=True, axis="y")


def _quartiles(case: Case, name: str, kind: str) -> Any:
    """Quartiles over the starts; a diverged run counts as the worst."""
    values = case.array(name)
    return quartiles(values) if kind == "loss" else -quartiles(-values)[::-1]


def _scale(medians: Any, kind: str) -> Scale:
    """The scale of the y axis.

    Losses are on a logarithmic scale, unless some are 0; accuracies from the level that the last three
    quarters of the records do not leave.
    """
    if kind == "accuracy":
        late = medians[:, medians.shape[1] // 4 :]
        low = float(np.min(late, initial=1.0, where=np.isfinite(late)))
        scale = Scale.between(max(0.0, low - 0.05), 1.0, margin=0)
        return replace(scale, is_percent=True, top=1.005)
    seen = medians[np.isfinite(medians)]
    if seen.size == 0:
        return Scale.between(0.0, 1.0)
    high = min(float(seen.max()), _ABOVE_START * float(medians[:, 0].max()))
    if (seen > 0).all():
        return Scale.between(max(float(seen.min()), _SMALLEST) / 1.5, high * 1.5, "log", margin=0)
    return Scale.between(0.0, high * 1.05 + 1e-12, margin=0)

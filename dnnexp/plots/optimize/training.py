"""Training curves: loss and accuracy of the training and the validation part."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from dnnexp.plots.optimize.cases import Case, quartiles


def training(case: Case) -> Figure:
    """Median and band over the starts: validation thick, training thin."""
    kinds = ["loss"] + ["accuracy"] * case.measures("train_accuracy")
    names = {label: case.told(label) for label in case.ranking}
    width = 4.6 * len(kinds) + 1.2 + 0.075 * max(map(len, names.values()))
    figure = Figure(figsize=(width, max(4.2, 1.0 + 0.19 * len(names))))
    height = figure.get_size_inches()[1]
    has_validation = case.measures("validation_loss")
    for place, kind in enumerate(kinds):
        axes = figure.add_axes(((0.65 + 4.6 * place) / width, 0.5 / height, 3.85 / width, 1 - 0.95 / height))
        for label in case.ranking:
            _curves(axes, case, label, kind, names[label], has_validation)
        axes.set_xlim(0, max(case.config.steps, 1))
        axes.set_xlabel("gradient evaluations")
        axes.grid(visible=True, axis="y")
        axes.set_title(kind, loc="left")
        _scale(axes, case, kind)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), title="by running time")
    parts = "thick: validation, thin: training" if has_validation else "training"
    spread = f"median and quartiles of {case.runs} starts" if case.runs > 1 else "one start"
    figure.suptitle(case.title(f"{spread}; {parts}"), x=0.01, y=1 - 0.06 / height, ha="left", va="top")
    return figure


def _curves(axes: Axes, case: Case, label: str, kind: str, name: str, has_validation: bool) -> None:
    style = case.style(label)
    thick = "validation" if has_validation else "train"
    low, middle, high = quartiles(case.array(f"{label}.{thick}_{kind}"))
    axes.plot(case.evaluations, middle, label=name, **style)
    if case.runs > 1:
        axes.fill_between(case.evaluations, low, high, color=style["color"], alpha=0.15, linewidth=0)
    if has_validation:
        middle = quartiles(case.array(f"{label}.train_{kind}"))[1]
        axes.plot(case.evaluations, middle, **style | {"linewidth": 0.7})


def _scale(axes: Axes, case: Case, kind: str) -> None:
    """Losses on a log axis; accuracies from the level that the second half of the steps does not leave."""
    if kind == "loss":
        if all((case.array(f"{label}.train_loss") != 0).all() for label in case.ranking):
            axes.set_yscale("log")
        return
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    parts = [part for part in ("train", "validation") if case.measures(f"{part}_{kind}")]
    curves = [quartiles(case.array(f"{label}.{part}_{kind}"))[1] for label in case.ranking for part in parts]
    late = np.array([curve[len(curve) // 4 :] for curve in curves])
    low = float(np.nanmin(late)) if np.isfinite(late).any() else 0.0
    axes.set_ylim(max(0.0, low - 0.05), 1.005)

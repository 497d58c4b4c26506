"""The schedules: each optimizer's learning rate, step by step."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.experiments.optimize.figures.scales import case_evaluations_axis
from dnnexp.figures.layout import Sheet
from dnnexp.figures.scales import Scale
from dnnexp.text import number

_SIZE_INCHES = (6.6, 3.8)
_POINTS = 400


def has_schedules(case: Case) -> bool:
    """Whether any learning rate changes."""
    return not all(entry.item.schedule.is_constant for entry in case.config.optimizers)


def schedules(case: Case) -> Figure:
    """The learning rate against the step, as a multiple of the optimizer's η, which the legend has.

    So optimizers of different rates share a linear axis, on which a warm-up from 0 is a ramp.
    """
    steps = max(case.config.steps, 2)
    spaced = np.concatenate([np.geomspace(1, steps, _POINTS), np.linspace(1, steps, _POINTS)])
    taken = np.unique(spaced.round()).astype(int)
    factors = {
        entry.label: np.array([entry.item.schedule.at(step - 1, case.config.steps) for step in taken])
        for entry in case.config.optimizers
    }
    sheet = Sheet(f"{case.run_name}: schedules", size=_SIZE_INCHES)
    (axes,) = sheet.panels
    Scale.of([np.zeros(1), *factors.values()], "linear").frame(axes.yaxis)
    for label, factor in factors.items():
        rate = case.optimizers[label]["hyperparameters"].get("learning_rate", 1.0)
        name = f"{case.described(label)}, η = {number(rate)}"
        axes.plot(taken, factor, label=name, **case.style(label))
    case_evaluations_axis(axes, case)
    axes.grid(visible=True, axis="y")
    sheet.labels("step", "learning rate, as a multiple of η")
    sheet.legend(title="in the order of the config")
    return sheet.finish()

"""The schedules: each optimizer's learning rate, step by step."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.experiments.optimize.figures.frames import beside, legend
from dnnexp.experiments.optimize.figures.scales import evaluations_axis

_POINTS = 400
_LEAST = 1e-6
"""Of the largest rate: rates below it, such as 0 at the end, leave the plot."""


def has_schedules(case: Case) -> bool:
    """Whether any learning rate changes."""
    return not all(entry.item.schedule.is_constant for entry in case.config.optimizers)


def schedules(case: Case) -> Figure:
    """The learning rate against the step, as tuned, on a logarithmic scale."""
    steps = case.config.steps
    spaced = np.unique(np.geomspace(1, max(steps, 2), _POINTS).round())
    taken = np.unique(np.concatenate([spaced, np.linspace(1, max(steps, 2), _POINTS).round()])).astype(int)
    names = {entry.label: case.told(entry.label) for entry in case.config.optimizers}
    figure, axes = beside(list(names.values()))
    largest = 0.0
    for entry in case.config.optimizers:
        rate = case.optimizers[entry.label]["hyperparameters"].get("learning_rate", 1.0)
        rates = np.array([rate * entry.item.schedule.at(step - 1, steps) for step in taken])
        largest = max(largest, float(rates.max()))
        style = {key: value for key, value in case.style(entry.label).items() if "marker" not in key}
        axes.plot(taken, rates, label=names[entry.label], **style)
    axes.set_yscale("log")
    axes.set_ylim(bottom=largest * _LEAST)
    evaluations_axis(axes, case)
    axes.grid(visible=True, axis="y")
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.set_title(f"{case.run_name}: schedules", loc="left")
    legend(axes, "in the order of the config")
    return figure

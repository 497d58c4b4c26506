"""The spread of the outputs in several runs, laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.activations.figures.curves import layer_ticks
from dnnexp.figures.comparison import Panel, Styles, compared, numbers, panel_of


def comparison(labels: Sequence[str], runs: Sequence[Any]) -> Figure:
    """The standard deviation of every layer's outputs in each run, one panel for each case."""
    styles = Styles(labels)
    found: dict[str, Panel] = {}
    for index, metrics in enumerate(runs):
        for case, entry in metrics["cases"].items():
            std = numbers(layer["post"]["std"] for layer in entry["layers"])
            curve = (np.arange(1, len(std) + 1), std, styles.of(index))
            panel_of(found, case).curves.append(curve)
    return compared(list(found.values()), styles, "standard deviation of the outputs", "layer", _layers)


def _layers(axes: Axes, panel: Panel) -> None:
    layer_ticks(axes, max(len(x) for x, _, _ in panel.curves))

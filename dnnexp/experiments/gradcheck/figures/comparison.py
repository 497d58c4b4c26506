"""The errors of several runs beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.figures.comparison import Panel, Styles, compared, numbers
from dnnexp.figures.labels import distinct, literal

_NAME = 12
"""Characters of a tensor's name on the axis."""
_MOST_NAMES = 14
"""Tensors named on the axis; of more, evenly chosen ones."""


def comparison(labels: Sequence[str], runs: Sequence[Any]) -> Figure:
    """The largest relative error of every tensor in each run, one panel for each pair of methods."""
    styles = Styles(labels, is_dots=True)
    checks = [metrics["checks"] for metrics in runs]
    tensors: dict[str, list[str]] = {}  # by pair
    for entry in chain.from_iterable(checks):
        known = tensors.setdefault(entry["pair"], [])
        known += [entry["tensor"]] * (entry["tensor"] not in known)
    found = {pair: Panel(pair, []) for pair in tensors}
    for index, run in enumerate(checks):
        for pair, names in tensors.items():
            errors = {e["tensor"]: e["max_rel_error"] for e in run if e["pair"] == pair}
            x = np.array([names.index(tensor) for tensor in errors], dtype=np.float64)
            y = numbers(np.inf if error is None else error for error in errors.values())
            if errors:
                found[pair].curves.append((x, y, styles.of(index)))

    def frame_x(axes: Axes, panel: Panel) -> None:
        _tensor_ticks(axes, tensors[panel.title])

    return compared(list(found.values()), styles, "largest relative error of each tensor", "tensor", frame_x)


def _tensor_ticks(axes: Axes, names: Sequence[str]) -> None:
    """The x axis of tensors: the names of so many as can be read."""
    step = -(-len(names) // _MOST_NAMES)
    short = [literal(name) for name in distinct(names[::step], _NAME)]
    is_crowded = len(short) * max(map(len, short)) > 36
    style: Any = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if is_crowded else {}
    axes.set_xticks(range(0, len(names), step), short, **style)
    axes.set_xlim(-0.5, len(names) - 0.5)

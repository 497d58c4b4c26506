"""The convergence curves of several runs, laid over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dnnexp.experiments.base import quantile
from dnnexp.experiments.optimize.figures.scales import evaluations_axis
from dnnexp.figures.comparison import Panel, Styles, compared, panel_of
from dnnexp.registry import parts

_ABOVE_START = 1e3
"""Curves that rise above this multiple of their start leave through the top."""


def comparison(labels: Sequence[str], metrics: Sequence[Any], arrays: Sequence[Mapping[str, Any]]) -> Figure:
    """Median and best value above the minimum; of a suite the medians, one panel for each objective."""
    runs = [_blocks(*pair) for pair in zip(metrics, arrays, strict=True)]
    optimizers = list(dict.fromkeys(label for run in runs for block in run.values() for label in block))
    styles = Styles(labels, optimizers, list(parts("optimizer")))
    found: dict[str, Panel] = {}
    for index, run in enumerate(runs):
        for name, block in run.items():
            for label, (x, values) in block.items():
                style = styles.of(index, label)
                middle = panel_of(found, f"{name}: median" if name else "median over the starts")
                middle.curves.append((x, _cut(quantile(values, (0.5,))[0]), style))
                if not name:
                    best = panel_of(found, "best of the starts")
                    best.curves.append((x, _cut(quantile(values, (0.0,))[0]), style))
    return compared(
        list(found.values()), styles, "value above the minimum", "gradient evaluations", _evaluations
    )


def _blocks(metrics: Any, arrays: Mapping[str, Any]) -> dict[str, dict[str, tuple[Any, Any]]]:
    """By objective ('' for the only one) and optimizer: the evaluations and the values `(K, R)`."""
    objectives = metrics.get("objectives") or {"": metrics}
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for name, block in objectives.items():
        prefix = f"{name}." if name else ""
        found[name] = {
            label: (arrays["evaluations"], arrays[f"{prefix}{label}.value"] - (block["minimum"] or 0.0))
            for label in block["optimizers"]
        }
    return found


def _cut(values: Any) -> Any:
    """A curve, +inf where it is far above its start."""
    with np.errstate(invalid="ignore"):
        return np.where(values > _ABOVE_START * max(abs(values[0]), 1e-300), np.inf, values)


def _evaluations(axes: Axes, panel: Panel) -> None:
    """The x axis: nearly linear at first, then logarithmic, where the record is spaced so."""
    longest = max((x for x, _, _ in panel.curves), key=lambda x: float(x[-1]))
    steps = np.diff(longest)
    evaluations_axis(axes, float(longest[-1]), len(steps) > 1 and steps[-1] > 2 * steps[0])

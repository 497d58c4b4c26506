"""The curves of several runs of an experiment, laid over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from dnnexp.experiments.base import Result, quantile
from dnnexp.plots.activations.curves import Scale, layer_ticks, log_scale
from dnnexp.plots.activations.panels import columns_of, legend, panels, title
from dnnexp.plots.style import INK, colour, line

_SIZE = (3.4, 2.6)
_MOST = 12
"""Panels of a figure."""
_ABOVE_START = 1e3
"""Curves that rise higher leave through the top."""
_STROKES = 4
_DOTS = "os^D"
_NAME = 7
_MOST_NAMES = 14
"""On an axis of tensors."""


class _Panel(NamedTuple):
    """Curves on one pair of axes: x, y, and the style of each."""

    title: str
    curves: list[tuple[Any, Any, dict[str, Any]]]


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`compare`; `result.config` has the labels of the runs.

    `result.metrics` has their experiment and, as `runs`, the metrics of each; `result.arrays` has the arrays
    that are drawn of each, by the number of the run.
    """
    yield "compare", _DRAWN[result.metrics["experiment"]](result)


def _optimize(result: Result) -> Figure:
    """Median and best value above the minimum; of a suite the medians, a panel an objective."""
    runs = [_blocks(metrics, result.arrays[str(i)]) for i, metrics in enumerate(result.metrics["runs"])]
    labels = list(dict.fromkeys(label for run in runs for block in run.values() for label in block))
    styles = _Styles(result.config, labels)
    found: dict[str, _Panel] = {}
    for index, run in enumerate(runs):
        for name, block in run.items():
            for label, (x, values) in block.items():
                style = styles.of(index, label)
                middle = _panel(found, f"{name}: median" if name else "median over the starts")
                middle.curves.append((x, _cut(quantile(values, (0.5,))[0]), style))
                if not name:
                    best = _panel(found, "best of the starts")
                    best.curves.append((x, _cut(quantile(values, (0.0,))[0]), style))
    shown = list(found.values())
    figure, grid = _frame(shown, styles, "value above the minimum, against gradient evaluations")
    for axes, panel in zip(grid, shown, strict=False):
        _draw(axes, panel)
        _evaluations(axes, panel)
    return figure


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


def _evaluations(axes: Axes, panel: _Panel) -> None:
    """The x axis: nearly linear at first, then logarithmic, where the record is spaced so."""
    longest = max((x for x, _, _ in panel.curves), key=lambda x: float(x[-1]))
    last, steps = max(float(longest[-1]), 1.0), np.diff(longest)
    if len(steps) > 1 and steps[-1] > 2 * steps[0] and last >= 10:
        width = max(1.0, last / 1000)
        axes.set_xscale("asinh", linear_width=width)
        powers = 10 ** np.arange(np.log10(width).round(), np.log10(last) + 1e-9)
        axes.xaxis.set_major_locator(FixedLocator([0, *powers]))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(0, last)


def _activations(result: Result) -> Figure:
    """The standard deviation of every layer's outputs, a panel a case."""
    styles = _Styles(result.config, [])
    found: dict[str, _Panel] = {}
    for index, metrics in enumerate(result.metrics["runs"]):
        for case, entry in metrics["cases"].items():
            std = _numbers(layer["post"]["std"] for layer in entry["layers"])
            curve = (np.arange(1, len(std) + 1), std, styles.of(index, ""))
            _panel(found, case).curves.append(curve)
    shown = list(found.values())
    figure, grid = _frame(shown, styles, "standard deviation of the outputs, against the layer")
    for axes, panel in zip(grid, shown, strict=False):
        _draw(axes, panel)
        layer_ticks(axes, max(len(x) for x, _, _ in panel.curves))
    return figure


def _gradcheck(result: Result) -> Figure:
    """The largest relative error of every tensor, a panel a pair of methods."""
    styles = _Styles(result.config, [], is_dots=True)
    checks = [metrics["checks"] for metrics in result.metrics["runs"]]
    tensors: dict[str, list[str]] = {}  # by pair
    for entry in chain.from_iterable(checks):
        known = tensors.setdefault(entry["pair"], [])
        known += [entry["tensor"]] * (entry["tensor"] not in known)
    found = {pair: _Panel(pair, []) for pair in tensors}
    for index, run in enumerate(checks):
        for pair, names in tensors.items():
            errors = {e["tensor"]: e["max_rel_error"] for e in run if e["pair"] == pair}
            x = np.array([names.index(tensor) for tensor in errors], dtype=np.float64)
            y = _numbers(np.inf if error is None else error for error in errors.values())
            if errors:
                found[pair].curves.append((x, y, styles.of(index, "")))
    shown = list(found.values())
    figure, grid = _frame(shown, styles, "largest relative error, by tensor")
    for axes, panel in zip(grid, shown, strict=False):
        _draw(axes, panel)
        _tensor_ticks(axes, tensors[panel.title])
    return figure


def _tensor_ticks(axes: Axes, names: Sequence[str]) -> None:
    """The x axis of tensors: the names of so many as can be read."""
    step = -(-len(names) // _MOST_NAMES)
    short = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in names[::step]]
    axes.set_xticks(range(0, len(names), step), short, rotation=45 if len(names) > 6 else 0, fontsize=7)
    axes.set_xlim(-0.5, len(names) - 0.5)


_DRAWN: Mapping[str, Callable[[Result], Figure]] = {
    "optimize": _optimize,
    "activations": _activations,
    "gradcheck": _gradcheck,
}


class _Styles:
    """A run has dashes and, where it is not also told apart from other curves of its own, a colour."""

    def __init__(self, runs: Sequence[str], curves: Sequence[str], is_dots: bool = False) -> None:
        self._runs = runs
        self._is_dots = is_dots
        self._curves = curves if len(curves) > 1 else ()

    def of(self, run: int, curve: str) -> dict[str, Any]:
        """The style of a curve of a run."""
        if self._is_dots:
            return {"color": colour(run), "linestyle": "", "fillstyle": "none", "marker": _DOTS[run % 4]}
        if not self._curves:
            return line(run)
        return {**_stroke(run), "color": colour(self._curves.index(curve))}

    def handles(self) -> list[Line2D]:
        """What stands in the legend."""
        found = [Line2D([], [], color=colour(i), label=name) for i, name in enumerate(self._curves)]
        for index, name in enumerate(self._runs):
            style = _stroke(index) | {"color": INK} if self._curves else self.of(index, "")
            found.append(Line2D([], [], label=name, **{k: v for k, v in style.items() if k != "markevery"}))
        return found


def _stroke(index: int) -> dict[str, Any]:
    """Dashes of a run and, from the fifth on, markers."""
    marked = line(8 * (index // _STROKES))
    return {**marked, "linestyle": line(index % _STROKES)["linestyle"]}


def _panel(found: dict[str, _Panel], name: str) -> _Panel:
    return found.setdefault(name, _Panel(name, []))


def _numbers(values: Any) -> Any:
    """An array of numbers, NaN for null."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _frame(shown: Sequence[_Panel], styles: _Styles, what: str) -> tuple[Figure, list[Axes]]:
    """Axes for the panels, as many as fit, and the legend beside them."""
    count = min(len(shown), _MOST)
    handles = styles.handles()
    notes = "" if count == len(shown) else f"the first {count} of {len(shown)}"
    names = [str(handle.get_label()) for handle in handles]
    figure, grid = panels(count, columns_of(count), _SIZE, names, notes=notes)
    title(figure, what)
    legend(figure, handles)
    return figure, grid


def _draw(axes: Axes, panel: _Panel) -> None:
    scale = _scale([y for _, y, _ in panel.curves])
    scale.frame(axes)
    for x, y, style in panel.curves:
        dot: dict[str, Any] = {} if len(x) > 1 or "marker" in style else {"marker": "o", "markersize": 4}
        axes.plot(x, scale.place(y), **(style | dot))
    axes.set_title(panel.title, loc="left")


def _scale(curves: Sequence[Any]) -> Scale:
    """Logarithmic, unless there are negative values."""
    values = np.concatenate([np.ravel(curve) for curve in curves])
    values = values[np.isfinite(values)]
    if not (values < 0).any():
        return log_scale(curves)
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.5
    return Scale(low - margin, high + margin, low, high, False)

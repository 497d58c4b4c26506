"""Error against step, with the branches that theory predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from dnnexp.experiments.base import Result, quantile
from dnnexp.experiments.gradcheck.targets import AllTargets, NetworkTarget
from dnnexp.figures.palette import colour
from dnnexp.figures.style import FAINT, INK
from dnnexp.text import counted

_FLOOR = 1e-17
_WIDTH = 8.0
_BODY, _FOOT, _LINE = 4.3, 0.5, 0.18
_MEASURED = {
    "central": "central differences, measured",
    "complex": "complex step, measured",
    "central4": "central differences of fourth order, measured",
    "taylor": "Taylor remainder |φ(h) − φ(0) − hφ′(0)|, measured",
}
_WITH_BAND = ("central", "complex")
_OF_NETWORKS = " ε‖∂E/∂y ⊙ y‖/√2h"
_THEORY = {
    "round_off": ((0, (1.5, 1.5)), f"theory: round-off{_OF_NETWORKS}"),
    "truncation": ((0, (6, 2)), "theory: truncation h²|φ‴|/6"),
    "truncation4": ((0, (6, 2, 1.5, 2)), "theory: truncation of fourth order"),
}
_NAMES = (*_MEASURED, *_THEORY)
_ORDERS = {None: "central", "central4": "of fourth order", "taylor": "Taylor remainder"}


def errors(result: Result) -> Figure:
    """The relative error of difference quotients against h: median and range over the directions.

    Of many functions at once the band is their middle half: some are flat where they are drawn.
    """
    arrays, is_network = result.arrays, isinstance(result.config.target, NetworkTarget)
    curves = {name: _rows(arrays[f"sweep.{name}"]) for name in _NAMES if f"sweep.{name}" in arrays}
    shown = [name for name, rows in curves.items() if len(rows)]
    head = 0.34 + _LINE * (1 + -(-len(shown) // 2))
    height = head + _BODY + _FOOT
    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_axes((0.09, _FOOT / height, 0.89, _BODY / height))
    h = np.asarray(arrays["sweep.h"])
    _frame(axes, h, is_network)
    for index, name in enumerate(_MEASURED):
        if name in shown:
            _curve(axes, h, curves[name], colour(index), name, _band(result))
    for name, (dashes, label) in _THEORY.items():
        if name in shown:
            label = label if is_network else label.replace(_OF_NETWORKS, "")
            middle = np.median(curves[name], axis=0)
            axes.plot(h, middle, color=INK, linestyle=dashes, linewidth=1.1, label=label)
    _notes(axes, result, [curves[name] for name in _MEASURED if name in shown])
    _default_step(axes, result.metrics["step_sweep"]["default_step"])
    if shown:
        place: Any = {"loc": "upper left", "bbox_to_anchor": (0.08, 1 - (0.16 + 2 * _LINE) / height)}
        figure.legend(ncols=2, fontsize=8, borderpad=0, labelspacing=0.3, handlelength=2.6, **place)
    title = f"{_title(result)}\n{_orders(result.metrics['order'])}"
    figure.text(0.09, 1 - 0.08 / height, title, va="top", linespacing=1.35)
    return figure


def _rows(curves: Any) -> Any:
    """The directions that have such a curve: some functions take no complex step."""
    return curves[~np.isnan(curves).all(axis=1)]


def _title(result: Result) -> str:
    rows, flat = len(_rows(result.arrays["sweep.central"])), _left_out(result)
    told = [f"{result.config.name}: {result.metrics['verdict']}"]
    if rows:
        spread = "median and range" if _band(result) == (0, 1) else "median and middle half"
        told.append("one direction" if rows == 1 else f"{spread} of {rows} directions")
    if rows and flat:
        told.append(f"{counted(flat, 'more direction')}, of slope 0, left out")
    return "; ".join(told)


def _band(result: Result) -> tuple[float, float]:
    """From which to which quantile it is drawn."""
    return (0.25, 0.75) if isinstance(result.config.target, AllTargets) else (0, 1)


def _left_out(result: Result) -> int:
    """In how many directions of a function the slope was 0."""
    if isinstance(result.config.target, NetworkTarget | AllTargets):
        return 0
    return int(result.config.step_sweep.directions - len(_rows(result.arrays["sweep.central"])))


def _notes(axes: Axes, result: Result, measured: list[Any]) -> None:
    """Why nothing is drawn, or what is drawn at the lower edge."""
    if not np.isfinite(result.arrays["sweep.central"]).any():
        broken = [finding for finding in result.metrics["findings"] if finding["kind"] == "non_finite"]
        why = "the slope is 0 along every direction drawn: there is no error relative to it"
        if broken:
            why = f"no slope is finite, as {broken[0]['where']} is not: there is no error relative to it"
        axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", backgroundcolor="white")
    elif any((np.median(curves, axis=0) < _FLOOR).any() for curves in measured):
        told = f"errors of {_FLOOR:g} and less, 0 too, are at the lower edge"
        place: Any = {"transform": axes.transAxes, "ha": "center", "va": "top"}  # between the branches
        axes.text(0.5, 0.97, told, color=FAINT, fontsize=8, **place)


def _orders(order: dict[str, Any]) -> str:
    """Such as "central 2.00 (2)", of each curve that has one."""
    told = []
    for key, name in _ORDERS.items():
        found = order if key is None else order.get(key)
        if found is not None:
            seen = "none" if found["observed"] is None else f"{found['observed']:.2f}"
            told.append(f"{name} {seen} ({found['expected']:g})")
    return f"observed (expected) order: {', '.join(told)}"


def _frame(axes: Axes, h: Any, is_network: bool) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(h[0], h[-1])
    axes.set_ylim(_FLOOR, 10)
    axes.xaxis.set_major_locator(LogLocator(numticks=15))
    axes.yaxis.set_major_locator(LogLocator(numticks=20))
    axes.minorticks_off()
    axes.grid(visible=True)
    of = "all parameters" if is_network else "all coordinates, at one of the points"
    axes.set_xlabel(f"step h, along a standard normal direction of {of}")
    reference = "backward" if is_network else "analytic"
    axes.set_ylabel(f"error of the directional derivative, relative to {reference}")


def _curve(axes: Axes, h: Any, curves: Any, shade: str, name: str, between: tuple[float, float]) -> None:
    """The median over the directions, and of the main methods a band between two quantiles."""
    shares = (between[0], 0.5, between[1])
    with np.errstate(invalid="ignore"):
        low, middle, high = np.maximum(quantile(curves.T, shares), _FLOOR)
    if name in _WITH_BAND:
        axes.fill_between(h, low, high, color=shade, alpha=0.2, linewidth=0)
        axes.plot(h, middle, color=shade, label=_MEASURED[name], marker="o", markersize=3)
    else:
        axes.plot(h, middle, color=shade, label=_MEASURED[name], linewidth=1.1)


def _default_step(axes: Axes, step: float) -> None:
    """The step that central differences take, if it is in sight."""
    low, high = axes.get_xlim()
    if not low <= step <= high:
        return
    axes.axvline(step, color=FAINT, linewidth=0.9, linestyle=":")
    beyond = np.log(high / step) < 0.18 * np.log(high / low)
    style: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    style |= {"xytext": (-4 if beyond else 4, 0), "ha": "right" if beyond else "left"}
    axes.annotate(f"default step {step:.1e}", (step, 0.02), color=FAINT, fontsize=8, **style)

"""Phase diagrams: for which variances of weights and biases inputs merge or part, and where the cases lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from dnnexp.experiments.activations.figures.panels import columns_of_activations, legend, panels, title
from dnnexp.experiments.base import Result
from dnnexp.figures.palette import colour
from dnnexp.figures.style import INK

_TINTS = ("#DCEBF7", "#FBE3D2")
"""Of the ordered and the chaotic phase."""
_WORDS = ((0.04, 0.96, "ordered", "#2F6690"), (0.96, 0.4, "chaotic", "#A0522D"))
_WORD = 0.2
"""The width of a word, at most, as a share of the panel."""
_HATCH = "////"
_HATCHES = "#B9A79B"
_NAMES = ("ordered: χ₁ < 1, gradients vanish", "chaotic: χ₁ > 1, gradients explode")
_MARKERS = "osD^vP*X"
_LARGEST, _SMALLER = 9.0, 2.5
"""Of markers at one place each is smaller than the one below it."""
_SIZES = {1: (4.6, 3.4), 2: (3.6, 2.8), 3: (2.9, 2.3)}
_SMALL = (2.1, 1.7)


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`phase_diagram`, where there is theory."""
    labels = [entry.label for entry in result.config.activations]
    shown = [label for label in labels if f"_phase.{label}.chi_1" in result.arrays]
    if shown:
        yield "phase_diagram", _figure(result, shown)


def _figure(result: Result, shown: list[str]) -> Figure:
    """A panel an activation."""
    initializers = [entry.label for entry in result.config.initializers]
    columns = columns_of_activations(len(shown))
    diverges = any(not np.isfinite(result.arrays[f"_phase.{label}.q_star"]).all() for label in shown)
    handles = [
        *_key(diverges),
        *(Line2D([], [], label=label, **_marker(initializers, label)) for label in initializers),
    ]
    names = [handle.get_label() for handle in handles]
    size = _SIZES.get(columns, _SMALL)
    figure, grid = panels(len(shown), columns, size, names, notes=_notes(result, shown))
    for index, (axes, label) in enumerate(zip(grid, shown, strict=True)):
        diagram = {
            name: np.asarray(result.arrays[f"_phase.{label}.{name}"], np.float64)
            for name in ("sigma_w2", "sigma_b2", "q_star", "chi_1")
        }
        _regions(axes, diagram)
        _axes(axes, diagram)
        _phases(axes, diagram)
        _cases(axes, diagram, _places(result, label), initializers)
        axes.set_title(label, loc="left")
        if index + columns >= len(shown):
            axes.set_xlabel("σ_w² = fan_in · Var(w)")
        if index % columns == 0:
            axes.set_ylabel("σ_b² = Var(b)")
    title(figure, f"{result.config.name}: what wide, deep layers do, by the variances of weights and biases")
    legend(figure, handles)
    return figure


def _regions(axes: Axes, diagram: dict[str, Any]) -> None:
    """The two phases, where the variance diverges, and the line between the phases."""
    w, b = diagram["sigma_w2"], diagram["sigma_b2"]
    chi = np.clip(np.nan_to_num(diagram["chi_1"], nan=1e6, posinf=1e6), 0, 1e6)
    axes.contourf(w, b, chi, levels=[-1, 1, 2e6], colors=_TINTS)
    diverges = (~np.isfinite(diagram["q_star"])).astype(float)
    if diverges.any():
        hatched = axes.contourf(w, b, diverges, levels=[0.5, 2], colors="none", hatches=[_HATCH])
        hatched.set_edgecolor(_HATCHES)
        hatched.set_linewidth(0)
    if chi.min() < 1 < chi.max():
        axes.contour(w, b, chi, levels=[1.0], colors=INK, linewidths=1.2)


def _axes(axes: Axes, diagram: dict[str, Any]) -> None:
    """Logarithmic, with 0 at the bottom of σ_b²."""
    w, b = diagram["sigma_w2"], diagram["sigma_b2"]
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=b[1], linscale=0.5)
    axes.set(xlim=(w[0], w[-1]), ylim=(b[0], b[-1]))
    subs = (1, 2, 5) if w[-1] / w[0] < 60 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=6))
    powers = np.arange(np.ceil(np.log10(b[1]) - 1e-9), np.log10(b[-1]) + 1e-9)
    step = -(-len(powers) // 4)
    axes.yaxis.set_major_locator(FixedLocator([0, *10 ** powers[::-step]]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(_name))


def _name(value: float, _: object) -> str:
    """A number as a tick's name."""
    return f"{value:g}" if value == 0 or 0.01 <= value <= 1000 else f"$10^{{{np.log10(value):.0f}}}$"


def _phases(axes: Axes, diagram: dict[str, Any]) -> None:
    """The names of the phases, each where it usually is, if it is there."""
    rows, columns = diagram["chi_1"].shape
    for x, y, name, shade in _WORDS:
        inward = x + (_WORD if x < 0.5 else -_WORD)
        row = diagram["chi_1"][round(y * (rows - 1))]
        ends = row[[round(x * (columns - 1)), round(inward * (columns - 1))]]
        if (ends < 1).all() if name == "ordered" else (ends > 1).all():
            box = {"facecolor": _TINTS[name == "chaotic"], "linewidth": 0, "pad": 1.5}
            side = "left" if x < 0.5 else "right"
            place: Any = {"ha": side, "va": "top", "transform": axes.transAxes, "bbox": box}
            axes.text(x, y, name, color=shade, fontsize=8, **place)


def _places(result: Result, activation: str) -> dict[str, tuple[float, float]]:
    """σ_w² and σ_b² of the cases that have them, by initializer."""
    found = {}
    for initializer in result.config.initializers:
        theory = result.metrics["cases"][f"{activation}/{initializer.label}"]["theory"]
        if theory["sigma_w2"] is not None and theory["sigma_b2"] is not None:
            found[initializer.label] = (theory["sigma_w2"], theory["sigma_b2"])
    return found


def _cases(axes: Axes, diagram: dict[str, Any], places: dict[str, Any], initializers: list[str]) -> None:
    """A marker for each case; weights of 0 are an arrow at the edge, what lies beneath another is larger."""
    least = diagram["sigma_w2"][0]
    there: list[tuple[float, float]] = []
    for label, (w, b) in places.items():
        shift = sum(bool(np.allclose((w, b), other, rtol=0.03, atol=1e-12)) for other in there)
        there.append((w, b))
        style = _marker(initializers, label)
        style["markersize"] = max(_LARGEST - _SMALLER * shift, 2.5)
        if w < least:
            style |= {"marker": "<", "markersize": 10}
        axes.plot(max(w, least), b, zorder=5 + shift, clip_on=False, **style)


def _marker(initializers: list[str], label: str) -> dict[str, Any]:
    """The marker of an initializer, in all panels."""
    place = initializers.index(label)
    return {
        "marker": _MARKERS[place % len(_MARKERS)],
        "color": colour(place),
        "linestyle": "",
        "markersize": 7,
        "markeredgecolor": "white",
        "markeredgewidth": 0.9,
    }


def _key(diverges: bool) -> list[Any]:
    """What tints and lines mean."""
    found: list[Any] = [Patch(facecolor=tint, label=name) for tint, name in zip(_TINTS, _NAMES, strict=True)]
    if diverges:
        hatched: Any = {"facecolor": "none", "edgecolor": _HATCHES, "hatch": _HATCH, "linewidth": 0}
        found.append(Patch(label="q diverges", **hatched))
    return [*found, Line2D([], [], color=INK, linewidth=1.2, label="critical line: χ₁ = 1")]


def _notes(result: Result, shown: list[str]) -> str:
    """Which cases have no place, and which lie beyond the edge."""
    places = {label: _places(result, label) for label in shown}
    missing = [
        f"{label}/{entry.label}"
        for label in shown
        for entry in result.config.initializers
        if entry.label not in places[label]
    ]
    notes = [f"not marked, without one variance for all layers: {', '.join(missing)}"] if missing else []
    if any(w == 0 for found in places.values() for w, _ in found.values()):
        notes.append("an arrow at the left edge: σ_w² = 0")
    return "; ".join(notes)

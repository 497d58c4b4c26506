"""How the last layer of a network depends on its depth and width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from dnnexp.experiments.activations.figures import curves
from dnnexp.experiments.activations.figures.panels import columns_of, legend, panels, title
from dnnexp.experiments.activations.figures.scales import log_scale, share_scale
from dnnexp.experiments.base import Result
from dnnexp.figures.palette import colour

_SIZE = (2.75, 2.1)
_APART = 0.045
"""Ticks closer than this share of the axis have one name."""
_TITLES = {
    "q": "q of the last layer: mean square of z",
    "signal": "signal: std over samples, last / first layer",
    "gradient": "∂E/∂z: rms, first / last layer",
    "correlation": "correlation of two inputs, last layer",
    "rank": "effective rank of the outputs",
    "constant": "share of networks with constant output",
    "scatter": "relative std of |z|² over networks",
}
_NOTE = (
    "Most of the scatter of |z|² is due to rare networks with large outputs: "
    "where theory is far above 1, few networks are likely to show less."
)
_NEAR = 10
"""Theory of scatter that is more than so many times the largest measured leaves through the top."""
_SHARES = ("correlation", "constant")


@dataclass(frozen=True)
class Shape:
    """A network of a case: its statistics by name, `(runs,)` or a single number, and what theory says."""

    width: int
    depth: int
    measured: dict[str, Any]
    theory: dict[str, float]


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`scaling`; of several cases `scaling.<activation>.<initializer>`."""
    if not result.config.shapes:
        return
    cases = result.metrics["cases"]
    for case in cases:
        name = "scaling" if len(cases) == 1 else f"scaling.{case.replace('/', '.')}"
        if figure := _figure(result, case):
            yield name, figure


def _figure(result: Result, case: str) -> Figure | None:
    """A panel a statistic; a line a width, or a depth where there is only one; None if all is 0."""
    shapes = [_shape(result, case, k) for k in range(len(result.config.shapes))]
    by_depth = len({shape.depth for shape in shapes}) > 1
    lines: dict[int, list[Shape]] = {}
    for shape in sorted(shapes, key=lambda shape: (shape.width, shape.depth)):
        lines.setdefault(shape.width if by_depth else shape.depth, []).append(shape)
    shown = [name for name in _TITLES if any(_is_something(shape.measured.get(name)) for shape in shapes)]
    if not shown:
        return None
    of = "width {:,}" if by_depth else "depth {:,}"
    handles: list[Any] = [
        Line2D([], [], color=colour(place), marker="o", markersize=3.5, label=of.format(value))
        for place, value in enumerate(lines)
    ]
    has_theory = any(np.isfinite(list(shape.theory.values())).any() for shape in shapes)
    has_ends = any(_has_ends(line, name) for line in lines.values() for name in shown)
    handles += curves.key(result.config.seeds, has_theory, has_ends)
    columns, names = columns_of(len(shown)), [handle.get_label() for handle in handles]
    figure, grid = panels(len(shown), columns, _SIZE, names, notes=_NOTE if "scatter" in shown else "")
    for index, (axes, name) in enumerate(zip(grid, shown, strict=True)):
        _draw(axes, name, list(lines.values()))
        _sizes_axis(axes, sorted({shape.depth if by_depth else shape.width for shape in shapes}))
        axes.set_title(_TITLES[name], loc="left")
        if index + columns >= len(shown):
            axes.set_xlabel("depth: number of layers" if by_depth else "width: units a layer")
    differ = [name for name in ("depth", "width") if len({getattr(shape, name) for shape in shapes}) > 1]
    verdict = result.metrics["cases"][case]["verdict"]["name"]
    sizes = " and ".join(differ) or "width"
    title(figure, f"{result.config.name}: {case} ({verdict} as configured), by {sizes} of the network")
    legend(figure, handles)
    return figure


def _draw(axes: Axes, name: str, lines: list[list[Shape]]) -> None:
    """A statistic of all networks, with theory."""
    bands = [_bands(line, name) for line in lines]
    theory = [np.array([shape.theory.get(name, np.nan) for shape in line]) for line in lines]
    seen = [*bands, *theory]
    if name == "scatter":
        most = _NEAR * np.nanmax(np.concatenate(bands, axis=1))
        seen = [np.where(curve <= most, curve, np.nan) for curve in seen]
    scale = share_scale(seen) if name in _SHARES else log_scale(seen)
    scale.frame(axes)
    scale = replace(scale, top=1e300) if name == "scatter" else scale
    for place, (line, found, expected) in enumerate(zip(lines, bands, theory, strict=True)):
        sizes = [(shape.width, shape.depth) for shape in line]
        x = np.array([depth if len({d for _, d in sizes}) > 1 else width for width, depth in sizes], float)
        style = {"color": colour(place), "marker": "o", "markersize": 3.5}
        curves.draw(axes, scale, x, found, style, len(lines))
        curves.draw_theory(axes, scale, x, expected)


def _shape(result: Result, case: str, k: int) -> Shape:
    """What was measured of a case in the networks of a shape, and what theory says."""
    found = result.metrics["cases"][case]["scaling"][k]
    prefix = f"{case}.scaling.{k + 1}."
    arrays = {
        key.removeprefix(prefix): np.asarray(values, np.float64)
        for key, values in result.arrays.items()
        if key.startswith(prefix)
    }
    with np.errstate(all="ignore"):
        measured = _measured(arrays, result.config.same)
    scatter = found["layers"][-1]["norm_scatter"], found["theory"]["norm_scatter"][-1]
    if scatter[0] is not None:
        measured["scatter"] = np.array([scatter[0]])
    ends = {"q": "pre.mean_square", "correlation": "correlation"}
    theory = {name: float(arrays.get(f"theory.{key}", [np.nan])[-1]) for name, key in ends.items()}
    theory["gradient"] = float(arrays.get("theory.gradient.pre", [np.nan])[0])
    theory["scatter"] = np.nan if scatter[1] is None else scatter[1]
    return Shape(found["width"], found["depth"], measured, theory)


def _measured(arrays: dict[str, Any], same: float) -> dict[str, Any]:
    """The statistics of every network, `(runs,)`; the share of networks is a single number."""
    signal = arrays["sample_std"]
    measured = {
        "q": arrays["pre.mean_square"][:, -1],
        "signal": _ratio(signal[:, -1], signal[:, 0]),
        "correlation": arrays["correlation"][:, -1],
        "rank": arrays["effective_rank"][:, -1],
    }
    if np.isfinite(signal[:, -1]).any():
        size = np.sqrt(arrays["post.mean_square"][:, -1])
        measured["constant"] = np.array([np.mean(signal[:, -1] <= same * size)])
    if "gradient.pre.mean_square" in arrays:
        squares = arrays["gradient.pre.mean_square"]
        measured["gradient"] = _ratio(np.sqrt(squares[:, 0]), np.sqrt(squares[:, -1]))
    return measured


def _ratio(values: Any, others: Any) -> Any:
    """One over the other; 0 where both are."""
    return np.where((values == 0) & (others == 0), 0.0, values / others)


def _bands(line: list[Shape], name: str) -> Any:
    """Quantiles over networks, `(3, shapes)`; NaN where there are none."""
    found = [shape.measured.get(name) for shape in line]
    return np.concatenate([curves.band([[np.nan]] if v is None else v[:, None]) for v in found], axis=1)


def _has_ends(line: list[Shape], name: str) -> bool:
    return curves.has_ends(_bands(line, name))


def _is_something(values: Any) -> bool:
    return values is not None and bool((np.isfinite(values) & (values != 0)).any())


def _sizes_axis(axes: Axes, sizes: list[int]) -> None:
    """A logarithmic x axis with a tick at each size, named where there is room."""
    low, high = sizes[0] / 1.1, sizes[-1] * 1.1
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    places = np.log(np.array(sizes) / low) / np.log(high / low)
    names, last = [], -1.0
    for size, place in zip(sizes, places, strict=True):
        is_clear = place - last > _APART + 0.02 * len(str(size))
        names.append(f"{size}" if is_clear else "")
        last = place if is_clear else last
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FixedFormatter(names))
    axes.xaxis.set_minor_locator(NullLocator())

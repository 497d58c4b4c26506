"""Statistics against depth: the signal on its way forward, gradients on their way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dnnexp.experiments.activations.figures import curves
from dnnexp.experiments.activations.figures.groups import Group, groups
from dnnexp.experiments.activations.figures.panels import columns_of, legend, panels, title
from dnnexp.experiments.activations.figures.scales import log_scale, share_scale
from dnnexp.experiments.base import Result

_FEW = 3
"""Of so many cases, finite-width theory can be told apart."""
_Z95 = 1.6449
"""The 95 % quantile of N(0, 1)."""
_SIZE = (2.75, 1.95)


@dataclass(frozen=True)
class Panel:
    """A statistic of `arrays.npz`, its theory, if there is any, and what the panel is called."""

    statistic: str
    title: str
    theory: str = ""
    is_log: bool = False
    is_relative: bool = False
    """√ of it, over that of each network's last layer."""


FORWARD = (
    Panel("pre.mean_square", "q: mean square of pre-activations", "pre.mean_square", is_log=True),
    Panel("post.std", "standard deviation of outputs", "post.std", is_log=True),
    Panel("sample_std", "signal: std of outputs over samples", is_log=True),
    Panel("correlation", "correlation of two inputs", "correlation"),
    Panel("effective_rank", "effective rank of outputs", is_log=True),
    Panel("saturated_fraction", "share of saturated outputs", "saturated_fraction"),
    Panel("zero_fraction", "share of outputs exactly 0"),
    Panel("dead_fraction", "share of dead units"),
)
BACKWARD = (
    Panel("gradient.pre.mean_square", "∂E/∂z: rms over the last layer's", "gradient.pre", True, True),
    Panel("gradient.weights.mean_square", "∂E/∂w: rms over the last layer's", "gradient.weights", True, True),
    Panel("gradient.norm_ratio", "|∂E/∂w| / |w|", is_log=True),
)


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """`forward` and `backward`, numbered where there are too many cases for one figure."""
    found = groups(result)
    directions: dict[str, tuple[tuple[Panel, ...], str]] = {
        "forward": (FORWARD, "the signal, layer by layer")
    }
    if result.config.loss:
        directions["backward"] = (BACKWARD, "gradients, layer by layer")
    for name, (shown, what) in directions.items():
        for number, group in enumerate(found, start=1):
            part = f" ({number} of {len(found)})" if len(found) > 1 else ""
            if figure := _figure(group, shown, f"{result.config.name}: {what}{part}"):
                yield f"{name}.{number}" if part else name, figure


def _figure(group: Group, shown: tuple[Panel, ...], heading: str) -> Figure | None:
    """A panel for each statistic that exists and is not 0 everywhere."""
    data = {panel: _measured(group, panel) for panel in shown}
    data = {panel: found for panel, found in data.items() if any(map(_is_something, found.values()))}
    if not data:
        return None
    first = next(iter(data.values()))
    runs = len(next(iter(first.values())))
    dotted = _finite_width(group) if FORWARD[0] in data else {}
    bands = {panel: {c: curves.band(v) for c, v in found.items()} for panel, found in data.items()}
    has_ends = any(curves.has_ends(b) for found in bands.values() for b in found.values())
    has_theory = any(np.isfinite(_theory(group, c, p)).any() for p, found in data.items() for c in found)
    handles: list[Any] = [
        Line2D([], [], label=group.caption(c), **_unspaced(group.style(c))) for c in group.cases
    ]
    handles += curves.key(runs, has_theory, has_ends, bool(dotted))
    columns = columns_of(len(data))
    figure, grid = panels(len(data), columns, _SIZE, [h.get_label() for h in handles])
    for axes, (panel, found) in zip(grid, bands.items(), strict=True):
        _draw(axes, group, panel, found, dotted if panel == FORWARD[0] else {})
        axes.set_title(panel.title, loc="left")
        curves.layer_ticks(axes, group.result.config.depth)
    for axes in grid[-columns:]:
        axes.set_xlabel("layer")
    title(figure, heading if runs > 1 else f"{heading}, of one network a case")
    legend(figure, handles)
    return figure


def _draw(axes: Axes, group: Group, panel: Panel, bands: dict[str, Any], dotted: dict[str, Any]) -> None:
    """The curves of a panel, measured and in theory."""
    theory = {case: _theory(group, case, panel) for case in bands}
    seen = [*bands.values(), *theory.values(), *(pair for pair in dotted.values())]
    scale = log_scale(seen) if panel.is_log else share_scale(seen)
    scale.frame(axes)
    for case, found in bands.items():
        layers = np.arange(1, found.shape[1] + 1)
        curves.draw(axes, scale, layers, found, group.style(case, len(layers)), len(bands))
        curves.draw_theory(axes, scale, layers, theory[case])
        for line in dotted.get(case, ()):
            curves.draw_theory(axes, scale, layers, line, curves.FINITE_WIDTH)


def _measured(group: Group, panel: Panel) -> dict[str, Any]:
    """The statistic `(runs, L)` of every case that has it."""
    arrays = group.result.arrays
    keys = {case: f"{case}.{panel.statistic}" for case in group.cases}
    found = {case: np.asarray(arrays[key], np.float64) for case, key in keys.items() if key in arrays}
    if panel.is_relative:
        return {case: relative(values) for case, values in found.items()}
    return found


def relative(squares: Any) -> Any:
    """Root mean squares of `(runs, L)`, over each network's last layer's; NaN where that is 0."""
    with np.errstate(all="ignore"):
        roots = np.sqrt(squares)
        return np.where(roots[:, -1:] == 0, np.nan, roots / roots[:, -1:])


def _theory(group: Group, case: str, panel: Panel) -> Any:
    """`(L,)`; NaN where there is none or it diverges."""
    depth = group.result.config.depth
    key = f"{case}.theory.{panel.theory}"
    values = np.asarray(group.result.arrays.get(key, np.full(depth, np.nan)), np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _finite_width(group: Group) -> dict[str, Any]:
    """Between which two q 90 % of networks lie, by theory of rectifiers: log-normal of the known variance.

    Hanin and Nica, "Products of many large random matrices and gradients in deep neural networks", 2020.
    """
    found = {}
    for case in group.cases:
        scatter = group.result.metrics["cases"][case]["theory"]["norm_scatter"]
        if None not in scatter:
            found[case] = lognormal(_theory(group, case, FORWARD[0]), np.array(scatter, np.float64))
    return found if len(found) <= _FEW and len(group.cases) <= 2 * _FEW else {}


def lognormal(mean: Any, scatter: Any) -> Any:
    """The 5 and 95 % quantiles, `(2, L)`, of log-normal numbers with that mean and relative deviation."""
    log_variance = np.log1p(scatter**2)
    spread = _Z95 * np.sqrt(log_variance)
    with np.errstate(over="ignore"):
        return mean * np.exp(np.stack([-spread, spread]) - log_variance / 2)


def _is_something(values: Any) -> bool:
    return bool((np.isfinite(values) & (values != 0)).any())


def _unspaced(style: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in style.items() if name != "markevery"}

"""A figure for each case of a network of few layers: for each layer its outputs and its pre-activations."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dnnexp.experiments.activations.figures.cells import NOTE, Cell, bars
from dnnexp.experiments.activations.figures.layers import Histogram, histograms, shade
from dnnexp.experiments.activations.figures.verdicts import DASHES, Heading
from dnnexp.experiments.base import Result
from dnnexp.text import number

MOST_LAYERS = 10
_COLUMNS = 5
# Inches, from a row's top: the title, the outputs, their axis, the pre-activations, their axis.
_TITLE, _OUTPUTS, _BETWEEN, _PRE, _BELOW = 0.62, 1.45, 0.48, 0.6, 0.55
_ROW = _TITLE + _OUTPUTS + _BETWEEN + _PRE + _BELOW
_LEFT, _COLUMN, _GAP, _MARGIN = 0.75, 2.0, 0.6, 0.25


def figures(result: Result) -> Iterator[tuple[str, Figure]]:
    """A figure a case, where there are at most `MOST_LAYERS` layers."""
    if result.config.depth <= MOST_LAYERS:
        for case in result.config.cases:
            yield case.replace("/", "."), of_case(result, case)


def of_case(result: Result, case: str) -> Figure:
    """Two panels a layer: the outputs, and below them the pre-activations they are made of."""
    numbers = range(1, result.config.depth + 1)
    rows = -(-len(numbers) // _COLUMNS)
    columns = -(-len(numbers) // rows)
    before, after = (histograms(result, case, side, numbers) for side in ("pre", "post"))
    width = max(_LEFT + columns * (_COLUMN + _GAP) - _GAP + _MARGIN, 4.0)
    has_theory = any(pre.q is not None for pre in before)
    heading = Heading(result, case, width, "verdict and numbers", has_theory)
    figure = Figure(figsize=(width, heading.height + rows * _ROW))
    heading.draw(figure)
    for row in range(rows):
        of_row = slice(row * columns, (row + 1) * columns)
        top = heading.height + row * _ROW + _TITLE
        for column, histogram in enumerate(after[of_row]):
            axes = _axes(figure, column * (_COLUMN + _GAP), top, (_COLUMN, _OUTPUTS))
            _outputs(axes, histogram, shade(result, case))
            if column == 0:
                axes.set_ylabel("share of the outputs")
        wide = width - _LEFT - _MARGIN
        strip = _axes(figure, 0, top + _OUTPUTS + _BETWEEN, (wide, _PRE))
        _pre_activations(strip, wide, before[of_row], shade(result, case))
    return figure


def _axes(figure: Figure, left: float, top: float, size: tuple[float, float]) -> Axes:
    """Axes so many inches to the right of the first column and below the top of the figure."""
    width, height = map(float, figure.get_size_inches())
    bottom = height - top - size[1]
    return figure.add_axes(((_LEFT + left) / width, bottom / height, size[0] / width, size[1] / height))


def _outputs(axes: Axes, histogram: Histogram, shade: str) -> None:
    """The share of the outputs in each bin, and theory's; a single overwhelming bin is cut and labelled."""
    axes.set_title(_summary(histogram), loc="left", fontsize=8, y=1.0)
    axes.set_xlabel("output a", labelpad=1)
    if histogram.is_empty:
        axes.set(xticks=[], yticks=[])
        axes.xaxis.labelpad = 8
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", va="center")
        return
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    (top, note), edges = histogram.height, histogram.edges
    bars(axes, histogram.share, edges, shade, 0.0)
    if histogram.expected is not None:
        axes.add_artist(Line2D(histogram.centres, histogram.expected, **DASHES))
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, top))
    if note:
        axes.text(0.5, 0.98, note, transform=axes.transAxes, ha="center", va="top", fontsize=8, **NOTE)


def _pre_activations(axes: Axes, width: float, row: list[Histogram], shade: str) -> None:
    """A cell a layer, in axes whose units are inches."""
    axes.set(xlim=(0, width), ylim=(_PRE, 0))
    axes.set_axis_off()
    axes.text(-0.05, _PRE / 2, "share", rotation=90, ha="right", va="center")
    for column, histogram in enumerate(row):
        cell = Cell(column * (_COLUMN + _GAP), _COLUMN, _PRE, _PRE, room=0.05)
        cell.draw(axes, histogram, shade)
        axes.text(cell.middle, _PRE + 0.18, "pre-activation z", ha="center", va="top")


def _summary(histogram: Histogram) -> str:
    """Three lines on the outputs of a layer."""
    layer, notes = histogram.metrics, []
    name = f"layer {histogram.number}"
    if histogram.lost > 0:
        name += f", {max(histogram.lost, 0.01):.0%} not finite"
    if histogram.is_empty or histogram.is_constant:
        return f"{name}\n{'constant' if histogram.is_constant else ''}\n"
    if layer["saturated_fraction"] is not None:
        notes.append(f"{layer['saturated_fraction']:.0%} saturated")
    if layer["zero_fraction"]:
        notes.append(f"{layer['zero_fraction']:.0%} exactly 0")
    if layer["dead_fraction"]:
        notes.append(f"{layer['dead_fraction']:.0%} dead")
    mean, std = (number(layer["post"][name]) for name in ("mean", "std"))
    moments = f"mean {mean}, std {std}" if mean != std else f"mean and std {mean}"
    return f"{name}\n{moments}\n{', '.join(notes)}"

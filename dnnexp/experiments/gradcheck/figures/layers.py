"""The heat maps of a network: a matrix with its biases beside it, or a row of directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dnnexp.experiments.gradcheck.figures.checked import Checked
from dnnexp.experiments.gradcheck.figures.scale import MISSING, Scale
from dnnexp.experiments.gradcheck.maps import block_of
from dnnexp.figures.style import FAINT, INK

_SIDE, _BIAS, _GAP = 1.3, 0.12, 0.05
_CELL = 0.42 + _SIDE + _GAP + _BIAS
_TITLE, _TICKS, _NUMBERS = 0.28, 0.24, 0.36
_LINE = 0.17
_COLUMNS = (5, 6, 7)
_CIRCLES: tuple[Any, ...] = (
    {"markersize": 8, "markeredgewidth": 2.4, "markeredgecolor": "white"},
    {"markersize": 8, "markeredgewidth": 1.1, "markeredgecolor": "black"},
)


@dataclass(frozen=True)
class Grid:
    """Panels in rows, in inches; `numbers` tells of each panel whether it has numbers below it."""

    numbers: tuple[bool, ...]

    @property
    def columns(self) -> int:
        """How many that make few rows, and leave few places empty."""
        count = len(self.numbers)
        if count <= _COLUMNS[-1]:
            return count
        return min(_COLUMNS, key=lambda columns: (-(-count // columns), -count % columns))

    @property
    def width(self) -> float:
        """Of all columns."""
        return max(0.15 + self.columns * _CELL, 5.4)

    @property
    def height(self) -> float:
        """Of all rows."""
        return self._above(len(self.numbers) + self.columns - 1)

    def _above(self, index: int) -> float:
        """What the rows take that are above the one of a panel."""
        starts = range(0, index // self.columns * self.columns, self.columns)
        wrong = sum(any(self.numbers[start : start + self.columns]) for start in starts)
        return len(starts) * (_TITLE + _SIDE + _TICKS) + wrong * _NUMBERS

    def corner(self, index: int, top: float) -> tuple[float, float]:
        """The upper left corner of a panel's map."""
        return 0.4 + index % self.columns * _CELL, top - self._above(index) - _TITLE


@dataclass(frozen=True)
class Layer:
    """A matrix and its biases; or dy/dx, which has none."""

    weights: Checked
    biases: Checked | None = None

    @property
    def tensors(self) -> list[Checked]:
        """The two, or one."""
        return [self.weights] + ([self.biases] if self.biases else [])

    @property
    def is_wrong(self) -> bool:
        """Whether either is."""
        return any(tensor.is_wrong for tensor in self.tensors)

    def draw(self, figure: Figure, scale: Scale, left: float, top: float) -> None:
        """The map of the weights, that of the biases at its right, and below what is wrong."""
        main = _axes(figure, left, top, _SIDE)
        widths = self.weights.result.config.network.layers
        level = self.weights.name[1:]
        shape = (widths[int(level)], widths[int(level) - 1]) if self.biases else (widths[-1], widths[0])
        _map(main, scale, self.weights, shape)
        _ticks(main, shape)
        if self.biases:
            beside = _axes(figure, left + _SIDE + _GAP, top, _BIAS)
            _map(beside, scale, self.biases, (shape[0], 1))
            beside.set(xticks=[], yticks=[])
        _title(main, self)
        self._numbers(main)

    def _numbers(self, axes: Axes) -> None:
        """The worst entry and its two numbers; of the weights, if they are wrong."""
        wrong = [tensor for tensor in self.tensors if tensor.is_wrong]
        if wrong:
            place: Any = {"transform": axes.transAxes, "va": "top", "fontsize": 6.5}
            axes.text(0, -0.02 - 0.12 / _SIDE, "\n".join(wrong[0].numbers), color=INK, **place)


def _axes(figure: Figure, left: float, top: float, wide: float) -> Axes:
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, (top - _SIDE) / height, wide / width, _SIDE / height))


def _map(axes: Axes, scale: Scale, tensor: Checked, shape: tuple[int, int]) -> None:
    """The errors, over the indices of a matrix of that shape; a circle around the worst if it is wrong."""
    places = scale.place(tensor.ratios)
    blocks = [block_of(size) for size in shape]
    ends = [block * count - 0.5 for block, count in zip(blocks, places.shape, strict=True)]
    colours: Any = {"cmap": scale.colours, "vmin": -1, "vmax": 1}
    extent = (-0.5, ends[1], ends[0], -0.5)
    axes.imshow(places, aspect="auto", interpolation="nearest", extent=extent, **colours)
    axes.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT, linewidth=0.6)
    if tensor.is_wrong:
        index = tensor.shown["worst"]["index"]
        _circle(axes, *(index[-2:] if len(index) > 1 else (index[0], 0)))


def _circle(axes: Axes, row: float, column: float) -> None:
    for style in _CIRCLES:
        mark: Any = {"marker": "o", "fillstyle": "none", "linestyle": "", "clip_on": False, "zorder": 5}
        axes.plot(column, row, **mark, **style)


def _ticks(axes: Axes, shape: tuple[int, int]) -> None:
    """The first and the last index, and some between."""
    for axis, size in ((axes.yaxis, shape[0]), (axes.xaxis, shape[1])):
        step = max(-(-(size - 1) // 4), 1)
        places = list(range(0, max(size - 1 - step // 2, 1), step))
        axis.set_ticks(sorted({*places, size - 1}))
    axes.tick_params(labelsize=6, length=1.5, pad=1.5, width=0.5)


def _title(axes: Axes, layer: Layer) -> None:
    """The names with their largest relative errors, marked where they are wrong."""
    ends = ((0.0, "left"), (1 + (_GAP + _BIAS) / _SIDE, "right"))
    for tensor, (x, side) in zip(layer.tensors, ends, strict=False):
        text = f"{tensor.mark}{tensor.name} {tensor.size}".rstrip()
        place: Any = {"transform": axes.transAxes, "ha": side, "va": "bottom", "fontsize": 7.5}
        axes.text(x, 1.03, text, **place, **tensor.style)


def directions_height(tensors: list[Checked]) -> float:
    """In inches, the names of the axes included."""
    return 0.1 + _LINE * len(tensors) + 0.45


def directions(
    figure: Figure, scale: Scale, tensors: list[Checked], corner: tuple[float, float], wide: float
) -> None:
    """One heat map: a row a tensor, a column a direction; the worst of a wrong tensor has a circle."""
    width, height = figure.get_size_inches()
    tall = _LINE * len(tensors)
    bottom = corner[1] - 0.1 - tall
    axes = figure.add_axes((corner[0] / width, bottom / height, wide / width, tall / height))
    rows = [scale.place(tensor.ratios)[:, 0] for tensor in tensors]
    count = max(map(len, rows))
    places = np.array([np.pad(row, (0, count - len(row)), constant_values=np.nan) for row in rows])
    colours: Any = {"cmap": scale.colours, "vmin": -1, "vmax": 1}
    axes.imshow(places, aspect="auto", interpolation="nearest", **colours)
    axes.set_facecolor(MISSING)
    axes.set_yticks(range(len(tensors)), [f"{tensor.mark}{tensor.name}  {tensor.size}" for tensor in tensors])
    axes.tick_params(labelsize=7, length=2)
    axes.set_xlabel("direction")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for row, (tensor, label) in enumerate(zip(tensors, axes.get_yticklabels(), strict=True)):
        label.set(**tensor.style)
        if tensor.is_wrong:
            _circle(axes, row, tensor.shown["worst"]["index"][0])

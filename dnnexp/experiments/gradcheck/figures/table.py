"""Many tensors of a few numbers each: a row a tensor, a column a pair of methods; or a cell a tensor."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import combinations
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.config import ordered
from dnnexp.experiments.gradcheck.figures.checked import Checked, all_checked, shown_ratio, told_ratio
from dnnexp.experiments.gradcheck.figures.scale import BAR, BROKEN, MISSING, Scale
from dnnexp.experiments.gradcheck.figures.words import Heading
from dnnexp.figures.style import FAINT

_ROW, _COLUMN, _NAMES = 0.19, 0.82, 0.42
_LETTER = 0.072
"""Of a name, in inches."""
_NARROWEST, _LOWEST, _BAR = 7.0, 1.7, 3.0
_CELL, _NOTE_LINE = (0.78, 0.4), 0.15
"""Of a strip, in inches."""
_LETTERS = 14.0
"""So many of a note fit an inch."""
_NOTE = "largest error of each pair, over what is allowed"


def table(result: Result) -> Figure:
    """The largest error of every tensor and pair over what is allowed."""
    checked = all_checked(result)
    pairs = _pairs(checked.values())
    left = 0.35 + _LETTER * max(map(len, checked))
    size = _COLUMN * len(pairs), _ROW * len(checked)
    width = max(left + size[0] + 0.25 + BAR, _NARROWEST)
    heading = Heading(result, width, _NOTE)
    height = heading.height + _NAMES + max(size[1], _LOWEST) + 0.12
    figure = Figure(figsize=(width, height))
    heading.draw(figure)
    top = height - heading.height - _NAMES
    axes = figure.add_axes((left / width, (top - size[1]) / height, size[0] / width, size[1] / height))
    ratios = [shown_ratio(result, entry) for each in checked.values() for entry in each.checks.values()]
    scale = Scale.of(ratios)
    for row, tensor in enumerate(checked.values()):
        for pair, entry in tensor.checks.items():
            at = pairs.index(pair), row
            _cell(axes, scale, at, shown_ratio(result, entry), told_ratio(result, entry))
    _frame(axes, list(checked.values()), pairs)
    extra = {"not finite": BROKEN} if float("inf") in ratios else {}
    if len(ratios) < len(pairs) * len(checked):
        extra["no such pair"] = MISSING
    bar = min(max(size[1], _LOWEST), _BAR) - (0.2 * len(extra))
    scale.bar(figure, left + size[0] + 0.25, top, bar, extra)
    return figure


def _pairs(tensors: Iterable[Checked]) -> list[str]:
    """Those that any tensor has, in the order of the methods."""
    found = {pair for tensor in tensors for pair in tensor.checks}
    methods = ordered({method for pair in found for method in pair.split("-")})
    return [pair for pair in map("-".join, combinations(methods, 2)) if pair in found]


def _cell(axes: Axes, scale: Scale, corner: tuple[float, float], ratio: float, told: str) -> None:
    """A rectangle of one unit with a text in it."""
    shade = scale.colour(ratio)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=shade, edgecolor="white", linewidth=0.6))
    weight = "bold" if ratio > 1 else "normal"
    style: Any = {"color": scale.ink(ratio), "fontsize": 7, "ha": "center", "va": "center_baseline"}
    axes.text(corner[0] + 0.5, corner[1] + 0.5, told, fontweight=weight, **style)


def _frame(axes: Axes, rows: list[Checked], pairs: list[str]) -> None:
    """The names of tensors and pairs; those of tensors that fail are bold."""
    axes.set(xlim=(0, len(pairs)), ylim=(len(rows), 0), facecolor=MISSING)
    axes.set_xticks([i + 0.5 for i in range(len(pairs))], [pair.replace("-", "\n") for pair in pairs])
    axes.set_yticks([i + 0.5 for i in range(len(rows))], [row.name for row in rows])
    axes.tick_params(length=0, labelsize=8, top=False, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, label in zip(rows, axes.get_yticklabels(), strict=True):
        label.set(**row.style)


def strip_height(tensors: list[Checked], width: float) -> float:
    """How many inches a strip takes, its note included."""
    if not tensors:
        return 0.0
    return _NOTE_LINE * len(_told(tensors, width)) + 0.12 + _CELL[1] * -(-len(tensors) // _across(width))


def strip(
    figure: Figure, scale: Scale, tensors: list[Checked], corner: tuple[float, float], width: float
) -> None:
    """A small cell a tensor, with the largest error of its pairs; from an upper left corner, in inches."""
    across = min(_across(width), len(tensors))
    rows = -(-len(tensors) // across)
    note = _told(tensors, width)
    head = _NOTE_LINE * len(note) + 0.02
    size = _CELL[0] * across, _CELL[1] * rows + head
    whole = figure.get_size_inches()
    place = corner[0] / whole[0], (corner[1] - size[1]) / whole[1], size[0] / whole[0], size[1] / whole[1]
    axes = figure.add_axes(place)
    axes.set(xlim=(0, across), ylim=(size[1] / _CELL[1], 0))
    axes.set_axis_off()
    axes.text(0, 0, "\n".join(note), fontsize=8, va="top", color=FAINT)
    for index, tensor in enumerate(tensors):
        row, column = divmod(index, across)
        _named_cell(axes, scale, tensor, column, row + head / _CELL[1])


def _named_cell(axes: Axes, scale: Scale, tensor: Checked, x: float, y: float) -> None:
    """Its name, and below it the rectangle with the number."""
    worst = tensor.checks[tensor.worst_pair]
    ratio, told = shown_ratio(tensor.result, worst), told_ratio(tensor.result, worst)
    shade = scale.colour(ratio)
    axes.add_patch(Rectangle((x, y + 0.45), 0.94, 0.48, facecolor=shade, edgecolor="#999999", linewidth=0.4))
    style: Any = {"fontsize": 7, "ha": "center"}
    axes.text(x + 0.47, y + 0.42, f"{tensor.mark}{tensor.name}", va="bottom", **style, **tensor.style)
    axes.text(x + 0.47, y + 0.69, told, va="center_baseline", color=scale.ink(ratio), **style)


def _across(width: float) -> int:
    return max(int(width / _CELL[0]), 1)


def _told(tensors: list[Checked], width: float) -> list[str]:
    """What the cells show, and what the tensors are: the lines of the note."""
    names = {tensor.name.split(".")[0] for tensor in tensors}
    known = {
        "uJv": "uJv: uᵀ(Jv) against (Jᵀu)ᵀv",
        "Hv": "Hv: products of second order",
        "uHv": "uHv: uᵀ(Hv) against (Hu)ᵀv",
        "directional": "directional: ∇E·v against extrapolation",
    }
    about = "; ".join(text for name, text in known.items() if name in names)
    note = f"largest error of any pair over what is allowed ({about})"
    return textwrap.wrap(note, int(_LETTERS * width))

"""Which methods agree: the largest error of each pair."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.config import ordered
from dnnexp.experiments.gradcheck.figures.checked import shown_ratio, told_ratio
from dnnexp.experiments.gradcheck.figures.scale import BAR, BROKEN, Scale
from dnnexp.experiments.gradcheck.figures.words import Heading
from dnnexp.figures.style import ALARM, FAINT, INK

_CELL = (0.98, 0.62)
_LEFT, _NAMES = 0.95, 0.28
_NARROWEST = 6.6
_NOTE = "above the diagonal: largest error over what is allowed; below: its tensor"


def agreement(result: Result) -> Figure:
    """A matrix of the methods."""
    worst = _worst(result)
    methods = ordered({method for pair in worst for method in pair})
    grid = _CELL[0] * len(methods), _CELL[1] * len(methods)
    width = max(_LEFT + grid[0] + 0.25 + BAR, _NARROWEST)
    is_full = len(worst) == len(methods) * (len(methods) - 1) / 2
    heading = Heading(result, width, _NOTE + ("" if is_full else "; blank: not compared"), False)
    tall = max(grid[1], 1.5)
    height = heading.height + _NAMES + tall + 0.15
    figure = Figure(figsize=(width, height))
    heading.draw(figure)
    top = height - heading.height - _NAMES
    place = (_LEFT / width, (top - grid[1]) / height, grid[0] / width, grid[1] / height)
    axes = figure.add_axes(place)
    scale = Scale.of(ratio for ratio, *_ in worst.values())
    for (left, right), (ratio, *texts) in worst.items():
        _pair(axes, scale, (methods.index(left), methods.index(right)), ratio, texts)
    _frame(axes, methods, result.metrics["culprit"])
    broken = any(ratio == float("inf") for ratio, *_ in worst.values())
    bar = min(tall, 2.6) - (0.2 if broken else 0)
    scale.bar(figure, _LEFT + grid[0] + 0.25, top, bar, {"not finite": BROKEN} if broken else {})
    return figure


def _worst(result: Result) -> dict[tuple[str, ...], tuple[float, str, str]]:
    """Of each pair the largest error over what is allowed, the same in words, and the tensor that has it."""
    found: dict[tuple[str, ...], tuple[float, str, str]] = {}
    for entry in result.metrics["checks"]:
        pair, ratio = tuple(entry["pair"].split("-")), shown_ratio(result, entry)
        if pair not in found or np.nan_to_num(ratio, nan=-1) > np.nan_to_num(found[pair][0], nan=-1):
            found[pair] = (ratio, told_ratio(result, entry), entry["tensor"])
    return found


def _pair(axes: Axes, scale: Scale, at: tuple[int, int], ratio: float, texts: list[str]) -> None:
    """The cell of a pair with the first text, and its mirror image with the second."""
    row, column = at
    for x, y, text in zip((column, row), (row, column), texts, strict=True):
        shade = scale.colour(ratio)
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor=shade, edgecolor="white", linewidth=1.5))
        size = min(9.0, 90 / max(len(text), 1))
        style: Any = {"color": scale.ink(ratio), "fontsize": size, "ha": "center", "va": "center"}
        axes.text(x + 0.5, y + 0.5, text, fontweight="bold" if ratio > 1 else "normal", **style)


def _frame(axes: Axes, methods: list[str], culprit: str | None) -> None:
    """Names on both sides, the diagonal, and the culprit's row and column."""
    count = len(methods)
    axes.set(xlim=(0, count), ylim=(count, 0))
    middles = [i + 0.5 for i in range(count)]
    axes.set_xticks(middles, methods)
    axes.set_yticks(middles, methods)
    axes.tick_params(length=0, labelsize=9, top=False, labeltop=True, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for i in range(count):
        axes.plot([i + 0.25, i + 0.75], [i + 0.25, i + 0.75], color=FAINT, linewidth=0.8)
    if culprit is None:
        return
    at = methods.index(culprit)
    for corner, size in (((0, at), (count, 1)), ((at, 0), (1, count))):
        frame: Any = {"fill": False, "edgecolor": INK, "linewidth": 2.2, "clip_on": False, "zorder": 4}
        axes.add_patch(Rectangle(corner, *size, **frame))
    for label in (axes.get_xticklabels()[at], axes.get_yticklabels()[at]):
        label.set(color=ALARM, fontweight="bold")

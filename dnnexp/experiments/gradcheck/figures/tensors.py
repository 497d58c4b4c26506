"""Heat maps of the errors, one a tensor: which tensors are wrong, and which of their entries."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.figures.checked import Checked, all_checked, shown_ratio
from dnnexp.experiments.gradcheck.figures.layers import Grid, Layer, directions, directions_height
from dnnexp.experiments.gradcheck.figures.scale import BAR, BROKEN, MISSING, Scale
from dnnexp.experiments.gradcheck.figures.table import strip, strip_height, table
from dnnexp.experiments.gradcheck.figures.words import Heading, allowed
from dnnexp.experiments.gradcheck.sentences import share
from dnnexp.text import counted

_MOST = 41
"""So many layers are shown at most; dy/dx makes it 42 panels."""
_WRONG = 7
"""Beside them the last layers that are wrong: faults spoil the layers before theirs."""
_TALLEST_BAR = 3.0
_LINES = 7.4
"""Inches of the heat map along directions."""


def tensors(result: Result) -> Figure:
    """A heat map a tensor; of targets that are no networks a table."""
    checked = all_checked(result)
    of_network = {name: each for name, each in checked.items() if re.fullmatch(r"[Wb]\d+|dy/dx", name)}
    if not of_network:
        return table(result)
    others = [each for name, each in checked.items() if name not in of_network]
    if len(next(iter(of_network.values())).shown["worst"]["index"]) == 1:
        return _along_directions(result, list(of_network.values()), others)
    return _by_entries(result, of_network, others)


def _by_entries(result: Result, of_network: dict[str, Checked], others: list[Checked]) -> Figure:
    """A panel a layer."""
    layers = _layers(of_network)
    depth = sum(name[0] == "W" for name in of_network)
    grid = Grid(tuple(layer.is_wrong for layer in layers))
    width = grid.width + BAR
    left_out = f"; {len(layers) - 1} of {depth} layers are shown" if len(layers) <= depth else ""
    heading = Heading(result, width, _note(result, list(of_network.values())) + left_out)
    height = heading.height + grid.height + strip_height(others, grid.width - 0.3) + 0.1
    figure = Figure(figsize=(width, height))
    heading.draw(figure)
    scale = _scale([*of_network.values()], others)
    top = height - heading.height
    for index, layer in enumerate(layers):
        layer.draw(figure, scale, *grid.corner(index, top))
    _finish(figure, scale, list(of_network.values()), others, (0.3, grid.width), (top, top - grid.height))
    return figure


def _along_directions(result: Result, of_network: list[Checked], others: list[Checked]) -> Figure:
    """A row a tensor, a column a direction."""
    width = 0.9 + _LINES + 0.3 + BAR
    heading = Heading(result, width, _note(result, of_network))
    body = directions_height(of_network)
    height = heading.height + max(body, 1.9) + strip_height(others, _LINES) + 0.1
    figure = Figure(figsize=(width, height))
    heading.draw(figure)
    scale = _scale(of_network, others)
    top = height - heading.height
    directions(figure, scale, of_network, (0.9, top), _LINES)
    _finish(figure, scale, of_network, others, (0.9, 0.9 + _LINES + 0.3), (top, top - max(body, 1.9)))
    return figure


def _finish(
    figure: Figure,
    scale: Scale,
    shown: list[Checked],
    others: list[Checked],
    sides: tuple[float, float],
    ends: tuple[float, float],
) -> None:
    """The colour bar at the right, the other tensors below."""
    maps = [each.ratios for each in shown]
    extra = {"not compared": MISSING} if any(np.isnan(each).any() for each in maps) else {}
    if any(np.isinf(each).any() for each in maps) or any(np.isinf(_worst(each)) for each in others):
        extra["not finite"] = BROKEN
    tall = min(ends[0] - ends[1] - 0.35, _TALLEST_BAR) - 0.16 * len(extra)
    scale.bar(figure, sides[1], ends[0] - 0.24, tall, extra)
    if others:
        strip(figure, scale, others, (sides[0], ends[1]), sides[1] - sides[0])


def _layers(of_network: dict[str, Checked]) -> list[Layer]:
    """The layers that are shown, and dy/dx: of too many some at equal distances, and the last wrong ones."""
    depth = sum(name[0] == "W" for name in of_network)
    numbers = {int(n) for n in np.linspace(1, depth, min(depth, _MOST)).round()}
    every = {n: Layer(of_network[f"W{n}"], of_network[f"b{n}"]) for n in range(1, depth + 1)}
    if len(numbers) < depth:
        numbers |= set([n for n, layer in every.items() if layer.is_wrong][-_WRONG:])
    layers = [every[n] for n in sorted(numbers)]
    return [*layers, Layer(of_network["dy/dx"])] if "dy/dx" in of_network else layers


def _scale(shown: list[Checked], others: list[Checked]) -> Scale:
    return Scale.of([*(each.ratios for each in shown), *(_worst(each) for each in others)])


def _worst(tensor: Checked) -> float:
    return shown_ratio(tensor.result, tensor.checks[tensor.worst_pair])


def _note(result: Result, shown: list[Checked]) -> str:
    """What the colours are of."""
    pairs = dict.fromkeys(each.pair for each in shown)
    told = "; ".join(f"|{a} − {b}| over {allowed(result, (a, b))}" for a, b in pairs)
    notes = [f"colours: {told}", "numbers: the largest error over the tensor's largest entry"]
    by_entries = len(shown[0].shown["worst"]["index"]) > 1
    if by_entries:
        notes.append("dy/dx: the largest over the samples")
    if any(each.shown["unresolved"] for each in shown):
        notes.append("~: in part or all below the round-off of differences")
    found = result.metrics["coverage"]
    if found["compared"] < found["entries"]:
        which = "one wrong entry" if found["error"] is None else f"one entry off by {found['error']:.0%}"
        missed = f"{which} would be missed with probability {found['miss_probability']:.2g}"
        along = f"{counted(found['compared'], 'direction')} in place of {found['entries']:,} entries"
        told = share(result.config, found) if by_entries else along
        notes.append(f"{told} are compared: {missed}")
    return "; ".join(notes)

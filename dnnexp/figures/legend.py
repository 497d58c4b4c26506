"""Legend entries: one for each label, and one for curves that coincide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dnnexp.figures.palette import swatch

_MOST_CHARACTERS = 48
"""Length of an entry's line above which the labels of coinciding curves stand one below the other."""


def entry(label: str, **style: Any) -> Line2D:
    """A legend entry with a line of that style."""
    return Line2D([], [], label=visible(label), **swatch(style))


def entries(panels: Iterable[Axes]) -> list[Artist]:
    """The labelled artists of some axes, one for each label, in the order in which they were drawn."""
    found: dict[str, Artist] = {}
    for axes in panels:
        for artist in (*axes.lines, *axes.collections, *axes.patches):
            label = str(artist.get_label())
            if label and not label.startswith("_"):
                found.setdefault(label, artist)
    return list(found.values())


def coinciding(panels: Sequence[tuple[Axes, tuple[float, float]]], tolerance: float = 1.0) -> list[list[str]]:
    """Labels, grouped by curves that nowhere lie more than `tolerance` pixels apart.

    Args:
        panels: axes with their final limits, and their size in pixels. Two labels coincide if they are drawn
            in the same axes, over the same x, and coincide in all of them.
        tolerance: in pixels.
    """
    curves: dict[str, dict[tuple[int, int], Any]] = {}
    for number, (axes, size) in enumerate(panels):
        to_share = axes.transScale + axes.transLimits
        for line in axes.lines:
            label = str(line.get_label())
            points = np.asarray(line.get_xydata())
            if label and not label.startswith("_") and len(points):
                pixels = to_share.transform(points) * size
                own = curves.setdefault(label, {})
                own[number, sum(key[0] == number for key in own)] = pixels
    groups: list[list[str]] = []
    for label, own in curves.items():
        group = next((g for g in groups if _is_near(curves[g[0]], own, tolerance)), None)
        if group is None:
            groups.append([label])
        else:
            group.append(label)
    return groups


def _is_near(one: dict[Any, Any], other: dict[Any, Any], tolerance: float) -> bool:
    if one.keys() != other.keys():
        return False
    for key, points in one.items():
        if points.shape != other[key].shape or (np.isnan(points) != np.isnan(other[key])).any():
            return False
        if np.max(np.abs(points - other[key]), initial=0.0, where=~np.isnan(points)) > tolerance:
            return False
    return True


def merged(handles: Sequence[Artist], groups: Sequence[Sequence[str]]) -> list[tuple[Any, str]]:
    """Handles with their labels; those of a group are one entry that shows all of its lines."""
    by_label = {str(handle.get_label()): handle for handle in handles}
    group_of = {label: group for group in groups for label in group if len(group) > 1}
    found: list[tuple[Any, str]] = []
    for label, handle in by_label.items():
        group = [each for each in group_of.get(label, [label]) if each in by_label]
        if len(group) == 1:
            found.append((handle, label))
        elif label == group[0]:
            joined = ", ".join(group) + " (coincide)"
            text = joined if len(joined) <= _MOST_CHARACTERS else "\n".join([*group]) + "\n(these coincide)"
            found.append((tuple(by_label[each] for each in group[:3]), text))
    return found


def visible(label: str) -> str:
    """A label that a legend does not leave out: matplotlib hides those with a leading underscore."""
    return f" {label}" if label.startswith("_") else label

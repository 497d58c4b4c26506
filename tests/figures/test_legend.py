"""Curves that coincide have one entry that says so."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from dnnexp.figures import legend

X = np.linspace(1, 10, 50)
PIXELS = (300.0, 200.0)


def test_curves_within_a_pixel_coincide_in_the_scale_that_is_drawn() -> None:
    axes = Figure().add_subplot()
    axes.set_yscale("log")
    axes.set_ylim(1e-10, 1)
    for label, y in {"a": 10**-X, "b": 1.01 * 10**-X, "c": 2 * 10**-X, "_d": 10**-X}.items():
        axes.plot(X, y, label=label)
    assert legend.coinciding([(axes, PIXELS)]) == [["a", "b"], ["c"]]


def test_curves_coincide_only_if_they_do_in_every_panel_and_have_the_same_gaps() -> None:
    first, second = Figure().subplots(1, 2)
    gap = np.where(X > 5, np.nan, X)
    for label, y, other in (("a", X, X), ("b", X, 2 * X), ("c", gap, X), ("d", X, X)):
        first.plot(X, y, label=label)
        second.plot(X, other, label=label)
    assert legend.coinciding([(first, PIXELS), (second, PIXELS)]) == [["a", "d"], ["b"], ["c"]]


def test_an_entry_names_all_that_coincide_and_shows_their_lines() -> None:
    handles = [legend.entry(name) for name in ("momentum", "adam", "nesterov")]
    (both, text), (_, other) = legend.merged(handles, [["momentum", "nesterov"], ["adam"]])
    assert (text, other) == ("momentum, nesterov (coincide)", "adam")
    assert both == (handles[0], handles[2])

"""Scales: values at their place, zeros and infinities at named edges, round ticks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from dnnexp.figures.scales import Scale

ODD: list[list[float]] = [
    [],
    [np.nan],
    [0.0],
    [1.0, 1.0],
    [0.0, 1e-320],
    [np.inf, -np.inf, 0.0],
    [1e-300, 1e300],
    [-1.7e308, 1.7e308],
    [1.0, 1.0 + 1e-15],
    [1e-40, 1.0, 1e40],
]


@pytest.mark.parametrize("values", ODD)
@pytest.mark.parametrize("kind", ["auto", "linear", "log"])
@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_any_values_have_a_scale_that_can_be_drawn(values: list[float], kind: str, margin: float) -> None:
    scale = Scale.of(values, kind, margin=margin)
    placed = scale.place(values)
    assert np.isfinite(placed[~np.isnan(values)]).all()
    shares = scale.share(values)
    assert ((shares >= 0) & (shares <= 1) | np.isnan(values)).all()
    assert np.isfinite([scale.bottom, scale.top]).all()
    if margin:
        axes = Figure().add_subplot()
        scale.frame(axes.yaxis)
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert np.ma.filled(scale.norm()(placed), 0.5).size == len(values)


def test_zeros_and_infinities_are_at_named_edges() -> None:
    scale = Scale.of([0, 1e-3, 1.0, np.inf])
    assert (scale.is_log, scale.low, scale.high, scale.below, scale.above) == (True, 1e-3, 1.0, "0", "∞")
    assert list(scale.share([0, np.inf])) == [0, 1]
    assert 0 < scale.share(1e-3) < scale.share(1.0) < 1
    names = [name for _, name in scale.ticks()]
    assert (names[0], names[-1]) == ("0", "∞")
    assert "≤0" in Scale.of([-1.0, 1e-3, 1.0], "log").below
    assert Scale.of([0, 1e-3, 1.0], edges=False).below == ""
    assert (Scale.of([0, 1, -np.inf]).below, Scale.of([0, 1]).below) == ("−∞", "")


def test_values_far_beyond_the_usual_do_not_squeeze_the_others() -> None:
    scale = Scale.of([1e-200, 1e-3, 1.0])
    assert scale.low == 1e-3
    assert scale.below.startswith("<")
    assert Scale.of([1e-200, 1e-100]).low == 1e-200


@pytest.mark.parametrize(
    ("values", "kind", "is_log"),
    [([1, 2], "auto", False), ([1, 1e3], "auto", True), ([-1, 1e3], "auto", False), ([1, 2], "log", True)],
)
def test_a_scale_is_logarithmic_where_values_are_far_apart(values: Any, kind: str, is_log: bool) -> None:
    assert Scale.of(values, kind).is_log is is_log


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([0, 10], ["0", "2", "4", "6", "8", "10"]),
        ([1, 1e3], ["1", "10", "100", "1000"]),
        ([1, 1e8], ["$10^{0}$", "$10^{2}$", "$10^{4}$", "$10^{6}$", "$10^{8}$"]),
        ([1.0001, 1.0002], ["1.0001", "1.00012", "1.00014", "1.00016", "1.00018", "1.0002"]),
    ],
)
def test_ticks_are_round_and_told_apart(values: list[float], names: list[str]) -> None:
    assert [name for _, name in Scale.of(values).ticks()] == names


def test_shares_reach_from_zero_or_the_smallest_value_to_one() -> None:
    assert [name for _, name in Scale.shares([0.2, 0.4]).ticks()] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert Scale.shares([-0.5]).low == -0.5


def test_a_curve_that_goes_to_infinity_leaves_the_axes() -> None:
    for scale in (Scale.of([1, 1e4], edges=False), Scale.of([1, 2], edges=False)):
        assert scale.clip(np.inf) > scale.top
        assert np.isfinite(scale.clip(np.inf))
        assert scale.place(np.inf) == scale.top


def test_the_norm_goes_from_low_to_high_and_marks_the_edges() -> None:
    scale = Scale.of([0, 1e-4, 1.0], margin=0)
    assert np.allclose(scale.norm()(scale.place([1e-4, 1e-2, 1.0])), [0, 0.5, 1])
    assert scale.norm()(scale.place(0.0)) < 0


def test_the_middle_colour_can_be_given() -> None:
    norm = Scale(1e-4, 1e2, True, 1e-4, 1e2, centre=1.0).norm()
    assert np.allclose(norm([1e-4, 1e-2, 1, 10, 100]), [0, 0.25, 0.5, 0.75, 1])
    assert norm(1e4) > 1

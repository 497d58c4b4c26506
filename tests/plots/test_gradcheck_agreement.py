"""`agreement.png`: who agrees with whom; and `errors.png` with all curves that a sweep may hold."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.figures import agreement, errors
from dnnexp.experiments.gradcheck.figures.scale import short
from dnnexp.figures.style import ALARM, STYLE
from tests.plots.gradchecks import METHODS, assert_readable, network, result, tensor, texts


@pytest.fixture(autouse=True)
def _style() -> Any:
    """Fonts as they are in the files."""
    with matplotlib.rc_context(STYLE):
        yield


def cells(shown: Result) -> dict[tuple[str, str], str]:
    """What the matrix says, by row and column."""
    axes = agreement(shown).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    return {
        (names[int(text.get_position()[1])], names[int(text.get_position()[0])]): text.get_text()
        for text in axes.texts
    }


def accused(method: str) -> Result:
    found = network((5, 4, 3))
    found["b1"].by_method[method][1] += 1e-3
    return result(found, (5, 4, 3))


def test_the_number_is_above_the_diagonal_and_its_tensor_below() -> None:
    shown = accused("backward")
    found = cells(shown)
    assert len(found) == 12
    for pair in ("backward-forward", "backward-complex", "forward-complex"):
        left, right = pair.split("-")
        entries = [entry for entry in shown.metrics["checks"] if entry["pair"] == pair]
        worst = max(entries, key=lambda entry: entry["bound_ratio"])
        assert found[left, right] == short(worst["bound_ratio"])
        assert found[right, left] == worst["tensor"]
    central = [e["max_rel_error"] for e in shown.metrics["checks"] if e["pair"] == "forward-central"]
    assert found["forward", "central"] == short(max(central) / 1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_culprit_stands_out(method: str) -> None:
    figure = agreement(accused(method))
    axes = figure.axes[0]
    assert f"{method} alone disagrees with the others" in texts(figure)
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels if label.get_color() == ALARM] == [method]
    frames = [each for each in axes.patches if isinstance(each, Rectangle) and not each.get_fill()]
    at = METHODS.index(method)
    assert [(each.get_xy(), each.get_width(), each.get_height()) for each in frames] == [
        ((0, at), 4, 1),
        ((at, 0), 1, 4),
    ]


def test_agreement_frames_nobody() -> None:
    figure = agreement(result(network((5, 4, 3)), (5, 4, 3)))
    assert "hand: correct: all methods agree" in texts(figure)
    axes = figure.axes[0]
    assert all(each.get_fill() for each in axes.patches)
    assert ALARM not in [label.get_color() for label in axes.get_xticklabels()]


def test_of_two_methods_neither_is_accused() -> None:
    found = network((5, 4), ("backward", "central"))
    found["W1"].by_method["central"][0, 0] = 9
    told = texts(agreement(result(found, (5, 4)))).replace("\n", " ")
    assert "backward and central disagree; a third method would tell" in told


def test_errors_of_several_methods_are_told_by_pair() -> None:
    found = network((5, 4))
    found["W1"].by_method["forward"][0, 0] = 9
    found["b1"].by_method["complex"][0] = 9
    told = texts(agreement(result(found, (5, 4)))).replace("\n", " ")
    assert "not by one method alone: backward and forward; " in told
    assert "and 2 more pairs disagree" in told


def test_what_round_off_hides_is_called_so() -> None:
    found = network((3, 2), ("backward", "central"))
    for name, each in found.items():
        each.by_method["backward"][...] += 1e-3
        doubts = {"central": Doubt(round_off=1.0)}
        found[name] = Derivatives(name, each.by_method, each.bound, doubts)
    shown = result(found, (3, 2))
    assert cells(shown)["backward", "central"] == "round-off"
    assert "inconclusive: no two methods are seen to disagree" in texts(agreement(shown))


def test_pairs_that_are_not_compared_are_blank() -> None:
    found = network((3, 2)) | {"directional": tensor("directional", (4,), ("backward", "richardson"))}
    shown = result(found, (3, 2))
    assert "blank: not compared" in texts(agreement(shown)).replace("\n", " ")
    assert len(cells(shown)) == 2 * 7
    assert cells(shown)["richardson", "backward"] == "directional"


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_text_is_inside_and_apart(count: int) -> None:
    long = tensor("objective:styblinski_tang", (3,), METHODS[:count])
    long.by_method["backward"][1] = np.nan
    assert_readable(agreement(result({long.tensor: long})))


def swept(**curves: Any) -> Result:
    """A result with error curves h², and more of them."""
    h = np.geomspace(1e-12, 0.1, 23)
    names = ("central", "complex", "truncation", "round_off")
    arrays = {f"sweep.{name}": np.tile(h**2, (3, 1)) for name in names}
    arrays |= {
        f"sweep.{name}": np.array([factor * curve(h) for factor in (1, 2, 4)])
        for name, (factor, curve) in {n: (1, c) for n, c in curves.items()}.items()
    }
    whole = result(network((3, 2)), (3, 2), order=ORDER, step_sweep={"default_step": 6e-6})
    return Result(whole.config, whole.metrics, {**whole.arrays, **arrays, "sweep.h": h})


ORDER = {
    "observed": 2.0,
    "expected": 2.0,
    "central4": {"observed": 3.98, "expected": 4.0},
    "taylor": {"observed": None, "expected": 2.0},
}


def test_the_curves_of_fourth_order_and_of_taylor_are_drawn_where_there_are_any() -> None:
    shown = swept(central4=lambda h: h**4, taylor=lambda h: h**2, truncation4=lambda h: h**4 / 30)
    figure = errors(shown)
    curves = {str(line.get_label()): np.asarray(line.get_ydata()) for line in figure.axes[0].lines}
    for label, key in (
        ("central differences of fourth order, measured", "central4"),
        ("Taylor remainder |φ(h) − φ(0) − hφ′(0)|, measured", "taylor"),
        ("theory: truncation of fourth order", "truncation4"),
    ):
        expected = np.median(shown.arrays[f"sweep.{key}"], axis=0)
        assert np.allclose(curves[label], expected if "theory" in label else np.maximum(expected, 1e-17))
    assert len(figure.axes[0].collections) == 2
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 7
    (without,) = errors(swept()).legends
    assert len(without.get_texts()) == 4


def test_functions_without_a_complex_step_do_not_hide_the_others() -> None:
    shown = swept()
    shown.arrays["sweep.complex"][1:] = np.nan
    figure = errors(shown)
    (line,) = [line for line in figure.axes[0].lines if "complex" in str(line.get_label())]
    assert np.allclose(np.asarray(line.get_ydata()), np.maximum(shown.arrays["sweep.complex"][0], 1e-17))
    shown.arrays["sweep.complex"][:] = np.nan
    assert "complex" not in texts(errors(shown))


def test_the_title_tells_the_orders() -> None:
    told = texts(errors(swept()))
    assert "central 2.00 (2), of fourth order 3.98 (4), Taylor remainder none (2)" in told
    assert "hand: correct; median and range of 3 directions" in told


def test_the_legend_is_above_the_curves() -> None:
    figure = errors(swept(central4=lambda h: h**4, taylor=lambda h: h**2))
    assert_readable(figure)
    box = figure.legends[0].get_window_extent()
    assert box.y0 >= figure.axes[0].get_window_extent().y1

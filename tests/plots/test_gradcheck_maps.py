"""`tensors.png`: a map a tensor, what is wrong in it stands out and is told."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.figures import tensors
from dnnexp.experiments.gradcheck.figures.scale import Scale, short
from dnnexp.figures.style import ALARM, STYLE
from tests.plots.gradchecks import METHODS, assert_readable, network, result, tensor, texts
from tests.plots.rendering import render

PARTS = ("analytic", "central", "richardson", "complex")


@pytest.fixture(autouse=True)
def _style() -> Any:
    """Fonts as they are in the files."""
    with matplotlib.rc_context(STYLE):
        yield


def title_of(figure: Figure, name: str) -> Any:
    """The title of a tensor."""
    found = [text for axes in figure.axes for text in axes.texts if name in text.get_text().split()]
    return found[0]


def map_of(figure: Figure, name: str) -> Any:
    """The axes with the map of a matrix."""
    return title_of(figure, name).axes


def places(axes: Any) -> Any:
    """The map that is drawn; NaN where it is blank."""
    return np.ma.filled(axes.images[0].get_array(), np.nan)


def test_a_wrong_entry_stands_out_where_it_is() -> None:
    found = network((40, 30, 20))
    found["W2"].by_method["backward"][7, 11] += 1e-6
    figure = tensors(result(found, (40, 30, 20)))
    shown = places(map_of(figure, "W2"))
    assert shown.shape == (20, 30)
    assert np.argwhere(shown > 0).tolist() == [[7, 11]]
    circles = [tuple(line.get_xydata()[0]) for line in map_of(figure, "W2").lines]
    assert circles == [(11, 7), (11, 7)]
    assert all((places(map_of(figure, name)) <= 0).all() for name in ("W1", "dy/dx"))


def test_a_wrong_tensor_is_marked_and_its_numbers_are_told() -> None:
    found = network((4, 3, 2))
    found["b1"].by_method["backward"][2] = -7.5
    figure = tensors(result(found, (4, 3, 2)))
    title = title_of(figure, "b1")
    assert title.get_text().startswith("✗ b1 ")
    assert title.get_color() == ALARM
    assert title_of(figure, "W1").get_color() != ALARM
    assert f"b1[2]\nbackward -7.5\ncomplex {found['b1'].by_method['complex'][2]:.6g}" in texts(figure)
    assert "backward alone disagrees" in texts(figure)
    assert "look first at b1: so" in texts(figure)


def test_what_is_allowed_is_cool_and_what_is_not_is_warm() -> None:
    scale = Scale.of([np.array([1e9, np.nan, np.inf])])
    assert scale.decades == 9
    at = scale.place([0, 1e-9, 0.5, 1, np.nextafter(1, 2), 1e9, np.inf, np.nan])
    assert np.all(np.diff(at[:-1]) >= 0)
    assert at[3] < 0 < at[4]
    assert (at[0], at[5]) == (-1, 1)
    assert at[6] > 1
    assert np.isnan(at[7])
    red, _, blue, _ = np.transpose([scale.colour(value) for value in (1e-3, 0.1, 1, 1.01, 1e3, 1e9)])
    assert (blue > red).tolist() == [True, True, True, False, False, False]


def test_central_differences_are_measured_by_their_tolerance() -> None:
    found = network((3, 2), ("backward", "central"))
    found["W1"].by_method["backward"][1, 2] += 1e-3
    shown = result(found, (3, 2))
    figure = tensors(shown)
    assert "1e-06 of the tensor's largest entry" in texts(figure).replace("\n", " ")
    ratios = shown.arrays["error_map.W1"] / 1e-6
    assert np.allclose(places(map_of(figure, "W1")), Scale.of([ratios]).place(ratios))


def test_what_differences_cannot_resolve_is_not_called_wrong() -> None:
    """An error below round-off passes, and was to be coloured as one that does not."""
    found = network((3, 2), ("backward", "central"))
    found["W1"].by_method["backward"][1, 2] += 1e-3
    doubts = {"central": Doubt(round_off=1.0)}
    found["W1"] = Derivatives("W1", found["W1"].by_method, found["W1"].bound, doubts)
    figure = tensors(result(found, (3, 2)))
    assert (places(map_of(figure, "W1")) <= 0).all()
    assert title_of(figure, "W1").get_text().startswith("? W1 ~")
    assert "below the round-off of differences" in texts(figure).replace("\n", " ")


def sampled() -> Result:
    found = network((30, 20, 10))
    for name, each in found.items():
        mask = np.random.default_rng(0).random(each.shape) < 0.1
        found[name] = Derivatives(name, each.by_method, each.bound, each.doubts, mask)
    entries = 830 + 2 * 30 * 10  # parameters, and dy/dx, which is compared as a whole
    coverage = {"entries": entries, "compared": 83 + 600, "miss_probability": 0.9, "error": 0.01}
    return result(found, (30, 20, 10), coverage=coverage)


def broken() -> Result:
    found = network((12,) * 13)
    for each in found.values():
        each.by_method["forward"][...] = np.nan
    return result(found, (12,) * 13)


def deep() -> Result:
    found = network((20,) * 21)
    for level in range(1, 21):
        for kind in "Wb":
            found[f"Hv.{kind}{level}"] = tensor(f"Hv.{kind}{level}", (2, 20), METHODS[1:])
    found["uJv"] = tensor("uJv", (5,), METHODS[:2])
    for name in ("W1", "b1", "dy/dx", "Hv.W20", "uJv"):
        found[name].by_method["forward"][...] *= 1.125
    return result(found, (20,) * 21)


def along_directions() -> Result:
    names = [f"{kind}{level}" for level in range(1, 21) for kind in "Wb"]
    found = {name: tensor(name, (200,)) for name in [*names, "dy/dx"]}
    found["directional"] = tensor("directional", (10,), ("backward", "richardson"))
    found["W7"].by_method["backward"][150] *= 1.5
    return result(found, (20,) * 21)


def many_parts() -> Result:
    found = {f"activation:{i}": tensor(f"activation:{i}", (9,), PARTS[: 4 - i % 2]) for i in range(24)}
    found["activation:3"].by_method["analytic"][4] *= 1.01
    found["activation:6"].by_method["analytic"][0] = np.inf
    return result(found)


def one_part() -> Result:
    return result({"objective:styblinski_tang": tensor("objective:styblinski_tang", (4,), PARTS)})


def two_methods() -> Result:
    return result(network((5, 4, 3), ("backward", "central")), (5, 4, 3))


def hundred_layers() -> Result:
    found = network((2,) * 101)
    found["W37"].by_method["backward"][1, 1] = 3
    return result(found, (2,) * 101)


def narrow() -> Result:
    return result(network((1, 1)), (1, 1))


ALL = (
    sampled,
    broken,
    deep,
    along_directions,
    many_parts,
    one_part,
    two_methods,
    narrow,
)


@pytest.mark.parametrize("make", ALL)
def test_every_text_is_inside_and_apart(make: Any) -> None:
    assert_readable(tensors(make()))


@pytest.mark.parametrize("make", ALL)
def test_the_files_are_drawn_without_a_warning(make: Any) -> None:
    found = dict(render("gradcheck", make()))
    assert found.keys() == {"tensors.png", "agreement.png"}


def test_what_is_not_compared_is_blank_and_counted() -> None:
    figure = tensors(sampled())
    assert np.isnan(places(map_of(figure, "W1"))).mean() == pytest.approx(0.9, abs=0.05)
    told = texts(figure).replace("\n", " ")
    assert "83 of 830 parameters are compared: one entry off by 1% would be missed" in told
    assert "not compared" in told


def test_what_is_not_finite_is_beyond_the_scale() -> None:
    figure = tensors(broken())
    assert (places(map_of(figure, "W5")) > 1).all()
    assert "not finite" in texts(figure)


def test_twenty_layers_have_a_panel_each_and_products_a_strip() -> None:
    figure = tensors(deep())
    maps = [axes for axes in figure.axes if axes.images and axes.get_position().width > 0.05]
    assert len(maps) == 21
    told = texts(figure).split("\n")
    titles = [title_of(figure, f"W{level}").axes for level in range(1, 21)]
    assert maps[:20] == titles
    assert {"✗ uJv", "✗ Hv.W20", "Hv.b20"} <= set(told)


def test_directions_are_columns() -> None:
    figure = tensors(along_directions())
    (axes,) = [axes for axes in figure.axes if axes.images and axes.get_xlabel() == "direction"]
    shown = places(axes)
    assert shown.shape == (41, 100)
    assert np.argwhere(shown > 0).tolist() == [[12, 75]]
    assert [label.get_text()[:4] for label in axes.get_yticklabels()][11:14] == ["b6  ", "✗ W7", "b7  "]


def test_parts_are_a_table_of_all_pairs() -> None:
    shown = many_parts()
    figure = tensors(shown)
    axes = figure.axes[0]
    pairs = [label.get_text().replace("\n", "-") for label in axes.get_xticklabels()]
    assert pairs[:3] == ["analytic-central", "analytic-richardson", "analytic-complex"]
    assert len(axes.get_yticklabels()) == 24
    assert len(axes.texts) == len(shown.metrics["checks"])
    marked = {label.get_text() for label in axes.get_yticklabels() if label.get_color() == ALARM}
    assert marked == {"activation:3", "activation:6"}


def test_of_a_hundred_layers_the_wrong_one_is_among_those_shown() -> None:
    figure = tensors(hundred_layers())
    assert places(map_of(figure, "W37"))[1, 1] > 0
    assert "42 of 100 layers are shown" in texts(figure).replace("\n", " ")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.0431, "0.043"), (1, "1"), (123.4, "123"), (1.6e-8, "2e-8"), (9.6e11, "1e12")],
)
def test_numbers_are_short(value: float, told: str) -> None:
    assert short(value) == told

"""Curves are told apart: by readers with any colour vision, and in grey by dashes and markers."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from dnnexp.figures import palette, style
from dnnexp.figures.palette import Palette

# How linear sRGB looks without one kind of cones: Machado, Oliveira and Fernandes, "A physiologically-based
# model for simulation of color vision deficiency", 2009, table 1, severity 1.0
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# sRGB to CIE XYZ under D65: IEC 61966-2-1
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* (1976) of a colour as it is seen."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    share = XYZ @ np.clip(VISIONS[vision] @ linear, 0, 1) / XYZ.sum(axis=1)
    f = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISIONS)
def test_the_colours_differ_in_every_kind_of_colour_vision(vision: str) -> None:
    seen = {colour: lab(colour, vision) for colour in (*palette.COLOURS, style.INK, "#FFFFFF")}
    distance = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    # 2.3 is just noticeable side by side; thin curves apart from each other need several times that
    assert min(distance.values()) > 15, min(distance, key=lambda pair: distance[pair])


def test_curves_of_one_colour_differ_in_dashes_and_markers() -> None:
    entries = [palette.line(index) for index in range(32)]
    for a, b in combinations(entries, 2):
        if a["color"] == b["color"]:
            assert a["linestyle"] != b["linestyle"]
            assert a.get("marker") != b.get("marker")


def test_neighbours_differ_in_colour_and_dashes() -> None:
    entries = [palette.line(index) for index in range(32)]
    for a, b in pairwise(entries):
        assert a["color"] != b["color"]
        assert a["linestyle"] != b["linestyle"] or a.get("marker") != b.get("marker")


@pytest.mark.parametrize("vision", VISIONS)
def test_verdicts_differ_in_every_kind_of_colour_vision(vision: str) -> None:
    seen = [lab(colour, vision) for colour in (*palette.VERDICTS.values(), "#FFFFFF")]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_no_verdict_looks_like_a_series() -> None:
    for verdict, series in product([*palette.VERDICTS.values(), style.ALARM], palette.COLOURS):
        assert np.linalg.norm(lab(verdict, "normal") - lab(series, "normal")) > 15


def test_no_series_has_the_dashes_of_theory() -> None:
    assert palette.THEORY["linestyle"] not in palette.DASHES
    assert palette.THEORY["color"] not in palette.COLOURS


def test_a_known_label_keeps_its_style_whatever_it_is_drawn_with() -> None:
    known = ["sgd", "momentum", "adam"]
    assert Palette(["adam"], known).line("adam") == Palette(["mine", "sgd", "adam"], known).line("adam")
    first = Palette(["mine", "adam", "yours"], known)
    assert first.line("mine") == palette.line(0)
    assert first.line("yours") == palette.line(1)
    assert first.colour("adam") == first.dots("adam")["color"] == palette.COLOURS[2]


def test_labels_have_different_styles() -> None:
    labels = [f"l{i}" for i in range(40)] + ["adam"]
    made = Palette(labels, ["sgd"] * 5 + ["adam"])
    assert len({str(sorted(map(str, made.line(label).items()))) for label in labels}) == 41

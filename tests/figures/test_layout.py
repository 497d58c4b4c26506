"""Sheets: panels have their size, everything written is inside and apart, and pages are numbered."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from dnnexp.figures.labels import distinct, literal, text_width, wrap
from dnnexp.figures.layout import Sheet, message, pages
from dnnexp.figures.palette import Palette
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import STYLE
from tests.figures.drawn import assert_readable, legend_texts, notes

LONG = "a title that is too long for one line of a figure, whose words go on and on until it ends"


def sheet(
    count: int, labels: Sequence[str] = ("adam", "momentum"), is_below: bool = False, **more: bool
) -> Sheet:
    with matplotlib.rc_context(STYLE):
        made = Sheet(LONG, count, (2.4, 1.8), **more)
        palette = Palette(labels)
        for axes in made.panels:
            for place, label in enumerate(labels):
                axes.plot([0, 1, 2], np.arange(3) * (place + 1), label=label, **palette.line(label))
            made.heading(axes, LONG)
        made.labels("layer", "standard deviation")
        made.legend(title="by rank", is_below=is_below)
        made.notes(LONG)
        made.finish()
    return made


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("is_shared", [False, True])
def test_panels_have_their_size_and_texts_are_apart(count: int, is_shared: bool) -> None:
    made = sheet(count, sharex=is_shared, sharey=is_shared)
    with matplotlib.rc_context(STYLE):
        assert_readable(made.figure)
    for axes in made.panels:
        size = np.array(axes.get_window_extent().size) / made.figure.dpi
        assert np.allclose(size, (2.4, 1.8), atol=0.05)


@pytest.mark.parametrize("is_below", [False, True])
def test_a_legend_of_many_entries_is_inside(is_below: bool) -> None:
    made = sheet(1, [f"an optimizer of number {i}" for i in range(24)], is_below)
    with matplotlib.rc_context(STYLE):
        assert_readable(made.figure)
    assert len(legend_texts(made.figure)) == 24


def test_columns_and_rows_may_have_sizes_of_their_own() -> None:
    with matplotlib.rc_context(STYLE):
        made = Sheet("t", 4, ([1.0, 3.0], [2.0, 1.0]), columns=2)
        made.colour_bar(Scale.of([1, 1e5]), matplotlib.colormaps["viridis"], "error")
        figure = made.finish()
    for axes, size in zip(made.panels, [(1, 2), (3, 2), (1, 1), (3, 1)], strict=True):
        assert np.allclose(np.array(axes.get_window_extent().size) / figure.dpi, size, atol=0.1)


def test_items_beyond_one_page_go_on_numbered_pages() -> None:
    def draw(items: Sequence[int], part: str) -> Figure:
        return message(f"t{part}", ",".join(map(str, items)))

    assert [name for name, _ in pages("overview", range(12), draw, most=12)] == ["overview"]
    made = dict(pages("overview", range(38), draw, most=12))
    assert list(made) == ["overview-1", "overview-2", "overview-3", "overview-4"]
    shown = [figure.axes[0].texts[0].get_text().replace("\n", "").split(",") for figure in made.values()]
    assert [each for page in shown for each in page] == [str(i) for i in range(38)]
    assert {len(page) for page in shown} == {9, 10}
    assert "(page 2 of 4)" in notes(made["overview-2"])


def test_text_is_broken_into_lines_that_fit() -> None:
    lines = wrap(LONG, 2.0, 9)
    assert " ".join(lines) == LONG
    assert max(text_width(line, 9) for line in lines) <= 2.0
    assert wrap("x" * 200, 1.0, 9)[0].endswith("…")
    assert wrap(LONG, 2.0, 9, most=1)[0].endswith("…")
    assert wrap("", 2.0, 9) == []


def test_labels_are_not_cut_to_the_same_text() -> None:
    for labels in (["function.x", "function.y"], ["a" * 30 + "b" + "a" * 30, "a" * 61]):
        short = distinct(labels, 8)
        assert len(set(short)) == 2
        assert max(map(len, short)) <= 8


def test_other_peoples_texts_are_no_markup() -> None:
    assert literal("$x$ a\nb 日") == r"\$x\$ a b ?"


@pytest.mark.parametrize("x", [[], [np.nan]])
def test_a_line_without_points_takes_no_room(x: list[float]) -> None:
    with matplotlib.rc_context(STYLE):
        made = Sheet("t", 2, (2.0, 1.5))
        made.panels[1].plot(x, x, "x", clip_on=False)
        width, height = made.finish().get_size_inches()
    assert width < 6
    assert height < 3


def test_labels_may_be_larger_than_their_panel() -> None:
    with matplotlib.rc_context(STYLE):
        made = Sheet("t", 4, (0.3, 0.3), columns=2)
        for axes in made.panels:
            axes.set_yticks([0, 1], ["a label that is much wider than its panel", "b"])
            axes.set_xlabel("x")
        figure = made.finish()
        assert_readable(figure)
    for axes in made.panels:
        assert np.allclose(np.array(axes.get_window_extent().size) / figure.dpi, 0.3, atol=0.05)

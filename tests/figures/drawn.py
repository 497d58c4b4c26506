"""What is written in a figure, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from matplotlib.text import Text


def parts(figure: FigureBase) -> Iterator[Any]:
    """The figure and its subfigures, all the way down."""
    yield figure
    for each in figure.subfigs:
        yield from parts(each)


def legend_texts(figure: FigureBase) -> list[str]:
    """The entries of all legends of a figure."""
    return [
        text.get_text()
        for part in parts(figure)
        for legend in [*part.legends, *filter(None, (axes.get_legend() for axes in part._localaxes))]
        for text in legend.get_texts()
    ]


def notes(figure: FigureBase) -> str:
    """The texts that stand beside the axes of a figure, on one line."""
    return " ".join(" ".join(text.get_text().split()) for part in parts(figure) for text in part.texts)


def written(figure: Figure) -> list[tuple[str, Any]]:
    """The texts that are seen once the figure is drawn, with their boxes in pixels."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    texts: list[Text] = [text for part in parts(figure) for text in _of_part(part)]
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title]  # type: ignore[attr-defined]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label, *_ticks(axes.xaxis), *_ticks(axes.yaxis)]
    renderer = canvas.get_renderer()
    seen = [text for text in texts if text.get_text().strip() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in seen]


def _of_part(part: Any) -> list[Text]:
    legends = [text for legend in part.legends for text in [legend.get_title(), *legend.get_texts()]]
    return [*part.texts, *legends]


def _ticks(axis: Any) -> list[Text]:
    if not axis.get_visible():
        return []
    return [label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)]


def assert_readable(figure: Figure) -> None:
    """Every text is inside the figure, overlaps no other, and is large enough."""
    width, height = figure.get_size_inches() * figure.dpi
    boxes = written(figure)
    for text, box in boxes:
        assert box.x0 >= -2, text
        assert box.y0 >= -2, text
        assert box.x1 <= width + 2, text
        assert box.y1 <= height + 2, text
    for (text, box), (other, second) in combinations(boxes, 2):
        assert not box.padded(-1).overlaps(second), (text, other)
    for each in figure.findobj(Text):
        assert not each.get_text() or float(each.get_fontsize()) >= 8, each.get_text()

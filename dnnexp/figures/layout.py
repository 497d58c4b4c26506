"""Figures of panels in columns, with a title, one legend, shared axis labels and notes.

The size of a panel in inches is the only geometry. Everything else is measured and laid out by matplotlib's
constrained layout in subfigures: the figure grows around its panels until they have their size.

    sheet = Sheet("reference: forward", count=5, size=(2.75, 1.95))
    for axes, case in zip(sheet.panels, cases):
        axes.plot(x, y, label=label, **palette.line(label))
        sheet.heading(axes, case)
    sheet.labels(x="layer", y="standard deviation")
    sheet.legend()                                       # all labels drawn; coinciding curves are merged
    sheet.notes("dead units are not drawn")
    figure = sheet.finish()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple

from dnnexp.figures import legend as legends
from dnnexp.figures.labels import wrap
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import FAINT, INK, SMALL_POINTS, STYLE, TEXT_POINTS, TITLE_POINTS

T = TypeVar("T")

PANELS_PER_PAGE = 12
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 3}
"""Columns by number of panels; 4 beyond the table."""
_PAD_INCHES = 0.08
"""Between the parts of a figure, and around them."""
_LEAST_WIDTH_INCHES = 4.5
"""Width of the narrowest figure: titles and notes are to have lines that can be read."""
_LINE_SPACING = 1.25
_MOST_NOTE_LINES = 8
_ROUNDS = 4
"""Layouts until the panels have their size; one or two are enough where no colour bar is beside them."""
_TOLERANCE_INCHES = 0.02
_LEAST_INCHES = 1e-3
"""Stands for the size of a part that is empty."""


class Sheet:
    """A figure under construction.

    Attributes:
        figure: the figure.
        body: the subfigure of the panels; what is added to it, constrained layout places.
        panels: the axes, row by row.
        columns: how many there are.
    """

    def __init__(
        self,
        title: str,
        count: int = 1,
        size: tuple[float | Sequence[float], float | Sequence[float]] = (6.0, 3.8),
        columns: int | None = None,
        sharex: bool = False,
        sharey: bool = False,
    ) -> None:
        """Make the panels.

        Args:
            title: of the figure; wrapped.
            count: number of panels.
            size: width and height of a panel in inches; either may be a list, one for each column or row.
            columns: number of columns; by default as many as suit the count.
            sharex: whether panels have one x axis, labelled at the lowest panel of each column.
            sharey: whether panels have one y axis, labelled at the first panel of each row.
        """
        self.columns = min(columns or _COLUMNS.get(count, 4), count)
        rows = -(-count // self.columns)
        self._widths = _per_place(size[0], self.columns)
        self._heights = _per_place(size[1], rows)
        self._title, self._notes = title, ""
        self._legend: Callable[[int], Legend] | None = None
        self._is_below = False
        self.figure = Figure(layout="constrained")
        self._grid = self.figure.add_gridspec(3, 2)
        self._head, self.body, self._side, self._foot = (
            self.figure.add_subfigure(place)
            for place in (self._grid[0, :], self._grid[1, 0], self._grid[1, 1], self._grid[2, :])
        )
        self.panels = self._axes(count, rows, sharex, sharey)

    def _axes(self, count: int, rows: int, sharex: bool, sharey: bool) -> list[Axes]:
        ratios = {"width_ratios": self._widths, "height_ratios": self._heights}
        grid = self.body.add_gridspec(rows, self.columns, **ratios)
        panels: list[Axes] = []
        for index in range(count):
            row, column = divmod(index, self.columns)
            first = panels[0] if panels else None
            axes = self.body.add_subplot(
                grid[row, column], sharex=first if sharex else None, sharey=first if sharey else None
            )
            axes.tick_params(
                labelbottom=not sharex or index + self.columns >= count, labelleft=not sharey or column == 0
            )
            panels.append(axes)
        return panels

    @property
    def lowest(self) -> list[Axes]:
        """The lowest panel of each column, for labels of the x axis."""
        return self.panels[-self.columns :]

    @property
    def first(self) -> list[Axes]:
        """The first panel of each row, for labels of the y axis."""
        return self.panels[:: self.columns]

    def size(self, axes: Axes) -> tuple[float, float]:
        """Width and height of a panel in inches."""
        row, column = divmod(self.panels.index(axes), self.columns)
        return self._widths[column], self._heights[row]

    def heading(self, axes: Axes, text: str, lines: int = 2, color: str = INK, **style: Any) -> None:
        """The title of a panel, in lines as wide as the panel; what does not fit is cut."""
        points = style.get("fontsize", TEXT_POINTS)
        wrapped = wrap(text, self.size(axes)[0], points, lines)
        axes.set_title("\n".join(wrapped), loc="left", color=color, **style)

    def labels(self, x: str = "", y: str = "") -> None:
        """One label for the x axes of all panels, and one for the y axes."""
        if len(self.panels) == 1:
            self.panels[0].set(xlabel=x, ylabel=y)
            return
        if x:
            self.body.supxlabel(x)
        if y:
            self.body.supylabel(y)

    def legend(
        self,
        more: Sequence[Artist] = (),
        *,
        handles: Sequence[Artist] | None = None,
        title: str | None = None,
        is_below: bool = False,
        is_merging: bool = True,
    ) -> None:
        """One legend for all panels, to their right or below; call it when all curves are drawn.

        Args:
            more: entries after those of the labelled artists.
            handles: entries in place of those of the labelled artists.
            title: its title.
            is_below: whether it stands below the panels, in as many columns as fit.
            is_merging: whether curves that lie within a pixel of each other have one entry that says so.
        """
        shown = [*(legends.entries(self.panels) if handles is None else handles), *more]
        dpi = float(STYLE["figure.dpi"])
        panels = [(axes, (w * dpi, h * dpi)) for axes in self.panels for w, h in [self.size(axes)]]
        found = legends.merged(shown, legends.coinciding(panels) if is_merging else ())
        if not found:
            return
        self._is_below = is_below
        part = self._foot if is_below else self._side

        def make(columns: int) -> Legend:
            return part.legend(
                [handle for handle, _ in found],
                [label for _, label in found],
                loc="upper left",
                bbox_to_anchor=(0, 1),
                ncols=min(columns, len(found)),
                title=title,
                alignment="left",
                borderpad=0.2,
                borderaxespad=0.5,
                handlelength=2.8,
                handler_map={tuple: HandlerTuple(ndivide=None)},
            )

        self._legend = make

    def colour_bar(
        self, scale: Scale, colours: Colormap, label: str = "", panels: Sequence[Axes] | None = None
    ) -> None:
        """A colour bar with the ticks of a scale, to the right of some panels, or of all."""
        mappable = ScalarMappable(scale.norm(), colours)
        bar = self.body.colorbar(mappable, ax=panels or self.panels, aspect=25, pad=0.02, label=label)
        bar.outline.set_visible(False)
        replace(scale, below="", above="").tick(bar.ax.yaxis)

    def notes(self, text: str) -> None:
        """Notes below everything, wrapped, small and grey."""
        self._notes = text

    def finish(self) -> Figure:
        """Lay the figure out; returns it with all positions fixed."""
        panels = np.array([sum(self._widths), sum(self._heights)])
        body = panels + 0.7 * np.array([len(self._widths), len(self._heights)])
        for _ in range(_ROUNDS):
            self._fit_parts(*body)
            self.figure.get_layout_engine().execute(self.figure)  # type: ignore[union-attr]
            missing = panels - self._measured()
            body = body + missing
            if np.abs(missing).max() < _TOLERANCE_INCHES:
                break
        self.figure.set_layout_engine("none")
        return self.figure

    def _fit_parts(self, body_width: float, body_height: float) -> None:
        """Give title, legend and notes the room that they take beside a body of that size."""
        for part in (self._head, self._side, self._foot):
            for artist in (*part.texts, *part.legends):
                artist.remove()
        side, below = self._legend_size(body_width, body_height)
        width = max(body_width + side, _LEAST_WIDTH_INCHES)
        head = wrap(self._title, width - 2 * _PAD_INCHES, TITLE_POINTS)
        foot = wrap(self._notes, width - 2 * _PAD_INCHES, SMALL_POINTS, _MOST_NOTE_LINES)
        heights = [
            _text_height(len(head), TITLE_POINTS),
            body_height,
            max(below + _text_height(len(foot), SMALL_POINTS), _LEAST_INCHES),
        ]
        height = sum(heights)
        self.figure.set_size_inches(width, height)
        self._grid.set_height_ratios(heights)
        self._grid.set_width_ratios([body_width, max(width - body_width, _LEAST_INCHES)])
        left = _PAD_INCHES / width
        style: Any = {"linespacing": _LINE_SPACING}
        self._head.text(
            left, 1 - _PAD_INCHES / heights[0], "\n".join(head), va="top", fontsize=TITLE_POINTS, **style
        )
        if foot:
            bottom = _PAD_INCHES / heights[2]
            text = "\n".join(foot)
            self._foot.text(left, bottom, text, fontsize=SMALL_POINTS, color=FAINT, va="bottom", **style)

    def _legend_size(self, body_width: float, body_height: float) -> tuple[float, float]:
        """The width that the legend takes beside the panels, and the height that it takes below them."""
        if self._legend is None:
            return 0.0, 0.0
        most = 6 if self._is_below else 3
        renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call]
        for columns in range(most, 0, -1) if self._is_below else range(1, most + 1):
            legend = self._legend(columns)
            size = legend.get_window_extent(renderer)
            width, height = (
                size.width / self.figure.dpi + _PAD_INCHES,
                size.height / self.figure.dpi + _PAD_INCHES,
            )
            is_fitting = width <= body_width if self._is_below else height <= body_height
            if is_fitting or columns == (1 if self._is_below else most):
                break
            legend.remove()
        return (0.0, height) if self._is_below else (width, max(0.0, height - body_height))

    def _measured(self) -> Any:
        """The widths of the first row and the heights of the first column in inches, summed, as laid out."""
        boxes = [axes.get_position(original=True) for axes in self.panels]
        body = np.array(self.body.bbox.size) / self.figure.dpi
        widths = [box.width for box in boxes[: self.columns]]
        heights = [box.height for box in boxes[:: self.columns]]
        return np.array([sum(widths), sum(heights)]) * body


def pages(
    name: str, items: Sequence[T], draw: Callable[[Sequence[T], str], Figure], most: int = PANELS_PER_PAGE
) -> Iterator[tuple[str, Figure]]:
    """The figures of some items: `name`, or `name-1`, `name-2`, ... where there are more than fit one page.

    Args:
        name: of the figure.
        items: what is drawn, one a panel.
        draw: makes a figure of some items; its second argument is `''` or ` (page 1 of 3)`, for the title.
        most: items of a page. Pages are about equally full.
    """
    count = -(-len(items) // most)
    for number, page in enumerate(np.array_split(np.arange(len(items)), max(count, 1)), start=1):
        part = f" (page {number} of {count})" if count > 1 else ""
        yield (f"{name}-{number}" if part else name), draw([items[int(i)] for i in page], part)


def message(title: str, text: str, notes: str = "") -> Figure:
    """A figure that has nothing to show but a sentence."""
    sheet = Sheet(title, size=(5.6, 1.6))
    (axes,) = sheet.panels
    axes.set_axis_off()
    axes.text(0.5, 0.5, "\n".join(wrap(text, 5.4, TEXT_POINTS)), ha="center", va="center", color=FAINT)
    sheet.notes(notes)
    return sheet.finish()


def _text_height(lines: int, points: float) -> float:
    """The height of some lines with the room around them, in inches; 0 for none."""
    return lines * points * _LINE_SPACING / 72 + 2 * _PAD_INCHES if lines else 0.0


def _per_place(size: float | Sequence[float], count: int) -> list[float]:
    return [float(size)] * count if isinstance(size, int | float) else [float(each) for each in size]

"""Figures of panels in columns, with a title, one legend, shared axis labels and notes.

The size of a panel in inches is the only geometry. Everything else is measured by matplotlib and laid out by
its constrained layout: the figure grows around its panels until they have their size.

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

import warnings
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
_ROUNDS = 6
"""Layouts until the panels have their size; one or two are enough where no colour bar is beside them."""
_ROOM_INCHES = 1.0
"""Room for the labels of a panel before they are measured."""
_TOLERANCE_INCHES = 0.02
_MOST_BELOW, _MOST_BESIDE = 6, 2
"""Columns of a legend below and beside the panels."""


class Sheet:
    """A figure under construction.

    Attributes:
        figure: the figure.
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
        self._body = (0.0, 0.0, 1.0, 1.0)
        self._artists: list[Artist] = []
        self.figure = Figure(layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        self.panels = self._axes(count, rows, sharex, sharey)

    def _axes(self, count: int, rows: int, sharex: bool, sharey: bool) -> list[Axes]:
        ratios = {"width_ratios": self._widths, "height_ratios": self._heights}
        grid = self.figure.add_gridspec(rows, self.columns, **ratios)
        panels: list[Axes] = []
        for index in range(count):
            row, column = divmod(index, self.columns)
            first = panels[0] if panels else None
            axes = self.figure.add_subplot(
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
            self.figure.supxlabel(x)
        if y:
            self.figure.supylabel(y)

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
        found = legends.merged(shown, self.coinciding() if is_merging else ())
        if not found:
            return
        self._is_below = is_below

        def make(columns: int) -> Legend:
            return self.figure.legend(
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

    def coinciding(self) -> list[list[str]]:
        """The labels of the curves, grouped by those that lie within a pixel of each other in all panels."""
        dpi = float(STYLE["figure.dpi"])
        panels = [(axes, (w * dpi, h * dpi)) for axes in self.panels for w, h in [self.size(axes)]]
        return legends.coinciding(panels)

    def colour_bar(
        self, scale: Scale, colours: Colormap, label: str = "", panels: Sequence[Axes] | None = None
    ) -> None:
        """A colour bar with the ticks of a scale, to the right of some panels, or of all."""
        mappable = ScalarMappable(scale.norm(), colours)
        bar = self.figure.colorbar(mappable, ax=panels or self.panels, aspect=25, pad=0.02, label=label)
        bar.outline.set_visible(False)
        replace(scale, below="", above="").tick(bar.ax.yaxis)

    def notes(self, text: str) -> None:
        """Notes below everything, wrapped, small and grey."""
        self._notes = text

    def finish(self) -> Figure:
        """Lay the figure out; returns it with all positions fixed."""
        for line in (line for axes in self.panels for line in axes.lines):
            if not np.isfinite(np.asarray(line.get_xydata(), np.float64)).all(axis=1).any():
                line.set_in_layout(False)  # matplotlib takes it to lie at the corner of the figure
        panels = np.array([sum(self._widths), sum(self._heights)])
        room = _ROOM_INCHES * np.array([len(self._widths), len(self._heights)])
        body = panels + room
        for _ in range(_ROUNDS):
            self._fit_parts(*body)
            if not self._lay_out():
                body = body + room
                continue
            missing = panels - self._measured()
            if np.abs(missing).max() < _TOLERANCE_INCHES:
                break
            body = np.maximum(body + missing, panels)
        self.figure.set_layout_engine("none")
        self._move_labels()
        return self.figure

    def _lay_out(self) -> bool:
        """Whether there is room for the panels beside their labels."""
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "constrained_layout not applied")
            try:
                self.figure.get_layout_engine().execute(self.figure)  # type: ignore[union-attr]
            except UserWarning:
                return False
        return True

    def _fit_parts(self, body_width: float, body_height: float) -> None:
        """Size the figure for title, legend and notes around panels that take this room with their labels."""
        while self._artists:
            self._artists.pop().remove()
        legend, side, below = self._fit_legend(body_width, body_height)
        width = max(body_width + side, _LEAST_WIDTH_INCHES)
        head = wrap(self._title, width - 2 * _PAD_INCHES, TITLE_POINTS)
        foot = wrap(self._notes, width - 2 * _PAD_INCHES, SMALL_POINTS, _MOST_NOTE_LINES)
        head_height = _text_height(len(head), TITLE_POINTS)
        foot_height = below + _text_height(len(foot), SMALL_POINTS)
        height = head_height + body_height + foot_height
        self.figure.set_size_inches(width, height)
        self._body = (0.0, foot_height / height, body_width / width, body_height / height)
        self.figure.get_layout_engine().set(rect=self._body)  # type: ignore[union-attr, call-arg]
        left, bottom = _PAD_INCHES / width, _PAD_INCHES / height
        style: Any = {"x": left, "linespacing": _LINE_SPACING}
        title = self.figure.text(y=1 - bottom, s="\n".join(head), va="top", fontsize=TITLE_POINTS, **style)
        style |= {"fontsize": SMALL_POINTS, "color": FAINT}
        self._artists += [title, self.figure.text(y=bottom, s="\n".join(foot), va="bottom", **style)]
        if legend is not None:
            beside = (body_width / width, 1 - head_height / height)
            corner = (0.0, foot_height / height) if self._is_below else beside
            legend.set_bbox_to_anchor(corner, self.figure.transFigure)

    def _fit_legend(self, body_width: float, body_height: float) -> tuple[Legend | None, float, float]:
        """The legend, the width that it takes beside the panels, and the height that it takes below them."""
        if self._legend is None:
            return None, 0.0, 0.0
        renderer = self._canvas.get_renderer()  # type: ignore[no-untyped-call]
        choices = range(_MOST_BELOW, 0, -1) if self._is_below else range(1, _MOST_BESIDE + 1)
        for columns in choices:
            legend = self._legend(columns)
            size = legend.get_window_extent(renderer)
            width, height = (length / self.figure.dpi + _PAD_INCHES for length in (size.width, size.height))
            if columns == choices[-1] or (width <= body_width if self._is_below else height <= body_height):
                break
            legend.remove()
        self._artists.append(legend)
        return (legend, 0.0, height) if self._is_below else (legend, width, max(0.0, height - body_height))

    def _move_labels(self) -> None:
        """Put the labels of all panels beside them: constrained layout puts them at the figure's edges."""
        boxes = [axes.get_position() for axes in self.panels]
        left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
        low, high = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
        pad = _PAD_INCHES / 2 / np.array(self.figure.get_size_inches())
        if x := self.figure._supxlabel:  # type: ignore[attr-defined]
            x.set_position(((left + right) / 2, self._body[1] + pad[1]))
        if y := self.figure._supylabel:  # type: ignore[attr-defined]
            y.set_position((pad[0], (low + high) / 2))

    def _measured(self) -> Any:
        """The widths of the first row and the heights of the first column in inches, summed, as laid out."""
        boxes = [axes.get_position(original=True) for axes in self.panels]
        widths = [box.width for box in boxes[: self.columns]]
        heights = [box.height for box in boxes[:: self.columns]]
        return np.array([sum(widths), sum(heights)]) * self.figure.get_size_inches()


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

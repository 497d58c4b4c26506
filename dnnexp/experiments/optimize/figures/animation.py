"""The animation of the paths, and of the values beside them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from dnnexp.experiments.optimize.figures.cases import Case, short
from dnnexp.experiments.optimize.figures.paths import Contours, minima
from dnnexp.experiments.optimize.figures.scales import evaluations_axis, value_range
from dnnexp.figures.style import INK

_FRAMES = 80
_MILLISECONDS = 80
_LAST_MILLISECONDS = 2000
_COLOURS = 64
_MOST_BYTES = 5_000_000


def paths_gif(case: Case) -> bytes:
    """All paths of the first start over the contours, and their values beside, under 5 MB."""
    chosen = np.unique(np.linspace(0, len(case.evaluations) - 1, _FRAMES).round().astype(int))
    scene = _Scene(case)
    pictures = [scene.picture(int(index)) for index in chosen]
    # the last picture has all colours, and frames that share a palette are small
    palette = pictures[-1].quantize(_COLOURS, Image.Quantize.MAXCOVERAGE)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    content = _encoded(frames)
    while len(content) >= _MOST_BYTES and len(frames) > 2:
        frames = frames[:-1:2] + frames[-1:]
        content = _encoded(frames)
    return content


def _encoded(frames: list[Any]) -> bytes:
    buffer = io.BytesIO()
    durations = [_MILLISECONDS] * (len(frames) - 1) + [_LAST_MILLISECONDS]
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return buffer.getvalue()


@dataclass(frozen=True)
class _Track:
    """Points `(K, 2)` and values `(K,)` of one optimizer, and the lines that show them."""

    points: Any
    values: Any
    path: Line2D
    head: Line2D
    curve: Line2D

    def show(self, evaluations: Any, index: int) -> None:
        """Up to a recorded step."""
        self.path.set_data(*self.points[: index + 1].T)
        self.head.set_data(*self.points[index : index + 1].T)
        self.curve.set_data(evaluations[: index + 1], self.values[: index + 1])


class _Scene:
    """The figure: what does not move is drawn once, the rest over a copy of it."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._canvas, self._left, self._right = _layout(case)
        values = np.stack([case.gap(label)[:, 0] for label in case.ranking])
        shown = value_range(case, values)
        shown.frame(self._right)
        self._title = self._left.set_title("", loc="left", animated=True)
        self._tracks = [
            _track(case, label, (self._left, self._right), row)
            for label, row in zip(case.ranking, shown.clip(values), strict=True)
        ]
        self._right.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize=8, borderaxespad=0)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(self._canvas.figure.bbox)

    def picture(self, index: int) -> Any:
        """The picture at a recorded step."""
        self._canvas.restore_region(self._still)
        for track in self._tracks:
            track.show(self._case.evaluations, index)
            self._left.draw_artist(track.path)
            self._right.draw_artist(track.curve)
        for track in self._tracks:
            self._left.draw_artist(track.head)
        names = f"{short(self._case.config.name, 20)}: {short(self._case.name, 16)}"
        self._title.set_text(f"{names}, step {int(self._case.evaluations[index]):,}")
        self._left.draw_artist(self._title)
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())[:, :, :3].copy())


def _layout(case: Case) -> tuple[Any, Axes, Axes]:
    """The canvas of a figure, whose methods have no types, and its axes for the paths and for the values."""
    width = 8.1 + 0.075 * max(len(short(label)) for label in case.ranking)
    height = max(4.6, 0.7 + 0.165 * len(case.ranking))
    figure = Figure(figsize=(width, height), dpi=90)
    left, right = (
        figure.add_axes((x / width, 0.5 / height, wide / width, 1 - 0.85 / height))
        for x, wide in ((0.6, 3.7), (4.95, 2.75))
    )
    Contours(case).draw(left)
    minima(left, case)
    x, y = case.axes_names
    left.set(xlabel=x, ylabel=y)
    evaluations_axis(right, case)
    right.set(xlabel="gradient evaluations")
    right.set_title(case.gap_name, loc="left")
    return FigureCanvasAgg(figure), left, right


def _track(case: Case, label: str, panels: tuple[Axes, Axes], values: Any) -> _Track:
    """The lines of one optimizer, empty."""
    left, right = panels
    style = case.style(label)
    marker = style.get("marker", "D")
    still = {key: style[key] for key in ("color", "linestyle")} | {"linewidth": 1.3}
    (path,) = left.plot([], [], animated=True, **still)
    (head,) = left.plot(
        [], [], marker, color=style["color"], markeredgecolor=INK, markersize=5.5, animated=True
    )
    (curve,) = right.plot([], [], animated=True, **still)
    right.plot([], [], label=short(label), **still | {"marker": marker, "markersize": 4})
    return _Track(case.path(label), values, path, head, curve)

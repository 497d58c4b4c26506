"""The animation of the paths, and of the values beside them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from PIL import Image

from dnnexp.experiments.optimize.figures.cases import Case
from dnnexp.experiments.optimize.figures.paths import Contours, minima
from dnnexp.experiments.optimize.figures.scales import case_evaluations_axis, value_scale
from dnnexp.figures.layout import Sheet
from dnnexp.figures.style import INK

_FRAMES = 80
_MILLISECONDS = 80
_LAST_MILLISECONDS = 2000
_COLOURS = 64
_MOST_BYTES = 5_000_000
_DPI = 90
"""Animations are coarser than pictures, to be small."""


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
        sheet = _sheet(case)
        canvas: Any = sheet.figure.canvas  # its methods have no types
        self._canvas = canvas
        self._left, self._right = sheet.panels
        values = np.stack([case.gap(label)[:, 0] for label in case.ranking])
        scale = value_scale(case, values)
        scale.frame(self._right.yaxis)
        self._title = self._left.set_title("step 0", loc="left", animated=True)
        self._tracks = [
            _track(case, label, (self._left, self._right), row)
            for label, row in zip(case.ranking, scale.clip(values), strict=True)
        ]
        sheet.legend()
        sheet.finish()
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
        self._title.set_text(f"step {int(self._case.evaluations[index]):,}")
        self._left.draw_artist(self._title)
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())[:, :, :3].copy())


def _sheet(case: Case) -> Sheet:
    """A panel for the paths and one for the values, with all that does not move."""
    sheet = Sheet(case.title("paths of the first start"), 2, ([3.7, 2.75], 3.7))
    sheet.figure.set_dpi(_DPI)
    left, right = sheet.panels
    Contours(case).draw(left)
    minima(left, case)
    x, y = case.axes_names
    left.set(xlabel=x, ylabel=y)
    case_evaluations_axis(right, case)
    right.set(xlabel="gradient evaluations")
    sheet.heading(right, case.gap_name)
    return sheet


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
    right.plot([], [], label=case.short(label), **still | {"marker": marker, "markersize": 4})
    return _Track(case.path(label), values, path, head, curve)

"""The animation of the paths, and of the values beside them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from dnnexp.plots.optimize.cases import Case
from dnnexp.plots.optimize.convergence import limits
from dnnexp.plots.optimize.paths import draw_contours
from dnnexp.plots.style import INK

_FRAMES = 80
_MILLISECONDS = 80
_LAST_MILLISECONDS = 2000
_COLOURS = 64
_MOST_BYTES = 5_000_000


def paths_gif(case: Case) -> bytes:
    """All paths of the first start over the contours, and their values beside, under 5 MB."""
    chosen = np.unique(np.linspace(0, len(case.evaluations) - 1, _FRAMES).round().astype(int))
    figure, update = _scene(case)
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    frames = []
    for index in chosen:
        update(int(index))
        canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
        frames.append(image.quantize(_COLOURS, dither=Image.Dither.NONE))
    content = _encoded(frames)
    while len(content) > _MOST_BYTES:
        frames = frames[:-1:2] + frames[-1:]
        content = _encoded(frames)
    return content


def _encoded(frames: list[Any]) -> bytes:
    buffer = io.BytesIO()
    durations = [_MILLISECONDS] * (len(frames) - 1) + [_LAST_MILLISECONDS]
    frames[0].save(buffer, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return buffer.getvalue()


def _scene(case: Case) -> tuple[Figure, Any]:
    """The figure, and what moves it to a recorded step."""
    figure = Figure(figsize=(9.6, 4.6), dpi=90)
    left = figure.add_axes((0.06, 0.11, 0.38, 0.79))
    right = figure.add_axes((0.51, 0.11, 0.3, 0.79))
    draw_contours(left, case)
    left.set(xlabel="x₀", ylabel="x₁")
    floor, ceiling = limits(case)
    right.set_yscale("log")
    right.set(xlim=(0, max(case.config.steps, 1)), ylim=(floor, ceiling), xlabel="gradient evaluations")
    if case.config.record.spacing == "log":
        right.set_xscale("symlog", linthresh=max(1, case.config.steps / 1000))
    right.minorticks_off()
    right.set_title(case.gap_name, loc="left")
    title = left.set_title("", loc="left")
    parts = [_curve(case, label, left, right, floor / 10) for label in case.ranking]
    right.legend(loc="upper left", bbox_to_anchor=(1.02, 1), fontsize=8)

    def update(index: int) -> None:
        title.set_text(f"{case.config.name}: {case.name}, step {int(case.evaluations[index]):,}")
        for points, gap, path, head, curve in parts:
            path.set_data(points[: index + 1, 0], points[: index + 1, 1])
            head.set_data(points[index : index + 1, 0], points[index : index + 1, 1])
            curve.set_data(case.evaluations[: index + 1], gap[: index + 1])

    return figure, update


def _curve(case: Case, label: str, left: Any, right: Any, floor: float) -> tuple[Any, ...]:
    """Points and values of one optimizer, and the lines that show them."""
    style = case.style(label)
    (path,) = left.plot([], [], **style)
    (head,) = left.plot([], [], "o", color=style["color"], markeredgecolor=INK, markersize=5)
    (curve,) = right.plot([], [], label=case.told(label), **style)
    gap = case.gap(label)[:, 0]
    shown = np.where(np.isfinite(gap), np.maximum(gap, floor), np.nan)
    return case.array(f"{label}.point")[:, :, 0], shown, path, head, curve

"""The drawing toolkit that all figures share."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from dnnexp.figures.style import STYLE


def render(figures: Callable[[], Iterable[tuple[str, Figure | bytes]]]) -> Iterator[tuple[str, bytes]]:
    """The file name and the content of every figure, one at a time.

    They are drawn inside, whatever a user's matplotlibrc says.
    """
    with matplotlib.rc_context(), np.errstate(all="ignore"):
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        for name, figure in figures():
            yield (name, figure) if isinstance(figure, bytes) else (f"{name}.png", _png(figure))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()

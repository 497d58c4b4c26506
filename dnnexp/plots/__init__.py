"""Plots: a Result becomes figures, figures become PNG."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator

import matplotlib
import numpy as np

from dnnexp.experiments.base import Result
from dnnexp.plots.style import STYLE


def render(experiment: str, result: Result) -> Iterator[tuple[str, bytes]]:
    """The file name and the content of every plot of a result, one at a time."""
    module = importlib.import_module(f"dnnexp.plots.{experiment}")
    with matplotlib.rc_context(), np.errstate(all="ignore"):
        matplotlib.rcdefaults()  # a user's matplotlibrc is for other programs
        matplotlib.rcParams.update(STYLE)
        for name, figure in module.figures(result):
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", metadata={"Software": None})
            yield f"{name}.png", buffer.getvalue()
        if hasattr(module, "animations"):
            yield from module.animations(result)

"""Colours of a metric, and the looks of what has no number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib import colormaps
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from dnnexp.figures import legend
from dnnexp.figures.palette import THEORY
from dnnexp.figures.scales import Scale
from dnnexp.figures.style import ALARM, FAINT
from dnnexp.figures.sweep.study import Measure, Study

LOST, MISSING = "#8A8A8A", "#E4E4E4"
"""Colours of settings without a finite number, and of those without a complete run."""
_NOT_POSITIVE = "#1A0A20"
MAP = colormaps["viridis"].with_extremes(under=_NOT_POSITIVE)
"""From dark to light, for eyes of all kinds; what is not positive on a logarithmic scale is darker still."""


@dataclass(frozen=True)
class Colours:
    """The colours of a metric's values."""

    scale: Scale

    @classmethod
    def of(cls, values: Any, kind: str) -> Colours:
        """The colours for some numbers, NaN aside; `kind` as for `Scale.of`."""
        return cls(Scale.of(values, kind, margin=0))

    def colour(self, number: float) -> Any:
        """The colour of a number."""
        return MAP(self.scale.norm()(float(self.scale.place(number))))

    @property
    def mapping(self) -> dict[str, Any]:
        """Keywords for artists that colour placed numbers."""
        return {"cmap": MAP, "norm": self.scale.norm()}

    def key(self) -> list[Patch]:
        """The legend entry of what is below the scale, if there is anything."""
        return [Patch(facecolor=_NOT_POSITIVE, label=self.scale.below)] if self.scale.below else []


def key(study: Study, measures: list[Measure]) -> list[Line2D]:
    """Legend entries of theory, lost values and failed jobs, as far as there are any."""
    entries = [legend.entry("theory", **THEORY)] if study.theory(measures) else []
    if any(study.nulls(measure) for measure in measures):
        entries.append(legend.entry("no finite number", marker="x", color=FAINT, linestyle=""))
    if study.has_failed.any():
        entries.append(legend.entry("jobs failed", marker="v", color=ALARM, linestyle=""))
    return entries

"""Colours of a metric: its scale as a bar, and what has no number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.patches import Patch

from dnnexp.figures.style import INK
from dnnexp.figures.sweep.scale import Scale

LOST, MISSING = "#8A8A8A", "#E4E4E4"
"""Of settings without a finite number, and of those without a complete run."""
_FOOT = "#1A0A20"
_DARK = 0.5
BAR, BAR_ROOM = 0.16, 0.95
"""Inches of a colour bar, and of it with its ticks."""


@dataclass(frozen=True)
class Colours:
    """The colours of a scale of values."""

    scale: Scale

    @classmethod
    def of(cls, values: Any, kind: str) -> Colours:
        """The colours for some numbers, NaN aside."""
        return cls(Scale.of(values, kind))

    @property
    def map(self) -> Colormap:
        """From dark to light, for eyes of all kinds; what is not positive on a log scale is darker still."""
        return colormaps["viridis"].with_extremes(under=_FOOT)

    @property
    def norm(self) -> Normalize:
        """From values to places in the map."""
        return self.scale.norm()

    def values(self, numbers: Any) -> Any:
        """Numbers as the norm takes them: inside of the scale, or just below it for its foot."""
        if not self.scale.is_log:
            return self.scale.place(numbers)
        with np.errstate(invalid="ignore"):
            return np.where(
                np.asarray(numbers) > 0, self.scale.place(numbers), numbers * 0 + self.scale.low / 10
            )

    def colour(self, number: float) -> Any:
        """The colour of a number."""
        return self.map(self.norm(float(self.values(np.float64(number)))))

    def ink(self, number: float) -> str:
        """The colour of a text on it."""
        red, green, blue = to_rgb(self.colour(number))
        return INK if 0.3 * red + 0.59 * green + 0.11 * blue > _DARK else "white"

    def bar(self, axes: Axes) -> None:
        """The colour bar, which fills the axes."""
        found: Any = axes.get_figure().colorbar(ScalarMappable(self.norm, self.map), cax=axes)  # type: ignore[union-attr]
        found.outline.set_visible(False)
        replace(self.scale, foot="").tick(axes.yaxis)

    def key(self) -> list[Patch]:
        """What the foot looks like, if there is any."""
        return [Patch(facecolor=_FOOT, label=self.scale.foot)] if self.scale.foot else []

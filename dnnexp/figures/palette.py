"""Line styles by label, the line of theory, and the colours of verdicts.

No colour of one set is in another: a series is never taken for a verdict, nor a theory for a series.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.colors import to_rgb

from dnnexp.figures.style import INK

# Okabe and Ito, "Color universal design", 2008, with a brown for black, which is the ink of theory, and a
# grey for yellow, which is too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8B4513", "#5C5C5C")
DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("", "o", "^", "s", "D", "v", "P", "X")
_MARKER_SPACING = 0.14
"""Distance of the markers on a curve, as a share of the diagonal of the axes."""

THEORY: Any = {"color": INK, "linewidth": 0.9, "linestyle": (0, (3.5, 3.5)), "marker": "", "zorder": 3}
"""The line of a theory: thin and black, with short dashes that no series has."""

# The largest smallest distance that a random search found: CIE L*a*b* distance of at least 24 from each other
# in normal vision and with any one kind of cones missing, and from COLOURS in normal vision.
VERDICTS = {
    "healthy": "#1A6330",
    "constant": "#BC349C",
    "symmetric": "#8516FA",
    "collapsed": "#2984F4",
    "dead": "#480934",
    "saturated": "#91871A",
    "vanishing": "#462BB1",
    "exploding": "#E74B6D",
}
"""Colour of each verdict on a signal, dark enough for text on white."""


class Palette:
    """The line style of each label, the same in every figure.

    A label that is in `known` has the style of its place there, in every run; pass the registered names, in
    order. The others take the first styles that no label has, in order.

        palette = Palette(labels, known=names_of("optimizer"))
        axes.plot(x, y, label=label, **palette.line(label))
    """

    def __init__(self, labels: Iterable[str], known: Sequence[str] = ()) -> None:
        labels = list(dict.fromkeys(labels))
        self._places = {label: known.index(label) for label in labels if label in known}
        place = 0
        for label in labels:
            if label not in self._places:
                while place in self._places.values():
                    place += 1
                self._places[label] = place

    def line(self, label: str) -> dict[str, Any]:
        """Colour, dashes and, where the colours repeat, markers: keywords for `Axes.plot`."""
        return line(self._places[label])

    def dots(self, label: str) -> dict[str, Any]:
        """A hollow marker in the colour of the label and no line: keywords for `Axes.plot`."""
        return dots(self._places[label])

    def colour(self, label: str) -> str:
        """The colour alone, for bands and bars."""
        return colour(self._places[label])


def line(place: int) -> dict[str, Any]:
    """The line style of a place: 64 that differ; neighbours, and places of one colour, differ in two ways."""
    repeat, index = divmod(place, len(COLOURS))
    dashes = DASHES[(index + repeat) % len(DASHES)]
    entry: dict[str, Any] = {"color": COLOURS[index], "linestyle": dashes}
    if marker := MARKERS[repeat % len(MARKERS)]:
        spacing = (_MARKER_SPACING * (index + 1) / len(COLOURS), _MARKER_SPACING)
        entry |= {"marker": marker, "markersize": 4, "markevery": spacing}
    return entry


def dots(place: int) -> dict[str, Any]:
    """A hollow marker of a place, without a line; neighbours differ in colour and shape."""
    repeat, index = divmod(place, len(COLOURS))
    shapes = MARKERS[1:]
    marker = shapes[(index + repeat) % len(shapes)]
    return {"color": COLOURS[index], "linestyle": "", "fillstyle": "none", "marker": marker}


def colour(place: int) -> str:
    """The colour of a place; colours repeat from the ninth on."""
    return COLOURS[place % len(COLOURS)]


def swatch(style: dict[str, Any]) -> dict[str, Any]:
    """A line style as a legend shows it: a marker does not depend on the spacing along a curve."""
    return {key: value for key, value in style.items() if key != "markevery"}


def ink_on(background: Any) -> str:
    """Black or white, whichever can be read on a colour."""
    red, green, blue = to_rgb(background)
    return INK if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"

"""What the titles of the figures tell: the verdict, who disagrees, what an error is measured by."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from dnnexp.experiments.base import Metrics, Result
from dnnexp.experiments.gradcheck.checks import has_bounds, limit
from dnnexp.experiments.gradcheck.sentences import headline, kind
from dnnexp.figures.style import ALARM, FAINT, INK
from dnnexp.text import counted

LINE = 0.165
"""Inches from one line of a heading to the next."""
_LETTERS = 14.0
"""So many fit an inch."""


class Heading:
    """The name of the run with the verdict in words, where to look first, and a note."""

    def __init__(self, result: Result, width: float, note: str, has_evidence: bool = True) -> None:
        """Break the lines for a figure of that width in inches."""
        letters = int(_LETTERS * (width - 0.2))
        metrics = result.metrics
        self._shade = INK if metrics["passed"] else ALARM
        self._verdict = textwrap.wrap(f"{result.config.name}: {verdict(metrics)}", int(0.85 * letters))
        self._evidence = textwrap.wrap(evidence(metrics), letters) if has_evidence else []
        self._note = textwrap.wrap(note, letters)

    @property
    def height(self) -> float:
        """In inches."""
        return 0.16 + LINE * (1.15 * len(self._verdict) + len(self._evidence) + len(self._note))

    def draw(self, figure: Figure) -> None:
        """Write it into the upper left corner."""
        width, height = figure.get_size_inches()
        y = height - 0.08
        for lines, step, colour, size in (
            (self._verdict, 1.15, self._shade, 10),
            (self._evidence, 1.0, INK, 8.5),
            (self._note, 1.0, FAINT, 8.5),
        ):
            for text in lines:
                figure.text(0.1 / width, y / height, text, color=colour, fontsize=size, va="top")
                y -= LINE * step


def verdict(metrics: Metrics) -> str:
    """The verdict, and which methods disagree."""
    main = headline(metrics)
    if main is not None:  # the evidence is below it, or there is none but its own
        return f"{metrics['verdict']}: {kind(main)}: {main['where']}"
    split = [pair.replace("-", " and ") for pair, agree in metrics["agreement"].items() if not agree]
    if metrics["culprit"]:
        return f"{metrics['verdict']}: {metrics['culprit']} alone disagrees with the others"
    if not split:
        told = "all methods agree" if metrics["passed"] else "no two methods are seen to disagree"
        return f"{metrics['verdict']}: {told}"
    if len(metrics["agreement"]) == 1:
        return f"{metrics['verdict']}: {split[0]} disagree; a third method would tell which of them is wrong"
    more = f"; and {counted(len(split) - 3, 'more pair')}" if len(split) > 3 else ""
    listed = "; ".join(split[:3]) + more
    return f"{metrics['verdict']}, and not by one method alone: {listed} disagree"


def allowed(result: Result, pair: tuple[str, ...]) -> str:
    """What the error of a pair is measured by."""
    largest = limit(result.config.tolerances, pair)
    if largest is not None:
        checks = [entry for entry in result.metrics["checks"] if entry["pair"] == "-".join(pair)]
        bounded = has_bounds(result.config.tolerances, pair) and any(each["bound_ratio"] for each in checks)
        beside = ", or the bound of the entry" if bounded else ""
        return f"{largest:g} of the tensor's largest entry{beside}"
    return "the rounding of each entry" + (", and the error it states" if "richardson" in pair else "")


def indexed(tensor: str, index: list[int]) -> str:
    """Such as W3[12, 4]."""
    return f"{tensor}[{', '.join(map(str, index))}]"


def evidence(metrics: Metrics) -> str:
    """Where to look first, and why."""
    found, main = metrics["diagnosis"], headline(metrics)
    if found:
        return f"look first at {found['tensor']}: {found['evidence']}"
    return "" if main is None else str(main["evidence"])

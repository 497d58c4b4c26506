"""The expressions of `metrics:`, held against the outlines of the jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnnexp import expression
from dnnexp.config.sweep.spec import Metric, parsed
from dnnexp.experiments.base import Outline
from dnnexp.registry import Path, Problem


class Measures:
    """What the expressions of metrics need: that at least one job can have each of them."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        """From the metrics of a sweep."""
        self.missing: dict[Path, str] = {}
        self.messages: dict[Path, str] = {}
        for index, metric in enumerate(metrics):
            self.missing["metrics", index, "value"] = metric.value
            if metric.theory is not None:
                self.missing["metrics", index, "theory"] = metric.theory
            if metric.contour is not None:
                self.missing["metrics", index, "contour", "value"] = metric.contour.value

    def look(self, outline: Outline) -> None:
        """Take note of a job's outline: those that it has are missing no more."""
        for path, text in list(self.missing.items()):
            message = _refusal(text, outline)
            if message is None:
                del self.missing[path]
            else:
                self.messages.setdefault(path, message)

    def complaints(self) -> Iterator[Problem]:
        """What is wrong with those that no job can have."""
        yield from ((path, self.messages[path]) for path in self.missing)


def _refusal(text: str, outline: Outline) -> str | None:
    try:
        kind = parsed(text).check_value(outline)
    except expression.ExpressionError as error:
        return str(error)
    return "must give a number, not text" if kind == "text" else None

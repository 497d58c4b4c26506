"""The expressions of a sweep: conditions over swept keys, and metrics of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dnnexp import expression
from dnnexp.config.expectations import parsed
from dnnexp.config.sweep.spec import Metric
from dnnexp.experiments.base import Outline
from dnnexp.registry import Path, Problem


@dataclass(frozen=True)
class Conditions:
    """The conditions of `exclude`. A job in which one is true is left out; null decides nothing."""

    texts: tuple[str, ...]

    def problems(self, values: Mapping[str, Iterable[Any]]) -> Iterator[Problem]:
        """The problems of conditions on other than these keys, or with operations that their values lack."""
        shape = nested((key, common_type(held)) for key, held in values.items())
        for index, text in enumerate(self.texts):
            try:
                parsed(text).check(shape)
            except expression.ExpressionError as error:
                yield ("exclude", index), str(error)

    def exclude(self, swept: Mapping[str, Any]) -> bool:
        """Whether one of the conditions is true."""
        values = nested(swept.items())
        return any(parsed(text).evaluate(values).value for text in self.texts)


class MetricExpressions:
    """The expressions of `metrics`, each of which at least one job must have."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        """Of the metrics of a sweep."""
        self._missing: dict[Path, str] = {}
        self._messages: dict[Path, str] = {}
        for index, metric in enumerate(metrics):
            self._missing["metrics", index, "value"] = metric.value
            if metric.theory is not None:
                self._missing["metrics", index, "theory"] = metric.theory
            if metric.contour is not None:
                self._missing["metrics", index, "contour", "value"] = metric.contour.value

    def look_in(self, outline: Outline) -> None:
        """Look for the expressions that no job has had yet in the outline of another one."""
        for path, text in list(self._missing.items()):
            message = _metric_problem(text, outline)
            if message is None:
                del self._missing[path]
            else:
                self._messages.setdefault(path, message)

    def problems(self) -> Iterator[Problem]:
        """The problems of the expressions that no job has."""
        yield from ((path, self._messages[path]) for path in self._missing)


def _metric_problem(text: str, outline: Outline) -> str | None:
    try:
        kind = parsed(text).check_value(outline)
    except expression.ExpressionError as error:
        return str(error)
    return "must give a number, not text" if kind == "text" else None


def common_type(values: Iterable[Any]) -> type:
    """The type of all values but nulls, float for all numbers; object where they have different types."""
    types = {float if type(value) is int else type(value) for value in values if value is not None}
    return types.pop() if len(types) == 1 and types <= {float, bool, str} else object


def nested(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Dotted keys as nested mappings; a key below another key's value is left out."""
    root: dict[str, Any] = {}
    for key, value in items:
        *outer, last = key.split(".")
        mapping: Any = root
        for name in outer:
            mapping = mapping.setdefault(name, {}) if isinstance(mapping, dict) else None
        if isinstance(mapping, dict):
            mapping.setdefault(last, value)
    return root

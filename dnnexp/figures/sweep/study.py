"""A sweep's results as its plots need them: what varies, and the metrics as columns over the settings."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dnnexp.figures.labels import literal
from dnnexp.figures.legend import visible
from dnnexp.figures.palette import Palette
from dnnexp.figures.scales import plain
from dnnexp.figures.sweep.axis import KeyAxis
from dnnexp.figures.sweep.names import split

_PATH = re.compile(r'[A-Za-z_]\w*(?:\.\w+|\[(?:"[^"]*"|-?\d+)\])*')
_STEP = re.compile(r'\w+|"[^"]*"|-\d+')
_STATISTICS = {"min", "q05", "q25", "median", "q75", "q95", "max", "mean", "std"}
_BY_LABEL = {"ecdf"}
"""Metrics that map labels to numbers: what follows in a path is no quantity."""


@dataclass(frozen=True)
class Measure:
    """A metric that is drawn.

    Attributes:
        label: its column.
        scale: auto, linear or log.
        quantity: what it measures: metrics of one quantity share an axis.
        contour: level and name of the line on heat maps, if there is one.
    """

    label: str
    scale: str
    quantity: str
    contour: tuple[float, str] | None

    @property
    def name(self) -> str:
        """The label as it is drawn."""
        return literal(self.label)


@dataclass(frozen=True)
class Study:
    """The results document, seen by setting.

    Attributes:
        document: the whole.
        measures: the metrics.
        axes: what varies, one axis for keys that vary together.
        known: names whose curves have a fixed style, see `Palette`.
    """

    document: Mapping[str, Any]
    measures: tuple[Measure, ...]
    axes: tuple[KeyAxis, ...]
    known: tuple[str, ...] = ()

    @classmethod
    def of(cls, sweep: Any, document: Mapping[str, Any], known: Sequence[str] = ()) -> Study:
        """The study of a sweep's config and its document."""
        metrics = {metric.label: metric for metric in sweep.metrics}
        measures = tuple(_measure(label, metrics.get(label)) for label in document["metrics"])
        return cls(document, measures, _axes(document, sweep.zip), tuple(known))

    @property
    def groups(self) -> Sequence[Mapping[str, Any]]:
        """The settings."""
        found: Sequence[Mapping[str, Any]] = self.document["groups"]
        return found

    @cached_property
    def has_runs(self) -> Any:
        """Which settings have complete runs, `(groups,)`."""
        return np.array([group["runs"] > 0 for group in self.groups])

    @cached_property
    def has_failed(self) -> Any:
        """Which settings have failed jobs, `(groups,)`."""
        return np.array([group["failed"] > 0 for group in self.groups])

    def lost(self, measure: Measure) -> Any:
        """The settings that have complete runs, and no finite median, `(groups,)`."""
        return np.isnan(self.column(measure.label)) & self.has_runs & self.applies(measure)

    def column(self, name: str) -> Any:
        """A column over the settings; NaN for null."""
        return numbers_of(group.get(name) for group in self.groups)

    def theory(self, measures: Iterable[Measure]) -> dict[str, Any]:
        """The columns of the theories, of those measures that have one, by label."""
        found = {measure.label: self.column(f"{measure.label}.theory") for measure in measures}
        return {label: column for label, column in found.items() if np.isfinite(column).any()}

    def applies(self, measure: Measure) -> Any:
        """Whether a setting can have a value: if another of its experiment has one, `(groups,)`."""
        complete = [row for row in self.document["rows"] if row["status"] == "complete"]
        having = {row["experiment"] for row in complete if row[measure.label] is not None}
        if len({row["experiment"] for row in complete}) < 2:
            return np.ones(len(self.groups), dtype=bool)
        return np.array([bool(names & having) for names in self._experiments])

    @cached_property
    def _experiments(self) -> list[set[str]]:
        """The experiments of each setting."""
        keys = self.document["keys"]

        def setting(found: Mapping[str, Any]) -> str:
            return json.dumps([found[key] for key in keys], sort_keys=True)

        by_setting: dict[str, set[str]] = {}
        for row in self.document["rows"]:
            by_setting.setdefault(setting(row), set()).add(row["experiment"])
        return [by_setting.get(setting(group), set()) for group in self.groups]

    def ends(self, measures: Iterable[Measure]) -> list[str]:
        """The columns of the quartiles."""
        return [f"{measure.label}.{end}" for measure in measures for end in ("low", "high")]

    def panels(self) -> list[list[Measure]]:
        """The measures that share an axis, together."""
        found: dict[tuple[str, str], list[Measure]] = {}
        for measure in self.measures:
            found.setdefault((measure.quantity, measure.scale), []).append(measure)
        return list(found.values())

    def heading(self, panel: Sequence[Measure]) -> str:
        """What the measures of a panel have in common."""
        common, _ = split([measure.label for measure in panel])
        return common or panel[0].quantity

    @cached_property
    def _series(self) -> dict[str, str]:
        """What tells each measure from the others of its quantity, such as an optimizer, by label."""
        series: dict[str, str] = {}
        for panel in self.panels():
            labels = [measure.label for measure in panel]
            _, names = split(labels)
            if len(panel) == 1:
                names = [step for step in re.findall(r"\w+", labels[0]) if step in self.known][:1] or labels
            series |= dict(zip(labels, names, strict=True))
        return series

    @cached_property
    def _palette(self) -> Palette:
        return Palette(self._series.values(), self.known)

    def line(self, measure: Measure) -> dict[str, Any]:
        """The style of a measure's curve, with its name for the legend unless the title says it."""
        name = self._series[measure.label]
        is_named = name != measure.label or any(len(p) > 1 for p in self.panels() if measure in p)
        return self._palette.line(name) | ({"label": visible(literal(name, 40))} if is_named else {})

    def dots(self, measure: Measure) -> dict[str, Any]:
        """The style of a measure's points, with its name for the legend unless the title says it."""
        label = {key: value for key, value in self.line(measure).items() if key == "label"}
        return self._palette.dots(self._series[measure.label]) | {"fillstyle": "full"} | label

    @property
    def runs(self) -> str:
        """Of how many runs a setting's values are, in words."""
        counts = [group["runs"] for group in self.groups if group["runs"]]
        low, high = min(counts, default=0), max(counts, default=0)
        return f"{low}–{high} runs" if low < high else f"{high} runs" if high != 1 else "one run"

    @property
    def medians(self) -> str:
        """What a number stands for, in words."""
        return f"median of {self.runs}" if self.is_repeated else self.runs

    @property
    def is_repeated(self) -> bool:
        """Whether there are quartiles to show."""
        return any(group["runs"] > 1 for group in self.groups)

    def title(self, what: str) -> str:
        """The sweep's name, and what is drawn of it."""
        return f"{literal(self.document['name'])}: {what}"

    def notes(self, measures: Iterable[Measure], *more: str) -> str:
        """What is not in the picture: jobs that failed or are missing, nulls, keys of one value."""
        counts, rows = self.document["counts"], self.document["rows"]
        errors = Counter(row["error"] for row in rows if row["error"]).most_common(1)
        told = {"failed": f" ({literal(errors[0][0], 60)})" if errors else "", "missing": ""}
        found = [
            f"{counts[n]:,} of {counts['jobs']:,} jobs {n}{more}" for n, more in told.items() if counts[n]
        ]
        nulls: dict[str, list[str]] = {}
        for measure in measures:
            if text := self.nulls(measure):
                nulls.setdefault(text, []).append(measure.name)
        found += [f"{', '.join(names)}: {text}" for text, names in nulls.items()]
        return "; ".join([*found, *more, *self._companions(), *self._constants()])

    def _companions(self) -> list[str]:
        """Keys that change with one that is an axis."""
        several = [axis.keys for axis in self.axes if axis.is_numeric and len(axis.keys) > 1]
        return [
            f"{', '.join(map(literal, keys[1:]))} swept along with {literal(keys[0])}" for keys in several
        ]

    def nulls(self, measure: Measure) -> str:
        """In how many jobs a metric has no number; '' for none."""
        complete = [row for row in self.document["rows"] if row["status"] == "complete"]
        having = {row["experiment"] for row in complete if row[measure.label] is not None}
        can = [row for row in complete if row["experiment"] in having or not having]
        count = sum(row[measure.label] is None for row in can)
        return f"no finite number in {count:,} of {len(can):,} complete jobs" if count else ""

    def _constants(self) -> list[str]:
        varying = {key for axis in self.axes for key in axis.keys}
        keys = [key for key in self.document["keys"] if key not in varying] if self.groups else []
        return [f"{literal(key)} = {literal(_plain(self.groups[0][key]), 30)} everywhere" for key in keys]


def _plain(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return plain(value) if is_number else json.dumps(value, ensure_ascii=False)


def numbers_of(values: Iterable[float | None]) -> Any:
    """An array; NaN for null."""
    return np.array(list(values), dtype=np.float64)


def _measure(label: str, metric: Any) -> Measure:
    """A metric of the config; of one that a sweep has by default its label says all."""
    if metric is None:
        return Measure(label, "auto", quantity(label), None)
    contour = metric.contour
    line = (
        None if contour is None else (float(contour.at), contour.label or f"{contour.value} = {contour.at:g}")
    )
    return Measure(label, metric.scale, quantity(metric.value), line)


def quantity(value: str) -> str:
    """What an expression measures: of every path in it the end, statistics aside."""
    return _PATH.sub(lambda found: _end(_STEP.findall(found.group())), value)


def _end(steps: Sequence[str]) -> str:
    if steps[0] in _BY_LABEL:
        return steps[0]
    return steps[-2] if len(steps) > 1 and steps[-1] in _STATISTICS else steps[-1]


def _axes(document: Mapping[str, Any], zipped: Iterable[str]) -> tuple[KeyAxis, ...]:
    """The keys of more than one value; those of `zip` are one."""
    groups = document["groups"]
    varying = [
        key
        for key in document["keys"]
        if len({json.dumps(group[key], sort_keys=True) for group in groups}) > 1
    ]
    together = [key for key in varying if key in set(zipped)]
    parts = [(key,) for key in varying if key not in together[1:]]
    merged = [tuple(together) if together and keys[0] == together[0] else keys for keys in parts]
    return tuple(KeyAxis.of(keys, [[group[key] for key in keys] for group in groups]) for keys in merged)

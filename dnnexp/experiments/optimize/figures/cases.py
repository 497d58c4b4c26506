"""What a result holds of one objective, as the plots need it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dnnexp.experiments.base import Result, quantile
from dnnexp.figures.labels import distinct, literal
from dnnexp.figures.palette import Palette
from dnnexp.registry import parts
from dnnexp.text import counted, number, shortened

_LABEL, _NAME = 24, 30
"""Characters of an optimizer's label in a legend, and of the name of a run or objective in a title."""
_FARTHEST = 1e250
"""Coordinates beyond this are drawn at it: matplotlib's axes overflow."""
_SYMBOLS = {"learning_rate": "η", "momentum": "μ", "weight_decay": "λ"}
"""Hyperparameters as the optimizers' formulas write them."""


@dataclass(frozen=True)
class Case:
    """One objective of a result.

    Attributes:
        label: the objective's label in a suite; '' for the only one.
        name: what the objective is.
        config: the experiment's.
        metrics: the objective's.
        arrays: the result's; `array` finds the objective's.
    """

    label: str
    name: str
    config: Any
    metrics: Any
    arrays: Any

    def array(self, name: str) -> Any:
        """An array of this objective."""
        return self.arrays[f"{self.label}.{name}" if self.label else name]

    def has(self, name: str) -> bool:
        """Whether there is such an array."""
        return (f"{self.label}.{name}" if self.label else name) in self.arrays

    @property
    def evaluations(self) -> Any:
        """The recorded steps, `(K,)`."""
        return self.arrays["evaluations"]

    @property
    def optimizers(self) -> Any:
        """The metrics of the optimizers, by label."""
        return self.metrics["optimizers"]

    @property
    def ranking(self) -> list[str]:
        """The labels, best first."""
        return list(self.metrics["ranking"])

    @property
    def runs(self) -> int:
        """How many starts there are."""
        return int(self.array("start").shape[1])

    @property
    def has_landscape(self) -> bool:
        """Whether the objective was sampled in two dimensions."""
        return self.has("_landscape.x")

    @property
    def has_paths(self) -> bool:
        """Whether there are paths to draw on it."""
        return self.has_landscape and self.has(f"{self.ranking[0]}.point")

    def path(self, label: str) -> Any:
        """The points of the first start, `(K, 2)`."""
        return np.clip(self.array(f"{label}.point")[:, :, 0], -_FARTHEST, _FARTHEST)

    def measures(self, name: str) -> bool:
        """Whether a curve such as `train_loss` was recorded."""
        return self.has(f"{self.ranking[0]}.{name}")

    def gap(self, label: str) -> Any:
        """The value above the minimum, `(K, R)`; the value itself where no minimum is known."""
        return self.array(f"{label}.value") - (self.metrics["minimum"] or 0.0)

    @property
    def gap_name(self) -> str:
        """What `gap` is."""
        return "value above the minimum, f(x) − f*" if self.gap_symbol == "f(x) − f*" else self.gap_symbol

    @property
    def gap_symbol(self) -> str:
        """What `gap` is, in short."""
        if self.metrics["minimum"] is not None:
            return "f(x) − f*"
        return "training loss" if self.measures("train_loss") else "f(x)"

    @property
    def axes_names(self) -> tuple[str, str]:
        """The names of the first two coordinates: those of a formula's variables, where it has such."""
        objective = next(entry.item for entry in self.config.suite if entry.label == self.label)
        first, second = getattr(objective, "variables", ("x₀", "x₁"))[:2]
        return first, second

    @property
    def run_name(self) -> str:
        """The name of the run, as it fits a title."""
        return shortened(self.config.name, _NAME)

    @property
    def starts(self) -> str:
        """What the curves show of the starts."""
        return f"median and quartiles of {counted(self.runs, 'start')}" if self.runs > 1 else "one start"

    @property
    def labels(self) -> list[str]:
        """The labels of the optimizers in the config's order."""
        return [entry.label for entry in self.config.optimizers]

    @cached_property
    def _palette(self) -> Palette:
        return Palette(self.labels, list(parts("optimizer")))

    @cached_property
    def _short(self) -> dict[str, str]:
        return dict(zip(self.labels, distinct(self.labels, _LABEL), strict=True))

    def style(self, label: str) -> dict[str, Any]:
        """The line style of an optimizer, the same in all figures and, of a rule's own label, in all runs."""
        return self._palette.line(label)

    def colour(self, label: str) -> str:
        """The colour of `style`."""
        return self._palette.colour(label)

    def short(self, label: str) -> str:
        """A label that fits a legend; no two are cut to the same text."""
        return self._short[label]

    def described(self, label: str) -> str:
        """A label for a legend, with how its gradients are clipped."""
        rule = next(entry.item for entry in self.config.optimizers if entry.label == label)
        limits = {"norm": rule.clip_norm, "value": rule.clip_value}
        clips = [f"{name} {limit:g}" for name, limit in limits.items() if limit is not None]
        return self.short(label) + (f" (clipped: {', '.join(clips)})" if clips else "")

    def chosen(self, label: str) -> str:
        """What tuning chose."""
        best = self.optimizers[label]["tuning"]["best"]
        return ", ".join(f"{_SYMBOLS.get(name, name)} = {number(value)}" for name, value in best.items())

    def caption(self, label: str) -> str:
        """`described`, with what tuning chose, and how many runs diverged."""
        metrics = self.optimizers[label]
        tuned = f", {self.chosen(label)}" if "tuning" in metrics else ""
        diverged = f" ({metrics['diverged']} diverged)" if metrics["diverged"] else ""
        return f"{self.described(label)}{tuned}{diverged}"

    def title(self, rest: str) -> str:
        """Name of the run and of the objective, what is drawn, and the noise, if any."""
        noise = f", noise std {self.config.noise.std:g}" if self.config.noise.std else ""
        return f"{self.run_name}: {literal(self.label or self.name)}{noise}, {rest}"


def cases(result: Result) -> list[Case]:
    """The objectives of a result."""
    config, metrics, arrays = result.config, result.metrics, result.arrays
    return [
        Case(
            entry.label,
            shortened(getattr(entry.item, "expression", entry.item.name), _NAME),
            config,
            metrics["objectives"][entry.label] if config.objectives else metrics,
            arrays,
        )
        for entry in config.suite
    ]


def quartiles(values: Any) -> Any:
    """Quartiles over the runs, `(3, K)`; NaN, of a diverged run, counts as +inf."""
    return quantile(values, (0.25, 0.5, 0.75))

"""Tuning: the same number of trials for every optimizer, over a given space."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MinLen

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Optimizer
from dnnexp.registry import Checked, Count, Name, Problem, check, fields, suggest

_BOUNDS: dict[type, tuple[Any, str]] = {
    Gt: (operator.gt, "greater than"),
    Ge: (operator.ge, "at least"),
    Lt: (operator.lt, "less than"),
    Le: (operator.le, "at most"),
}


@dataclass(frozen=True)
class TuningRange(Checked):
    """The range of a hyperparameter, from low to high, spaced evenly in its logarithm or linearly."""

    hyperparameter: Name
    low: Annotated[float, Ge(0), Le(1e100)]
    high: Annotated[float, Gt(0), Le(1e100)]
    spacing: Literal["log", "linear"] = "log"

    @check("low", "high", "spacing")
    @staticmethod
    def ordered(low: float, high: float, spacing: str) -> Iterator[Problem]:
        """The bounds are in order, and positive if their logarithm is taken."""
        if low >= high:
            yield ("low",), f"must be below high, but low is {low}, high {high}"
        if low == 0 and spacing == "log":
            yield ("low",), "must be greater than 0 with spacing: log"

    def problems(self, label: str, rule: Optimizer) -> Iterator[Problem]:
        """The problems of the range with a rule's field."""
        hint = get_type_hints(type(rule), include_extras=True)[self.hyperparameter]
        value = getattr(rule, self.hyperparameter)
        if not isinstance(value, float):
            problem = "is null; give it a number to tune it" if value is None else "is not a real number"
            yield ("hyperparameter",), f"{self.hyperparameter} of {label} {problem}"
            return
        for constraint in _constraints(hint):
            holds, words = _BOUNDS.get(type(constraint), (None, ""))
            bound = getattr(constraint, type(constraint).__name__.lower(), None)
            for end in ("low", "high") if holds else ():
                if not holds(getattr(self, end), bound):
                    yield (end,), f"must be {words} {bound} for {label}, not {getattr(self, end)}"
        for end in ("low", "high"):
            try:
                replace(rule, **{self.hyperparameter: getattr(self, end)})
            except ValueError as error:  # the rule's own checks
                yield (end,), f"does not fit {label}: {error}"

    def at(self, place: Floats) -> Floats:
        """The values at places between 0 (low) and 1 (high)."""
        if self.spacing == "linear":
            found = self.low + place * (self.high - self.low)
        else:
            low, high = np.log10([self.low, self.high])
            found = 10 ** (low + place * (high - low))
        # rounding may miss the bounds at the ends and cross them near the ends
        inner = np.clip(found, self.low, self.high)
        return np.where(place == 0, self.low, np.where(place == 1, self.high, inner))


def _tunable(rule: Optimizer) -> list[str]:
    """The real hyperparameters of a rule."""
    return [field.name for field in fields(type(rule)) if isinstance(getattr(rule, field.name), float)]


def _constraints(hint: Any) -> Iterator[Any]:
    """The constraints of a type hint and of the members of a union: `Decay | None` has Decay's."""
    yield from getattr(hint, "__metadata__", ())
    for member in get_args(hint) if get_origin(hint) in (Union, UnionType) else ():
        yield from _constraints(member)


@dataclass(frozen=True)
class Tune(Checked):
    """How every optimizer is tuned, on `starts` starts that are not used for the results.

    `grid` takes all combinations of equally many values of each hyperparameter; `random` draws every value
    independently, evenly in the range's spacing. An optimizer is tuned in the hyperparameters that it has.
    The score (smaller is better) is the median final value over the tuning starts (`final_value`; the
    validation loss of a network with validation data) or the expected running time to the smallest target
    (`running_time`). Ties are broken by the running times to the smallest target, the next larger one, …,
    then by the final value. If the minimum is known, final values up to the smallest target count as equal.
    """

    space: Annotated[tuple[TuningRange, ...], MinLen(1)]
    trials: Annotated[int, Ge(2), Le(10**4)]
    method: Literal["grid", "random"] = "grid"
    starts: Count = 10
    score: Literal["final_value", "running_time"] = "final_value"

    @check("space")
    @staticmethod
    def distinct(space: tuple[TuningRange, ...]) -> Iterator[Problem]:
        """Hyperparameters are distinct."""
        names = [entry.hyperparameter for entry in space]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield ("space", index, "hyperparameter"), f"duplicate range of {name}"

    def ranges(self, rule: Optimizer) -> list[TuningRange]:
        """The ranges of the hyperparameters that a rule has."""
        own = {field.name for field in fields(type(rule))}
        return [entry for entry in self.space if entry.hyperparameter in own]

    def problems(self, label: str, rule: Optimizer) -> Iterator[Problem]:
        """The problems of the space with a rule."""
        ranges = self.ranges(rule)
        if not ranges:
            names = ", ".join(entry.hyperparameter for entry in self.space)
            hint = suggest(self.space[0].hyperparameter, _tunable(rule))
            yield ("space",), f"{label} has none of the hyperparameters {names}{hint}"
        elif self.method == "grid" and self._side(len(ranges)) is None:
            nearest = max(2, round(self.trials ** (1 / len(ranges)))) ** len(ranges)
            need = f"a {len(ranges)}-dimensional grid for {label} needs a number such as {nearest}"
            yield ("trials",), f"{need}, not {self.trials}"
        for index, entry in enumerate(self.space):
            if entry in ranges:
                for path, text in entry.problems(label, rule):
                    yield ("space", index, *path), text

    def _side(self, dimensions: int) -> int | None:
        side = round(self.trials ** (1 / dimensions))
        return side if side**dimensions == self.trials and side > 1 else None

    def values(self, rule: Optimizer, generator: np.random.Generator) -> dict[str, Floats]:
        """The values of the trials, `(trials,)`, by hyperparameter of the rule."""
        ranges = self.ranges(rule)
        if self.method == "random":
            places = generator.random((len(ranges), self.trials))
        else:
            side = np.linspace(0, 1, self._side(len(ranges)) or 1)
            places = np.array(list(itertools.product(side, repeat=len(ranges)))).T
        return {entry.hyperparameter: entry.at(row) for entry, row in zip(ranges, places, strict=True)}


def at_edge(values: Mapping[str, Floats], best: int) -> bool:
    """Whether the best trial has the smallest or largest tried value of a hyperparameter."""
    return any(tried[best] in (tried.min(), tried.max()) for tried in values.values())


def budget(scores: Floats) -> Floats:
    """Quartiles of the best score of k trials drawn without replacement, `(3, trials)`, k from 1.

    Exact: the best of k of n trials is worse than the r best with probability C(n−r, k) / C(n, k)
    = Π_{i<k} (n−r−i) / (n−i).
    """
    n = len(scores)
    ordered = np.sort(scores)
    ranks = np.arange(1, n + 1)  # r
    worse = np.ones(n)
    rows = np.empty((3, n))
    for k in range(n):
        worse = worse * np.maximum(n - ranks - k, 0) / (n - k)
        for row, share in enumerate((0.25, 0.5, 0.75)):
            rows[row, k] = ordered[np.argmax(1 - worse >= share - 1e-12)]
    return rows


def hyperparameters(values: Mapping[str, Floats], trial: int) -> dict[str, Any]:
    """The hyperparameters of a trial."""
    return {name: float(tried[trial]) for name, tried in values.items()}

"""The types that all experiments share: config keys, results, the events of a run; and quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias

import numpy as np
from annotated_types import Ge, Le

from dnnexp.core.streams import Streams
from dnnexp.registry import Name

Seed = Annotated[int, Ge(0), Le(2**63 - 1)]

_MAX_BYTES = 2**32
"""The largest size of the arrays of a run."""

Metrics: TypeAlias = dict[str, Any]
Outline: TypeAlias = Any
"""The shape of some metrics: the same mappings and lists, with a type in place of every value.

The types are `float` (a number or null), `int`, `bool` and `str`."""

QUANTILES = {
    "min": 0.0,
    "q05": 0.05,
    "q25": 0.25,
    "median": 0.5,
    "q75": 0.75,
    "q95": 0.95,
    "max": 1.0,
}


class UserCodeError(ValueError):
    """User code made it impossible to continue; the message is shown without a traceback."""


@dataclass(frozen=True)
class Expectation:
    """A claim in words, and the expression over the run's metrics that decides it."""

    claim: str
    check: str


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """The keys that every config has; `name` defaults to the name of the config file."""

    experiment: str
    name: Name = "run"
    seed: Seed = 0


@dataclass(frozen=True)
class Work:
    """An event: `done` of `total` units of a stage are finished; `item` names the current one."""

    stage: str
    done: int
    total: int | None
    item: str = ""


@dataclass(frozen=True)
class Line:
    """An event: a line of a trace."""

    text: str


Event: TypeAlias = Work | Line
Progress: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True)
class RunContext:
    """The input of a run beside its config.

    Attributes:
        streams: the random streams.
        progress: is called with every event.
        trace: steps between two lines of a trace; 0 for no trace.
    """

    streams: Streams
    progress: Progress = lambda event: None
    trace: int = 0


@dataclass(frozen=True)
class Result:
    """The results of a run.

    Attributes:
        config: the resolved config.
        metrics: values for strict JSON: non-finite numbers are None.
        arrays: the arrays that the figures are drawn from.
        passed: False if the experiment gives a verdict by itself and it is no.
    """

    config: Any
    metrics: Metrics
    arrays: Mapping[str, Any] = field(default_factory=dict)
    passed: bool = True


def too_large(numbers: int) -> str | None:
    """The problem of a config whose arrays hold this many numbers; None if they fit."""
    size = 8 * numbers
    if size <= _MAX_BYTES:
        return None
    return f"would need about {size / 2**30:.3g} GiB, at most {_MAX_BYTES / 2**30:g} GiB are allowed"


def finite(value: Any) -> float | None:
    """The value as a float, or None if it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


def quantile(values: Any, shares: Any) -> Any:
    """The quantiles over the last axis, by linear interpolation: from `(..., n)` to `(len(shares), ...)`.

    NaN counts as +inf. (`np.quantile` gives NaN next to an infinite value even if its weight is 0.)
    """
    if np.isfinite(values).all():
        with np.errstate(over="ignore", invalid="ignore"):
            return np.quantile(values, shares, axis=-1)
    ordered = np.sort(np.where(np.isnan(values), np.inf, values), axis=-1)
    places = np.asarray(shares) * (ordered.shape[-1] - 1)
    below = np.floor(places).astype(int)
    low, high = ordered[..., below], ordered[..., np.ceil(places).astype(int)]
    with np.errstate(invalid="ignore", over="ignore"):
        between = low + (high - low) * (places - below)
    return np.moveaxis(np.where(low == high, low, between), -1, 0)


def quantiles(values: Any, names: tuple[str, ...]) -> dict[str, float | None]:
    """The named quantiles (`QUANTILES`) of numbers, +inf included; None if not finite or without numbers."""
    if np.size(values) == 0:
        return dict.fromkeys(names)
    found = quantile(np.ravel(values), [QUANTILES[name] for name in names])
    return {name: finite(value) for name, value in zip(names, found, strict=True)}


def leaves(names: tuple[str, ...]) -> dict[str, type]:
    """The outline of a mapping from these names to numbers."""
    return dict.fromkeys(names, float)

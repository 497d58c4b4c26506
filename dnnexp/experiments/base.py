"""What every experiment shares: the common keys of a config, the Result, the events of a run."""

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

_MEMORY_BYTES = 2**32
"""What the arrays of a run may take."""

Metrics: TypeAlias = dict[str, Any]
Outline: TypeAlias = Any
"""The shape of some metrics: mappings and lists as they will be, a Python type (`float`, `int`, `bool`,
`str`) in the place of every value; `float` stands for a number or null."""

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
    """What the user's own code did, where a run cannot go on: a message, no traceback."""


@dataclass(frozen=True)
class Expectation:
    """A claim in words, and the check over the run's metrics that decides it."""

    claim: str
    check: str


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """The keys that every config has; `name` is by default that of the config file."""

    experiment: str
    name: Name = "run"
    seed: Seed = 0


@dataclass(frozen=True)
class Work:
    """An event: a run is at `done` of `total` units of a stage's work; `item` is what it is busy with."""

    stage: str
    done: int
    total: int | None
    item: str = ""


@dataclass(frozen=True)
class Line:
    """An event: a line of a trace that was asked for."""

    text: str


Event: TypeAlias = Work | Line
Progress: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True)
class RunContext:
    """What a caller wants of a run beside its config.

    Attributes:
        streams: the random streams.
        progress: is called with every event.
        trace: a line of state every so many steps; 0 for none.
    """

    streams: Streams
    progress: Progress = lambda event: None
    trace: int = 0


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        config: the resolved config.
        metrics: strict-JSON-able: non-finite numbers are None.
        arrays: what the plots are drawn from.
        passed: False where the experiment itself gives a verdict and it is no.
    """

    config: Any
    metrics: Metrics
    arrays: Mapping[str, Any] = field(default_factory=dict)
    passed: bool = True


def too_large(numbers: int) -> str | None:
    """What is wrong with a config whose arrays hold that many numbers; None if nothing is."""
    size = 8 * numbers
    if size <= _MEMORY_BYTES:
        return None
    return f"would need about {size / 2**30:.3g} GiB, at most {_MEMORY_BYTES / 2**30:g} GiB are allowed"


def finite(value: Any) -> float | None:
    """A float, or None where it is not finite."""
    number = float(value)
    return number if math.isfinite(number) else None


def quantile(values: Any, shares: Any) -> Any:
    """The quantiles over the last axis, by linear interpolation: from `(..., n)` to `(len(shares), ...)`.

    NaN counts as +inf. numpy's are NaN beside an infinite value, even where nothing of it counts.
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
    """The named quantiles (`QUANTILES`) of some numbers, +inf included; None where not finite or empty."""
    if np.size(values) == 0:
        return dict.fromkeys(names)
    found = quantile(np.ravel(values), [QUANTILES[name] for name in names])
    return {name: finite(value) for name, value in zip(names, found, strict=True)}


def leaves(names: tuple[str, ...]) -> dict[str, type]:
    """The outline of a mapping from these names to numbers."""
    return dict.fromkeys(names, float)

"""What the measurement of a target hands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dnnexp.experiments.base import Metrics
from dnnexp.experiments.gradcheck.checks import Derivatives
from dnnexp.experiments.gradcheck.findings import Finding


@dataclass(frozen=True)
class Kinks:
    """How many entries crossed a kink at first, and how many units of each layer did."""

    crossed: int = 0
    layers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """How much of the derivatives was compared.

    Attributes:
        entries: how many there are.
        compared: how many entries, or directions, were compared.
        miss_probability: that of missing one wrong entry, of the size of `error` where that matters.
        error: relative to the tensor's largest entry; None where a wrong entry is seen whatever its size.
        fewest_points: at how many points, at least, every function was checked; None for a network.
        most_points: at how many, at most.
    """

    entries: int
    compared: int
    miss_probability: float = 0.0
    error: float | None = None
    fewest_points: int | None = None
    most_points: int | None = None


@dataclass(frozen=True)
class Measured:
    """The derivatives of a target by every method, and what else was learnt on the way.

    Attributes:
        tensors: what is compared.
        coverage: how much of it.
        tolerance: where the bounds come from, in words.
        diagnose: from the culprit and the wrong checks to the metrics `diagnosis`.
        sweep: the metrics `order` and `step_sweep`.
        arrays: what plots are drawn from.
        kinks: what crossed a kink.
        rechecked: how many differences were taken again.
        findings: what is wrong with the functions themselves.
        is_defined: whether there are derivatives at all: not where the function itself is not finite.
    """

    tensors: list[Derivatives]
    coverage: Coverage
    tolerance: str
    diagnose: Callable[[str | None, list[Metrics]], Metrics]
    sweep: Metrics
    arrays: Mapping[str, Any]
    kinks: Kinks = Kinks()
    rechecked: int = 0
    findings: tuple[Finding, ...] = field(default=())
    is_defined: bool = True

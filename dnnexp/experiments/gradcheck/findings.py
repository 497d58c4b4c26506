"""Findings: faults of the function itself, such as randomness, whatever its derivatives are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.experiments.base import Metrics
from dnnexp.text import counted

_LEAST_ORDER = 1.5
"""A Taylor remainder of lower order than this means a wrong gradient: a right one gives 2, a wrong one 1."""

Kind = Literal[
    "non_deterministic",
    "stale_state",
    "mutates_input",
    "aliased_result",
    "reshaped_gradient",
    "single_precision",
    "non_finite",
    "slope_at_kink",
    "order",
    "left_out",
]


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        kind: the kind of fault.
        where: the function, tensor or point.
        evidence: the numbers that show it.
    """

    kind: Kind
    where: str
    evidence: str

    @property
    def blocks(self) -> bool:
        """Whether the check cannot pass: the others leave derivatives that can be judged."""
        return self.kind not in ("single_precision", "aliased_result", "reshaped_gradient", "left_out")


def probe(where: str, function: Callable[[Any], Any], x: Floats) -> Iterator[Finding]:
    """Whether two calls at x give the same, leave x alone, and are finite and in double precision."""
    given = x.copy()
    first, second = (np.array(function(given)) for _ in range(2))
    if not np.array_equal(given, x, equal_nan=True):
        changed = int(np.count_nonzero(given != x))
        text = f"{_some(changed, x.size)} of x {'is' if changed == 1 else 'are'} changed by a call"
        yield Finding("mutates_input", where, text)
    elif not np.array_equal(first, second, equal_nan=True):
        difference = float(np.nanmax(np.abs(first - second)))
        yield Finding("non_deterministic", where, f"two calls differ by {difference:.3g}")
    if first.dtype in (np.float32, np.float16):
        yield Finding("single_precision", where, f"the result is {first.dtype}, of an argument in {x.dtype}")
    broken = ~np.isfinite(first)
    if broken.any():
        index = [int(i) for i in np.unravel_index(int(broken.argmax()), first.shape)]
        count = int(broken.sum())
        text = f"{_some(count, broken.size)} {'is' if count == 1 else 'are'} not finite, the first at {index}"
        yield Finding("non_finite", where, text)


def _some(count: int, whole: int) -> str:
    return f"{count:,} of {counted(whole, 'number')}"


def wrong_orders(order: Metrics) -> Iterator[Finding]:
    """A Taylor remainder that falls with the step only, where central differences do no better."""
    central, taylor = order["observed"], order["taylor"]["observed"]
    if taylor is not None and taylor < _LEAST_ORDER and (central is None or central < _LEAST_ORDER):
        text = f"falls with the step to the power {taylor:.2f}, not {order['taylor']['expected']:g}"
        yield Finding("order", "the Taylor remainder", f"{text}: the gradient is not that of the function")

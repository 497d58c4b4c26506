"""The comparison of derivatives, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import COMPLEX_STEP
from dnnexp.experiments.base import Metrics, finite
from dnnexp.experiments.gradcheck.blame import culprit
from dnnexp.experiments.gradcheck.config import Tolerances, ordered

_ROUND_OFFS = 10
"""Errors up to this multiple of the round-off are not evidence: the largest of many errors is reported."""
_UNDERFLOW = float(np.finfo(np.float64).smallest_normal) / COMPLEX_STEP
"""Derivatives below this size (2e-288) underflow in the complex step."""
_PLATEAU = 1e-12
"""Derivatives below this fraction of the tensor's largest entry count as zero.

On a plateau, extrapolation may report 0 with a tiny error.
"""
_RESOLVED = 1e-6
"""Entries that rounding may move by more than this fraction of the tensor's largest are not compared."""
_STATED = 2.0
"""Safety factor on the error that a method reports for an entry: among very many, one exceeds it."""


@dataclass(frozen=True)
class Doubt:
    """What a method of differences cannot give of a tensor; masks broadcast to the tensor's shape.

    Attributes:
        crossed: entries for which a unit crossed a kink.
        unsure: entries that it does not give well enough.
        round_off: about how far rounding moves a quotient of this tensor.
        error: the stated error of each entry; None where the method states none.
    """

    crossed: Any = False
    unsure: Any = False
    round_off: float = 0.0
    error: Floats | None = None


@dataclass(frozen=True)
class Derivatives:
    """A tensor's derivatives by every method.

    Attributes:
        tensor: its name.
        by_method: the derivatives, all of one shape.
        bound: how far rounding may move each entry by the exact methods.
        doubts: of the methods of differences.
        compared: a mask of the entries that are compared; it broadcasts to the tensor's shape.
    """

    tensor: str
    by_method: Mapping[str, Floats]
    bound: Floats
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    compared: Any = True

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of methods that are compared."""
        return list(combinations(ordered(self.by_method), 2))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return next(iter(self.by_method.values())).shape

    def mask(self, mask: Any) -> Any:
        """A mask in the shape of the tensor."""
        return np.broadcast_to(mask, self.shape)

    def crossed(self, methods: Iterable[str]) -> Any:
        """Which compared entries a kink keeps from any of the methods."""
        masks = [self.doubts[method].crossed for method in methods if method in self.doubts]
        return self.mask(self.compared) & np.any([self.mask(m) for m in [False, *masks]], axis=0)

    def scale(self, pair: Iterable[str], skip: Any) -> float:
        """The largest |a|, |b| of the tensor; of a skipped entry, where one may be anything, the lesser."""
        a, b = (np.abs(self.by_method[method]) for method in pair)
        sizes = np.where(skip, np.fmin(a, b), np.fmax(a, b))
        return float(sizes.max(initial=0.0, where=self.mask(self.compared) & np.isfinite(sizes)))

    def allowed(self, methods: Iterable[str]) -> Floats | None:
        """What may lie between two entries: rounding of both and stated errors; None if one is not stated."""
        allowed = 2 * np.maximum(self.bound, _UNDERFLOW)
        for method in methods:
            if (doubt := self.doubts.get(method)) is None:
                continue
            if doubt.error is None:
                return None
            values = np.abs(self.by_method[method])
            size = values.max(initial=0.0, where=np.isfinite(values))
            flat = np.where(values <= doubt.error, _PLATEAU * size, 0.0)
            allowed = allowed + _STATED * (doubt.error + flat)
        return allowed


class Verdict(NamedTuple):
    """The metrics of the comparison, and what the blame follows from.

    Attributes:
        metrics: the keys `passed`, `verdict`, `checks`, `agreement` and `culprit`.
        wrong: the checks that found an error.
    """

    metrics: Metrics
    wrong: list[Metrics]


def verdict(
    tolerances: Tolerances, tensors: list[Derivatives], sound: bool = True, steady: bool = True
) -> Verdict:
    """Every check, the verdict, and who agrees with whom.

    Unless the function is `sound`, it cannot pass; unless it is `steady`, no method can be called wrong.
    """
    checks = [entry for tensor in tensors for entry in _checks(tolerances, tensor)]
    passed = sound and all(entry["passed"] for entry in checks)
    wrong = [entry for entry in checks if steady and _is_wrong(tolerances, entry)]
    disagreeing = {entry["pair"] for entry in wrong}
    pairs = dict.fromkeys(entry["pair"] for entry in checks)
    methods = dict.fromkeys(method for pair in pairs for method in pair.split("-"))
    metrics = {
        "passed": passed,
        "verdict": "correct" if passed else "wrong" if wrong else "inconclusive",
        "checks": checks,
        "agreement": {pair: pair not in disagreeing for pair in pairs},
        "culprit": culprit(tuple(methods), disagreeing),
    }
    return Verdict(metrics, wrong)


def _checks(tolerances: Tolerances, tensor: Derivatives) -> Iterator[Metrics]:
    """One comparison for each pair of methods."""
    for pair in tensor.pairs:
        doubts = [tensor.doubts[method] for method in pair if method in tensor.doubts]
        compared, crossed = tensor.mask(tensor.compared), tensor.crossed(pair)
        unsure = compared & ~crossed & np.any([tensor.mask(d.unsure) for d in [Doubt(), *doubts]], axis=0)
        left, right = (tensor.by_method[method] for method in pair)
        allowed, scale = tensor.allowed(pair), tensor.scale(pair, ~compared | crossed | unsure)
        blind = compared & _blind(left, right, allowed, np.inf if _of_one_step(pair) else _RESOLVED * scale)
        skip = ~compared | crossed | unsure | blind
        ratios = _ratios(np.abs(left - right), allowed, compared & ~blind)
        entry = {"tensor": tensor.tensor, "pair": "-".join(pair), "passed": True}
        entry |= _compare(left, right, skip, ratios, scale)
        entry["bound_ratio"] = None if ratios is None else finite(ratios.max(initial=0.0))
        entry["compared"], entry["excluded"] = int((~skip).sum()), int((crossed | blind).sum())
        agree = ratio(tolerances, entry) <= 1
        hidden = np.any(unsure) if agree else _is_round_off(doubts, entry) and not _exceeds(tolerances, entry)
        entry["unresolved"] = bool(doubts) and bool(hidden)
        # the complex step can judge entries below the round-off of differences
        judged = bool(doubts) and "complex" in tensor.by_method
        resolved = not entry["unresolved"] or judged
        few = (crossed if judged else crossed | blind).sum() <= tolerances.excluded * compared.sum()
        entry["passed"] = (agree or entry["unresolved"]) and resolved and bool(few)
        if not entry["compared"]:
            entry |= {"max_abs_error": None, "max_rel_error": None}
        yield entry


def _blind(a: Floats, b: Floats, allowed: Floats | None, most: float) -> Any:
    """Entries of which rounding leaves nothing: they differ by less than is allowed, which is too much."""
    if allowed is None:
        return False
    with np.errstate(all="ignore"):
        differ = (a != b) & np.isfinite(a) & np.isfinite(b)
        return differ & ~(np.abs(a - b) > allowed) & ~(allowed <= most)


def _compare(a: Floats, b: Floats, skip: Any, ratios: Floats | None, scale: float) -> Metrics:
    """The errors between two tensors where `skip` is False, and the worst entry.

    Relative errors are max|a − b| over the tensor's largest entry; 0 where that is 0, None where an entry is
    not finite. The worst entry is that of the largest error, or that which exceeds
    its bound by the largest ratio: it may be tiny.
    """
    with np.errstate(all="ignore"):
        difference = np.where(skip, 0.0, np.abs(a - b))
    broken = ~np.isfinite(difference)
    worst = int(broken.argmax() if broken.any() else difference.argmax())
    largest = difference.reshape(-1)[worst]
    if ratios is not None and not broken.any() and ratios.max(initial=0.0) > 1:
        worst = int(ratios.argmax())
    index = np.unravel_index(worst, a.shape)
    relative = largest / scale if scale > 0 else 0.0
    return {
        "max_abs_error": finite(largest),
        "max_rel_error": None if broken.any() else finite(relative),
        "worst": {
            "index": [int(i) for i in index],
            "left": finite(a[index]),
            "right": finite(b[index]),
        },
    }


def _ratios(difference: Floats, allowed: Floats | None, compared: Any) -> Floats | None:
    """|a − b| over what may lie between two entries, 0 where that is anything; None where it is not known."""
    if allowed is None:
        return None
    with np.errstate(all="ignore"):
        return np.where(compared & ~np.isposinf(allowed), difference / allowed, 0.0)


def limit(tolerances: Tolerances, pair: Sequence[str]) -> float | None:
    """The largest relative error that passes of a pair; None where each entry has a bound of its own."""
    if of_one_step := _of_one_step(pair):
        return of_one_step * tolerances.central
    return None if "richardson" in pair else tolerances.exact


def has_bounds(tolerances: Tolerances, pair: Sequence[str]) -> bool:
    """Whether each entry has a bound of its own, alone or beside a limit that is no larger than usual."""
    allowed = limit(tolerances, pair)
    return allowed is None or (_of_one_step(pair) > 0 and tolerances.central <= Tolerances.central)


def _of_one_step(pair: Sequence[str]) -> int:
    """How many of the two are differences of one step, each of which may be off by as much."""
    return sum(method in ("central", "central4") for method in pair)


def ratio(tolerances: Tolerances, entry: Metrics) -> float:
    """The error of a check over what is allowed: it is too large above 1; infinite where it is not finite."""
    pair, times = entry["pair"].split("-"), entry["bound_ratio"]
    allowed, bounds = limit(tolerances, pair), has_bounds(tolerances, pair)
    error = entry["max_rel_error"] if entry["compared"] else 0.0
    if error is None:
        return np.inf
    if allowed is not None:
        return float(max(error / allowed, times if bounds and times is not None else 0.0))
    return np.inf if times is None else float(times)


def _is_round_off(doubts: list[Doubt], entry: Metrics) -> bool:
    """Whether rounding in the difference quotients explains an error by itself."""
    error = entry["max_abs_error"]
    return error is not None and any(error <= _ROUND_OFFS * doubt.round_off for doubt in doubts)


def _exceeds(tolerances: Tolerances, entry: Metrics) -> bool:
    """Whether an entry of a difference of one step is farther off than its bound allows."""
    pair = entry["pair"].split("-")
    return bool(_of_one_step(pair)) and has_bounds(tolerances, pair) and (entry["bound_ratio"] or 0.0) > 1


def _is_wrong(tolerances: Tolerances, entry: Metrics) -> bool:
    return not entry["unresolved"] and ratio(tolerances, entry) > 1

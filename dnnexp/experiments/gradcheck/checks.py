"""The comparison of derivatives, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.experiments.base import Metrics, Outline, finite
from dnnexp.experiments.gradcheck.blame import culprit
from dnnexp.experiments.gradcheck.config import GradcheckConfig, Tolerances

_ROUND_OFFS = 10
"""An error of up to so many times the round-off is no evidence: it is the largest of many."""


@dataclass(frozen=True)
class Derivatives:
    """A tensor's derivatives by every method, and which entries central differences cannot give."""

    tensor: str
    by_method: Mapping[str, Floats]
    bound: Floats  # how far rounding may move each entry by the other methods
    crossed: Any  # a mask that broadcasts to the shape of the tensor
    unsure: Any  # another: what central differences do not give well enough
    round_off: float  # about how far rounding moves a central difference of this tensor


class Verdict(NamedTuple):
    """The metrics of the comparison, and what the blame follows from.

    Attributes:
        metrics: the keys `passed`, `verdict`, `checks`, `agreement`, `culprit` and `kinks`.
        wrong: the checks that found an error.
    """

    metrics: Metrics
    wrong: list[Metrics]


def verdict(config: GradcheckConfig, tensors: list[Derivatives], crossed: int) -> Verdict:
    """Every check, the verdict, and who agrees with whom; `crossed` entries crossed a kink at first."""
    checks = [entry for tensor in tensors for entry in _checks(config, tensor)]
    passed = all(entry["passed"] for entry in checks)
    wrong = [entry for entry in checks if _is_wrong(config.tolerances, entry)]
    disagreeing = {entry["pair"] for entry in wrong}
    metrics = {
        "passed": passed,
        "verdict": "correct" if passed else "wrong" if wrong else "inconclusive",
        "checks": checks,
        "agreement": {pair: pair not in disagreeing for pair in map("-".join, config.pairs)},
        "culprit": culprit(config.methods, disagreeing),
        "kinks": {
            "checked": sum(_mask(tensor).size for tensor in tensors),
            "crossed": crossed,
            "excluded": sum(int(_mask(tensor).sum()) for tensor in tensors),
        },
    }
    return Verdict(metrics, wrong)


def _mask(derivatives: Derivatives) -> Any:
    shape = next(iter(derivatives.by_method.values())).shape
    return np.broadcast_to(derivatives.crossed, shape)


def _checks(config: GradcheckConfig, derivatives: Derivatives) -> Iterator[Metrics]:
    """One comparison for each pair of methods."""
    for left, right in config.pairs:
        is_central = "central" in (left, right)
        mask = _mask(derivatives)
        skip = mask | derivatives.unsure if is_central else np.zeros_like(mask)
        a, b = derivatives.by_method[left], derivatives.by_method[right]
        entry = _compare(a, b, skip)
        entry["bound_ratio"] = None if is_central else _bound_ratio(a, b, derivatives.bound)
        excluded = int(mask.sum()) if is_central else 0
        agree = not _exceeds(config.tolerances, is_central, entry)
        hidden = np.any(derivatives.unsure) if agree else _is_round_off(derivatives, entry)
        unresolved = is_central and bool(hidden)
        # what is hidden from central differences, the complex step can judge
        passed = (agree or unresolved) and (not unresolved or "complex" in config.methods)
        passed = passed and excluded <= config.tolerances.excluded * skip.size
        head = {"tensor": derivatives.tensor, "pair": f"{left}-{right}", "passed": passed}
        yield head | entry | {"excluded": excluded, "unresolved": unresolved}


def _compare(a: Floats, b: Floats, skip: Any) -> Metrics:
    """The errors between two tensors where `skip` is False, and the entry with the largest.

    Relative errors are max|a − b| over the largest |a|, |b| of the tensor; 0 where both are all zero,
    None where an entry is not finite.
    """
    with np.errstate(all="ignore"):
        difference = np.where(skip, 0.0, np.abs(a - b))
        scale = np.where(skip, 0.0, np.maximum(np.abs(a), np.abs(b))).max()
    broken = ~np.isfinite(difference)
    worst = int(broken.argmax() if broken.any() else difference.argmax())
    index = np.unravel_index(worst, a.shape)
    largest = difference[index]
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


def _bound_ratio(a: Floats, b: Floats, bound: Floats) -> float | None:
    """The largest |a − b| over what rounding may put between two entries; None if one is not finite."""
    with np.errstate(all="ignore"):
        return finite((np.abs(a - b) / (2 * bound)).max())


def _exceeds(tolerances: Tolerances, is_central: bool, entry: Metrics) -> bool:
    if entry["max_rel_error"] is None:
        return True
    if is_central:
        return bool(entry["max_rel_error"] > tolerances.central)
    if tolerances.exact is None:
        return entry["bound_ratio"] is None or bool(entry["bound_ratio"] > 1)
    return bool(entry["max_rel_error"] > tolerances.exact)


def _is_round_off(derivatives: Derivatives, entry: Metrics) -> bool:
    """Whether rounding in the difference quotients explains an error by itself."""
    error = entry["max_abs_error"]
    return error is not None and error <= _ROUND_OFFS * derivatives.round_off


def _is_wrong(tolerances: Tolerances, entry: Metrics) -> bool:
    return not entry["unresolved"] and _exceeds(tolerances, "central" in entry["pair"], entry)


def outline(config: GradcheckConfig) -> Outline:
    """The shape of the metrics."""
    depth = {name: 1 if name.startswith("b") else 2 for name in config.tensors} | {"dy/dx": 3}
    checks = [
        {
            "tensor": str,
            "pair": str,
            "passed": bool,
            "max_abs_error": float,
            "max_rel_error": float,
            "worst": {"index": [int] * depth[tensor], "left": float, "right": float},
            "bound_ratio": float,
            "excluded": int,
            "unresolved": bool,
        }
        for tensor in config.tensors
        for _ in config.pairs
    ]
    sweep = {"central": float, "complex": float}
    return {
        "passed": bool,
        "verdict": str,
        "checks": checks,
        "agreement": dict.fromkeys(map("-".join, config.pairs), bool),
        "culprit": str,
        "diagnosis": {"tensor": str, "layer": float, "fault": str, "evidence": str},
        "kinks": {"checked": int, "crossed": int, "excluded": int},
        "rechecked": int,
        "tolerance": str,
        "order": {"observed": float, "expected": float},
        "step_sweep": {
            "default_step": float,
            "best_step": float,
            "best_error": float,
            "errors": {repr(float(h)): sweep for h in config.step_sweep.steps()},
        },
    }

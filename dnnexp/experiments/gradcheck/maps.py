"""Heat maps of the error: which entries of a tensor differ, and how far they are from what is allowed."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.experiments.base import Metrics
from dnnexp.experiments.gradcheck.blame import severity
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.config import TRUSTED

MOST = 128
"""How many rows and columns a map has at most."""
_ON_TRIAL = ("analytic", "backward")


def error_maps(tensors: list[Derivatives], metrics: Metrics) -> dict[str, Any]:
    """What heat maps are drawn from, of each tensor's `shown_pair` a, b.

    `error_map.<tensor>` is |a − b| over the tensor's largest |a|, |b|, as `max_rel_error` is.
    `ratio_map.<tensor>`, where rounding and stated errors bound the difference, is |a − b| over what they
    allow, as `bound_ratio` is. Both are NaN where nothing is compared, infinite where a value is not finite.

    A matrix keeps its shape, a vector is a column, of more indices the largest over the first are taken.
    Beyond `MOST` rows or columns each entry is the largest of a block of `block_of` entries.
    """
    found = {}
    for tensor in tensors:
        pair = shown_pair(tensor.tensor, metrics)
        if pair is None:
            continue
        found[f"error_map.{tensor.tensor}"] = _reduced(_relative(tensor, pair))
        if (allowed := tensor.allowed(pair)) is not None:
            found[f"ratio_map.{tensor.tensor}"] = _reduced(_over(_difference(tensor, pair), allowed))
    return found


def shown_pair(tensor: str, metrics: Metrics) -> tuple[str, str] | None:
    """The pair of methods whose error is shown of a tensor; None if none is compared.

    It is the culprit and the most trusted other method. Without a culprit, it is the pair that is most wrong,
    and where none is, the backward pass (or the formula of a part) and the most trusted other.
    """
    checks = [entry for entry in metrics["checks"] if entry["tensor"] == tensor]
    methods = dict.fromkeys(method for entry in checks for method in entry["pair"].split("-"))
    if metrics["culprit"] in methods:
        return _against(metrics["culprit"], methods)
    wrong = [entry for entry in checks if not entry["passed"] and not entry["unresolved"]]
    if wrong:
        left, right = max(wrong, key=severity)["pair"].split("-")
        return left, right
    first = next((method for method in (*_ON_TRIAL, *TRUSTED) if method in methods), None)
    return None if first is None else _against(first, methods)


def _against(method: str, methods: dict[str, None]) -> tuple[str, str]:
    """The method and the most trusted of the others."""
    other = next(each for each in TRUSTED if each in methods and each != method)
    return method, other


def block_of(size: int) -> int:
    """Entries of an axis of that size that one entry of the map covers."""
    return -(-size // MOST)


def _difference(tensor: Derivatives, pair: tuple[str, str]) -> Floats:
    """|a − b|: NaN where not compared, infinite where not finite."""
    with np.errstate(all="ignore"):
        difference = np.abs(tensor.by_method[pair[0]] - tensor.by_method[pair[1]])
    broken = np.where(np.isfinite(difference), difference, np.inf)
    return np.where(_skipped(tensor, pair), np.nan, broken)


def _skipped(tensor: Derivatives, pair: tuple[str, str]) -> Any:
    """Which entries the pair is not compared in."""
    unsure = [tensor.mask(tensor.doubts.get(method, Doubt()).unsure) for method in pair]
    return ~tensor.mask(tensor.compared) | tensor.crossed(pair) | unsure[0] | unsure[1]


def _relative(tensor: Derivatives, pair: tuple[str, str]) -> Floats:
    """|a − b| over the largest finite |a|, |b| that is compared."""
    return _over(_difference(tensor, pair), tensor.scale(pair, _skipped(tensor, pair)))


def _over(difference: Floats, allowed: Any) -> Floats:
    """Their ratio; 0 where there is no difference."""
    with np.errstate(all="ignore"):
        return np.where(difference == 0, 0.0, difference / allowed)


def _reduced(values: Floats) -> Floats:
    """A matrix of at most `MOST` rows and columns; of NaN and numbers the largest number counts."""
    matrix = values.reshape(-1, 1) if values.ndim < 2 else values
    matrix = np.fmax.reduce(matrix.reshape(-1, *matrix.shape[-2:]), axis=0)
    for axis, size in enumerate(matrix.shape):
        starts = np.arange(0, size, block_of(size))
        matrix = np.fmax.reduceat(matrix, starts, axis=axis)
    return matrix

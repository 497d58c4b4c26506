"""Whether two tensors agree, and by which simple factor a wrong one differs from the right one."""

from __future__ import annotations

from typing import Any

import numpy as np

TOLERANCE = 1e-9
"""The largest difference between equal tensors, relative to the largest entry.

Two exact methods differ by the round-off of sums of n terms in each of L layers, about n L ε: 2e-13 for ten
layers of a hundred. Terms that cancel to a thousandth of their size magnify it to 2e-10. A fault that
central differences can detect changes a tensor by at least 1e-6.
"""


def agree(a: Any, b: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether max|a − b| ≤ tolerance · max(|a|, |b|): of one shape, and every entry finite."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) <= tolerance * size)


def peak_ratio(suspect: Any, reference: Any) -> float:
    """Suspect over reference at the largest entry of the reference; not finite where that entry is 0."""
    place = np.unravel_index(np.abs(reference).argmax(), reference.shape)
    with np.errstate(all="ignore"):
        return float(np.divide(suspect[place], reference[place]))


def proportion(suspect: Any, reference: Any, tolerance: float = TOLERANCE) -> float | None:
    """The c with suspect = c · reference, two tensors of one shape; None if there is no such c.

    Tensors of one entry are always proportional: their c is evidence only if it is a simple number.
    """
    if suspect.shape != reference.shape or not reference.size:
        return None
    c = peak_ratio(suspect, reference)
    return c if np.isfinite(c) and agree(suspect, c * reference, tolerance) else None


def ratio(suspect: Any, reference: Any, batch: int | None = None, tolerance: float = TOLERANCE) -> str | None:
    """The name of the mistake that turns the true tensor into the wrong one, or None.

    "sign": −1 times the truth; "factor": 2 or ½; "batch_size": the batch size or its inverse, where it is
    given; "transposed": the transpose in the last two axes. With a batch of 2, "factor" and "batch_size"
    are the same, and called "factor". None as well if the tensor is right within the tolerance.
    """
    if agree(suspect, reference, tolerance):
        return None
    names: dict[float, str] = {-1.0: "sign", 2.0: "factor", 0.5: "factor"}
    if batch is not None:
        names = {float(batch): "batch_size", 1 / batch: "batch_size"} | names
    c = proportion(suspect, reference, tolerance)
    for number, name in names.items():
        if c is not None and abs(c - number) <= tolerance * abs(number):
            return name
    if reference.ndim >= 2 and agree(suspect, reference.swapaxes(-1, -2), tolerance):
        return "transposed"
    return None

"""How tensors agree, and what a wrong one is of the right one, without a network."""

from __future__ import annotations

from typing import Any

import numpy as np

TOLERANCE = 1e-9
"""The largest difference between equal tensors, relative to the largest entry.

Two exact methods differ by the round-off of sums of n terms in each of L layers, about n L ε: 2e-13 for ten
layers of a hundred. Terms that cancel to a thousandth of their size magnify it to 2e-10. A fault that
gradient checking can show, by central differences, changes a tensor by 1e-6 and more.
"""


def agree(a: Any, b: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether max|a − b| ≤ tolerance · max(|a|, |b|): of one shape, and every entry finite."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) <= tolerance * size)


def peak_ratio(accused: Any, reference: Any) -> float:
    """Accused over reference at the largest entry of the reference; not finite where that is 0."""
    place = np.unravel_index(np.abs(reference).argmax(), reference.shape)
    with np.errstate(all="ignore"):
        return float(np.divide(accused[place], reference[place]))


def proportion(accused: Any, reference: Any, tolerance: float = TOLERANCE) -> float | None:
    """The c with accused = c · reference, two tensors of one shape; None where there is none.

    A tensor of one entry is proportional to every other: its c says nothing unless it is a simple number.
    """
    if accused.shape != reference.shape or not reference.size:
        return None
    c = peak_ratio(accused, reference)
    return c if np.isfinite(c) and agree(accused, c * reference, tolerance) else None


def ratio(accused: Any, reference: Any, batch: int | None = None, tolerance: float = TOLERANCE) -> str | None:
    """What a wrong tensor is of the true one: the name of a mistake, or None.

    "sign": −1 times the truth; "factor": 2 or ½; "batch_size": the batch size or its inverse, where it is
    given; "transposed": the transpose in the last two axes. With a batch of 2, "factor" and "batch_size"
    are the same, and called "factor". None, too, for what is right, within the tolerance.
    """
    if agree(accused, reference, tolerance):
        return None
    names: dict[float, str] = {-1.0: "sign", 2.0: "factor", 0.5: "factor"}
    if batch is not None:
        names = {float(batch): "batch_size", 1 / batch: "batch_size"} | names
    c = proportion(accused, reference, tolerance)
    for number, name in names.items():
        if c is not None and abs(c - number) <= tolerance * abs(number):
            return name
    if reference.ndim >= 2 and agree(accused, reference.swapaxes(-1, -2), tolerance):
        return "transposed"
    return None

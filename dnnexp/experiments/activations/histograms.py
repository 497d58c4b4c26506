"""Histograms in equal bins from the least to the greatest finite value: no sort, no copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers, Numbers

BINS = 60
_LARGEST = 1e300
"""Greater values are counted as this one: neither bins nor axes must overflow."""
_NARROWEST = 1e-306
"""Bins are wider: else their number a unit overflows."""
_PIECE = 2**15


def histogram(key: str, values: Numbers) -> dict[str, Any]:
    """`<key>.counts` of the finite values, and `<key>.edges`.

    Values that are all the same get bins half a unit to each side of it.
    """
    edges = _edges(values)
    return {f"{key}.counts": _counts(values, edges), f"{key}.edges": edges}


def _edges(values: Numbers) -> Floats:
    """Of all bins, from a first pass over the values."""
    ends = [(float(piece.min()), float(piece.max())) for piece in _finite(values)]
    low, high = (min(ends)[0], max(high for _, high in ends)) if ends else (0.0, 0.0)
    if (high - low) / BINS <= max(_NARROWEST, np.spacing(max(abs(low), abs(high)))):
        half = max(0.5, abs(low) / 2)
        low, high = low - half, low + half
    return np.linspace(low, high, BINS + 1)


def _counts(values: Numbers, edges: Floats) -> Integers:
    """How many values fall into each bin; a bin holds its lower end, the last one both."""
    counts = np.zeros(BINS, np.int64)
    low, scale = float(edges[0]), BINS / float(edges[-1] - edges[0])
    for piece in _finite(values):
        places = (np.subtract(piece, low, dtype=np.float64) * scale).astype(np.intp)
        counts += np.bincount(np.minimum(places, BINS - 1, out=places), minlength=BINS)
    return counts


def _finite(values: Numbers) -> Iterator[Numbers]:
    """The finite values, clipped, in pieces that stay in the cache."""
    flat = values.reshape(-1)
    is_clean = max(-float(flat.min()), float(flat.max())) <= _LARGEST  # false beside a NaN
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        if not is_clean:
            piece = np.clip(piece[np.isfinite(piece)], -_LARGEST, _LARGEST)
        if piece.size:
            yield piece

"""Histograms in equal bins from the smallest to the largest finite value, without sorting or copying."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers, Numbers

BINS = 60
_MAX_VALUE = 1e300
"""Larger values count as this one, so that neither bins nor axes overflow."""
_MIN_BIN_WIDTH = 1e-306
"""With narrower bins, their number per unit would overflow."""
_PIECE_VALUES = 2**15


def histogram(key: str, values: Numbers) -> dict[str, Any]:
    """`<key>.counts` of the finite values, and `<key>.edges`.

    If all values are equal, the bins reach half a unit to each side.
    """
    edges = _edges(values)
    return {f"{key}.counts": _counts(values, edges), f"{key}.edges": edges}


def _edges(values: Numbers) -> Floats:
    """The edges of all bins, from a first pass over the values."""
    ends = [(float(piece.min()), float(piece.max())) for piece in _finite(values)]
    low, high = (min(ends)[0], max(high for _, high in ends)) if ends else (0.0, 0.0)
    if (high - low) / BINS <= max(_MIN_BIN_WIDTH, np.spacing(max(abs(low), abs(high)))):
        half = max(0.5, abs(low) / 2)
        low, high = low - half, low + half
    return np.linspace(low, high, BINS + 1)


def _counts(values: Numbers, edges: Floats) -> Integers:
    """The number of values in each bin; a bin includes its lower edge, the last one both edges."""
    counts = np.zeros(BINS, np.int64)
    low, scale = float(edges[0]), BINS / float(edges[-1] - edges[0])
    for piece in _finite(values):
        places = (np.subtract(piece, low, dtype=np.float64) * scale).astype(np.intp)
        counts += np.bincount(np.minimum(places, BINS - 1, out=places), minlength=BINS)
    return counts


def _finite(values: Numbers) -> Iterator[Numbers]:
    """The finite values, clipped, in pieces that stay in the cache."""
    flat = values.reshape(-1)
    is_clean = max(-float(flat.min()), float(flat.max())) <= _MAX_VALUE  # false beside a NaN
    for start in range(0, flat.size, _PIECE_VALUES):
        piece = flat[start : start + _PIECE_VALUES]
        if not is_clean:
            piece = np.clip(piece[np.isfinite(piece)], -_MAX_VALUE, _MAX_VALUE)
        if piece.size:
            yield piece

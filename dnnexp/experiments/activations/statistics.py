"""Statistics of a layer, for every network of a block at once: from `(runs, batch, width)` to `(runs,)`.

They are computed in pieces that stay in the cache, so that they cost little beside the matrix product.
Expensive statistics use `_SAMPLED_VALUES` values of each network: quantiles use evenly spaced values, ranks
and spreads the first rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.experiments.base import QUANTILES, quantile

MOMENTS = ("mean", "std", "skew", "kurtosis", "mean_square")
FRACTIONS = ("zero_fraction", "saturated_fraction", "dead_fraction")
_SAMPLED_VALUES = 2**18
_PIECE_VALUES = 2**16
Found = dict[str, Any]
"""Statistics by name, each `(runs,)`; None for one that does not exist."""


def describe(values: Numbers) -> Found:
    """Moments and quantiles over all but the first axis; ddof 0, kurtosis 3 for a normal distribution."""
    rows = values.reshape(len(values), -1)
    low, high = rows.min(axis=1), rows.max(axis=1)
    found = moments(rows, low, high)
    middle = {name: share for name, share in QUANTILES.items() if 0 < share < 1}
    found |= dict(zip(middle, quantile(_spaced(rows, values.shape[-1]), list(middle.values())), strict=True))
    return found | {"min": low, "max": high}


def moments(rows: Numbers, low: Numbers, high: Numbers) -> Found:
    """Mean, standard deviation, skew, kurtosis and mean square of `(runs, n)`, in double precision.

    Values are scaled by a power of two, so that no fourth power overflows or underflows.
    """
    largest_exponent = -int(np.finfo(rows.dtype).minexp)
    exponent = np.clip(
        np.frexp(np.maximum(np.abs(low), np.abs(high)))[1], -largest_exponent, largest_exponent
    )
    scale = np.ldexp(np.ones(len(rows), rows.dtype), -exponent)
    mean = np.where(low == high, low, rows.mean(axis=1, dtype=np.float64))
    sums = np.zeros((3, len(rows)))
    for some, piece in _pieces(rows):
        d = (piece - mean[some, None].astype(rows.dtype)) * scale[some, None]
        squared = d * d
        sums[:, some] += np.vecdot(d, d), np.vecdot(squared, d), np.vecdot(squared, squared)
    second, third, fourth = sums / rows.shape[1]
    std = np.sqrt(second) / scale.astype(np.float64)
    return {
        "mean": mean,
        "std": std,
        "skew": third / second**1.5,
        "kurtosis": fourth / second**2,
        "mean_square": mean**2 + std**2,
    }


def _pieces(rows: Numbers) -> Iterator[tuple[slice, Numbers]]:
    """Pieces of at most `_PIECE_VALUES` values: the rows of each piece, and the piece."""
    count = max(1, _PIECE_VALUES // rows.shape[1])
    for first in range(0, len(rows), count):
        for start in range(0, rows.shape[1], _PIECE_VALUES):
            yield slice(first, first + count), rows[first : first + count, start : start + _PIECE_VALUES]


def _spaced(rows: Numbers, width: int) -> Numbers:
    """Evenly spaced values of each row, with a step that reaches every unit."""
    step = -(-rows.shape[1] // _SAMPLED_VALUES)
    while math.gcd(step, width) > 1:
        step += 1
    return rows[:, ::step]


def fractions(activation: Activation, post: Numbers) -> Found:
    """The shares of outputs that are 0 and that are saturated, and of units that are 0 for every sample.

    They are NaN for a network with a NaN among its outputs.
    """
    _, batch, width = post.shape
    unknown = 0 * np.sign(post.min(axis=(1, 2)))  # NaN where there is one, else 0
    saturated = None
    if activation.saturation is not None:
        low, high = activation.saturation
        saturated = unknown + ((post < low) | (post > high)).mean(axis=(1, 2))
    zeros = batch * width - np.count_nonzero(post, axis=(1, 2))
    return {
        "zero_fraction": unknown + zeros / (batch * width),
        "saturated_fraction": saturated,
        "dead_fraction": None if batch == 1 else unknown + (~post.any(axis=1)).mean(axis=1),
    }


def geometry(pre: Numbers, post: Numbers) -> Found:
    """Spreads, effective rank and correlation of the rows of a batch.

    `sample_std`: √ of the mean over units of the variance over samples: how much depends on the input.
    `unit_std`: √ of the mean over samples of the variance over units.
    `effective_rank`: (tr M)² / tr M² of M = Aᵀ A of the outputs A, at most their rank: Daneshmand et al.,
    "Batch normalization provably avoids rank collapse", NeurIPS 2020, eq. 4.
    `correlation`: the mean cosine between the pre-activations of rows 2k and 2k + 1.
    """
    some = min(post.shape[1], max(2, _SAMPLED_VALUES // post.shape[2]))
    rows = _unit_sized(post[:, :some])
    size = np.abs(post[:, :some]).max(axis=(1, 2)).astype(np.float64)
    is_single = post.shape[1] == 1
    return {
        "sample_std": None if is_single else size * np.sqrt(rows.var(axis=1).mean(axis=1)),
        "unit_std": size * np.sqrt(rows.var(axis=2).mean(axis=1)),
        "effective_rank": _participation(rows),
        "correlation": None if is_single else correlation(pre[:, : some - some % 2]),
    }


def correlation(rows: Numbers) -> Floats:
    """The mean cosine between rows 2k and 2k + 1 of `(..., batch, width)`: shape `(...)`.

    Pairs with a row of zeros are left out; NaN without other pairs.
    """
    even, odd = _unit_sized(rows[..., 0::2, :]), _unit_sized(rows[..., 1::2, :])
    norms = np.sqrt(np.vecdot(even, even)) * np.sqrt(np.vecdot(odd, odd))
    is_zero = norms == 0
    cosines = np.where(is_zero, 0, np.vecdot(even, odd) / np.where(is_zero, 1, norms))
    mean: Floats = cosines.sum(axis=-1, dtype=np.float64) / (~is_zero).sum(axis=-1)
    return mean


def _unit_sized(values: Numbers) -> Numbers:
    """`(..., batch, width)` divided by the largest entry of each batch; zeros stay zeros."""
    size = np.abs(values).max(axis=(-2, -1), keepdims=True)
    scaled: Numbers = values / np.where(size == 0, 1, size).astype(values.dtype)
    return scaled


def _participation(rows: Numbers) -> Floats:
    """(tr M)² / tr M² of the smaller of the two Gram matrices; both give the same."""
    a = rows if rows.shape[1] < rows.shape[2] else rows.swapaxes(1, 2)
    gram = a @ a.swapaxes(1, 2)
    trace = np.trace(gram, axis1=1, axis2=2, dtype=np.float64)
    total: Floats = trace**2 / np.square(gram).sum(axis=(1, 2), dtype=np.float64)
    return total


def root_mean_square(values: Numbers) -> Floats:
    """√ of the mean square over all but the first axis."""
    rows = values.reshape(len(values), -1)
    found: Floats = np.sqrt(moments(rows, rows.min(axis=1), rows.max(axis=1))["mean_square"])
    return found

"""Derivatives from values alone, with a reliable bound on their error.

Central differences Q(h) = (φ(h) − φ(−h)) / 2h err by c₂h² + c₄h⁴ + … and by rounding, ν/h. Richardson
extrapolation cancels the powers of h one by one (Richardson, "The approximate arithmetical solution by
finite differences of physical problems", 1911); Ridders ("Accurate computation of F'(x) and F'(x)F''(x)",
Advances in Engineering Software 1982) takes from its tableau the entry whose neighbours agree best. Agreement
can be chance, so an entry must pass four more tests here, see `extrapolate`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnnexp.core.arrays import EPSILON, Floats

RATIO = 1.9
"""The ratio of neighbouring steps. Not 2, because differences of rounded values at h and h/2 often agree by
chance."""
STEP_COUNT = 42
"""Number of steps, from the scale of a coordinate down to 4e-12 of it."""
_COLUMN_COUNT = 8
"""Number of columns of a tableau; the last one cancels h², …, h¹⁴."""
_NOISE_STEP_COUNT = 8
"""Number of smallest steps from which the noise is measured."""
_NOISE_FACTOR = 3.0
"""Safety factor on the noise, a standard deviation of errors of unknown distribution."""
_JUMP_FACTOR = 1.5
"""Safety factor on half the jump of slope, the distance of either side's slope from their mean."""
_CONTRADICTION_FACTOR = 3.0
"""Two entries contradict each other when they differ by more than this multiple of the stated error."""
_SIGNAL_FACTOR = 300.0
"""Truncation must exceed the noise by this factor where its order is estimated."""
_ENTRIES_PER_TABLEAU = 2**11
"""Number of entries extrapolated at a time: 4 MiB a tableau."""


class Extrapolated(NamedTuple):
    """Derivatives, a bound on the error of each that rarely fails, and the observed order.

    All have the same shape. A value is NaN, and its error infinite, where too few steps gave finite numbers.
    The order is that of the truncation of Q(h), NaN where truncation does not rise above the noise.
    """

    value: Floats
    error: Floats
    order: Floats


def step_ladder(x: Floats) -> Floats:
    """h₀, h₀/r, h₀/r², … from h₀ = max(1, |x|): x `(...)`, steps `(H, ...)`.

    Steps are rounded so that x + h and x − h are exact; otherwise the two would not be symmetric about x.
    """
    shrinking = RATIO ** -np.arange(STEP_COUNT, dtype=np.float64)
    size = np.abs(x)
    return np.asarray((size + np.multiply.outer(shrinking, np.maximum(1.0, size))) - size)


def extrapolate(
    h: Floats, difference: Floats, noise: Floats | float = 0.0, bend: Floats | None = None
) -> Extrapolated:
    """φ'(0) from differences at steps in a constant ratio > 1, the largest first.

    The stated error of an entry T of the tableau is a sum of

    1. the largest distance to its neighbours in the previous row and column (Ridders), and their own
       distances, reduced as truncation is;
    2. three times the noise at the entry's steps, amplified as in the tableau: the given noise, ε times the
       differences themselves, and the scatter at the smallest steps;
    3. the limit that the same steps give for half the jump of slope, (φ(h) − 2φ(0) + φ(−h)) / 2h, by
       extrapolation in odd powers of h: 0 up to its error where φ is smooth, and half the jump
       where φ has a kink (a jump of slope) at 0, so that both slopes lie within the error;

    and at least the distance from T to the values that smaller steps, with less truncation, leave possible
    (Lepskii, "On a problem of adaptive estimation in Gaussian white noise", 1990). This
    exposes large steps that agree on the other side of a kink, or at multiples of a period.

    One failure remains: if a slope exists only on a stretch so short that rounding hides it, and all larger
    steps end on a plateau, the result is the plateau's slope, 0, with too small an error.

    Args:
        h: `(H, K)`, in one constant ratio up to rounding, H ≥ 4.
        difference: φ(h) − φ(−h), `(H, K)`. Entries that are not finite are ignored.
        noise: ν ≥ 0, a number, `(K,)` or `(H, K)`: rounding moves Q(h) by about ν / h. It may be too
            small where values scatter, but not where small steps leave φ unchanged.
        bend: φ(h) − 2φ(0) + φ(−h), `(H, K)`. Without it a kink at 0 goes unnoticed: |s| has slope 0.
    """
    noise, parts = np.broadcast_to(noise, h.shape), []
    for start in range(0, h.shape[1], _ENTRIES_PER_TABLEAU):
        some = np.s_[..., start : start + _ENTRIES_PER_TABLEAU]
        bends = np.zeros_like(h[some]) if bend is None else bend[some]
        with np.errstate(all="ignore"):
            parts.append(_extrapolate(h[some], difference[some], noise[some], bends))
    if not parts:
        return Extrapolated(np.empty(0), np.empty(0), np.empty(0))
    return Extrapolated(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _extrapolate(h: Floats, difference: Floats, noise: Floats, bend: Floats) -> Extrapolated:
    ratio = round(float(h[0, 0] / h[1, 0]), 12)  # rounded, so that every column gives the same bits
    even: Floats = np.arange(2, 2 * _COLUMN_COUNT, 2, dtype=np.float64)
    quotients = difference / (2 * h)
    values = _tableau(quotients, ratio, even)
    jumps = _tableau(bend / (2 * h), ratio, np.append(1.0, even + 1))[1:]
    known = noise + EPSILON * (np.abs(difference) + np.abs(bend))
    rounding = (known + _scatter(h, values)) / h
    errors = _disagreement(values, ratio) + _JUMP_FACTOR * np.abs(jumps)
    errors += _NOISE_FACTOR * _amplified(rounding, ratio, even)
    errors = np.where(np.isfinite(errors) & np.isfinite(values), errors, np.inf)
    errors = np.maximum(errors, _contradiction(values, errors))
    flat, width = errors.reshape(-1, h.shape[1]), np.arange(h.shape[1])
    best = flat.argmin(axis=0)
    error, value = flat[best, width], values.reshape(flat.shape)[best, width]
    value = np.where(np.isfinite(error), value, np.nan)
    return Extrapolated(value, error, observed_order(h, quotients, value, rounding + error))


def _tableau(quotients: Floats, ratio: float, powers: Floats) -> Floats:
    """T_j(i) = T_{j−1}(i) + (T_{j−1}(i) − T_{j−1}(i−1)) / (rᵖ − 1), p the j-th power: `(1 + powers, H, K)`.

    Entries without enough larger steps are NaN.
    """
    columns = [quotients]
    for power in powers:
        column = np.full_like(quotients, np.nan)
        column[1:] = columns[-1][1:] + np.diff(columns[-1], axis=0) / (ratio**power - 1)
        columns.append(column)
    return np.stack(columns)


def _amplified(rounding: Floats, ratio: float, powers: Floats) -> Floats:
    """The largest error of each entry that errors of the quotients may add up to: `(1 + powers, H, K)`."""
    columns = [rounding]
    for power in powers:
        column = np.full_like(rounding, np.nan)
        growth = ratio**power
        column[1:] = (growth * columns[-1][1:] + columns[-1][:-1]) / (growth - 1)
        columns.append(column)
    return np.stack(columns)


def _disagreement(values: Floats, ratio: float) -> Floats:
    """The largest of three differences of neighbours, at this step or (reduced as truncation is) the last.

    They are |T_j(i) − T_j(i−1)|, |T_j(i) − T_{j−1}(i)| and |T_{j−1}(i) − T_{j−1}(i−1)|.
    """
    distance = np.full_like(values, np.nan)
    distance[:, 1:] = np.abs(np.diff(values, axis=1))
    sideways = np.maximum(np.abs(np.diff(values, axis=0)), np.nan_to_num(distance[:-1], nan=0.0))
    distance[1:] = np.maximum(distance[1:], sideways)
    reduced = np.zeros_like(values)
    orders = 2.0 * np.arange(1, len(values) + 1)[:, None, None]
    reduced[:, 1:] = distance[:, :-1] / ratio**orders
    return np.fmax(distance, reduced)


def _scatter(h: Floats, values: Floats) -> Floats:
    """The standard deviation of h (T₂(i) − T₂(i−1)) at the smallest steps, where it is noise: `(H, K)`.

    At each of these steps only smaller ones count, so that a kink beyond it is not mistaken for noise.
    It is computed as √(π/2) times the mean size, because squares of tiny numbers would underflow.
    """
    changes = h[1:] * np.diff(values[2], axis=0)
    sizes = np.abs(np.where(np.isfinite(changes), changes, 0.0))[
        : -_NOISE_STEP_COUNT - 1 : -1
    ]  # smallest first
    means = np.cumsum(sizes, axis=0) / np.arange(1, len(sizes) + 1)[:, None]
    fewest = min(_NOISE_STEP_COUNT // 2, len(means)) - 1
    each = np.minimum(np.maximum(np.arange(len(h)), fewest), len(means) - 1)
    return np.asarray(np.sqrt(np.pi / 2) * means[each][::-1])


def _contradiction(values: Floats, errors: Floats) -> Floats:
    """The distance of each entry from the interval that its own and all smaller steps leave possible."""
    known = np.isfinite(errors)
    above = np.where(known, values + _CONTRADICTION_FACTOR * errors, np.inf).min(axis=0)
    below = np.where(known, values - _CONTRADICTION_FACTOR * errors, -np.inf).max(axis=0)
    above = np.minimum.accumulate(above[::-1], axis=0)[::-1]
    below = np.maximum.accumulate(below[::-1], axis=0)[::-1]
    outside = np.maximum(values - above, below - values)
    return np.where(known, outside, np.inf)


def observed_order(h: Floats, quotients: Floats, value: Floats, uncertainty: Floats) -> Floats:
    """The slope of log |Q(h) − φ'| against log h at the smallest steps where truncation outweighs noise.

    Slopes s(h) approach the order p as p + c h²; two of them give p.

    Args:
        h: `(H, K)`, in a constant ratio, the largest first.
        quotients: Q(h), `(H, K)`.
        value: φ', `(K,)`.
        uncertainty: error of Q(h) − φ' other than truncation, `(H, K)`.

    Returns:
        p `(K,)`; NaN where fewer than three steps show it.
    """
    with np.errstate(all="ignore"):
        ratio = h[0] / h[1]
        truncation = np.abs(quotients - value)
        clear = truncation > _SIGNAL_FACTOR * uncertainty
        slopes = -np.diff(np.log(truncation), axis=0) / np.log(ratio)
        orders = slopes[1:] + np.diff(slopes, axis=0) / (ratio**2 - 1)
        steady = np.abs(np.diff(slopes, axis=0)) < 0.25
        shown = clear[2:] & clear[1:-1] & clear[:-2] & steady & (orders > 0.75)
    last = len(shown) - 1 - shown[::-1].argmax(axis=0)
    return np.where(shown.any(axis=0), orders[last, np.arange(h.shape[1])], np.nan)

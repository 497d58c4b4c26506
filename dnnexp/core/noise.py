"""The computational noise of black-box functions, from differences of values at closely spaced points.

The k-th differences of a smooth function vanish as hᵏ, those of independent errors of variance σ² have the
variance σ² (2k)! / (k!)²: the scaled differences of successive orders agree as soon as noise is all that is
left (ECnoise, after Hamming; Moré and Wild, "Estimating computational noise", SIAM Journal on Scientific
Computing 2011).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from dnnexp.core.arrays import EPSILON, Floats

SAMPLES = 9
"""m + 1: eight differences."""
_AGREEMENT = 4.0
"""Within this factor three successive levels are the same."""
_VARIATION = 0.1
"""Values that differ by more of their size show the function, not its noise."""
_FEWEST = 3
"""At least this many differences are used for a level where the tests find no noise."""
_STEPS = (1e-13, 1e-10, 1e-7, 3e-7, 1e-6)
"""h relative to x: from 450 spacings of double precision to one, and to eight, of single precision."""
_LARGER_STEPS = (1e-5, 1e-3)
"""Where the steps so far have hardly changed a value: flat functions of single or half precision."""

Bools: TypeAlias = npt.NDArray[np.bool_]
Function: TypeAlias = Callable[[Floats], Floats]
"""From points `(d, ...)` to an array of any shape."""


class Judged(NamedTuple):
    """What the difference table of each entry says; all have the same shape.

    Attributes:
        deviation: the standard deviation of the noise; NaN where a value is not finite.
        found: whether the paper's tests found it.
        flat: whether at least half of the neighbouring values are equal: the step is too small.
        constant: whether all values are equal.
    """

    deviation: Floats
    found: Bools
    flat: Bools
    constant: Bools


def estimate(values: Floats) -> Floats:
    """The standard deviation of the noise of each entry: `(m + 1, ...)` to `(...)`.

    It is σ_k = √(mean (Δᵏf)² (k!)² / (2k)!) for the first k whose differences change sign and whose σ_k,
    σ_{k+1}, σ_{k+2} agree within a factor of 4. Where there is none it is the largest of three: the smallest
    σ_k, which is too large rather than too small; ε|f|/2, the error of one rounding; where half of the
    neighbours are equal, q/√12 for the smallest other distance q. It is 0 where all values are equal, NaN
    where one is not finite.

    Args:
        values: f(x + k h v), k = 0, …, m, with m = 6 to 8.

    Raises:
        ValueError: there are fewer than 5 values.
    """
    return judge(values).deviation


def judge(values: Floats) -> Judged:
    """`estimate`, and how it came about."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < _FEWEST + 2:
        raise ValueError(
            f"noise: {len(values)} values of f(x + k h v) are given, at least {_FEWEST + 2} needed"
        )
    with np.errstate(all="ignore"):
        size = np.abs(values).max(axis=0)
        steps = np.diff(values, axis=0)
        constant = (steps == 0).all(axis=0)
        flat = 2 * (steps == 0).sum(axis=0) >= len(values)
        wide = np.ptp(values, axis=0) > _VARIATION * size
        levels, signs = _levels(values)
        noise, found = _first_agreement(levels, signs)
        found &= ~flat & ~wide & np.isfinite(size)
        floor = np.maximum(levels[: len(values) - _FEWEST].min(axis=0), EPSILON * size / 2)
        quantum = np.abs(np.where(steps == 0, np.inf, steps)).min(axis=0)
        floor = np.where(flat, np.maximum(floor, quantum / np.sqrt(12)), floor)
    noise = np.where(found, noise, np.where(constant, 0.0, floor))
    return Judged(np.where(np.isfinite(size), noise, np.nan), found, flat, constant)


def _levels(values: Floats) -> tuple[Floats, Bools]:
    """σ_k for k = 1, …, m, and whether the k-th differences change sign: `(m, ...)` each."""
    levels, signs, factor = [], [], 1.0
    for k in range(1, len(values)):
        values = np.diff(values, axis=0)
        factor *= k / (2 * (2 * k - 1))  # (k!)² / (2k)!
        largest = np.abs(values).max(axis=0)
        scaled = values / np.where(largest > 0, largest, 1.0)  # squares of tiny numbers would vanish
        levels.append(largest * np.sqrt(factor * np.mean(scaled**2, axis=0)))
        signs.append((values.min(axis=0) < 0) & (values.max(axis=0) > 0))
    return np.stack(levels), np.stack(signs)


def _first_agreement(levels: Floats, signs: Bools) -> tuple[Floats, Bools]:
    """The first level that stands the tests, and whether one does: `(...)` each."""
    three = np.stack([levels[:-2], levels[1:-1], levels[2:]])
    passed = signs[:-2] & (three.max(axis=0) <= _AGREEMENT * three.min(axis=0))
    first = passed.argmax(axis=0)
    return np.take_along_axis(levels, first[None], axis=0)[0], passed.any(axis=0)


def sampled(function: Function, x: Floats, samples: int = SAMPLES) -> Floats:
    """f(x + k h v), k = 0, …, m, for `estimate`: `(m + 1, ...)`, the step h chosen for each entry.

    Of the steps at which the tests find noise each entry has the one that shows most of it: terms in single
    precision stand still at the smallest steps, beside the rounding of terms in double precision. Entries
    that pass at none have the step that bounds their noise best.

    Args:
        function: from points `(d, ...)` to an array, the same shape each time; called m + 1 times a step.
        x: the points `(d, ...)`.
        samples: m + 1.
    """
    direction = _direction(x)
    best = _along(function, x, _STEPS[0] * direction, samples)
    judged = judge(best)
    stands_still = judged.flat
    for h in _STEPS[1:] + _LARGER_STEPS:
        if h in _LARGER_STEPS and not (stands_still & ~judged.found).any():
            break
        other = _along(function, x, h * direction, samples)
        new = judge(other)
        if h in _LARGER_STEPS:  # where smooth functions may seem to scatter
            new = new._replace(found=new.found & stands_still)
        else:
            stands_still = stands_still | new.flat
        better = _better(judged, new)
        best = np.where(better, other, best)
        judged = Judged(*(np.where(better, b, a) for a, b in zip(judged, new, strict=True)))
    return best


def _better(old: Judged, new: Judged) -> Bools:
    """Whether the new step says more about the noise than the old one."""
    louder = new.found & (~old.found | (new.deviation > old.deviation))
    tighter = ~new.found & ~old.found & ~old.flat & ~new.constant & (new.deviation < old.deviation)
    return np.asarray(louder | tighter | (old.constant & ~new.constant))


def _direction(x: Floats) -> Floats:
    """v `(d, ...)`: the size of each coordinate times ±[1/2, 1], irregular so that no symmetry is met."""
    size = np.abs(x)
    size = np.where(size > 0, size, np.maximum(size.max(axis=0, initial=0.0), 1.0))
    j = np.arange(1, len(x) + 1).reshape((-1,) + (1,) * (x.ndim - 1))
    turn = (j * (np.sqrt(5) - 1) / 2) % 1  # the golden ratio's multiples
    return np.asarray(size * (0.5 + 0.5 * turn) * (-1.0) ** j)


def _along(function: Function, x: Floats, step: Floats, samples: int) -> Floats:
    """f(x + k step) for k = 0, …, m: `(m + 1, ...)`."""
    return np.stack([np.asarray(function(x + k * step), dtype=np.float64) for k in range(samples)])

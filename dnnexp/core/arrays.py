"""Array types of the numerics, and the rounding of float64."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = Any
"""An array of any library that follows the Python array API standard, which defines no type for it."""

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[Any]
"""A numpy array of real or complex numbers."""

EPSILON = float(np.finfo(np.float64).eps)
"""The distance from 1 to the next float64, 2.2e-16."""


def namespace(x: Array) -> Any:
    """The array API namespace of an array."""
    return x.__array_namespace__()


def real(x: Array) -> Array:
    """The real part of a real or complex array (the standard's `real` takes complex ones only)."""
    xp = namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x


_STEP = 1e-20
"""A step h whose square vanishes beside any number of order one."""


def complex_step(function: Callable[[Array], Array], x: Array, x_dot: Array | float = 1.0) -> Array:
    """Im f(x + i h ẋ) / h for real x: the derivative along ẋ of an f that maps numbers to numbers."""
    xp = namespace(x)
    dtype = xp.result_type(x.dtype, xp.complex64)
    moved = xp.astype(x, dtype) + 1j * _STEP * xp.astype(x_dot + xp.zeros_like(x), dtype)
    return xp.imag(function(moved)) / _STEP


def clamp_below(x: Array, low: float) -> Array:
    """x where its real part is above `low`, else `low`; NaN stays NaN."""
    xp = namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.where(xp.real(x) <= low, xp.asarray(low, dtype=x.dtype), x)
    return xp.maximum(x, xp.asarray(low, dtype=x.dtype))


def coordinate_sum(x: Array) -> Array:
    """The sum over the first axis, which is kept, with length 1: `(d, ...)` to `(1, ...)`.

    Halves are added until one coordinate is left, by elementwise sums only: a run gets the same bits
    alone and beside others, which `sum` does not promise (its order depends on the other axes).
    """
    while (d := x.shape[0]) > 1:
        half = d // 2
        folded = x[:half, ...] + x[half : 2 * half, ...]
        x = namespace(x).concat((folded, x[2 * half :, ...])) if d % 2 else folded
    return x

"""What the numerics call an array."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = Any
"""An array of any library that follows the Python array API standard; there is no type for it yet."""

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[Any]
"""A numpy array of real or complex numbers."""


def namespace(x: Array) -> Any:
    """The array API namespace of an array."""
    return x.__array_namespace__()


def real(x: Array) -> Array:
    """The real part of a real or complex array (the standard's `real` takes complex ones only)."""
    xp = namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x


def clamp_below(x: Array, low: float) -> Array:
    """x where its real part is above `low`, else `low`; NaN stays NaN."""
    xp = namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.where(xp.real(x) <= low, xp.asarray(low, dtype=x.dtype), x)
    return xp.maximum(x, xp.asarray(low, dtype=x.dtype))

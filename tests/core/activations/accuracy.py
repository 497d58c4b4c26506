"""The arguments at which activations are tested, and how far rounding may move a result there."""

from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats

STEP = 1e-20
"""Of the complex step."""


def extremes(dtype: Any = np.float64) -> Any:
    """Numbers at and near 0, where exponentials vanish or overflow, and close to the largest of the type."""
    largest = 1e308 if np.dtype(dtype).char in "dD" else 3e38
    positive = np.array([0.0, 1e-300, 30.0, 100.0, 700.0, 800.0, 1e4, largest])
    return np.concatenate([-positive, positive]).astype(dtype)


def arguments(dtype: Any = np.float64) -> Any:
    """Moderate and extreme pre-activations."""
    moderate = np.random.default_rng(0).uniform(-40, 40, 2000)
    return np.concatenate([moderate.astype(dtype), extremes(dtype)])


def off_kinks(activation: Any, z: Floats) -> Floats:
    return z[~np.isin(z, activation.kinks)]


def bound(value: Any, z: Any, slope: Any, roundings: int, dtype: Any = np.float64) -> Any:
    """What so many roundings of the value move it, and so many of the argument, with that slope at z.

    The second part decides where a function is small by cancellation or decays: e^(−z²/2), with z one digit
    off, is z² digits off. Below the smallest normal number digits are lost in any case.
    """
    precision = np.finfo(dtype)
    spread = precision.eps * np.abs(value) + precision.eps * np.abs(z) * np.abs(slope)
    return roundings * spread + 2 * float(precision.smallest_normal)


def second_derivative(activation: Any, z: Floats) -> Any:
    """By the complex step from df."""
    return activation.df(z + 1j * STEP).imag / STEP


def assert_within(found: Any, expected: Any, allowed: Any) -> None:
    found, expected, allowed = np.broadcast_arrays(found, expected, allowed)
    wrong = ~(np.abs(found - expected) <= allowed)
    places = np.flatnonzero(wrong)
    assert places.size == 0, [
        f"{found[i]!r} is not {expected[i]!r} to {allowed[i]:.3g} at {i}" for i in places[:5]
    ]

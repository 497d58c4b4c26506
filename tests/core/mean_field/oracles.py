"""Gaussian expectations that owe nothing to the quadrature under test: closed forms, and QUADPACK."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.integrate import quad

from dnnexp.core.activations import Activation, Erf, Identity, LeakyReLU, ReLU, Sine
from dnnexp.core.arrays import Floats


def closed_square(activation: Activation, q: Floats) -> Floats | None:
    """E[φ²] where it has a closed form."""
    match activation:
        case Identity():
            return q
        case ReLU():
            return q / 2
        case LeakyReLU():
            return (1 + activation.slope**2) * q / 2
        case Sine():
            return -np.expm1(-2 * activation.frequency**2 * q) / 2
        case Erf():  # (2/π) asin(2q / (1 + 2q)), without the loss of digits as its argument nears 1
            return 2 / math.pi * np.arctan2(2 * q, np.sqrt(1 + 4 * q))
    return None


def closed_squared_slope(activation: Activation, q: Floats) -> Floats | None:
    """E[φ′²] where it has a closed form."""
    match activation:
        case Identity():
            return np.ones_like(q)
        case ReLU():
            return np.full_like(q, 0.5)
        case LeakyReLU():
            return np.full_like(q, (1 + activation.slope**2) / 2)
        case Sine():
            return activation.frequency**2 * (1 + np.exp(-2 * activation.frequency**2 * q)) / 2
        case Erf():
            return 4 / (math.pi * np.sqrt(1 + 4 * q))
    return None


def quadpack(function: Callable[[Floats], Floats], q: float, kinks: tuple[float, ...]) -> float:
    """E[g(√q z)²] by adaptive Gauss-Kronrod quadrature over ln|z|, between the kinks.

    Cut where |z| is 1e-22, or 13, where the density is 1e-37. On the logarithmic scale no function is narrow.
    """
    total = 0.0
    for sign in (-1, 1):
        at = [math.log(sign * k / math.sqrt(q)) for k in kinks if sign * k > 0]
        ends = sorted({-50.0, math.log(13.0), *(t for t in at if -50 < t < math.log(13))})

        def weighted(t: float, sign: int = sign) -> float:
            z = math.exp(t)
            square = float(function(np.array(sign * math.sqrt(q) * z))) ** 2
            return square * math.exp(-z * z / 2) * z / math.sqrt(2 * math.pi)

        for low, high in pairwise(ends):
            total += quad(weighted, low, high, epsabs=0, epsrel=1e-12, limit=500)[0]
    return total

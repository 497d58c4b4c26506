"""The initializer at the edge between order and chaos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers.base import Initializer
from dnnexp.core.mean_field import critical_at_bias, critical_at_variance, critical_line
from dnnexp.core.mean_field.variance import LARGEST_VARIANCE
from dnnexp.registry import Positive, register


@register("critical")
@dataclass(frozen=True)
class Critical(Initializer):
    """Critical: N(0, σ_w² / fan_in), biases N(0, σ_b²), where the activation is between order and chaos.

    There χ₁ = 1: small differences of signals, and squared gradients, keep their size from layer to layer.
    With `q_star`, the variance q* of pre-activations that is to stay, both σ_w² and σ_b² are fixed, and
    weights and biases must be critical with the same. Without, σ_w² follows from the variance of the biases'
    own initializer. Every layer's activation is its own, the last one's, too.

    Poole et al., "Exponential expressivity in deep neural networks through transient chaos", NIPS 2016;
    Schoenholz et al., "Deep information propagation", ICLR 2017. For ReLU and zero biases it is `he`.
    """

    needs_activation: ClassVar[bool] = True
    q_star: Positive | None = None

    def draw(
        self, generator: np.random.Generator, fan_in: int, fan_out: int, shape: tuple[int, ...]
    ) -> Floats:
        """A ValueError: the variance is not known yet."""
        raise ValueError(f"{self.name} needs the layer's activation: it is drawn by a LayerInitializer")


@lru_cache(maxsize=1024)
def critical_variances(activation: Activation, q_star: float) -> tuple[float, float]:
    """σ_w² and σ_b² at which the activation is critical at q*.

    Raises:
        ValueError: nowhere, with the q* that are possible.
    """
    with np.errstate(all="ignore"):
        point = critical_at_variance(activation, q_star)
        if point is not None and np.isfinite(point).all() and point.sigma_w2 > 0:
            return point.sigma_w2, point.sigma_b2
        raise ValueError(_why_none(activation, q_star))


@lru_cache(maxsize=1024)
def critical_weights(activation: Activation, sigma_b2: float) -> float:
    """σ_w² at which the activation is critical with biases of that variance.

    Raises:
        ValueError: there is none, with the variances that are possible.
    """
    if sigma_b2 > LARGEST_VARIANCE:
        raise ValueError(
            f"biases have a variance of {sigma_b2:g}; critical weights allow {LARGEST_VARIANCE:g} at most"
        )
    try:
        with np.errstate(all="ignore"):
            return critical_at_bias(activation, sigma_b2).sigma_w2
    except ValueError as error:
        raise ValueError(f"no weights are critical with biases of that variance: {error}") from error


def _why_none(activation: Activation, q_star: float) -> str:
    q = np.geomspace(1e-12, 1e6, 289)
    possible = q[np.isfinite(critical_line(activation, q).sigma_w2)]
    given = f"q_star: {q_star!r} given; {activation.name} is"
    if not len(possible):
        return f"{given} never critical: χ₁ = 1 at q* requires biases of negative variance"
    return f"{given} not critical there; allowed: about {possible[0]:.3g} to {possible[-1]:.3g}"

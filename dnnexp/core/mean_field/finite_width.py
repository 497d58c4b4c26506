"""The variance of a signal's norm over random networks of finite width.

For a rectifier, leaky or not, with independent Gaussian weights and zero biases, z^l given z^{l-1} has
independent entries N(0, v_l), v_l = σ_w² |a^{l-1}|² / n_{l-1}. So v_{l+1} / v_l = σ_w² / n_l Σ φ(g_i)² with
standard normal g_i is independent of all layers before, and second moments multiply:

    E[v_{l+1}²] / E[v_{l+1}]² = E[v_l²] / E[v_l]² · (1 + (κ − 1)/n_l),   κ = E[φ(g)⁴] / E[φ(g)²]².

κ = 6 for the rectifier, 3 for the identity. In the limit of large widths the variance is exp(5 Σ 1/n_l) − 1:
it grows with Σ 1/n_l, depth over width, as in Hanin, "Which neural net architectures give rise to exploding
and vanishing gradients?", NeurIPS 2018 (for gradients), and Hanin and Rolnick, "How to start training: the
effect of initialization and architecture", NeurIPS 2018 (for activations).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def pre_activation_norm_variance(widths: Sequence[int], negative_slope: float = 0.0) -> float:
    """Var(|z^L|²) / E[|z^L|²]² over networks, exactly: (1 + 2/n_L) Π_{l<L} (1 + (κ−1)/n_l) − 1.

    It depends neither on σ_w² nor on the input or its width.

    Args:
        widths: n_1 … n_L, without the input's n_0.
        negative_slope: φ′ of a leaky rectifier at negative arguments.
    """
    last = math.log1p(2 / widths[-1])  # |z^L|² / v_L is χ² with n_L degrees of freedom
    return math.expm1(_log_growth(widths[:-1], negative_slope) + last)


def output_norm_variance(widths: Sequence[int], negative_slope: float = 0.0) -> float:
    """Var(|a^L|²) / E[|a^L|²]² over networks, exactly: Π_l (1 + (κ−1)/n_l) − 1.

    The arguments are those of `pre_activation_norm_variance`.
    """
    return math.expm1(_log_growth(widths, negative_slope))


def _log_growth(widths: Sequence[int], negative_slope: float) -> float:
    """ln Π_l (1 + (κ−1)/n_l)."""
    kurtosis = 6 * (1 + negative_slope**4) / (1 + negative_slope**2) ** 2
    return math.fsum(math.log1p((kurtosis - 1) / width) for width in widths)

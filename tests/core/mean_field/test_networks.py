"""Theory against networks: their means over many draws, for every registered activation."""

import math

import numpy as np
import pytest

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.mean_field import layer_correlations, propagation

SIGMA_W2, SIGMA_B2, DEPTH, COSINE = 1.5, 0.1, 4, 0.5


def inputs(width: int) -> Floats:
    """Two of them, `(2, width)`, with mean square 1 and the cosine COSINE."""
    first, second = np.linalg.qr(np.random.default_rng(0).standard_normal((width, 2)))[0].T * math.sqrt(width)
    return np.array([first, COSINE * first + math.sqrt(1 - COSINE**2) * second])


def measure(activation: Activation, width: int, stream: np.random.Generator) -> list[Floats]:
    """The means over units, `(L,)` each, of z², z z′ (of the other input), a, a² and (∂E/∂z)² in one network.

    The gradient at the last layer is drawn at random; back it goes through the network's own weights.
    """
    a, slopes, layers, rows = inputs(width), [], [], []
    for _ in range(DEPTH):
        weights = stream.standard_normal((width, width)) * math.sqrt(SIGMA_W2 / width)
        z = a @ weights.T + stream.standard_normal(width) * math.sqrt(SIGMA_B2)
        a = activation.f(z)
        layers.append(weights)
        slopes.append(activation.df(z[0]))
        rows.append([np.mean(z[0] ** 2), np.mean(z[0] * z[1]), np.mean(a[0]), np.mean(a[0] ** 2)])
    delta = stream.standard_normal(width)
    norms = [np.mean(delta**2)]
    for weights, slope in zip(layers[:0:-1], slopes[-2::-1], strict=True):
        delta = slope * (weights.T @ delta)
        norms.append(np.mean(delta**2))
    return [*np.array(rows).T, np.array(norms[::-1])]


def predict(activation: Activation) -> list[Floats]:
    theory = propagation(activation, SIGMA_W2, SIGMA_B2, 1.0, DEPTH)
    w, b = theory.sigma_w2.tolist(), theory.sigma_b2.tolist()
    c = layer_correlations([activation] * DEPTH, w, b, theory.q, 1.0, COSINE)
    squares = theory.output_std**2 + theory.output_mean**2
    return [theory.q, c * theory.q, theory.output_mean, squares, theory.gradient_growth]


def compare(activation: Activation, width: int, networks: int) -> None:
    """The mean over networks is the theory's, within 4 standard errors, as the networks' scatter gives them.

    Theory is the limit of large widths. At width n, q scatters by √(κ/n) from network to network; its mean is
    off by O(L/n) of itself, which stays below the standard error here.
    """
    stream = np.random.default_rng(1)
    measured = [measure(activation, width, stream) for _ in range(networks)]
    for statistic, predicted in zip(zip(*measured, strict=True), predict(activation), strict=True):
        values = np.array(statistic)  # (networks, L)
        error = values.std(axis=0, ddof=1) / math.sqrt(networks)
        assert (np.abs(values.mean(axis=0) - predicted) <= 4 * error).all()


def test_means_over_networks(plain_activation: Activation) -> None:
    compare(plain_activation, width=100, networks=60)


@pytest.mark.slow
def test_means_over_many_wide_networks(activation: Activation) -> None:
    compare(activation, width=500, networks=200)

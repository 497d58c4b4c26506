"""The initializer that looks at the data."""

import numpy as np
import pytest

from dnnexp.core.activations import Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import LSUV, Glorot, LayerInitializer, Normal, Orthogonal
from dnnexp.core.network import Network

NETWORK = Network((20, 30, 10, 10, 3), (ReLU(), Tanh(), Sigmoid(), Identity()))


def draw(network: Network, initializer: LayerInitializer, x: Floats | None) -> Floats:
    return network.draw(initializer, np.random.default_rng(1), np.random.default_rng(2), x)


@pytest.fixture
def x() -> Floats:
    return 3 + 0.1 * np.random.default_rng(0).standard_normal((50, 20))


@pytest.mark.parametrize("std", [1.0, 0.1, 5.0])
def test_every_layer_has_the_deviation_on_the_data(x: Floats, std: float) -> None:
    """Of W a, without the biases; W is orthonormal but for a factor. To roundings."""
    drawn = draw(NETWORK, LayerInitializer(LSUV(std), Normal(std=0.5)), x)
    signals = NETWORK.forward(drawn, x)
    for layer, z in zip(NETWORK.layers(drawn), signals.pre, strict=True):
        assert (z - layer.biases).std() == pytest.approx(std, rel=1e-12)
        n_out, n_in = layer.weights.shape
        product = layer.weights @ layer.weights.T if n_out <= n_in else layer.weights.T @ layer.weights
        np.testing.assert_allclose(product, product[0, 0] * np.eye(len(product)), atol=1e-13 * product[0, 0])


def test_what_comes_in_twice_as_large_gets_weights_half_as_large(x: Floats) -> None:
    network = Network((20, 30), (ReLU(),))
    initializer = LayerInitializer(LSUV())
    np.testing.assert_array_equal(2 * draw(network, initializer, 2 * x), draw(network, initializer, x))


@pytest.mark.parametrize("value", [0.0, 1e-320, np.inf, np.nan, 1e308])
def test_weights_stay_orthonormal_where_there_is_no_deviation(value: float) -> None:
    """Nothing comes in, or something that is not finite: no division, no warning."""
    streams = np.random.default_rng(1), np.random.default_rng(2)
    weights, _ = LayerInitializer(LSUV()).draw(*streams, ReLU(), 20, 30, np.full((50, 20), value))
    np.testing.assert_array_equal(weights, Orthogonal().draw(np.random.default_rng(1), 20, 30, (30, 20)))


def test_rounding_is_no_deviation() -> None:
    """Fifty equal rows into one unit: what the mean rounds to would be blown up to 1."""
    rows = np.tile(np.random.default_rng(0).standard_normal(20), (50, 1))
    streams = np.random.default_rng(1), np.random.default_rng(2)
    weights, _ = LayerInitializer(LSUV()).draw(*streams, ReLU(), 20, 1, rows)
    assert np.linalg.norm(weights) == pytest.approx(1, rel=1e-14)


def test_the_network_needs_an_input_for_it_and_for_nothing_else(x: Floats) -> None:
    with pytest.raises(ValueError, match=r"^lsuv needs data: the layer's input"):
        draw(NETWORK, LayerInitializer(LSUV()), None)
    plain = LayerInitializer(Glorot(), Normal(std=0.1))
    np.testing.assert_array_equal(draw(NETWORK, plain, x), draw(NETWORK, plain, None))


def test_theory_does_not_hold_for_it() -> None:
    assert LayerInitializer(LSUV()).variances(Tanh(), 20, 30) is None

"""The initializer at the edge between order and chaos."""

import math
import re

import numpy as np
import pytest

from dnnexp.config.schema import read
from dnnexp.core.activations import (
    Activation,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from dnnexp.core.initializers import (
    Constant,
    Critical,
    Glorot,
    He,
    Initializer,
    LayerInitializer,
    LeCun,
    Normal,
    Uniform,
    Zeros,
)
from dnnexp.core.mean_field import chi_1, critical_line, variance_map
from dnnexp.core.network import Network


def at_variance(q_star: float) -> LayerInitializer:
    return LayerInitializer(Critical(q_star), Critical(q_star))


def variances(initializer: LayerInitializer, activation: Activation) -> tuple[float, float]:
    found = initializer.variances(activation, 30, 50)
    assert found is not None
    return found


@pytest.mark.parametrize("q_star", [0.01, 0.5, 1.0, 60.0])
def test_the_variance_stays_and_the_slope_is_one(activation: Activation, q_star: float) -> None:
    """To the rounding of σ_w through its square root, and of the quadrature."""
    if math.isnan(critical_line(activation, q_star).sigma_w2):
        assert at_variance(q_star).complaint(activation, 30, 50)
        return
    sigma_w2, sigma_b2 = variances(at_variance(q_star), activation)
    assert chi_1(activation, q_star, sigma_w2) == pytest.approx(1, rel=8e-15)
    assert variance_map(activation, q_star, sigma_w2, sigma_b2) == pytest.approx(q_star, rel=2e-13)


@pytest.mark.parametrize(
    ("q_star", "sigma_w2", "sigma_b2"), [(0.5, 1.687975, 0.038041), (1.0, 2.153303, 0.150965)]
)
def test_known_points_of_the_tanh(q_star: float, sigma_w2: float, sigma_b2: float) -> None:
    """To the last digit of the numbers."""
    assert variances(at_variance(q_star), Tanh()) == pytest.approx((sigma_w2, sigma_b2), abs=5e-7)


def test_without_a_variance_the_weights_follow_from_the_biases() -> None:
    """To the last digit of the number; the biases stay what they are, and a fan-in is the layer's own."""
    layer = LayerInitializer(Critical(), Normal(variance=0.05))
    assert variances(layer, Tanh()) == pytest.approx((1.760955, 0.05), abs=5e-7)
    assert layer.resolved(Tanh(), 30, 50).biases is layer.biases
    by_fan_in = LayerInitializer(Critical(), LeCun())
    assert by_fan_in.variances(Tanh(), 20, 50) == pytest.approx((1.760955, 0.05), abs=5e-7)


@pytest.mark.parametrize("function", [ReLU(), LeakyReLU(0.2), Identity()], ids=repr)
def test_piecewise_linear_functions_have_the_weights_of_he(function: Activation) -> None:
    """σ_w² = 2 / (1 + slope²) and no bias, at every q*: He et al. 2015, section 2.2."""
    sigma_w2 = 1.0 if isinstance(function, Identity) else 2 / (1 + getattr(function, "slope", 0.0) ** 2)
    for layer in (LayerInitializer(Critical()), at_variance(1.0), at_variance(7.0)):
        assert variances(layer, function) == pytest.approx((sigma_w2, 0), rel=8e-15)


def test_for_the_rectifier_it_draws_what_he_draws() -> None:
    network = Network((20, 30, 10), (ReLU(), ReLU()))
    critical, he = (
        network.draw(LayerInitializer(part), np.random.default_rng(1), np.random.default_rng(2))
        for part in (Critical(), He())
    )
    np.testing.assert_allclose(critical, he, rtol=1e-14)


def test_what_is_drawn_has_the_variances() -> None:
    """5 standard errors of a normal sample's variance, √(2/N) of it."""
    n_in, n_out = 100, 3000
    streams = np.random.default_rng(0), np.random.default_rng(1)
    weights, biases = at_variance(1.0).draw(*streams, Tanh(), n_in, n_out)
    assert weights.shape == (n_out, n_in)
    assert biases.shape == (n_out,)
    expected = variances(at_variance(1.0), Tanh())
    allowed = 5 * math.sqrt(2)
    assert n_in * weights.var() == pytest.approx(expected[0], rel=allowed / math.sqrt(n_in * n_out))
    assert biases.var() == pytest.approx(expected[1], rel=allowed / math.sqrt(n_out))


def test_every_layer_is_drawn_for_its_own_activation() -> None:
    """σ_w² is 2 for the rectifier and 1 for the identity: the same numbers of the stream, scaled."""
    network = Network((20, 30, 10), (ReLU(), Identity()))
    drawn = network.draw(LayerInitializer(Critical()), np.random.default_rng(1), np.random.default_rng(2))
    stream = np.random.default_rng(1)
    for layer, sigma_w2 in zip(network.layers(drawn), (2, 1), strict=True):
        expected = math.sqrt(sigma_w2 / layer.weights.shape[1]) * stream.standard_normal(layer.weights.shape)
        np.testing.assert_allclose(layer.weights, expected, rtol=1e-14)


# --- What is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "function", "message"),
    [
        (at_variance(1.0), Softplus(), "q_star: 1.0 given; softplus is never critical: "),
        (
            at_variance(1.0),
            Sigmoid(),
            "q_star: 1.0 given; sigmoid is not critical there; allowed: about 48.7 ",
        ),
        (
            LayerInitializer(Critical(), Normal(variance=0.1)),
            ReLU(),
            "no weights are .* biases of that variance: sigma_b2: 0.1 given; relu is critical only at 0",
        ),
        (LayerInitializer(Critical()), Softplus(), "sigma_b2: 0 given; softplus is never critical"),
        (
            LayerInitializer(Critical(), Normal(std=1e100)),
            Tanh(),
            re.escape("biases have a variance of 1e+200; critical weights allow 1e+30 at most"),
        ),
    ],
)
def test_an_activation_without_such_a_point_is_told_so(
    layer: LayerInitializer, function: Activation, message: str
) -> None:
    complaint = layer.complaint(function, 30, 50)
    assert complaint is not None
    assert re.search(message, complaint)
    streams = np.random.default_rng(0), np.random.default_rng(1)
    for refused in (layer.resolved, layer.variances):
        with pytest.raises(ValueError, match=message):
            refused(function, 30, 50)
    with pytest.raises(ValueError, match=message):
        layer.draw(*streams, function, 30, 50)


def test_a_sigmoid_is_critical_without_biases_far_from_what_is_usual() -> None:
    assert variances(LayerInitializer(Critical()), Sigmoid()) == pytest.approx((103.0, 0), abs=0.1)


def test_a_network_says_once_for_each_activation_what_is_wrong() -> None:
    network = Network((2, 3, 4, 5, 6), (Sigmoid(), Softplus(), Softplus(), Tanh()))
    found = network.complaints(at_variance(1.0))
    assert list(found) == [Sigmoid(), Softplus()]
    assert found[Sigmoid()] == at_variance(1.0).complaint(Sigmoid(), 2, 3)
    assert network.complaints(LayerInitializer(Glorot())) == {}


def at(q_star: object) -> dict[str, object]:
    return {"name": "critical", "q_star": q_star}


@pytest.mark.parametrize(
    ("weights", "biases", "place", "message"),
    [
        (at(0.5), "zeros", "biases", "critical weights with a q_star need critical biases with the same: "),
        (at(0.1), at(0.5), "weights", "critical biases need critical weights with the same q_star: "),
        ("critical", at(0.5), "weights", "critical biases need critical weights with the same q_star: "),
        ("he", at(0.5), "weights", "critical biases need critical weights with the same q_star: "),
        (
            "critical",
            "critical",
            "biases",
            "critical biases need a q_star, and critical weights with the same, as in weights and biases ",
        ),
    ],
)
def test_critical_weights_and_biases_go_together(
    weights: object, biases: object, place: str, message: str
) -> None:
    """With what to write."""
    found, errors = read(LayerInitializer, {"weights": weights, "biases": biases})
    assert found is None
    number = 0.5 if "0.5" in f"{weights}{biases}" else 1
    assert errors == [((place,), f"{message}{{name: critical, q_star: {number}}}")]


def test_biases_without_a_mean_of_0_are_refused() -> None:
    tree = {"weights": "critical", "biases": {"name": "constant", "value": 0.1}}
    text = "critical weights follow from the variance of biases with mean 0, not of constant"
    assert read(LayerInitializer, tree) == (
        None,
        [(("biases",), f"{text}; allowed: zeros, normal, and others with mean 0")],
    )


@pytest.mark.parametrize(
    "biases", [Zeros(), Constant(0.0), Normal(std=0.1), Uniform(-0.1, 0.1), He()], ids=repr
)
def test_weights_alone_go_with_any_biases_of_mean_0(biases: Initializer) -> None:
    assert LayerInitializer(Critical(), biases).complaint(Tanh(), 30, 50) is None

"""The initializers of weights and biases, and what cannot be one of biases."""

from typing import Any

import pytest

from dnnexp.config.schema import read
from dnnexp.core.activations import Sigmoid, Tanh
from dnnexp.core.initializers import (
    Constant,
    Glorot,
    LayerInitializer,
    Normal,
    Orthogonal,
    Sparse,
    Zeros,
)
from dnnexp.registry import parts

ANY_SHAPE = "zeros, constant, normal, uniform, truncated_normal, glorot, he, lecun"


def test_a_layer_has_zero_biases_unless_it_is_told_otherwise() -> None:
    assert LayerInitializer(Normal(std=1.0)) == LayerInitializer(weights=Normal(std=1.0), biases=Zeros())
    assert LayerInitializer.shorthand == "weights"


def test_variances_are_those_of_weights_and_biases() -> None:
    """σ_w² = fan_in · Var w, σ_b² = Var b; None where theory knows one of them not."""
    layer = LayerInitializer(Glorot(), Normal(std=0.5))
    assert layer.variances(Tanh(), 30, 50) == pytest.approx((30 * 2 / 80, 0.25), rel=1e-15)
    assert LayerInitializer(Orthogonal(2.0)).variances(Tanh(), 30, 60) == pytest.approx((2.0, 0), rel=1e-15)
    assert LayerInitializer(Normal(std=0.5), Constant(0.1)).variances(Tanh(), 30, 50) is None
    assert LayerInitializer(Sparse(), Zeros()).variances(Tanh(), 30, 50) is None


def test_parts_that_ask_for_no_activation_are_resolved_and_suit_any() -> None:
    layer = LayerInitializer(Glorot(), Constant(0.1))
    assert layer.resolved(Sigmoid(), 3, 4) is layer
    assert layer.complaint(Sigmoid(), 3, 4) is None


@pytest.mark.parametrize("name", [name for name, cls in parts("initializer").items() if cls.only_matrices])
def test_a_matrix_makes_no_biases(name: str) -> None:
    matrix: Any = parts("initializer")[name]()
    assert LayerInitializer(weights=matrix).weights == matrix
    with pytest.raises(ValueError, match=f"^biases: {name} makes weights only, no biases; allowed: zeros, "):
        LayerInitializer(weights=matrix, biases=matrix)


def test_a_config_that_asks_for_it_is_told_what_is_allowed() -> None:
    found, errors = read(LayerInitializer, {"weights": "orthogonal", "biases": {"name": "sparse"}})
    assert found is None
    assert errors == [(("biases",), f"sparse makes weights only, no biases; allowed: {ANY_SHAPE}")]
    found, errors = read(LayerInitializer, {"weights": "orthogonal"})
    assert (found, errors) == (LayerInitializer(Orthogonal()), [])

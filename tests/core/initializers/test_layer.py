"""The initializers of weights and biases, and what cannot be one of biases."""

from typing import Any

import pytest

from dnnexp.config.schema import read
from dnnexp.core.initializers import LayerInitializer, Normal, Orthogonal, Zeros
from dnnexp.registry import parts

ANY_SHAPE = "zeros, constant, normal, uniform, truncated_normal, glorot, he, lecun"


def test_a_layer_has_zero_biases_unless_it_is_told_otherwise() -> None:
    assert LayerInitializer(Normal(std=1.0)) == LayerInitializer(weights=Normal(std=1.0), biases=Zeros())
    assert LayerInitializer.shorthand == "weights"


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

"""What every initializer does, whatever its distribution."""

import math
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import ReLU
from dnnexp.core.initializers import (
    Constant,
    Initializer,
    LayerInitializer,
    Normal,
    TruncatedNormal,
    Uniform,
)
from dnnexp.registry import parts

REQUIRED: dict[str, Initializer] = {
    "constant": Constant(0.3),
    "normal": Normal(std=0.3),
    "uniform": Uniform(-0.5, 0.1),
    "truncated_normal": TruncatedNormal(0.3),
}
"""Those that have no defaults."""
ALL = parts("initializer")
DIRECT = {name: cls for name, cls in ALL.items() if not cls.needs_activation}
CLASSES = pytest.mark.parametrize("cls", ALL.values(), ids=ALL)
DIRECTLY = pytest.mark.parametrize("cls", DIRECT.values(), ids=DIRECT)


def example(cls: type[Any]) -> Initializer:
    part: Initializer = REQUIRED[cls.name] if cls.name in REQUIRED else cls()
    return part


def draw(part: Initializer, shape: tuple[int, ...], seed: int = 0) -> Any:
    return part.draw(np.random.default_rng(seed), 30, 50, shape)


def draw_layer(cls: type[Any], n_in: int, n_out: int, seed: int = 0) -> Any:
    """Weights and zero biases of a layer of rectifiers, for data that are standard normal."""
    streams = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    a = np.random.default_rng(2).standard_normal((20, n_in))
    return LayerInitializer(example(cls)).draw(*streams, ReLU(), n_in, n_out, a)


@DIRECTLY
@pytest.mark.parametrize("shape", [(7,), (5, 7), (7, 5), (1, 1), (1, 40), (40, 1), ()], ids=str)
def test_an_initializer_has_its_shape_and_follows_its_stream(cls: type[Any], shape: tuple[int, ...]) -> None:
    part = example(cls)
    if part.only_matrices and len(shape) != 2:
        pytest.skip(f"{cls.name} makes matrices only")
    drawn = np.asarray(draw(part, shape))
    assert drawn.shape == shape
    assert drawn.dtype == np.float64
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, draw(part, shape))


@CLASSES
@pytest.mark.parametrize(("n_in", "n_out"), [(7, 5), (5, 7), (1, 1), (40, 1), (1, 40)])
def test_a_layer_has_its_shapes_and_follows_its_streams(cls: type[Any], n_in: int, n_out: int) -> None:
    weights, biases = draw_layer(cls, n_in, n_out)
    assert weights.shape == (n_out, n_in)
    assert weights.dtype == np.float64
    assert np.isfinite(weights).all()
    np.testing.assert_array_equal(biases, np.zeros(n_out))
    np.testing.assert_array_equal(weights, draw_layer(cls, n_in, n_out)[0])
    if not (cls.needs_activation or cls.needs_data):
        alone = example(cls).draw(np.random.default_rng(0), n_in, n_out, (n_out, n_in))
        np.testing.assert_array_equal(weights, alone)


@CLASSES
def test_another_stream_gives_other_numbers_unless_there_is_nothing_to_draw(cls: type[Any]) -> None:
    drawn = draw_layer(cls, 7, 5)[0]
    is_random = len(np.unique(drawn)) > 2  # else one number, and zeros
    assert is_random != np.array_equal(drawn, draw_layer(cls, 7, 5, seed=1)[0])


@CLASSES
def test_what_theory_is_told_of_the_weights_is_what_is_drawn(cls: type[Any]) -> None:
    """The mean square of N entries: 5 standard errors √((κ − 1)/N) with κ ≤ 3."""
    n_in, n_out = 300, 400
    variances = LayerInitializer(example(cls)).variances(ReLU(), n_in, n_out)
    if variances is None:
        assert example(cls).entry_variance(n_in, n_out) is None
        return
    allowed = 5 * math.sqrt(2 / (n_in * n_out))
    drawn = n_in * (draw_layer(cls, n_in, n_out)[0] ** 2).mean()
    assert drawn == pytest.approx(variances[0], rel=allowed)
    assert variances[1] == 0


@CLASSES
def test_what_needs_an_activation_or_data_says_so(cls: type[Any]) -> None:
    if cls.needs_activation:
        with pytest.raises(ValueError, match=f"^{cls.name} needs the layer's activation"):
            draw(example(cls), (5, 7))
    if cls.needs_data:
        streams = np.random.default_rng(0), np.random.default_rng(1)
        with pytest.raises(ValueError, match=f"^{cls.name} needs data: the layer's input"):
            LayerInitializer(example(cls)).draw(*streams, ReLU(), 7, 5)


@CLASSES
@pytest.mark.parametrize("shape", [(), (7,), (2, 5, 7)], ids=str)
def test_what_makes_matrices_only_says_so(cls: type[Any], shape: tuple[int, ...]) -> None:
    if not cls.only_matrices:
        pytest.skip(f"{cls.name} takes any shape")
    with pytest.raises(ValueError, match=rf"^{cls.name} makes matrices \(n_out, n_in\), not values of shape"):
        draw(example(cls), shape)

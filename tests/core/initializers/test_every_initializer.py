"""What every initializer does, whatever its distribution."""

from typing import Any

import numpy as np
import pytest

from dnnexp.core.initializers import Constant, Initializer, Normal, TruncatedNormal, Uniform
from dnnexp.registry import parts

REQUIRED: dict[str, Initializer] = {
    "constant": Constant(0.3),
    "normal": Normal(std=0.3),
    "uniform": Uniform(-0.5, 0.1),
    "truncated_normal": TruncatedNormal(0.3),
}
"""Those that have no defaults."""
CLASSES = pytest.mark.parametrize("cls", parts("initializer").values(), ids=parts("initializer"))


def example(cls: type[Any]) -> Initializer:
    part: Initializer = REQUIRED[cls.name] if cls.name in REQUIRED else cls()
    return part


def draw(part: Initializer, shape: tuple[int, ...], seed: int = 0) -> Any:
    return part.draw(np.random.default_rng(seed), 30, 50, shape)


@CLASSES
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
def test_another_stream_gives_other_numbers_unless_there_is_nothing_to_draw(cls: type[Any]) -> None:
    drawn = np.asarray(draw(example(cls), (5, 7)))
    is_random = len(np.unique(drawn)) > 2  # else one number, and zeros
    assert is_random != np.array_equal(drawn, draw(example(cls), (5, 7), seed=1))


@CLASSES
@pytest.mark.parametrize("shape", [(), (7,), (2, 5, 7)], ids=str)
def test_what_makes_matrices_only_says_so(cls: type[Any], shape: tuple[int, ...]) -> None:
    if not cls.only_matrices:
        pytest.skip(f"{cls.name} takes any shape")
    with pytest.raises(ValueError, match=rf"^{cls.name} makes matrices \(n_out, n_in\), not values of shape"):
        draw(example(cls), shape)

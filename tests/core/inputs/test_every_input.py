"""What every input does, whatever its rows are."""

from typing import Any

import numpy as np
import pytest

from dnnexp.core.data.synthetic import Moons
from dnnexp.core.inputs import DataInput, Input, PairsInput
from dnnexp.registry import parts

REQUIRED: dict[str, Input] = {"data": DataInput(Moons(samples=30))}
"""Those that have no defaults."""
CLASSES = pytest.mark.parametrize("cls", parts("input").values(), ids=parts("input"))


def example(cls: type[Any]) -> Input:
    part: Input = REQUIRED[cls.name] if cls.name in REQUIRED else cls()
    return part


def fitting(given: Input) -> int:
    fits: int = next(width for width in (7, *range(1, 100)) if given.refusal(width) is None)
    return fits


@CLASSES
def test_an_input_has_its_shape_and_follows_its_stream(cls: type[Input]) -> None:
    given = example(cls)
    width = fitting(given)
    drawn = given.draw(np.random.default_rng(1), width)
    assert drawn.shape == (given.rows, width)
    assert drawn.dtype == np.float64
    assert drawn.flags.c_contiguous
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, given.draw(np.random.default_rng(1), width))
    assert (drawn != given.draw(np.random.default_rng(2), width)).all()


@CLASSES
@pytest.mark.parametrize("samples", [1, 2, 7, 20, 29, 30, 999, 1000, 10**9])
def test_a_limited_input_is_the_same_with_at_most_that_many_rows(cls: type[Input], samples: int) -> None:
    given = example(cls)
    limited = given.limited(samples)
    assert type(limited) is cls
    least = 2 if cls is PairsInput else 1
    assert least <= limited.rows <= max(least, samples)
    assert limited.rows > samples - least or limited.rows == given.rows
    width = fitting(given)
    assert limited.draw(np.random.default_rng(0), width).shape == (limited.rows, width)
    if samples >= given.rows:
        assert limited == given


@CLASSES
def test_a_width_that_is_refused_is_not_drawn(cls: type[Input]) -> None:
    given = example(cls)
    if given.refusal(1) is None:
        pytest.skip(f"{cls.name} has any width")
    with pytest.raises(ValueError, match=r"network\.layers must begin with .*2, not 1$"):
        given.draw(np.random.default_rng(0), 1)

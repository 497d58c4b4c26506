"""Pairs at an angle: lengths and cosines to rounding, directions evenly over the sphere."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import special

from dnnexp.config.schema import read
from dnnexp.core.arrays import Floats
from dnnexp.core.inputs import PairsInput


class Given:
    """In the place of a Generator: the normal numbers are those given."""

    def __init__(self, *numbers: Floats) -> None:
        self.numbers = np.stack(numbers)

    def standard_normal(self, shape: tuple[int, ...]) -> Floats:
        return self.numbers.reshape(shape)


def drawn(part: PairsInput, generator: Any, width: int) -> tuple[Floats, Floats]:
    """The first and the second rows."""
    rows = part.draw(generator, width)
    return rows[::2], rows[1::2]


def assert_at_angle(first: Floats, second: Floats, angle: float) -> None:
    """Sums of at most 60 terms of relative rounding ε = 2.2e-16, a few of them: below 1e-13."""
    width = first.shape[1]
    for rows in (first, second):
        np.testing.assert_allclose((rows * rows).sum(axis=1), width, rtol=1e-13)
    np.testing.assert_allclose((first * second).sum(axis=1) / width, special.cosdg(angle), atol=1e-13)
    chord = np.linalg.norm(second - first, axis=1) / np.sqrt(width)  # tells small angles apart, too
    np.testing.assert_allclose(chord, 2 * special.sindg(angle / 2), atol=1e-13)


@given(st.floats(0, 180), st.integers(1, 60), st.integers(0, 2**32))
@example(0, 1, 0)
@example(180, 1, 0)
@example(0, 3, 0)
@example(90, 2, 0)
@example(180, 3, 0)
@example(1e-6, 2, 0)
def test_lengths_and_angles_are_exact(angle: float, width: int, seed: int) -> None:
    part = PairsInput(angle, samples=20)
    assume(part.refusal(width) is None)
    assert_at_angle(*drawn(part, np.random.default_rng(seed), width), angle)


@pytest.mark.parametrize("angle", [1e-3, 60.0, 90.0, 179.0])
@pytest.mark.parametrize("apart", [1e-6, 1e-10, 1e-13])
def test_draws_that_are_almost_parallel_are_turned_exactly(angle: float, apart: float) -> None:
    """One step of Gram and Schmidt left cosines wrong by ε / apart."""
    one, other = np.random.default_rng(0).standard_normal((2, 50, 4))
    generator = Given(one, 3 * one + apart * other)
    assert_at_angle(*drawn(PairsInput(angle, 100), generator, 4), angle)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 180.0])
def test_directions_are_spread_evenly_over_the_sphere(angle: float) -> None:
    """5 standard errors, of variances 1 (of x_i), (2d − 2)/(d + 2) (of x_i²) and d/(d + 2) (of x_i x_j)."""
    pairs, width = 20_000, 4
    off = ~np.eye(width, dtype=bool)
    for rows in drawn(PairsInput(angle, 2 * pairs), np.random.default_rng(0), width):
        second_moments = rows.T @ rows / pairs
        assert np.abs(rows.mean(axis=0)).max() < 5 / np.sqrt(pairs)
        square, product = (2 * width - 2) / (width + 2), width / (width + 2)
        assert np.abs(np.diag(second_moments) - 1).max() < 5 * np.sqrt(square / pairs)
        assert np.abs(second_moments[off]).max() < 5 * np.sqrt(product / pairs)


def test_a_pair_turns_with_the_angle_in_its_plane() -> None:
    """At 60° there are half of the rows at 0° and √¾ of those at 90°."""
    (first, same), (also, right), (_, between) = (
        drawn(PairsInput(angle, 20), np.random.default_rng(0), 5) for angle in (0, 90, 60)
    )
    np.testing.assert_array_equal(first, same)
    np.testing.assert_array_equal(first, also)
    np.testing.assert_allclose(between, first / 2 + np.sqrt(0.75) * right, atol=1e-14)


@pytest.mark.parametrize("samples", [1, 7, 999])
def test_a_row_without_its_pair_is_refused(samples: int) -> None:
    text = f"must be even and at least 2 (rows come in pairs), not {samples}"
    assert read(PairsInput, {"samples": samples}) == (None, [(("samples",), text)])


@pytest.mark.parametrize("angle", [-1, 180.5])
def test_an_angle_is_from_0_to_180(angle: float) -> None:
    _, errors = read(PairsInput, {"angle": angle})
    ((path, text),) = errors
    assert path == ("angle",)
    assert text.startswith("must be at ")


def test_on_a_line_there_are_two_angles() -> None:
    assert [PairsInput(angle).refusal(1) for angle in (0, 180)] == [None, None]
    assert PairsInput(45).refusal(2) is None
    assert PairsInput(45).refusal(1) == (
        "pairs at an angle of 45 degrees need two features, "
        "so network.layers must begin with at least 2, not 1"
    )

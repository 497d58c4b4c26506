"""Initializers of a matrix as a whole."""

import math

import numpy as np
import pytest
from scipy import stats

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import IdentityMatrix, Initializer, Orthogonal, Sparse

SHAPES = pytest.mark.parametrize(
    "shape", [(1, 1), (6, 6), (3, 8), (8, 3), (1, 5), (5, 1), (200, 100)], ids=str
)


def draw(part: Initializer, shape: tuple[int, int], seed: int = 0) -> Floats:
    return part.draw(np.random.default_rng(seed), shape[1], shape[0], shape)


# --- Orthogonal --------------------------------------------------------------------------------------------


@SHAPES
@pytest.mark.parametrize("gain", [1.0, 0.3, math.sqrt(2)])
def test_the_shorter_side_is_orthonormal(shape: tuple[int, int], gain: float) -> None:
    """To the rounding of a sum over the longer one."""
    drawn = draw(Orthogonal(gain), shape)
    product = drawn @ drawn.T if shape[0] <= shape[1] else drawn.T @ drawn
    np.testing.assert_allclose(product, gain**2 * np.eye(min(shape)), rtol=0, atol=1e-14 * gain**2)


def test_a_square_or_tall_orthogonal_matrix_keeps_lengths() -> None:
    x = np.random.default_rng(1).standard_normal((100, 50))
    for rows in (50, 80):
        y = x @ draw(Orthogonal(1.5), (rows, 50)).T
        np.testing.assert_allclose(np.linalg.norm(y, axis=1), 1.5 * np.linalg.norm(x, axis=1), rtol=1e-13)


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)], ids=str)
def test_orthogonal_matrices_are_evenly_distributed(shape: tuple[int, int]) -> None:
    """An entry q of a random unit vector in n dimensions: (1 + q)/2 is Beta((n − 1)/2, (n − 1)/2).

    Without the signs q₁₁ would never be positive. Kolmogorov's distance as in the other tests.
    """
    generator, count = np.random.default_rng(2), 20_000
    drawn = np.array([Orthogonal().draw(generator, *shape[::-1], shape) for _ in range(count)])
    half = (max(shape) - 1) / 2
    for place in np.ndindex(shape):
        distance = stats.kstest((1 + drawn[:, *place]) / 2, stats.beta(half, half).cdf).statistic
        assert distance * math.sqrt(count) < 2.2


@SHAPES
def test_the_variance_of_an_orthogonal_entry(shape: tuple[int, int]) -> None:
    """The squares of all entries sum up to gain² · min(n_out, n_in), whatever is drawn."""
    part = Orthogonal(1.5)
    mean_square = (draw(part, shape) ** 2).mean()
    assert part.entry_variance(shape[1], shape[0]) == pytest.approx(mean_square, rel=1e-13)


def test_other_matrices_have_no_variance_that_theory_knows() -> None:
    for part in (IdentityMatrix(), Sparse()):
        assert part.entry_variance(30, 50) is None


def test_the_determinant_of_an_orthogonal_matrix_has_either_sign() -> None:
    """Half of them are rotations: 5 standard errors."""
    generator, count = np.random.default_rng(3), 4000
    drawn = np.array([Orthogonal().draw(generator, 3, 3, (3, 3)) for _ in range(count)])
    assert abs((np.linalg.det(drawn) > 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(count)


# --- Identity ----------------------------------------------------------------------------------------------


@SHAPES
def test_the_identity_hands_on_what_fits(shape: tuple[int, int]) -> None:
    n_out, n_in = shape
    x = np.random.default_rng(1).standard_normal(n_in)
    y = draw(IdentityMatrix(0.5), shape) @ x
    kept = min(shape)
    np.testing.assert_array_equal(y, np.append(0.5 * x[:kept], np.zeros(n_out - kept)))


# --- Sparse ------------------------------------------------------------------------------------------------


@SHAPES
@pytest.mark.parametrize("connections", [1, 3, 15, 1000])
def test_every_unit_has_that_many_inputs(shape: tuple[int, int], connections: int) -> None:
    drawn = draw(Sparse(connections), shape)
    assert ((drawn != 0).sum(axis=1) == min(connections, shape[1])).all()


def test_sparse_weights_are_normal_and_at_inputs_drawn_by_lot() -> None:
    """5 standard errors for the moments; inputs by a chi-squared test, below 1e-5 by chance."""
    rows, columns, connections = 20_000, 40, 15
    drawn = draw(Sparse(connections, std=0.2), (rows, columns))
    weights, count = drawn[drawn != 0], rows * connections
    assert abs(weights.mean()) < 5 * 0.2 / math.sqrt(count)
    assert abs(weights.std() - 0.2) < 5 * 0.2 / math.sqrt(2 * count)
    assert stats.kstest(weights, stats.norm(0, 0.2).cdf).statistic * math.sqrt(count) < 2.2
    taken = (drawn != 0).sum(axis=0)
    # drawn without replacement: counts scatter by (1 − k/n) less than independent ones
    spread = rows * connections / columns * (1 - connections / columns)
    statistic = ((taken - count / columns) ** 2).sum() / spread * (columns - 1) / columns
    assert stats.chi2(columns - 1).sf(statistic) > 1e-5


def test_the_inputs_of_two_units_are_drawn_independently() -> None:
    """The number they share is hypergeometric: k²/n in the mean."""
    drawn = draw(Sparse(10), (20_000, 40)) != 0
    shared = (drawn[::2] & drawn[1::2]).sum(axis=1)
    expected = stats.hypergeom(40, 10, 10)
    assert abs(shared.mean() - expected.mean()) < 5 * expected.std() / math.sqrt(10_000)
    assert shared.std() == pytest.approx(expected.std(), rel=0.05)

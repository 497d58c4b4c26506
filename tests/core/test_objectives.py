import math
from itertools import pairwise, product
from typing import Any

import array_api_strict
import numpy as np
import pytest

from dnnexp.core.arrays import Floats
from dnnexp.core.objectives import Beale, Himmelblau, Quadratic, Rosenbrock, TestFunction, Valley

EPSILON = float(np.finfo(np.float64).eps)
TRAILING_SHAPES = [(), (4,), (3, 4), (1, 1), (2, 3, 4)]


def points(objective: TestFunction, shape: tuple[int, ...], seed: int = 0) -> Floats:
    """Uniform in the domain, `(d, *shape)`."""
    low, high = (corner.reshape((-1,) + (1,) * len(shape)) for corner in objective.domain())
    return np.random.default_rng(seed).uniform(low, high, (objective.dimension, *shape))


def largest_slope(objective: TestFunction) -> float:
    return float(np.abs(objective.gradient(points(objective, (1000,)))).max())


def test_the_minimum_is_attained_at_the_minimizers(objective: TestFunction) -> None:
    """To second order in the minimizers' own rounding, (ε x)² times a curvature, and ε of a minimum not 0."""
    minimizers = objective.minimizers()
    assert minimizers.shape[0] == objective.dimension
    assert minimizers.shape[1] >= 1
    np.testing.assert_allclose(objective.value(minimizers), objective.minimum, rtol=4 * EPSILON, atol=1e-25)


def test_the_gradient_vanishes_at_the_minimizers(objective: TestFunction) -> None:
    """To rounding of terms that are as large as slopes in the domain are."""
    atol = 8 * EPSILON * largest_slope(objective)
    np.testing.assert_allclose(objective.gradient(objective.minimizers()), 0, atol=atol)


def test_minimizers_are_distinct_and_in_the_domain(objective: TestFunction) -> None:
    low, high = objective.domain()
    minimizers = objective.minimizers()
    assert low.shape == high.shape == (objective.dimension,)
    assert ((low[:, None] <= minimizers) & (minimizers <= high[:, None])).all()
    assert len(np.unique(minimizers.round(3), axis=1).T) == minimizers.shape[1]


def test_no_value_in_the_domain_is_below_the_minimum(objective: TestFunction) -> None:
    value = objective.value(points(objective, (20_000,)))
    assert (value > objective.minimum).all()
    near = objective.minimizers()[:, :, None] + 1e-3 * np.random.default_rng(1).standard_normal(
        (objective.dimension, 1, 1000)
    )
    assert (objective.value(near) > objective.minimum).all()


def test_the_gradient_is_the_complex_step(objective: TestFunction) -> None:
    """To rounding of the largest slope's terms, and of a wave's argument, ε |x|."""
    for shape in TRAILING_SHAPES:
        x = points(objective, shape)
        size = 8 * max(1.0, float(np.abs(x).max()))
        gradient = objective.gradient(x)
        assert gradient.shape == x.shape
        assert np.shape(objective.value(x)) == shape
        for j in range(objective.dimension):
            shift = np.zeros(x.shape, complex)
            shift[j] = 1e-20j
            quotient = objective.value(x + shift).imag / 1e-20
            atol = size * EPSILON * largest_slope(objective)
            np.testing.assert_allclose(gradient[j], quotient, rtol=1e-12, atol=atol)


def test_the_gradient_is_the_difference_quotient(objective: TestFunction) -> None:
    """Round-off ε max|f| / h and truncation h² |f‴| / 6 with h = 1e-5: relative to the slopes, below 1e-7.

    (Less for waves of period 1 or 2, whose third derivative is (2π)² times as large as the first.)
    """
    for shape in TRAILING_SHAPES:
        x, h = points(objective, shape), 1e-5
        gradient = objective.gradient(x)
        for j in range(objective.dimension):
            shift = np.zeros(x.shape)
            shift[j] = h
            quotient = (objective.value(x + shift) - objective.value(x - shift)) / (2 * h)
            np.testing.assert_allclose(gradient[j], quotient, rtol=0, atol=1e-7 * largest_slope(objective))


def test_points_are_independent_of_each_other(objective: TestFunction) -> None:
    """Every point gets the bits that it has by itself, wherever it stands, and is not changed.

    Guards: in ten dimensions the value of a single run differed in the last bit from the same run's beside
    others.
    """
    for shape in TRAILING_SHAPES:
        x = points(objective, shape)
        before = x.copy()
        value, gradient = np.asarray(objective.value(x)), objective.gradient(x)
        for place in product(*map(range, shape)):
            here: Any = (slice(None), *place)
            np.testing.assert_array_equal(objective.value(x[here].copy()), value[place])
            np.testing.assert_array_equal(objective.gradient(x[here].copy()), gradient[here])
        np.testing.assert_array_equal(x, before)


def test_arrays_of_the_standard_give_the_numbers_of_numpy(objective: TestFunction) -> None:
    for shape in TRAILING_SHAPES:
        x = points(objective, shape)
        strict = array_api_strict.asarray(x)
        np.testing.assert_array_equal(np.asarray(objective.value(strict)), objective.value(x))
        np.testing.assert_array_equal(np.asarray(objective.gradient(strict)), objective.gradient(x))


def test_the_valley_by_hand() -> None:
    x = np.array([-80.0, 60.0])
    assert Valley().value(x) == 80 * 80 / 20 + 3600 == 3920
    np.testing.assert_array_equal(Valley().gradient(x), [-8, 120])


@pytest.mark.parametrize(
    ("dimension", "condition_number", "eigenvalues"),
    [
        (1, 7.0, [1]),
        (2, 10.0, [1, 10]),
        (3, 100.0, [1, 10, 100]),
        (4, 8.0, [1, 2, 4, 8]),
        (3, 1.0, [1, 1, 1]),
    ],
)
def test_the_quadratic_has_its_eigenvalues(
    dimension: int, condition_number: float, eigenvalues: list[float]
) -> None:
    quadratic = Quadratic(dimension, condition_number)
    np.testing.assert_allclose(quadratic.eigenvalues(), eigenvalues, rtol=4 * EPSILON)
    np.testing.assert_allclose(
        quadratic.gradient(np.eye(dimension)), np.diag(eigenvalues), rtol=4 * EPSILON, atol=0
    )
    assert quadratic.value(np.full(dimension, 3.0)) == pytest.approx(4.5 * sum(eigenvalues), rel=1e-15)


@pytest.mark.parametrize("dimension", [2, 3, 10])
def test_rosenbrock_against_a_loop(dimension: int) -> None:
    x = points(Rosenbrock(dimension), ())
    terms = [100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)]
    assert Rosenbrock(dimension).value(x) == pytest.approx(math.fsum(terms), rel=1e-14)
    assert Rosenbrock(2).value(np.array([-1.2, 1.0])) == pytest.approx(24.2)  # the customary start


def test_himmelblau_has_four_minimizers() -> None:
    """Each solves x² + y = 11 and x + y² = 7; the four are all that two parabolas can have."""
    x, y = Himmelblau().minimizers()
    np.testing.assert_allclose([x * x + y, x + y * y], [[11] * 4, [7] * 4], rtol=1e-15)
    assert Himmelblau().value(np.array([0.0, 0.0])) == 170  # 11² + 7²


def test_beale_by_hand() -> None:
    assert Beale().value(np.array([0.0, 3.0])) == 1.5**2 + 2.25**2 + 2.625**2
    assert Beale().value(np.array([1.0, 2.0])) == 2.5**2 + 5.25**2 + 9.625**2

"""Data that are drawn: their moments, and their shapes without noise."""

import numpy as np
import pytest

from dnnexp.core.arrays import Integers
from dnnexp.core.data import Data, Table
from dnnexp.core.data.synthetic import Moons, Spirals, Teacher


def drawn(data: Data, seed: int = 0) -> Table:
    return data.table(np.random.default_rng(seed))


def labels(table: Table) -> Integers:
    return np.asarray(table.targets.argmax(axis=1))


@pytest.mark.parametrize("hidden", [None, 50])
def test_the_inputs_of_a_teacher_are_standard_normal(hidden: int | None) -> None:
    """Standard errors of mean and covariance are 1/√n = 0.01; five of them."""
    x = drawn(Teacher(10_000, 4, hidden=hidden)).features
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(x.T), np.eye(4), atol=0.08)


def test_a_teacher_without_noise_is_linear() -> None:
    table = drawn(Teacher(50, 5, targets=3, noise=0))
    weights, *_ = np.linalg.lstsq(table.features, table.targets)
    np.testing.assert_allclose(table.features @ weights, table.targets, atol=1e-13)
    assert weights.shape == (5, 3)


def test_the_noise_of_a_teacher_has_its_standard_deviation() -> None:
    """Of n = 10⁴ residuals: standard error std/√(2n) = 0.7 %; five of them."""
    quiet, noisy = (drawn(Teacher(10_000, 5, noise=noise)) for noise in (0.0, 0.5))
    np.testing.assert_array_equal(quiet.features, noisy.features)
    assert np.std(noisy.targets - quiet.targets) == pytest.approx(0.5, rel=0.035)


def test_the_variance_of_targets_is_about_1_and_of_a_hidden_layer_that_of_tanh() -> None:
    """E tanh² of a standard normal is 0.394 (by quadrature); 400 teachers of 400 units: about 5 % each."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    squared = np.sum(weights * np.tanh(nodes) ** 2) / np.sqrt(2 * np.pi)
    for hidden, expected in ((None, 1.0), (400, squared)):
        table = drawn(Teacher(200, 400, targets=400, hidden=hidden, noise=0))
        assert np.mean(table.targets**2) == pytest.approx(expected, rel=0.05)


def test_a_teacher_with_a_hidden_layer_is_not_linear() -> None:
    table = drawn(Teacher(500, 5, hidden=20, noise=0))
    residual = np.linalg.lstsq(table.features, table.targets)[1]
    assert residual > 1e-3 * np.sum(table.targets**2)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_spirals_without_noise_lie_on_their_arms(classes: int) -> None:
    """r from 0 to 1, and an angle of 2π (turns r + class/classes)."""
    table = drawn(Spirals(600, classes, turns=1.25, noise=0))
    x, y = table.features.T
    radius = np.hypot(x, y)
    assert 0 <= radius.min() < 0.2
    assert 0.95 < radius.max() <= 1
    turn = (np.arctan2(y, x) / (2 * np.pi) - 1.25 * radius - labels(table) / classes) % 1
    np.testing.assert_allclose(np.minimum(turn, 1 - turn), 0, atol=1e-12)
    np.testing.assert_array_equal(table.targets.sum(axis=0), 600 / classes)


def test_moons_without_noise_are_half_circles() -> None:
    table = drawn(Moons(501, noise=0))
    upper, lower = (table.features[labels(table) == k] for k in (0, 1))
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-14)
    assert (upper[:, 1] >= 0).all()
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-14)
    assert (lower[:, 1] <= 0.5).all()
    assert (len(upper), len(lower)) == (251, 250)


def test_too_large_a_teacher_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^would draw arrays of 1e\+12 numbers, at most 1e\+08 "):
        Teacher(10**7, 10**5)

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.losses import Linear, Loss, SoftmaxCrossEntropy, SquaredError, softmax

EPSILON = float(np.finfo(np.float64).eps)
Row = list[Decimal]


def squared_error(y: Row, t: Row) -> Decimal:
    return sum(((a - b) ** 2 for a, b in zip(y, t, strict=True)), Decimal(0)) / 2


def softmax_cross_entropy(y: Row, t: Row) -> Decimal:
    log_sum = sum((a.exp() for a in y), Decimal(0)).ln()
    return sum((b * (log_sum - a) for a, b in zip(y, t, strict=True)), Decimal(0))


def linear(y: Row, t: Row) -> Decimal:
    return sum((a * b for a, b in zip(y, t, strict=True)), Decimal(0))


ORACLES: dict[str, Callable[[Row, Row], Decimal]] = {
    "squared_error": squared_error,
    "softmax_cross_entropy": softmax_cross_entropy,
    "linear": linear,
}
"""The losses of one row by their definition, for arithmetic of 60 digits."""


def exact(loss: Loss, y: Floats, t: Floats) -> Decimal:
    """The loss of a batch `(batch, n)`, to 60 digits; to be called in `localcontext(prec=60)`."""
    if loss.name not in ORACLES:
        pytest.skip(f"no definition of {loss.name} in decimal arithmetic")
    rows = [
        (list(map(Decimal, a)), list(map(Decimal, b))) for a, b in zip(y.tolist(), t.tolist(), strict=True)
    ]
    return sum((ORACLES[loss.name](a, b) for a, b in rows), Decimal(0))


def outputs_and_targets(
    loss: Loss, scale: float = 1.0, shape: tuple[int, ...] = (4, 3)
) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(0)
    return scale * generator.standard_normal(shape), loss.example_targets(generator, *shape[-2:])


@pytest.mark.parametrize("scale", [1e-8, 1.0, 100.0, 1e4])
def test_the_value_is_the_definition(loss: Loss, scale: float) -> None:
    """To a few roundings of its terms, for logits of any size and without a warning."""
    y, t = outputs_and_targets(loss, scale)
    with localcontext(prec=60), np.errstate(over="raise", divide="raise", invalid="raise"):
        assert float(loss.value(y, t)) == pytest.approx(float(exact(loss, y, t)), rel=16 * EPSILON)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 100.0, 1e4])
def test_the_gradient_is_the_complex_step(loss: Loss, scale: float) -> None:
    y, t = outputs_and_targets(loss, scale)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        gradient = loss.gradient(y, t)
        assert gradient.shape == y.shape
        for place in np.ndindex(y.shape):
            shift = np.zeros(y.shape, complex)
            shift[place] = 1e-20j
            quotient = loss.value(y + shift, t).imag / 1e-20
            assert gradient[place] == pytest.approx(quotient, rel=1e-13, abs=8 * EPSILON)


def test_the_gradient_is_the_slope_of_the_definition(loss: Loss) -> None:
    """Central differences in 60 digits with h = 1e-20: truncation 1e-40, round-off 1e-40."""
    y, t = outputs_and_targets(loss, 2.0)
    gradient, h = loss.gradient(y, t), Decimal("1e-20")
    with localcontext(prec=60):
        for sample, unit in np.ndindex(y.shape):
            exact(loss, y, t)  # skips a loss that has no definition here
            row, target = list(map(Decimal, y[sample].tolist())), list(map(Decimal, t[sample].tolist()))
            up, down = row.copy(), row.copy()
            up[unit], down[unit] = row[unit] + h, row[unit] - h
            slope = (ORACLES[loss.name](up, target) - ORACLES[loss.name](down, target)) / (2 * h)
            assert gradient[sample, unit] == pytest.approx(float(slope), rel=1e-14, abs=4 * EPSILON)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 100.0, 1e4])
def test_the_tangent_of_the_gradient_is_its_complex_step(loss: Loss, scale: float) -> None:
    """Of one direction and of several; the base class's own, by which a loss without a formula has it."""
    y, t = outputs_and_targets(loss, scale)
    y_dot = np.random.default_rng(2).standard_normal((5, *y.shape))
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found, by_step = loss.gradient_tangent(y, t, y_dot), Loss.gradient_tangent(loss, y, t, y_dot)
    assert found.shape == by_step.shape == y_dot.shape
    np.testing.assert_allclose(found, by_step, rtol=1e-14, atol=16 * EPSILON)
    np.testing.assert_array_equal(loss.gradient_tangent(y, t, y_dot[0]), found[0])


def test_the_tangent_of_the_gradient_is_that_of_differences(loss: Loss) -> None:
    """Central ones: truncation near h², rounding near ε / h."""
    y, t = outputs_and_targets(loss, 2.0)
    y_dot, h = np.random.default_rng(2).standard_normal(y.shape), 1e-5
    quotient = (loss.gradient(y + h * y_dot, t) - loss.gradient(y - h * y_dot, t)) / (2 * h)
    np.testing.assert_allclose(loss.gradient_tangent(y, t, y_dot), quotient, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e6])
@pytest.mark.parametrize("apart", [1e-12, 1e-9, 1e-5, 1e-2, 0.5])
def test_the_difference_is_that_of_the_definition(loss: Loss, scale: float, apart: float) -> None:
    """Exact values are subtracted in 60 digits, and the loss itself is up to 1e12 with differences of 1e-6.

    Terms may cancel in the sum; what a term must bear is a few roundings of gradient times change.
    """
    minus, t = outputs_and_targets(loss, scale)
    plus = minus + apart * np.random.default_rng(1).uniform(-1, 1, minus.shape)
    with localcontext(prec=60):
        expected = float(exact(loss, plus, t) - exact(loss, minus, t))
    slopes = np.abs(loss.gradient(minus, t)) + np.abs(loss.gradient(plus, t)) + np.abs(t)
    bound = 16 * EPSILON * float((slopes * np.abs(plus - minus)).sum())
    assert abs(float(loss.difference(plus, minus, t)) - expected) <= bound


def test_the_difference_survives_where_the_subtraction_does_not(loss: Loss) -> None:
    """Outputs 1e-9 apart under a huge loss: value(y₊) − value(y₋) has no right digit."""
    y, t = np.array([[1e6, -3e6, 2e6]]), np.array([[1e3, 1.0, 0.0]])
    plus = y + np.array([[0.0, 3 * 2.0**-31, 0.0]])  # 1.4e-9, three units in the last place of 3e6
    with localcontext(prec=60):
        expected = float(exact(loss, plus, t) - exact(loss, y, t))
    assert expected != 0
    assert float(loss.difference(plus, y, t)) == pytest.approx(expected, rel=1e-12)
    assert float(loss.value(plus, t) - loss.value(y, t)) != pytest.approx(expected, rel=1e-3)


@given(seed=st.integers(0, 2**32), batch=st.integers(1, 5), width=st.integers(1, 5))
def test_a_difference_of_distinct_outputs_is_the_difference_of_values(
    loss: Loss, seed: int, batch: int, width: int
) -> None:
    """To the rounding of the two values, whose terms may cancel, and of what they differ by."""
    generator = np.random.default_rng(seed)
    plus, minus = generator.uniform(-3, 3, (2, batch, width))
    t = loss.example_targets(generator, batch, width)
    expected = loss.value(plus, t) - loss.value(minus, t)
    size = abs(loss.value(plus, t)) + abs(loss.value(minus, t)) + np.abs(plus - minus).sum() + 1
    size += (np.abs(t) * (np.abs(plus) + np.abs(minus))).sum()
    bound = 64 * EPSILON * size
    assert abs(loss.difference(plus, minus, t) - expected) <= bound


def test_equal_outputs_differ_by_nothing(loss: Loss) -> None:
    y, t = outputs_and_targets(loss, 1e3)
    assert loss.difference(y, y, t) == 0


@pytest.mark.parametrize("shape", [(1, 1), (4, 3), (5, 4, 3), (2, 5, 4, 3)], ids=str)
def test_leading_axes_are_kept(loss: Loss, shape: tuple[int, ...]) -> None:
    y, t = outputs_and_targets(loss, 1.0, shape)
    stacked, differences = loss.value(y, t), loss.difference(y, y + 1, t)
    assert np.shape(stacked) == np.shape(differences) == shape[:-2]
    assert loss.gradient(y, t).shape == shape
    for place in np.ndindex(shape[:-2]):
        assert np.asarray(stacked)[place] == pytest.approx(float(loss.value(y[place], t)), rel=1e-14)
        np.testing.assert_allclose(loss.gradient(y, t)[place], loss.gradient(y[place], t), rtol=1e-14)


def test_losses_are_summed_over_the_batch(loss: Loss) -> None:
    y, t = outputs_and_targets(loss)
    rows = [float(loss.value(y[k : k + 1], t[k : k + 1])) for k in range(len(y))]
    assert float(loss.value(y, t)) == pytest.approx(sum(rows), rel=1e-14)


def test_arrays_of_the_standard_give_the_numbers_of_numpy(loss: Loss) -> None:
    y, t = outputs_and_targets(loss, 1.0, (5, 4, 3))
    strict: Any = array_api_strict
    for function, arrays in (
        (loss.value, (y, t)),
        (loss.value, (y + 1e-20j, t)),
        (loss.gradient, (y, t)),
        (loss.difference, (y, y + 1e-3, t)),
        (loss.gradient_tangent, (y, t, t)),
    ):
        found = function(*map(strict.asarray, arrays))
        np.testing.assert_array_equal(np.asarray(found), function(*arrays))


def test_example_targets_follow_their_stream(loss: Loss) -> None:
    targets = loss.example_targets(np.random.default_rng(3), 50, 4)
    assert targets.shape == (50, 4)
    assert targets.dtype == np.float64
    np.testing.assert_array_equal(targets, loss.example_targets(np.random.default_rng(3), 50, 4))
    assert not np.array_equal(targets, loss.example_targets(np.random.default_rng(4), 50, 4))


def test_targets_of_cross_entropy_are_one_hot_and_every_class_is_as_likely() -> None:
    """5 standard errors of a frequency p = 1/4: √(p (1 − p) / n)."""
    count = 10_000
    targets = SoftmaxCrossEntropy().example_targets(np.random.default_rng(0), count, 4)
    assert set(np.unique(targets)) == {0.0, 1.0}
    assert (targets.sum(axis=1) == 1).all()
    np.testing.assert_allclose(targets.mean(axis=0), 0.25, rtol=0, atol=5 * np.sqrt(0.1875 / count))


@pytest.mark.parametrize("kind", [SquaredError, Linear])
def test_targets_of_outputs_that_are_numbers_are_standard_normal(kind: type[Loss]) -> None:
    """5 standard errors: 1/√n of the mean, 1/√2n of the standard deviation."""
    targets = kind().example_targets(np.random.default_rng(0), 1000, 10)
    assert abs(targets.mean()) < 5 / 100
    assert abs(targets.std() - 1) < 5 / np.sqrt(2e4)


def test_squared_error_by_hand() -> None:
    y, t = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[0.0, 2.0], [3.0, 1.0]])
    assert SquaredError().value(y, t) == (1 + 0 + 9 + 4) / 2
    np.testing.assert_array_equal(SquaredError().gradient(y, t), [[1, 0], [-3, -2]])


def test_the_gradient_of_a_linear_loss_is_its_target_whatever_the_output() -> None:
    t = np.array([[2.0, -1.0], [0.5, 3.0]])
    for y in (np.zeros((2, 2)), np.full((5, 2, 2), 1e300)):
        np.testing.assert_array_equal(Linear().gradient(y, t), np.broadcast_to(t, y.shape))
    assert Linear().value(np.array([[1.0, 2.0], [4.0, 0.0]]), t) == 2 - 2 + 2
    assert not Linear().is_bounded


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_classes() -> None:
    loss, t = SoftmaxCrossEntropy(), np.array([[0.0, 1.0, 0.0, 0.0]])
    y = np.full((1, 4), -7.0)
    assert loss.value(y, t) == pytest.approx(np.log(4), rel=1e-15)
    np.testing.assert_allclose(loss.gradient(y, t), [[0.25, -0.75, 0.25, 0.25]], rtol=1e-15)
    # targets that do not sum to 1 weigh the sample
    np.testing.assert_allclose(loss.gradient(y, 3 * t), [[0.75, -2.25, 0.75, 0.75]], rtol=1e-15)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_softmax_is_positive_sums_to_one_and_ignores_a_shift(shift: float) -> None:
    y = np.array([[0.0, 1.0, 2.0], [5.0, 5.0, 5.0]])
    raised = np.exp(y)
    found = softmax(y + shift)
    np.testing.assert_allclose(found, raised / raised.sum(axis=1, keepdims=True), rtol=8 * EPSILON)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=4 * EPSILON)

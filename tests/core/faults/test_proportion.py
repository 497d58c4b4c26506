"""What a wrong tensor is of the right one."""

from typing import Any

import numpy as np
import pytest

from dnnexp.core.faults import proportion, ratio

REFERENCE = np.random.default_rng(0).standard_normal((3, 4, 4))


@pytest.mark.parametrize(
    ("accused", "batch", "name"),
    [
        (-REFERENCE, None, "sign"),
        (2 * REFERENCE, None, "factor"),
        (REFERENCE / 2, None, "factor"),
        (8 * REFERENCE, 8, "batch_size"),
        (REFERENCE / 8, 8, "batch_size"),
        (2 * REFERENCE, 2, "factor"),
        (-REFERENCE, 1, "sign"),
        (REFERENCE.swapaxes(1, 2), None, "transposed"),
        (2 * REFERENCE * (1 + 1e-12), None, "factor"),
        (REFERENCE, 1, None),
        (REFERENCE * (1 + 1e-12), None, None),
        (8 * REFERENCE, None, None),
        (8 * REFERENCE, 7, None),
        (2 * REFERENCE * (1 + 1e-6), None, None),
        (2 * REFERENCE + 1e-6, None, None),
        (0 * REFERENCE, None, None),
        (REFERENCE + 1, None, None),
        (2 * REFERENCE.swapaxes(1, 2), None, None),
        (np.full_like(REFERENCE, np.nan), None, None),
        (2 * REFERENCE[:2], None, None),
    ],
)
def test_the_name_of_a_ratio(accused: Any, batch: int | None, name: str | None) -> None:
    assert ratio(accused, REFERENCE, batch) == name


def test_a_matrix_that_is_transposed_and_not_square() -> None:
    assert ratio(REFERENCE[0, :2].T, REFERENCE[0, :2]) == "transposed"


@pytest.mark.parametrize("shape", [(), (5,), (0,), (1, 1)], ids=str)
def test_vectors_numbers_and_nothing(shape: tuple[int, ...]) -> None:
    reference = np.ones(shape)
    assert ratio(reference, reference, 4) is None
    assert ratio(-reference, reference, 4) == ("sign" if reference.size else None)


def test_a_symmetric_matrix_is_its_transpose_and_right() -> None:
    symmetric = REFERENCE[0] + REFERENCE[0].T
    assert ratio(symmetric.T, symmetric) is None


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300, 1e-310])
def test_all_zeros_and_very_small_and_large_numbers(scale: float) -> None:
    zeros = np.zeros(3)
    reference = scale * np.array([1.0, -0.5, 0.25])
    assert ratio(-reference, reference) == "sign"
    assert ratio(zeros, zeros) is None
    assert ratio(reference, zeros) is None
    assert ratio(zeros, reference) is None


def test_the_proportion_of_tensors() -> None:
    assert proportion(-3.5 * REFERENCE, REFERENCE) == pytest.approx(-3.5, rel=1e-15)
    assert proportion(0 * REFERENCE, REFERENCE) == 0
    assert proportion(REFERENCE + 1, REFERENCE) is None
    assert proportion(REFERENCE, 0 * REFERENCE) is None
    assert proportion(REFERENCE[0], REFERENCE) is None

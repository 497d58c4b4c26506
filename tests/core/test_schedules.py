"""Schedules against their closed forms, at the ends and in between."""

import math

import numpy as np
import pytest

from dnnexp.core.optimizers import GradientDescent, stack
from dnnexp.core.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    OneCycle,
    Piecewise,
    Polynomial,
    Schedule,
    SchedulePiece,
    Step,
)
from dnnexp.core.stepping import Recording, descend, steady


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Constant(), {0: 1.0, 100: 1.0}),
        (Step(10, 0.5), {0: 1.0, 9: 1.0, 10: 0.5, 25: 0.25}),
        (Exponential(0.01), {0: 1.0, 50: 0.1, 100: 0.01, 200: 0.01}),
        (Exponential(0.01, steps=50), {25: 0.1, 50: 0.01, 100: 0.01}),
        (Polynomial(2.0, 0.2), {0: 1.0, 50: 0.2 + 0.8 * 0.25, 100: 0.2}),
        (Cosine(0.1), {0: 1.0, 50: 0.55, 100: 0.1, 25: 0.1 + 0.45 * (1 + math.sqrt(0.5))}),
        (InverseTime(0.1), {0: 1.0, 10: 0.5, 90: 0.1}),
        (InverseTime(1.0, 0.5), {3: 0.5}),
        # PyTorch's OneCycleLR(max_lr=1, total_steps=100): 1/25 at the start, 1 at step 29, 1/250 000 at 99
        (OneCycle(), {0: 0.04, 29: 1.0, 99: 4e-6}),
        (
            Piecewise((SchedulePiece(10, 0.5), SchedulePiece(20, 0.1))),
            {0: 1.0, 9: 1.0, 10: 0.5, 20: 0.1, 99: 0.1},
        ),
        (OneCycle(rise=0.01), {0: 1.0, 1: 1.0 - (1.0 - 4e-6) * (1 - math.cos(math.pi / 99)) / 2, 99: 4e-6}),
        (Step(1, 100.0), {0: 1.0, 2: 1e4, 99: 1e198, 200: math.inf}),
        (InverseTime(10.0, 100.0), {0: 1.0, 200: 0.0}),
        (OneCycle(initial=1e-200, final=1e-200), {0: 1e200}),
        (Cosine(0.0, warmup=20, warmup_start=0.5), {0: 0.5, 10: 0.75, 20: 1.0, 60: 0.5, 100: 0.0}),
    ],
    ids=str,
)
def test_factors(one: Schedule, expected: dict[int, float]) -> None:
    for k, factor in expected.items():
        assert one.at(k, 100) == pytest.approx(factor, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("one", [Cosine(0.1), Step(3, 0.5), OneCycle(), Constant(warmup=5)], ids=str)
def test_a_step_has_the_scheduled_rate(one: Schedule) -> None:
    """On a gradient of 1 the point is the sum of the learning rates so far."""
    recording = Recording(np.arange(21), np.array([]), keep_points=True)
    point = descend(
        GradientDescent(0.5, schedule=one),
        lambda x: x[0],
        steady(np.ones_like),
        np.zeros((1, 1)),
        recording,
    ).point
    assert point is not None
    rates = [0.5 * one.at(k, 20) for k in range(20)]
    np.testing.assert_allclose(-point[:, 0, 0], np.concatenate([[0], np.cumsum(rates)]), rtol=1e-14)


def test_schedules_that_differ_in_numbers_are_stacked() -> None:
    rules = [GradientDescent(0.5, schedule=Cosine(end)) for end in (0.0, 0.3)]
    factor = stack(rules, 2).schedule.at(7, 20)
    np.testing.assert_array_equal(factor, np.repeat([rule.schedule.at(7, 20) for rule in rules], 2))


def test_pieces_ascend() -> None:
    with pytest.raises(ValueError, match=r"pieces\.1\.at: must be after 10, not 10"):
        Piecewise((SchedulePiece(10, 0.5), SchedulePiece(10, 0.1)))

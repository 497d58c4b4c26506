"""A fault that cannot show says why, and gives the right derivatives or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import (
    Activation,
    HardSigmoid,
    HardTanh,
    Identity,
    LeakyReLU,
    ReLU,
    ReLU6,
    Tanh,
)
from dnnexp.core.faults import (
    BatchSize,
    Factor,
    Fault,
    MissingSlope,
    SlopeAtOutput,
    StaleActivation,
    TransposedWeight,
)
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.problem import Problem
from tests.core.faults.networks import (
    derivatives,
    errors,
    every_fault,
    problem_of,
)

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]

STRAIGHT: Sequence[Activation] = (ReLU(), LeakyReLU(), LeakyReLU(0.5), ReLU6(), HardTanh(), Identity())


@dataclass(frozen=True)
class Absolute(Identity):
    """|z|: it has a name of its own only because its parent has one."""

    def f(self, z: Any) -> Any:
        return np.abs(z)

    def df(self, z: Any) -> Any:
        return np.sign(z)


@pytest.mark.parametrize(
    ("fault", "widths", "sigma", "batch", "message"),
    [
        *(
            (SlopeAtOutput(2), (3, 4, 2), activation, 4, f"σ'(a) = σ'(z) for {activation.name} in layer 2")
            for activation in STRAIGHT
        ),
        (
            MissingSlope(2),
            (3, 4, 2),
            Identity(),
            4,
            "derivative of identity is 1",
        ),
        (StaleActivation(1), (3, 4, 2), Tanh(), 1, "one sample"),
        (BatchSize(), (3, 4, 2), Tanh(), 1, "the batch size is 1"),
        (BatchSize("multiply"), (3, 4, 2), Tanh(), 1, "the batch size is 1"),
        (Factor(1, 1.0), (3, 4, 2), Tanh(), 4, "a factor of 1 changes nothing"),
        (TransposedWeight(1), (1, 1, 2), Tanh(), 4, "layer 1 has one weight, which is its own transpose"),
        *(
            (fault, (3, 4, 2), Tanh(), 4, "there is no layer 3: the network has 2")
            for fault in every_fault()
            if getattr(fault, "layer", None) == 3
        ),
    ],
    ids=str,
)
def test_a_fault_that_cannot_show_says_why_and_gives_the_right_derivatives(
    fault: Fault, widths: tuple[int, ...], sigma: Activation, batch: int, message: str
) -> None:
    problem = problem_of(widths, (sigma,) * 2, batch)
    problem = replace(problem, parameters=5 * problem.parameters)  # on all pieces of what is made of pieces
    said = fault.cannot_show(problem.network, batch)
    assert said is not None
    assert message in said
    for found, right in zip(derivatives(problem, fault), derivatives(problem), strict=True):
        np.testing.assert_array_equal(found, right)


def test_what_is_not_square_cannot_be_transposed() -> None:
    problem = problem_of((3, 4, 2), (Tanh(), Tanh()))
    message = "layer 2 has 2 × 4 weights; only a square matrix can be transposed"
    assert TransposedWeight(2).cannot_show(problem.network, 4) == message
    with pytest.raises(ValueError, match=message):
        derivatives(problem, TransposedWeight(2))


@pytest.mark.parametrize("sigma", [HardSigmoid(), Absolute()], ids=str)
def test_straight_pieces_whose_slope_at_the_output_is_another(sigma: Activation) -> None:
    """A hard sigmoid's outputs are all on its middle piece; |z| is on the right one."""
    problem = problem_of((4, 4, 4), (sigma,) * 2)
    problem = replace(problem, parameters=5 * problem.parameters)
    assert SlopeAtOutput(2).cannot_show(problem.network, 4) is None
    found = errors(problem, derivatives(problem, SlopeAtOutput(2)), derivatives(problem))
    assert found["W2"] > 1e-6


@settings(max_examples=60)
@given(data=st.data())
def test_what_cannot_show_never_does(problems: Problems, data: st.DataObject) -> None:
    """In any network: exactly the right derivatives, or a ValueError."""
    problem = data.draw(problems(SquaredError()))
    right = derivatives(problem)
    for fault in every_fault(problem.network.depth + 1):
        if fault.cannot_show(problem.network, len(problem.x)) is None:
            continue
        try:
            found = derivatives(problem, fault)
        except ValueError:
            assert isinstance(fault, TransposedWeight)
            continue
        np.testing.assert_array_equal(found[0], right[0])
        np.testing.assert_array_equal(found[1], right[1])

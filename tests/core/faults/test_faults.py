"""Each fault does what it says, where it says, and nothing else."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import (
    Activation,
    Identity,
    Sigmoid,
    Tanh,
)
from dnnexp.core.faults import (
    BatchSize,
    Factor,
    Fault,
    MissingBias,
    MissingSlope,
    Sign,
    SlopeAtOutput,
    StaleActivation,
    TransposedWeight,
    backward,
    jacobian_backward,
)
from dnnexp.core.input_derivatives import complex_jacobian
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network
from dnnexp.core.parameter_derivatives import complex_derivatives
from dnnexp.core.problem import Problem
from dnnexp.registry import parts
from tests.core.faults.networks import (
    ACTIVATIONS,
    DEPTH,
    derivatives,
    errors,
    every_fault,
    problem_of,
    square,
)

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]
FAULTS = pytest.mark.parametrize("fault", list(every_fault()), ids=str)
NETWORKS = pytest.mark.parametrize("activations", ACTIVATIONS.values(), ids=ACTIVATIONS)


def layers_before(letters: str, last: int) -> set[str]:
    return {f"{letter}{layer}" for layer in range(1, last + 1) for letter in letters}


SPOILED: dict[str, Callable[[Any], set[str]]] = {
    "sign": lambda fault: layers_before("Wb", fault.layer) | {"dy/dx"},
    "missing_slope": lambda fault: layers_before("Wb", fault.layer) | {"dy/dx"},
    "slope_at_output": lambda fault: layers_before("Wb", fault.layer) | {"dy/dx"},
    "transposed_weight": lambda fault: layers_before("Wb", fault.layer - 1) | {"dy/dx"},
    "stale_activation": lambda fault: {f"W{fault.layer}"},
    "missing_bias": lambda fault: {f"b{fault.layer}"},
    "factor": lambda fault: {f"W{fault.layer}", f"b{fault.layer}"},
    "batch_size": lambda fault: layers_before("Wb", DEPTH),
}


# --- Without a fault ---------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(data=st.data(), runs=st.integers(0, 3), to_input=st.booleans())
def test_without_a_fault_it_is_the_backward_pass_bit_for_bit(
    problems: Problems, loss: Loss, data: st.DataObject, runs: int, to_input: bool
) -> None:
    problem = data.draw(problems(loss))
    network, parameters = problem.network, problem.parameters
    if runs:
        noise = np.random.default_rng(runs).standard_normal((len(parameters), runs))
        parameters = np.asfortranarray(parameters[:, None] + noise)
    signals = network.forward(parameters, problem.x)
    cotangent = loss.gradient(signals.output, problem.t)
    gradient, by_input = backward(network, parameters, signals, cotangent, to_input=to_input)
    expected, expected_by_input = network.backward(parameters, signals, cotangent, to_input)
    np.testing.assert_array_equal(gradient, expected)
    assert (by_input is None) is not to_input
    np.testing.assert_array_equal(by_input, expected_by_input)
    np.testing.assert_array_equal(
        jacobian_backward(network, parameters, signals), network.jacobian_backward(parameters, signals)
    )


# --- With one ----------------------------------------------------------------------------------------------


def test_it_is_known_of_every_fault_what_it_spoils() -> None:
    assert set(SPOILED) == set(parts("fault"))


@FAULTS
@NETWORKS
def test_a_fault_spoils_what_it_says_and_nothing_else(
    activations: tuple[Activation, ...], fault: Fault
) -> None:
    """Beside the complex step: beyond 1e-6 of the largest entry, which central differences can show."""
    problem = square(activations)
    assert fault.cannot_show(problem.network, len(problem.x)) is None
    truth = complex_derivatives(problem), complex_jacobian(problem)
    found = errors(problem, derivatives(problem, fault), truth)
    assert {name for name, error in found.items() if error > 1e-6} == SPOILED[fault.name](fault)
    # the rest is right to rounding: the largest entry of a tensor is near the size of its terms here
    assert max([error for error in found.values() if error <= 1e-6], default=0.0) < 1e-12


@FAULTS
def test_by_input_is_the_jacobian_along_the_cotangent(fault: Fault) -> None:
    """∂E/∂x = (∂y/∂x)ᵀ ∂E/∂y holds for what is made wrong in both."""
    problem = square(ACTIVATIONS["mixed"])
    signals = problem.signals()
    cotangent = problem.loss.gradient(signals.output, problem.t)
    _, by_input = backward(problem.network, problem.parameters, signals, cotangent, fault)
    jacobian = jacobian_backward(problem.network, problem.parameters, signals, fault)
    np.testing.assert_allclose(by_input, np.einsum("sij,si->sj", jacobian, cotangent), rtol=0, atol=1e-13)


@FAULTS
def test_a_stack_has_the_fault_in_each_of_its_networks(fault: Fault) -> None:
    problem = square(ACTIVATIONS["mixed"])
    network, x = problem.network, problem.x
    stack = np.asfortranarray(np.random.default_rng(0).standard_normal((network.parameter_count, 3)))
    signals = network.forward(stack, x)
    cotangent = problem.loss.gradient(signals.output, problem.t)
    gradient, by_input = backward(network, stack, signals, cotangent, fault)
    for run in range(3):
        parameters = stack[:, run].copy()
        alone = backward(network, parameters, network.forward(parameters, x), cotangent[run], fault)
        np.testing.assert_allclose(gradient[:, run], alone[0], rtol=0, atol=1e-13 * np.abs(alone[0]).max())
        np.testing.assert_allclose(by_input[run], alone[1], rtol=0, atol=1e-13 * np.abs(alone[1]).max())


def by_hand(fault: Fault) -> list[float]:
    """w₁, b₁, w₂, b₂, and ∂E/∂x of both samples, for y = σ(w₂ σ(w₁ x + b₁) + b₂), σ = tanh.

    w₁ = 0.5, b₁ = 0.1, w₂ = 2, b₂ = −0.3; x = 1 and −2, t = 0.
    """
    network, parameters = Network((1, 1, 1), (Tanh(), Tanh())), np.array([0.5, 0.1, 2.0, -0.3])
    x = np.array([[1.0], [-2.0]])
    signals = network.forward(parameters, x)
    gradient, by_input = backward(network, parameters, signals, signals.output, fault)
    return [*gradient.tolist(), *by_input.ravel().tolist()]


def expected_by_hand(change: Callable[[dict[str, Any]], None]) -> list[float]:
    """Number by number, each of which a fault may change before it is used."""
    w1, b1, w2, b2, x = 0.5, 0.1, 2.0, -0.3, np.array([1.0, -2.0])
    z1 = w1 * x + b1
    a1 = np.tanh(z1)
    z2 = w2 * a1 + b2
    v: dict[str, Any] = {"a1": a1, "a2": np.tanh(z2), "s1": 1 - a1**2, "s2": 1 - np.tanh(z2) ** 2}
    v |= {"x": x, "pull": np.tanh(z2), "w": 1.0, "b": 1.0}
    change(v)
    delta2 = v["pull"] * v["s2"]
    delta1 = w2 * delta2 * v["s1"]
    return [
        *((delta1 * v["x"]).sum(), delta1.sum()),
        *(v["w"] * (delta2 * v["a1"]).sum(), v["b"] * delta2.sum()),
        *(w1 * delta1),
    ]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (Sign(2), lambda v: v.update(pull=-v["pull"])),
        (Sign(1), lambda v: v.update(s1=-v["s1"])),
        (MissingSlope(2), lambda v: v.update(s2=1.0)),
        (MissingSlope(1), lambda v: v.update(s1=1.0)),
        (SlopeAtOutput(2), lambda v: v.update(s2=1 - np.tanh(v["a2"]) ** 2)),
        (SlopeAtOutput(1), lambda v: v.update(s1=1 - np.tanh(v["a1"]) ** 2)),
        (StaleActivation(2), lambda v: v.update(a1=v["a1"][::-1])),
        (StaleActivation(1), lambda v: v.update(x=v["x"][::-1])),
        (MissingBias(2), lambda v: v.update(b=0.0)),
        (Factor(2, -3.0), lambda v: v.update(w=-3.0, b=-3.0)),
    ],
    ids=lambda value: str(value) if isinstance(value, Fault) else "",
)
def test_faults_by_hand(fault: Fault, change: Callable[[dict[str, Any]], None]) -> None:
    assert by_hand(fault) == pytest.approx(expected_by_hand(change), rel=1e-13)


def test_a_transposed_weight_by_hand() -> None:
    """y = v (w x), linear, w = (0 1; 0 0), v = (1 2): ∂y/∂x = v w = (0 1), with the fault v wᵀ = (2 0)."""
    network = Network((2, 2, 1), (Identity(), Identity()))
    parameters = np.array([0.0, 1, 0, 0, 0, 0, 1, 2, 0])
    signals = network.forward(parameters, np.array([[3.0, 4.0]]))
    assert jacobian_backward(network, parameters, signals).tolist() == [[[0, 1]]]
    assert jacobian_backward(network, parameters, signals, TransposedWeight(1)).tolist() == [[[2, 0]]]
    for fault, expected in ((None, [[0, 1]]), (TransposedWeight(1), [[2, 0]])):
        _, by_input = backward(network, parameters, signals, np.array([[1.0]]), fault)
        assert by_input.tolist() == expected


@pytest.mark.parametrize(("operation", "scale"), [("divide", 1 / 7), ("multiply", 7)])
def test_the_batch_size_by_which_all_gradients_are_scaled(operation: Any, scale: float) -> None:
    problem = problem_of((3, 4, 2), (Tanh(), Sigmoid()), batch=7)
    right, wrong = derivatives(problem), derivatives(problem, BatchSize(operation))
    np.testing.assert_allclose(wrong[0], scale * right[0], rtol=1e-14)
    np.testing.assert_array_equal(wrong[1], right[1])


# --- Suspects -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [cls for cls in parts("fault").values() if cls is not BatchSize])
def test_layers_count_from_1(cls: type[Any]) -> None:
    suspects = list(cls.suspects([3.0, 3.0]))
    assert [fault.layer for fault in suspects] == [2, 1], "the last layer first"


def test_a_ratio_of_1_or_none_is_no_factor() -> None:
    assert list(Factor.suspects([1.0, np.nan, np.inf, 1 + 1e-8, -0.5])) == [Factor(5, -0.5)]

"""A fault is recognised by its derivatives, and what is right is not accused."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnnexp.core.activations import Activation, HardSigmoid, Identity, ReLU, Tanh
from dnnexp.core.faults import (
    BatchSize,
    Factor,
    Fault,
    MissingBias,
    MissingSlope,
    Sign,
    TransposedWeight,
    diagnose,
)
from dnnexp.core.input_derivatives import central_jacobian, complex_jacobian
from dnnexp.core.losses import Loss
from dnnexp.core.parameter_derivatives import central_derivatives, complex_derivatives, forward_derivatives
from dnnexp.core.problem import Problem
from tests.core.faults.networks import ACTIVATIONS, derivatives, errors, every_fault, problem_of, square

Problems: TypeAlias = Callable[[Loss], st.SearchStrategy[Problem]]
FAULTS = pytest.mark.parametrize("fault", list(every_fault()), ids=str)
NETWORKS = pytest.mark.parametrize("activations", ACTIVATIONS.values(), ids=ACTIVATIONS)


@FAULTS
@NETWORKS
def test_every_fault_is_named_with_its_layer(activations: tuple[Activation, ...], fault: Fault) -> None:
    problem = square(activations)
    found = diagnose(problem, *derivatives(problem, fault), truth=complex_derivatives(problem))
    assert found is not None
    assert (found.fault, found.layer) == (fault.name, getattr(fault, "layer", None))
    assert found.evidence == fault.evidence


@FAULTS
def test_without_the_jacobian_too_if_a_gradient_is_wrong(fault: Fault) -> None:
    problem = square(ACTIVATIONS["mixed"])
    found = diagnose(problem, derivatives(problem, fault)[0])
    if fault == TransposedWeight(1):
        assert found is None
    else:
        assert found is not None
        assert (found.fault, found.layer) == (fault.name, getattr(fault, "layer", None))


@FAULTS
@pytest.mark.parametrize("seed", range(3))
def test_rounding_of_another_program_does_not_matter(fault: Fault, seed: int) -> None:
    """1e-11 of every entry, a hundred times what sums of six terms in five layers make."""
    problem = square(ACTIVATIONS["tanh"])
    noise = np.random.default_rng(seed)
    accused = [
        tensor * (1 + 1e-11 * noise.uniform(-1, 1, tensor.shape)) for tensor in derivatives(problem, fault)
    ]
    found = diagnose(problem, accused[0], accused[1])
    assert found is not None
    assert (found.fault, found.layer) == (fault.name, getattr(fault, "layer", None))


@pytest.mark.parametrize(
    ("fault", "evidence"),
    [
        (Sign(5), "as if δ had the wrong sign in layer 5"),
        (MissingSlope(3), "as if σ' were left out in layer 3"),
        (BatchSize(), "as if the gradients of all layers were divided by the batch size"),
        (BatchSize("multiply"), "as if the gradients of all layers were multiplied by the batch size"),
        (Factor(2, 1 / 3), "as if the gradients of layer 2 were multiplied by 0.333333"),
        (Factor(2, -1.0), "as if the gradients of layer 2 were multiplied by -1"),
        (Factor(1, 0.0), "as if the gradients of layer 1 were multiplied by 0"),
    ],
    ids=str,
)
def test_the_evidence_in_plain_words(fault: Fault, evidence: str) -> None:
    problem = square(ACTIVATIONS["mixed"])
    found = diagnose(problem, *derivatives(problem, fault))
    assert found is not None
    assert found.evidence == evidence


# --- What coincides ----------------------------------------------------------------------------------------


def test_a_factor_of_minus_1_in_layer_1_is_a_sign_unless_the_jacobian_is_right() -> None:
    problem = square(ACTIVATIONS["tanh"])
    gradient, jacobian = derivatives(problem, Factor(1, -1.0))
    alone, both = diagnose(problem, gradient), diagnose(problem, gradient, jacobian)
    assert alone is not None
    assert both is not None
    assert (alone.fault, both.fault) == ("sign", "factor")


def test_a_factor_in_a_network_of_one_layer_is_the_batch_size() -> None:
    problem = problem_of((3, 2), (Tanh(),), batch=5)
    found = diagnose(problem, *derivatives(problem, Factor(1, 5.0)))
    assert found is not None
    assert (found.fault, found.layer) == ("batch_size", None)


def test_a_factor_that_is_a_slope_of_layer_1_is_a_missing_slope() -> None:
    """1/6 everywhere between −3 and 3."""
    problem = problem_of((3, 4, 2), (HardSigmoid(), Tanh()))
    assert np.abs(problem.signals().pre[0]).max() < 3
    gradient, jacobian = derivatives(problem, Factor(1, 6.0))
    alone, both = diagnose(problem, gradient), diagnose(problem, gradient, jacobian)
    assert alone is not None
    assert both is not None
    assert (alone.fault, both.fault) == ("missing_slope", "factor")


def test_a_factor_of_0_where_only_the_biases_have_a_gradient_is_a_missing_bias() -> None:
    """Layer 1 is dead: its outputs are 0, and so is ∂E/∂w of layer 2."""
    problem = problem_of((3, 4, 2), (ReLU(), Tanh()))
    problem.network.layers(problem.parameters)[0].biases[:] = -100
    found = diagnose(problem, *derivatives(problem, Factor(2, 0.0)))
    assert found is not None
    assert (found.fault, found.layer) == (MissingBias.name, 2)


def test_several_faults_at_once_have_no_name() -> None:
    problem = square(ACTIVATIONS["tanh"])
    gradient, jacobian = derivatives(problem, Factor(2))
    problem.network.layers(gradient)[3].biases[:] = 0
    assert diagnose(problem, gradient, jacobian) is None


# --- What is right -----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(data=st.data())
def test_right_derivatives_are_not_accused(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """By any exact method, with and without dy/dx, also where a tensor is round-off only."""
    problem = data.draw(problems(loss))
    jacobian = complex_jacobian(problem)
    forward, by_complex = forward_derivatives(problem), complex_derivatives(problem)
    assert diagnose(problem, *derivatives(problem)) is None
    assert diagnose(problem, derivatives(problem)[0], truth=by_complex) is None
    assert diagnose(problem, by_complex, jacobian) is None
    assert diagnose(problem, by_complex) is None
    assert diagnose(problem, forward, jacobian, truth=by_complex) is None


@settings(max_examples=40)
@given(data=st.data())
def test_inexact_derivatives_are_not_accused(problems: Problems, loss: Loss, data: st.DataObject) -> None:
    """Central differences of what has no kinks are off by 1e-10 and more, and that is no fault."""
    problem = data.draw(problems(loss))
    if not any(activation.kinks for activation in problem.network.activations):
        assert diagnose(problem, central_derivatives(problem)[0], central_jacobian(problem)[0]) is None


@settings(max_examples=60)
@given(data=st.data())
def test_a_fault_in_any_network_is_explained_if_it_makes_a_difference(
    problems: Problems, loss: Loss, data: st.DataObject
) -> None:
    """By itself or by one that gives the same."""
    problem = data.draw(problems(loss))
    faults = every_fault(problem.network.depth)
    possible = [fault for fault in faults if fault.cannot_show(problem.network, len(problem.x)) is None]
    fault = data.draw(st.sampled_from(possible))
    wrong, right = derivatives(problem, fault), derivatives(problem)
    found = diagnose(problem, *wrong)
    if found is None:
        assert max(errors(problem, wrong, right).values()) <= 1e-9


def test_what_is_not_finite_has_no_name() -> None:
    problem = square(ACTIVATIONS["tanh"])
    gradient, jacobian = derivatives(problem, Sign(3))
    gradient[0] = np.nan
    assert diagnose(problem, gradient, jacobian) is None
    linear = problem_of((2, 3, 2), (Identity(), Identity()))
    linear = replace(linear, parameters=1e160 * linear.parameters)
    with np.errstate(all="ignore"):
        accused = derivatives(linear, Sign(1))
    assert diagnose(linear, *accused) is None

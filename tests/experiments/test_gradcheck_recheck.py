"""The verdict hangs on no single step, and on no tensor's largest entry alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import ReLU, Sigmoid, Sine, Tanh
from dnnexp.core.faults import Factor, Sign
from dnnexp.core.initializers import He, LayerInitializer, LeCun, Normal
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt, verdict
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep, Tolerances
from dnnexp.registry import parts

gradcheck = find("gradcheck")


def metrics_of(activation: Any, std: float, seed: int = 0, **changes: Any) -> Any:
    initializer = LayerInitializer(Normal(std=std), Normal(std=0.3))
    arguments: dict[str, Any] = {"initializer": initializer, "batch": 4} | changes
    network = CheckedNetwork((6, 7, 7, 5), activation)
    config = GradcheckConfig(network=network, step_sweep=StepSweep(directions=1), **arguments)
    return gradcheck.run(config, RunContext(Streams(seed))).metrics


def accuses_nothing(name: str, std: float, seed: int) -> None:
    metrics = metrics_of(parts("activation")[name](), std, seed)
    assert metrics["verdict"] != "wrong", metrics["diagnosis"]
    assert metrics["culprit"] is None


@pytest.mark.parametrize("std", [0.01, 3.0])
@pytest.mark.parametrize("name", parts("activation"))
def test_no_right_network_is_accused(name: str, std: float) -> None:
    """Weights of std 3, whose truncation is large, were; and slopes that vanish."""
    accuses_nothing(name, std, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("std", [0.01, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", parts("activation"))
def test_no_right_network_is_accused_whatever_the_seed(name: str, std: float) -> None:
    for seed in range(1, 4):
        accuses_nothing(name, std, seed)


@pytest.mark.parametrize("activation", [Sine(30.0), Tanh(), Sigmoid()])
def test_a_step_that_is_far_too_long_is_no_error(activation: Any) -> None:
    found = metrics_of(activation, 0.3, central_step=0.3)
    assert found["verdict"] == "correct"
    assert found["rechecked"] > 0


def test_shorter_steps_do_without_kinks() -> None:
    found = metrics_of(ReLU(), 0.6, batch=64, central_step=1e-2)
    assert found["kinks"]["crossed"] > 20
    assert found["kinks"]["excluded"] < 0.1 * found["kinks"]["crossed"]
    assert found["verdict"] == "correct"


def compared(a: Any, b: Any, bound: Any, **tolerances: Any) -> Any:
    tensor = Derivatives("W1", {"backward": a, "forward": b}, bound)
    return verdict(Tolerances(**tolerances), [tensor]).metrics


def test_a_tiny_wrong_entry_does_not_hide_behind_a_large_one() -> None:
    a, bound = np.array([[1.0, 1e-9]]), np.array([[1e-15, 1e-24]])
    b = a * np.array([[1.0, 1.01]])
    assert compared(a, b, bound)["verdict"] == "wrong"
    assert compared(a, a, bound)["verdict"] == "correct"


def test_a_tiny_right_entry_of_large_terms_passes() -> None:
    """1e-17 and 3e-17 where terms of size 1 cancelled."""
    a, b = np.array([[1.0, 1e-17]]), np.array([[1.0, 3e-17]])
    assert compared(a, b, np.full((1, 2), 1e-15))["verdict"] == "correct"


def test_a_tolerance_of_ones_own_takes_the_place_of_the_bounds() -> None:
    a = np.array([[1.0, 1e-9]])
    b = a * np.array([[1.0, 1.01]])
    assert compared(a, b, np.full((1, 2), 1e-30), exact=1e-8)["verdict"] == "correct"


def test_an_injected_fault_in_a_network_with_kinks_is_found() -> None:
    initializer = LayerInitializer(He(), Normal(std=0.1))
    found = metrics_of(ReLU(), 1.0, initializer=initializer, inject=Sign(2), batch=8)
    assert (found["verdict"], found["culprit"]) == ("wrong", "backward")
    assert (found["diagnosis"]["fault"], found["diagnosis"]["layer"]) == ("sign", 2)


def test_two_methods_with_a_fault_disagree_after_the_second_look() -> None:
    initializer = LayerInitializer(LeCun())
    found = metrics_of(
        Tanh(), 1.0, initializer=initializer, inject=Factor(1), methods=("backward", "central")
    )
    assert found["verdict"] == "wrong"
    assert found["diagnosis"]["fault"] == "factor"


def test_an_unsure_entry_does_not_hide_a_wrong_one() -> None:
    a, b = np.array([[1.0, 2.0]]), np.array([[5.0, 2.1]])
    doubts = {"central": Doubt(unsure=np.array([[True, False]]))}
    tensor = Derivatives("W1", {"backward": a, "central": b}, a, doubts)
    assert verdict(Tolerances(), [tensor]).metrics["verdict"] == "wrong"
    alike = {"backward": a, "central": np.where(doubts["central"].unsure, b, a)}
    assert verdict(Tolerances(), [Derivatives("W1", alike, a, doubts)]).metrics["verdict"] == "inconclusive"

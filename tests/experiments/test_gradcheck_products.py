"""Products along random directions: forward against backward, and the second derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Array
from dnnexp.core.faults import Fault, LayerFault
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck import network, products
from dnnexp.experiments.gradcheck.checks import verdict
from dnnexp.experiments.gradcheck.config import METHODS, CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.registry import parts

gradcheck = find("gradcheck")

DEPTH = 4
ACTIVATIONS = [cls() for cls in parts("activation").values()]
LOSSES = [cls() for cls in parts("loss").values()]


def config(*activations: Activation, width: int = 5, **changes: Any) -> GradcheckConfig:
    widths = (width,) * (len(activations) + 1)
    given: dict[str, Any] = {"batch": 3, "step_sweep": StepSweep(directions=1, per_decade=1)} | changes
    return GradcheckConfig(network=CheckedNetwork(widths, activations), **given)


def metrics_of(config: GradcheckConfig, seed: int = 0) -> Any:
    return gradcheck.run(config, RunContext(Streams(seed))).metrics


def of(metrics: Any, tensor: str) -> Any:
    return [entry for entry in metrics["checks"] if entry["tensor"] == tensor]


def faults() -> list[Any]:
    made: list[Fault] = []
    for cls in parts("fault").values():
        made += [cls(layer) for layer in range(1, DEPTH + 1)] if issubclass(cls, LayerFault) else [cls()]
    return [pytest.param(fault, id=f"{fault.name}-{getattr(fault, 'layer', 'all')}") for fault in made]


@pytest.mark.parametrize("fault", faults())
def test_the_adjoint_test_alone_catches_every_fault(fault: Fault) -> None:
    """One number for the whole network; transposed_weight in layer 1 spoils the part of x only."""
    checked = config(Tanh(), Sigmoid(), Tanh(), Sigmoid(), inject=fault, methods=("backward", "forward"))
    request = RunContext(Streams(0))
    (tensor,) = products.measure(checked, network.draw(checked, request), request)
    assert (tensor.tensor, tensor.shape) == ("uJv", (5,))
    (entry,) = verdict(checked.tolerances, [tensor]).metrics["checks"]
    assert not entry["passed"]
    assert entry["bound_ratio"] > 1e3


@pytest.mark.parametrize("count", [1, 7])
def test_the_adjoint_test_takes_so_many_pairs(count: int) -> None:
    checked, request = config(Tanh(), Tanh(), adjoint_directions=count), RunContext(Streams(0))
    problem = network.draw(checked, request)
    (tensor,) = products.measure(checked, problem, request)
    assert tensor.shape == (count,)
    assert np.allclose(tensor.by_method["forward"], tensor.by_method["backward"], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("changes", [{"adjoint_directions": 0}, {"methods": ("backward", "central")}])
def test_without_pairs_or_methods_there_is_no_adjoint_test(changes: dict[str, Any]) -> None:
    assert of(metrics_of(config(Tanh(), **changes)), "uJv") == []


@pytest.mark.parametrize(
    ("activation", "loss"),
    [*((Tanh(), loss) for loss in LOSSES), *((each, LOSSES[0]) for each in ACTIVATIONS)],
    ids=str,
)
def test_all_right_networks_pass_at_second_order(activation: Activation, loss: Loss) -> None:
    checked = config(activation, activation, Identity(), width=3, loss=loss, batch=2, hessian_directions=2)
    metrics = metrics_of(checked)
    assert (metrics["passed"], metrics["verdict"]) == (True, "correct")
    names = [f"Hv.{kind}{level}" for level in (1, 2, 3) for kind in "Wb"]
    assert all(of(metrics, name) for name in [*names, "uHv"])
    for entry in of(metrics, "Hv.W1"):
        assert len(entry["worst"]["index"]) == 3  # direction, row, column


def test_the_methods_of_second_order() -> None:
    checked = config(Tanh(), Tanh(), hessian_directions=2, methods=METHODS)
    pairs = {entry["pair"] for entry in of(metrics_of(checked), "Hv.b2")}
    methods = {method for pair in pairs for method in pair.split("-")}
    assert methods == {"forward", "central", "richardson", "complex"}


@dataclass(frozen=True)
class WrongCurvature(Tanh):
    """Tanh whose second derivative is 1 % too large."""

    def d2f(self, z: Array) -> Array:
        """Not −2 tanh z (1 − tanh² z)."""
        return 1.01 * super().d2f(z)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_wrong_second_derivative_is_caught_and_forward_over_reverse_accused(level: int) -> None:
    activations: list[Activation] = [Tanh(), Tanh(), Tanh()]
    activations[level - 1] = WrongCurvature()
    metrics = metrics_of(config(*activations, hessian_directions=2))
    assert (metrics["verdict"], metrics["culprit"]) == ("wrong", "forward")
    wrong = {entry["tensor"] for entry in metrics["checks"] if not entry["passed"]}
    assert wrong
    assert all(name.startswith("Hv.") for name in wrong), "the gradient is right, and H symmetric"
    assert metrics["diagnosis"]["tensor"].startswith("Hv.")
    assert metrics["diagnosis"]["fault"] is None
    assert metrics_of(config(*activations))["verdict"] == "correct", "first derivatives do not tell"


@dataclass(frozen=True)
class WrongTangent(SquaredError):
    """Squared error whose second derivative is 2."""

    def gradient_tangent(self, y: Array, t: Array, y_dot: Array) -> Array:
        """Not ẏ."""
        return 2 * super().gradient_tangent(y, t, y_dot)


def test_a_wrong_second_derivative_of_the_loss_is_caught() -> None:
    metrics = metrics_of(config(Tanh(), Sigmoid(), loss=WrongTangent(), hessian_directions=1))
    assert (metrics["verdict"], metrics["culprit"]) == ("wrong", "forward")


@pytest.mark.parametrize("seed", range(15))
def test_kinks_on_the_way_are_left_out_and_not_accused(seed: int) -> None:
    checked = config(ReLU(), ReLU(), ReLU(), hessian_directions=3, batch=16, central_step=1e-2)
    metrics = metrics_of(checked, seed)
    assert metrics["verdict"] != "wrong", metrics["diagnosis"]
    assert all(entry["passed"] for entry in of(metrics, "uHv"))


def test_another_seed_takes_other_directions() -> None:
    checked, found = config(Tanh(), Tanh(), hessian_directions=2), []
    for seed in (0, 0, 1):
        request = RunContext(Streams(seed))
        problem = network.draw(checked, RunContext(Streams(5)))  # the same network
        tensors = products.measure(checked, problem, request)
        found.append({tensor.tensor: tensor.by_method["forward"] for tensor in tensors})
    for name in ("uJv", "Hv.W1", "Hv.b2", "uHv"):
        assert np.array_equal(found[0][name], found[1][name])
        assert not np.any(found[0][name] == found[2][name])


def test_the_directions_of_one_run_differ_and_are_of_unit_length() -> None:
    checked, request = config(Identity(), hessian_directions=3), RunContext(Streams(0))
    tensors = {t.tensor: t for t in products.measure(checked, network.draw(checked, request), request)}
    # of a linear network with squared error H is that of least squares: the same for every output
    products_of_bias = tensors["Hv.b1"].by_method["forward"]
    assert products_of_bias.shape == (3, 5)
    assert np.unique(products_of_bias[:, 0]).size == 3

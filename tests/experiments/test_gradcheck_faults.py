"""Mistakes on purpose: every one is caught, the backward pass is accused, and the fault is named."""

from __future__ import annotations

from typing import Any

import pytest

from dnnexp.config.schema import read
from dnnexp.core.activations import Activation, Identity, Sigmoid, Tanh
from dnnexp.core.faults import BatchSize, Fault, LayerFault, MissingSlope, Sign, TransposedWeight
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck.blame import culprit
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep
from dnnexp.registry import parts

gradcheck = find("gradcheck")

DEPTH = 4


def checked(fault: Fault | None, *activations: Activation, **changes: Any) -> Any:
    chosen = activations or (Tanh(), Sigmoid(), Tanh(), Sigmoid())
    network = CheckedNetwork((5,) * (len(chosen) + 1), chosen)
    sweep = StepSweep(directions=1)
    config = GradcheckConfig(network=network, batch=3, step_sweep=sweep, inject=fault, **changes)
    return gradcheck.run(config, RunContext(Streams(0))).metrics


def faults() -> list[Any]:
    made: list[Fault] = []
    for cls in parts("fault").values():
        made += [cls(layer) for layer in range(1, DEPTH + 1)] if issubclass(cls, LayerFault) else [cls()]
    return [pytest.param(fault, id=f"{fault.name}-{getattr(fault, 'layer', 'all')}") for fault in made]


@pytest.mark.parametrize("fault", faults())
def test_every_fault_in_every_layer_is_caught_and_named(fault: Fault) -> None:
    metrics = checked(fault)
    assert (metrics["passed"], metrics["verdict"]) == (False, "wrong")
    assert metrics["culprit"] == "backward"
    assert metrics["diagnosis"]["fault"] == fault.name
    assert metrics["diagnosis"]["layer"] == getattr(fault, "layer", None)
    assert fault.evidence in metrics["diagnosis"]["evidence"]
    assert metrics["agreement"] == {
        "backward-forward": False,
        "backward-central": False,
        "backward-complex": False,
        "forward-central": True,
        "forward-complex": True,
        "central-complex": True,
        "backward-richardson": fault == TransposedWeight(1),  # spoils dy/dx alone
        "richardson-complex": True,
    }


@pytest.mark.parametrize("other", ["forward", "central", "complex"])
def test_with_two_methods_the_slopes_along_directions_point_to_the_culprit(other: str) -> None:
    metrics = checked(MissingSlope(2), methods=("backward", other))
    assert metrics["culprit"] == "backward"
    assert (metrics["diagnosis"]["fault"], metrics["diagnosis"]["layer"]) == ("missing_slope", 2)


def test_what_is_right_has_no_culprit_and_no_diagnosis() -> None:
    metrics = checked(None)
    assert (metrics["verdict"], metrics["culprit"], metrics["diagnosis"]) == ("correct", None, None)
    assert all(metrics["agreement"].values())


@pytest.mark.parametrize(
    ("disagreeing", "expected"),
    [
        (set(), None),
        ({"backward-forward", "backward-central"}, "backward"),
        ({"forward-central", "backward-central"}, "central"),
        ({"backward-forward"}, None),
        ({"backward-forward", "backward-central", "forward-central"}, None),
    ],
)
def test_the_culprit_is_the_one_without_whom_all_agree(disagreeing: set[str], expected: str | None) -> None:
    assert culprit(("backward", "forward", "central"), disagreeing) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inject": {"name": "sign", "layer": 9}}, "sign cannot show here: there is no layer 9"),
        ({"inject": {"name": "missing_slope", "layer": 2}}, "missing_slope cannot show here: "),
        ({"inject": {"name": "transposed_weight", "layer": 1}}, "transposed_weight cannot show here: "),
        ({"inject": {"name": "stale_activation", "layer": 1}, "batch": 1}, "stale_activation cannot show"),
        ({"inject": {"name": "sign", "layer": 1}, "methods": ["forward", "complex"]}, "no backward"),
    ],
)
def test_a_fault_that_would_make_no_difference_is_refused(changes: dict[str, Any], message: str) -> None:
    network = {"layers": [3, 4, 4], "activation": ["tanh", "identity"]}
    found, errors = read(GradcheckConfig, {"network": network} | changes)
    assert found is None
    ((path, text),) = errors
    assert path == ("inject",)
    assert message in text


def test_a_small_config_keeps_its_fault() -> None:
    network = CheckedNetwork((40,) * 4, (Tanh(), Identity(), Tanh()))
    for fault in (Sign(3), BatchSize(), TransposedWeight(2)):
        small = gradcheck.shrink(GradcheckConfig(network=network, inject=fault))
        assert small.inject == fault

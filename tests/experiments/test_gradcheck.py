"""The gradient check: it passes what is right, accuses what is wrong, and says where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.config.expectations import judge
from dnnexp.config.load import load
from dnnexp.config.schema import read
from dnnexp.config.shipped import reference
from dnnexp.core.activations import Activation, Identity, ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Array, namespace
from dnnexp.core.initializers import LSUV, Critical, Initializer, LayerInitializer, Zeros
from dnnexp.core.losses import SoftmaxCrossEntropy, SquaredError
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Result, RunContext, Work
from dnnexp.experiments.gradcheck.checks import Derivatives, verdict
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep, Tolerances
from dnnexp.experiments.gradcheck.outline import rows

gradcheck = find("gradcheck")


def config(*activations: Activation, **changes: Any) -> GradcheckConfig:
    widths = (7, 6, 5, 4)[: len(activations) + 1]
    return GradcheckConfig(
        network=CheckedNetwork(widths, activations), batch=3, step_sweep=StepSweep(directions=3), **changes
    )


def run(config: GradcheckConfig, seed: int = 0) -> Result:
    return gradcheck.run(config, RunContext(Streams(seed)))


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        *((Tanh(), cls()) for cls in registry.parts("loss").values()),
        *((cls(), SquaredError()) for cls in registry.parts("activation").values()),
    ],
    ids=str,
)
def test_every_activation_and_loss_is_right(activation: Activation, loss: Any) -> None:
    result = run(config(activation, activation, Identity(), loss=loss))
    assert result.metrics["verdict"] == "correct"
    assert result.passed
    assert result.metrics["diagnosis"] is None
    for entry in result.metrics["checks"]:
        assert entry["max_rel_error"] < (1e-6 if "central" in entry["pair"] else 1e-10)


@pytest.mark.parametrize("weights", [LSUV(), Critical()])
def test_an_initializer_gets_the_activation_and_the_data(weights: Initializer) -> None:
    result = run(config(Tanh(), ReLU(), Identity(), initializer=LayerInitializer(weights)))
    assert result.metrics["verdict"] == "correct"


def test_an_initializer_that_suits_no_activation_is_refused_once_for_each() -> None:
    tree = {"network": {"layers": [3, 4, 4, 4], "activation": ["softplus", "softplus", "relu"]}}
    critical = {"weights": "critical", "biases": {"name": "normal", "variance": 0.1}}
    found, errors = read(GradcheckConfig, tree | {"initializer": critical})
    assert found is None
    assert [path for path, _ in errors] == [("initializer", "weights")] * 2
    assert "softplus is never critical" in errors[0][1]
    assert "relu is critical only at 0" in errors[1][1]


@pytest.fixture(scope="module")
def small_reference() -> Result:
    whole = load("gradcheck", reference("gradcheck"))
    network = replace(whole.network, layers=(30,) * 6)
    return run(replace(whole, network=network, batch=4))


def test_claims_of_the_reference_hold_on_a_smaller_one(small_reference: Result) -> None:
    outcomes = judge(small_reference.config.expect, small_reference.metrics, skip=False)
    assert len(outcomes) == 5
    assert [o for o in outcomes if o["outcome"] != "holds"] == []


def test_tensors_pairs_and_indices(small_reference: Result) -> None:
    checks = small_reference.metrics["checks"]
    names = [f"{kind}{layer}" for layer in range(1, 6) for kind in "Wb"]
    pairs = ["backward-forward", "backward-central", "backward-complex", "forward-central"]
    pairs += ["forward-complex", "central-complex"]
    expected = [(tensor, pair) for tensor in [*names, "dy/dx"] for pair in pairs]
    expected += [("uJv", "backward-forward"), ("directional", "backward-richardson")]
    expected += [("directional", "backward-complex"), ("directional", "richardson-complex")]
    assert [(entry["tensor"], entry["pair"]) for entry in checks] == expected
    depth = {entry["tensor"]: len(entry["worst"]["index"]) for entry in checks}
    others = {"dy/dx": 3, "uJv": 1, "directional": 1}
    assert depth == {name: 2 if name[0] == "W" else 1 for name in names} | others


def test_outline_has_the_shape_of_the_metrics(small_reference: Result) -> None:
    metrics = dict(small_reference.metrics)
    outline = gradcheck.outline(small_reference.config)
    assert set(outline.pop("diagnosis")) == {"tensor", "layer", "fault", "evidence"}
    assert metrics.pop("diagnosis") is None
    assert (metrics.pop("findings"), outline.pop("findings")) == ([], object)
    assert shape(outline) == shape(metrics)


def shape(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    return [shape(item) for item in tree] if isinstance(tree, list) else "leaf"


@pytest.fixture
def wrong() -> Iterator[type[Activation]]:
    @registry.register("wrong_softsign")
    @dataclass(frozen=True)
    class Wrong(Activation):
        """Arctangent with a derivative that is 1 % too large."""

        def f(self, z: Array) -> Array:
            return namespace(z).atan(z)

        def df(self, z: Array) -> Array:
            return 1.01 / (1 + z * z)

    yield Wrong
    registry._parts["activation"].pop("wrong_softsign")


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_wrong_derivative_is_found_and_its_layer_named(wrong: type[Activation], layer: int) -> None:
    activations: list[Activation] = [Tanh(), Tanh(), Tanh()]
    activations[layer - 1] = wrong()
    metrics = run(config(*activations)).metrics
    assert metrics["verdict"] == "wrong"
    assert not metrics["passed"]
    assert metrics["diagnosis"]["layer"] == layer
    assert metrics["diagnosis"]["tensor"] in (f"W{layer}", f"b{layer}")
    failed = {entry["tensor"] for entry in metrics["checks"] if not entry["passed"]}
    spoilt = {f"{kind}{n}" for n in range(1, layer + 1) for kind in "Wb"}
    assert failed == spoilt | {"dy/dx", "directional"}  # both exact modes take the wrong slope: uJv passes
    entry = next(e for e in metrics["checks"] if not e["passed"])
    assert entry["worst"]["left"] == pytest.approx(1.01 * entry["worst"]["right"], rel=1e-5)


def compared(a: Any, b: Any) -> Any:
    """The check of two exact methods, on numbers made here."""
    tensor = Derivatives("W1", {"backward": a, "forward": b}, np.zeros(a.shape))
    (entry,) = verdict(Tolerances(), [tensor]).metrics["checks"]
    return entry


def test_the_worst_entry_is_the_one_that_differs() -> None:
    a = np.arange(12.0).reshape(3, 4)
    b = a.copy()
    b[2, 1] += 0.5
    entry = compared(a, b)
    assert entry["worst"] == {"index": [2, 1], "left": 9.0, "right": 9.5}
    assert entry["max_abs_error"] == 0.5
    assert entry["max_rel_error"] == pytest.approx(0.5 / 11)
    assert not entry["passed"]


def test_zero_gradients_agree_and_nonfinite_ones_fail() -> None:
    zeros = np.zeros((2, 2))
    assert compared(zeros, zeros)["max_rel_error"] == 0
    assert compared(zeros, zeros)["passed"]
    entry = compared(zeros, np.array([[0.0, 1.0], [np.nan, 2.0]]))
    assert entry["max_rel_error"] is None
    assert entry["max_abs_error"] is None
    assert entry["worst"] == {"index": [1, 0], "left": 0.0, "right": None}
    assert not entry["passed"]


def test_kinks_are_left_out_of_central_and_counted() -> None:
    # with all parameters zero every unit of ReLU sits on its kink: central has nothing to compare
    metrics = run(config(ReLU(), ReLU(), initializer=LayerInitializer(Zeros(), Zeros()))).metrics
    assert metrics["kinks"]["excluded"] > 0
    assert metrics["verdict"] == "inconclusive"
    assert not metrics["passed"]
    assert metrics["diagnosis"] is None


@pytest.mark.parametrize("activation", [cls() for cls in registry.parts("activation").values()])
def test_no_activation_is_accused_where_all_its_units_are_at_zero(activation: Activation) -> None:
    """Where a slope turns, difference quotients are of first order: softsign and ELU were called wrong.

    Where it jumps there is no derivative, and the check is inconclusive.
    """
    zeros = LayerInitializer(Zeros(), Zeros())
    metrics = run(config(activation, activation, activation, initializer=zeros)).metrics
    jump = np.ptp(activation.df(np.array([-1e-9, 1e-9])))
    assert metrics["verdict"] == ("inconclusive" if jump > 1e-3 else "correct")


@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 40))]
)
def test_no_correct_network_is_accused(seed: int) -> None:
    """Central differences cannot resolve vanishing gradients: that was called wrong."""
    generator = np.random.default_rng(seed)
    depth = int(generator.integers(1, 10))
    widths = tuple(int(width) for width in generator.integers(1, 20, depth + 1))
    known: list[Activation] = [cls() for cls in registry.parts("activation").values()]
    chosen = tuple(known[i] for i in generator.integers(len(known), size=depth))
    checked = GradcheckConfig(
        network=CheckedNetwork(widths, chosen if seed % 2 else Sigmoid()),
        loss=SquaredError() if seed % 3 else SoftmaxCrossEntropy(),
        batch=int(generator.integers(1, 6)),
        step_sweep=StepSweep(directions=1, per_decade=1),
    )
    assert run(checked, seed).metrics["verdict"] != "wrong"


def test_what_central_differences_cannot_resolve_is_left_to_the_complex_step() -> None:
    deep = GradcheckConfig(
        network=CheckedNetwork((10,) * 15, Sigmoid()), batch=2, step_sweep=StepSweep(directions=1)
    )
    metrics = run(deep).metrics
    assert metrics["verdict"] == "correct"
    hidden = {entry["tensor"] for entry in metrics["checks"] if entry["unresolved"]}
    assert {"W1", "b1"} <= hidden
    assert not {"W14", "b14"} & hidden
    alone = run(replace(deep, methods=("backward", "central"))).metrics
    assert alone["verdict"] == "inconclusive"
    assert not alone["passed"]


def test_relu_networks_are_not_accused() -> None:
    for seed in range(8):
        metrics = run(config(ReLU(), ReLU(), ReLU()), seed).metrics
        assert metrics["verdict"] in ("correct", "inconclusive")


def test_sweep_shows_both_branches_where_theory_has_them(small_reference: Result) -> None:
    arrays = small_reference.arrays
    h, error = arrays["sweep.h"], np.median(arrays["sweep.central"], axis=0)
    truncation = np.median(arrays["sweep.truncation"], axis=0)
    round_off = np.median(arrays["sweep.round_off"], axis=0)
    assert (h[0], h[-1]) == (1e-14, 0.1)
    rising, falling = (h > 1e-4) & (h < 1e-2), h < 1e-9
    assert np.allclose(error[rising] / truncation[rising], 1, atol=0.05)
    assert np.all(error[falling] < 10 * round_off[falling])
    assert np.all(error[falling] > round_off[falling] / 100)
    assert np.median(arrays["sweep.complex"][:, falling]) < 1e-13


def test_fewer_methods_give_fewer_pairs() -> None:
    result = run(config(Sigmoid(), methods=("complex", "backward")))
    pairs = {entry["pair"] for entry in result.metrics["checks"] if entry["tensor"] != "directional"}
    assert pairs == {"backward-complex"}
    assert result.passed


def test_progress_counts_every_parameter() -> None:
    seen: list[Any] = []
    checked = config(Sigmoid(), Sigmoid())
    gradcheck.run(checked, RunContext(Streams(0), seen.append))
    count = checked.built.parameter_count
    assert {event for event in seen if event.done == event.total} == {
        *(Work(method, count, count) for method in ("forward", "central", "complex")),
        Work("adjoint", 5, 5),
        Work("directions", 3, 3),
    }


def test_shrinking_keeps_the_tensors() -> None:
    whole = load("gradcheck", reference("gradcheck"))
    tiny = gradcheck.shrink(whole)
    assert rows(tiny) == rows(whole)
    assert gradcheck.outline(tiny).keys() == gradcheck.outline(whole).keys()
    assert "50,500 parameters" in gradcheck.estimate(whole)

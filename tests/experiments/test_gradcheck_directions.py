"""A fraction of the entries, or random directions: what is covered, and how surely a fault is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.config.schema import read
from dnnexp.core.activations import Sigmoid, Tanh
from dnnexp.core.directional import miss_probability
from dnnexp.core.faults import Fault, LayerFault, TransposedWeight, faulty_gradient
from dnnexp.core.perturbation import least_memory
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck import along, entries, network
from dnnexp.experiments.gradcheck.checks import verdict
from dnnexp.experiments.gradcheck.config import (
    METHODS,
    CheckedNetwork,
    GradcheckConfig,
    StepSweep,
    Tolerances,
)
from dnnexp.registry import parts

gradcheck = find("gradcheck")

DEPTH = 3
SWEEP = StepSweep(directions=1, per_decade=1)


def config(*widths: int, **changes: Any) -> GradcheckConfig:
    activations = tuple(Tanh() if level % 2 else Sigmoid() for level in range(len(widths) - 1))
    given: dict[str, Any] = {"batch": 3, "step_sweep": SWEEP} | changes
    return GradcheckConfig(network=CheckedNetwork(widths, activations), **given)


def metrics_of(config: GradcheckConfig, seed: int = 0) -> Any:
    return gradcheck.run(config, RunContext(Streams(seed))).metrics


def faults() -> list[Any]:
    made: list[Fault] = []
    for cls in parts("fault").values():
        made += [cls(layer) for layer in range(1, DEPTH + 1)] if issubclass(cls, LayerFault) else [cls()]
    return [pytest.param(fault, id=f"{fault.name}-{getattr(fault, 'layer', 'all')}") for fault in made]


@pytest.mark.parametrize("fault", faults())
def test_every_fault_in_every_layer_is_caught_and_named(fault: Fault) -> None:
    assert_caught(fault, directions=3)


@pytest.mark.parametrize("fault", [fault for fault in faults() if getattr(fault.values[0], "layer", 2) == 2])
def test_faults_are_caught_and_named_by_a_fraction_of_the_entries(fault: Fault) -> None:
    assert_caught(fault, fraction=0.3)


def assert_caught(fault: Fault, **changes: Any) -> None:
    metrics = metrics_of(config(*(5,) * (DEPTH + 1), inject=fault, **changes))
    assert (metrics["passed"], metrics["verdict"]) == (False, "wrong")
    assert metrics["culprit"] == "backward"
    assert metrics["diagnosis"]["fault"] == fault.name
    assert metrics["diagnosis"]["layer"] == getattr(fault, "layer", None)


@pytest.mark.parametrize("changes", [{"fraction": 0.3}, {"directions": 3}], ids=["fraction", "directions"])
def test_what_is_right_passes(changes: dict[str, Any]) -> None:
    methods = METHODS
    for seed in range(2):
        metrics = metrics_of(config(5, 6, 7, 4, methods=methods, **changes), seed)
        assert (metrics["passed"], metrics["diagnosis"]) == (True, None)


def test_a_fraction_is_taken_of_every_tensor_and_at_least_one_entry() -> None:
    checked = config(7, 6, 1, 3, fraction=0.25)
    metrics = metrics_of(checked)
    sizes = {"W1": 42, "b1": 6, "W2": 6, "b2": 1, "W3": 3, "b3": 3}
    taken = {name: max(1, round(0.25 * size)) for name, size in sizes.items()}
    inputs = 3 * 3 * 7  # dy/dx is compared as a whole
    assert metrics["coverage"]["entries"] == sum(sizes.values()) + inputs
    assert metrics["coverage"]["compared"] == sum(taken.values()) + inputs
    assert metrics["coverage"]["miss_probability"] == max(1 - taken[n] / sizes[n] for n in sizes)
    assert metrics["coverage"]["error"] is None
    assert metrics["kinks"]["checked"] >= metrics["coverage"]["compared"]


def test_the_whole_misses_nothing() -> None:
    metrics = metrics_of(config(3, 4, 2))
    assert metrics["coverage"] == {"entries": 26 + 18, "compared": 26 + 18, "miss_probability": 0.0,
                                   "error": None, "fewest_points": None, "most_points": None}  # fmt: skip


def test_another_seed_takes_other_entries_of_a_fraction() -> None:
    checked = config(7, 6, 5, fraction=0.2)
    masks = []
    for seed in range(2):
        request = RunContext(Streams(seed))
        masks.append(entries.sample(checked, network.draw(checked, request), request))
    assert masks[0].sum() == masks[1].sum()
    assert (masks[0] != masks[1]).any()


def test_directions_are_counted() -> None:
    metrics = metrics_of(config(7, 6, 4, directions=4))
    assert metrics["coverage"]["entries"] == 7 * 6 + 6 + 6 * 4 + 4
    assert metrics["coverage"]["compared"] == 4 * (2 * 2 + 1)
    assert 0 < metrics["coverage"]["miss_probability"] < 1e-6
    assert metrics["coverage"]["error"] == 0.01
    assert {len(e["worst"]["index"]) for e in metrics["checks"]} == {1}


def spoil(monkeypatch: pytest.MonkeyPatch, module: Any, place: int, amount: float) -> None:
    """A pass back that is wrong in one entry, by an amount relative to the layer's largest."""

    def wrong(problem: Any, fault: Any) -> Any:
        found = faulty_gradient(problem, fault).copy()
        found[place] += amount * np.abs(found[:TENSOR]).max()
        return found

    monkeypatch.setattr(module, "faulty_gradient", wrong)


TENSOR = 6 * 5  # entries of W1 in the network 5, 6, 4
SEEDS = 30


def found_rate(checked: GradcheckConfig) -> float:
    """How often W1 is called wrong."""
    hits, module = 0, entries if checked.directions is None else along
    for seed in range(SEEDS):
        request = RunContext(Streams(seed))
        tensors = module.measure(checked, network.draw(checked, request), request).tensors
        found = verdict(checked.tolerances, tensors).metrics["checks"]
        hits += any(entry["tensor"] == "W1" and not entry["passed"] for entry in found)
    return hits / SEEDS


def assert_likely(rate: float, probability: float) -> None:
    """Within four standard deviations, which chance exceeds once in 16,000 tests."""
    deviation = np.sqrt(probability * (1 - probability) / SEEDS)
    assert abs(rate - probability) <= 4 * deviation + 1e-12


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_a_wrong_entry_is_found_as_often_as_it_is_drawn(
    fraction: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, entries, 17, 0.5)
    checked = config(5, 6, 4, fraction=fraction, methods=("backward", "forward"), adjoint_directions=0)
    assert_likely(found_rate(checked), round(fraction * TENSOR) / TENSOR)
    stated = metrics_of(checked)["coverage"]["miss_probability"]
    assert stated >= 1 - round(fraction * TENSOR) / TENSOR - 1e-12


@pytest.mark.parametrize(("directions", "tolerance"), [(1, 3e-3), (2, 1e-3)])
def test_a_wrong_entry_is_found_as_often_as_is_stated(
    directions: int, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the size that the statement is about, with a tolerance that not every direction exceeds."""
    spoil(monkeypatch, along, 17, along._VISIBLE)
    stated, missed = [], along._missed

    def recorded(config: Any, found: Any, truth: Any) -> float:
        if found.tensor == "W1":
            stated.append(missed(config, found, truth))
        return missed(config, found, truth)

    monkeypatch.setattr(along, "_missed", recorded)
    tolerances = Tolerances(central=tolerance)
    checked = config(5, 6, 4, directions=directions, methods=("backward", "central"), tolerances=tolerances)
    rate = found_rate(checked)
    assert len(stated) == SEEDS
    assert_likely(rate, 1 - float(np.mean(stated)))
    assert metrics_of(checked)["coverage"]["miss_probability"] >= stated[0]


def test_by_exact_methods_the_same_entry_is_always_found(monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, along, 17, along._VISIBLE)
    checked = config(5, 6, 4, directions=2, methods=("backward", "forward"))
    assert metrics_of(checked)["coverage"]["miss_probability"] < 1e-12
    assert found_rate(checked) == 1


@pytest.mark.parametrize("directions", [1, 2])
def test_the_stated_chance_to_miss_is_that_of_missing(directions: int) -> None:
    """|e v_k| ≤ threshold |e|, v uniform on the sphere: drawn here by itself."""
    generator, n, threshold, draws = np.random.default_rng(0), TENSOR, 0.1, 4000
    v = generator.standard_normal((draws, directions, n))
    unit = v / np.linalg.norm(v, axis=2, keepdims=True)
    missed = float((np.abs(unit[:, :, 17]) <= threshold).all(axis=1).mean())
    probability = miss_probability(n, threshold, directions)
    assert abs(missed - probability) <= 4 * np.sqrt(probability * (1 - probability) / draws)


@pytest.mark.parametrize("mode", [{}, {"fraction": 0.5}, {"directions": 2}])
def test_a_memory_bound_that_is_too_small_is_refused_with_the_least(mode: dict[str, Any]) -> None:
    tree = {"network": {"layers": [30, 40, 20], "activation": "tanh"}, "batch": 5} | mode
    found, errors = read(GradcheckConfig, tree | {"memory": 1e-3})
    assert found is None
    least = least_memory(CheckedNetwork((30, 40, 20), Tanh()).build(), 5)
    ((path, message),) = errors
    assert path == ("memory",)
    assert message.startswith(f"must be at least {least:.3g} (MiB, one perturbed network), not 0.001")
    enough = float(f"{1.01 * least:.3g}")
    assert read(GradcheckConfig, tree | {"memory": enough})[1] == []


def test_the_least_memory_gives_the_same_numbers() -> None:
    for mode in ({}, {"fraction": 0.5}, {"directions": 2}):
        checked = config(5, 6, 4, methods=METHODS, **mode)
        least = 1.01 * least_memory(checked.built, checked.batch)
        whole, small = metrics_of(checked), metrics_of(replace(checked, memory=least))
        assert (small["passed"], small["coverage"]) == (True, whole["coverage"])


def test_the_transposed_first_layer_shows_in_the_inputs_alone() -> None:
    metrics = metrics_of(config(5, 5, 4, directions=3, inject=TransposedWeight(1)))
    assert {entry["tensor"] for entry in metrics["checks"] if not entry["passed"]} <= {"dy/dx", "uJv"}
    assert metrics["diagnosis"]["tensor"] == "dy/dx"

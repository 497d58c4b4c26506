"""A difference of one step, too, has a bound for each entry: no tiny wrong one hides behind a large one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import ReLU, Sigmoid, Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.faults import faulty_gradient, jacobian_backward
from dnnexp.core.losses import SquaredError
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck import along, entries
from dnnexp.experiments.gradcheck import network as measurement
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt, verdict
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep, Tolerances
from dnnexp.experiments.gradcheck.quotients import Quotients, bounded
from dnnexp.experiments.gradcheck.recheck import Rechecked

gradcheck = find("gradcheck")

WIDTHS = (3, 5, 4)
pairs = pytest.mark.parametrize("methods", [("backward", "central"), ("backward", "central4", "complex")])


def problem(saturated: float = -18.0) -> Problem:
    """Sigmoids of which the last layer's last one is at about −18: 1e-8 of slope, and of rounding."""
    network, generator = Network(WIDTHS, (Tanh(), Sigmoid())), np.random.default_rng(0)
    parameters = 0.5 * generator.standard_normal(network.parameter_count)
    network.layers(parameters)[1].biases[-1] = saturated
    x, t = generator.standard_normal((6, WIDTHS[0])), generator.standard_normal((6, WIDTHS[-1]))
    return Problem(network, parameters, x, t, SquaredError())


def metrics_of(monkeypatch: pytest.MonkeyPatch, given: Problem, **changes: Any) -> Any:
    monkeypatch.setattr(measurement, "draw", lambda config, request: given)
    network = CheckedNetwork(given.network.widths, given.network.activations)
    config = GradcheckConfig(network=network, step_sweep=StepSweep(directions=1, per_decade=1), **changes)
    return gradcheck.run(config, RunContext(Streams(0))).metrics


def spoil(monkeypatch: pytest.MonkeyPatch, index: tuple[int, int], off: float) -> None:
    """One entry of ∂E/∂W2 by the pass back is wrong, relatively by so much."""

    def wrong(given: Problem, fault: Any) -> Floats:
        found = faulty_gradient(given, fault)
        given.network.layers(found)[1].weights[index] *= 1 + off
        return found

    monkeypatch.setattr(entries, "faulty_gradient", wrong)


def of(metrics: Any, tensor: str, pair: str) -> Any:
    (found,) = (entry for entry in metrics["checks"] if (entry["tensor"], entry["pair"]) == (tensor, pair))
    return found


@pytest.mark.parametrize(
    ("methods", "off"),
    [
        (("backward", "central"), 1e-3),
        (("backward", "central4"), -1e-3),
        (("backward", "central", "complex"), -1e-5),  # what another method confirms no extrapolation blurs
    ],
)
def test_a_tiny_wrong_entry_is_seen_by_differences(
    monkeypatch: pytest.MonkeyPatch, methods: Any, off: float
) -> None:
    """It is 1e-8 of the tensor's largest, and so its error is less than 1e-11 of that."""
    spoil(monkeypatch, (3, 1), off)
    found = metrics_of(monkeypatch, problem(), methods=methods)
    check = of(found, "W2", f"backward-{methods[1]}")
    assert check["max_rel_error"] < 1e-9
    assert check["worst"]["index"] == [3, 1]
    assert check["bound_ratio"] > 3
    assert abs(check["worst"]["left"] / check["worst"]["right"] - 1) == pytest.approx(abs(off), rel=0.1)
    assert found["verdict"] == "wrong"


@pairs
def test_the_same_entry_passes_where_it_is_right(monkeypatch: pytest.MonkeyPatch, methods: Any) -> None:
    found = metrics_of(monkeypatch, problem(), methods=methods)
    assert found["verdict"] == "correct"
    assert of(found, "W2", f"backward-{methods[1]}")["bound_ratio"] < 1


def test_an_error_below_rounding_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 1e-9 shows no eight digits."""
    spoil(monkeypatch, (3, 1), 1e-8)
    found = metrics_of(monkeypatch, problem(), methods=("backward", "central"), central_step=1e-9)
    assert of(found, "W2", "backward-central")["passed"]


def test_a_larger_tolerance_of_ones_own_takes_the_place_of_the_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(monkeypatch, (3, 1), 1e-3)
    methods, own = ("backward", "central"), Tolerances(central=1e-5)
    assert metrics_of(monkeypatch, problem(), methods=methods, tolerances=own)["verdict"] == "correct"


def test_a_smaller_tolerance_holds_beside_the_bounds() -> None:
    a, b = np.array([1.0, 1e-9]), np.array([1.0 + 1e-8, 1e-9])
    doubts = {"central": Doubt(error=np.full(2, 1e-7))}
    tensors = [Derivatives("W1", {"backward": a, "central": b}, np.full(2, 1e-16), doubts)]
    assert verdict(Tolerances(), tensors).metrics["verdict"] == "correct"
    assert verdict(Tolerances(central=1e-9), tensors).metrics["verdict"] == "wrong"


def test_a_wrong_slope_along_directions_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By 1e-8 of itself, a hundredth of what the tolerance allows."""
    arguments: dict[str, Any] = {"methods": ("backward", "central4"), "directions": 2}
    assert metrics_of(monkeypatch, problem(0.3), **arguments)["verdict"] == "correct"
    monkeypatch.setattr(
        along, "faulty_gradient", lambda given, fault: (1 + 1e-8) * faulty_gradient(given, fault)
    )
    found = metrics_of(monkeypatch, problem(0.3), **arguments)
    assert of(found, "W2", "backward-central4")["bound_ratio"] > 1
    assert found["verdict"] == "wrong"


def test_a_wrong_entry_of_the_jacobian_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*arguments: Any) -> Floats:
        found: Floats = jacobian_backward(*arguments)
        found[2, 3, 1] *= 1.001
        return found

    monkeypatch.setattr(entries, "jacobian_backward", wrong)
    found = metrics_of(monkeypatch, problem(), methods=("backward", "central"))
    check = of(found, "dy/dx", "backward-central")
    assert (check["worst"]["index"], check["passed"]) == ([2, 3, 1], False)


@pytest.mark.parametrize("step", [1e-2, 0.3])
def test_truncation_is_allowed_for(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    """Steps so long that rounding explains no error."""
    for given in (problem(), problem(0.3)):
        found = metrics_of(monkeypatch, given, methods=("backward", "central", "central4"), central_step=step)
        assert found["verdict"] == "correct"


def test_kinks_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    network, generator = Network((4, 8, 8, 3), (ReLU(),) * 3), np.random.default_rng(1)
    x, t = generator.standard_normal((20, 4)), generator.standard_normal((20, 3))
    parameters = 0.5 * generator.standard_normal(network.parameter_count)
    given = Problem(network, parameters, x, t, SquaredError())
    found = metrics_of(monkeypatch, given, methods=("backward", "central", "complex"), central_step=1e-3)
    assert found["kinks"]["crossed"] > 10
    assert found["verdict"] == "correct"


def test_the_derivation_is_told_of_the_methods_that_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        methods: metrics_of(monkeypatch, problem(), methods=methods)["tolerance"]
        for methods in (("backward", "forward"), ("backward", "central"), ("backward", "central", "central4"))
    }
    texts = list(told.values())
    assert ["truncation" in text for text in texts] == [False, True, True]
    assert ["1/3 (central)" in text for text in texts] == [False, True, True]
    assert ["1/15 (central4)" in text for text in texts] == [False, False, True]
    own = metrics_of(
        monkeypatch, problem(), methods=("backward", "central"), tolerances=Tolerances(central=1e-3)
    )
    assert "truncation" not in own["tolerance"]


def test_two_differences_may_be_off_to_both_sides() -> None:
    """Each by what is allowed; long steps of both orders accused each other."""
    size, at = np.ones(2), np.array([0.9e-6, 0.0])
    by_method = {"central": size + at, "central4": size - at, "complex": size}
    tensor = Derivatives("W1", by_method, np.full(2, 1e-16), {"central": Doubt(), "central4": Doubt()})
    assert verdict(Tolerances(), [tensor]).metrics["verdict"] == "correct"


# --- The three looks ---------------------------------------------------------------------------------------


def looked(exact: Floats, own: Floats, **changes: Any) -> Rechecked:
    no, none = np.zeros(len(own), bool), np.full(len(own), np.nan)
    by_method = {"backward": exact, "central": own}
    return Rechecked(by_method, {"central": no}, {"central": no}, None, 0, {"central": none}, {})._replace(
        **changes
    )


def judged(found: Rechecked, longer: Floats, again: Floats, error: float = 1e-12, most: int = 10) -> Any:
    """Rounding 1e-10, allowed 1e-6; the errors, the values, and at which places was looked again."""
    places: list[int] = []

    def doubled(chosen: Any) -> Any:
        return longer[chosen], np.zeros(len(chosen), bool)

    def retake(chosen: Any) -> Extrapolated:
        places.extend(int(place) for place in chosen)
        return Extrapolated(again[chosen], np.full(len(chosen), error), np.full(len(chosen), 2.0))

    size = len(longer)
    known = {"central": Quotients(np.full(size, 1e-10), doubled)}
    after = bounded(found, known, np.full(size, 1e-6), retake, most)
    return after.errors["central"], after.by_method["central"], places


def test_rounding_then_truncation_then_extrapolation() -> None:
    """Off by 5e-11, by 1e-8 of truncation, by 1e-8 of something else, and by more than is allowed."""
    exact = np.ones(4)
    own = exact + np.array([5e-11, 1e-8, 1e-8, 1e-3])
    longer = exact + np.array([0, 4e-8, 1e-8, 1e-3])
    error, value, places = judged(looked(exact, own), longer, exact)
    np.testing.assert_allclose(error, [1e-10, 1.01e-8, 1e-12, np.inf], rtol=1e-6)
    np.testing.assert_array_equal(value, [own[0], own[1], 1.0, own[3]])
    assert places == [2]


def test_what_is_not_known_is_judged_by_the_tolerance_alone() -> None:
    """At kinks, where extrapolation is not sure, and beyond so many places."""
    exact = np.ones(3)
    own = exact + np.array([1e-8, 2e-8, 3e-8])
    at_kink = {"crossed": {"central": np.array([True, False, False])}}
    error, value, places = judged(looked(exact, own, **at_kink), own, exact, error=1e-3, most=1)
    assert np.isinf(error).all()
    np.testing.assert_array_equal(value, own)
    assert places == [2]


def test_one_exact_method_that_agrees_settles_an_entry() -> None:
    """Backward is wrong, and no step is taken again for it."""
    exact = np.ones(1)
    found = looked(exact, exact)
    found = found._replace(by_method={"backward": exact + 1e-8, "complex": exact, "central": exact})
    error, _, places = judged(found, exact + 1, exact)
    assert (error[0], places) == (1e-10, [])

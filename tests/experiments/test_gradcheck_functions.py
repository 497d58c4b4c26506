"""Functions of every size and kind: what is right is never accused, what is wrong is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.core.streams import Streams
from dnnexp.experiments import find
from dnnexp.experiments.base import Event, RunContext, Work
from dnnexp.experiments.gradcheck.cases import Case, Piece
from dnnexp.experiments.gradcheck.config import DIFFERENCES, GradcheckConfig, StepSweep
from tests.experiments.given_cases import (
    Given,
    doubled,
    made,
    metrics_of,
    negated,
    off_in_one_coordinate,
    shifted,
)

gradcheck = find("gradcheck")

POINTS = np.random.default_rng(1).uniform(-2, 2, (3, 4))


def waves(scale: float = 1.0, takes_complex: bool = True) -> Case:
    """scale · Σ sin x_j · Π cos x_j /2, or so: smooth, with a gradient."""
    weights = np.array([1.0, 0.5, 2.0])

    def value(x: Any) -> Any:
        return scale * np.tensordot(weights, np.sin(x), 1)

    def gradient(x: Any) -> Any:
        return scale * (weights * np.cos(x).T).T

    return made(value, gradient, POINTS, takes_complex)


SIZES = pytest.mark.parametrize("size", [1e-280, 1e-200, 1e-30, 1e-8, 1.0, 1e8, 1e30, 1e200, 1e290])
COMPLEX = pytest.mark.parametrize("takes_complex", [True, False])
MISTAKES = pytest.mark.parametrize("mistake", [negated, doubled, off_in_one_coordinate, shifted])


@COMPLEX
@SIZES
def test_values_of_any_size_are_judged(size: float, takes_complex: bool) -> None:
    case = waves(size, takes_complex)
    assert metrics_of(case)["verdict"] == "correct"
    metrics = metrics_of(doubled(case))
    assert (metrics["verdict"], metrics["diagnosis"]["fault"]) == ("wrong", "factor")
    assert metrics_of(off_in_one_coordinate(case))["verdict"] == "wrong"


@COMPLEX
@MISTAKES
def test_mistakes_are_caught(mistake: Callable[[Case], Case], takes_complex: bool) -> None:
    metrics = metrics_of(mistake(waves(1.0, takes_complex)))
    assert (metrics["verdict"], metrics["culprit"]) == ("wrong", "analytic")


def test_the_coordinate_that_is_wrong_is_told() -> None:
    evidence = metrics_of(off_in_one_coordinate(waves()))["diagnosis"]["evidence"]
    assert evidence.startswith("f[")
    assert "; 4 of 12 entries are wrong, all of coordinate [2], each too large by 0.000" in evidence


MISTAKES_IN_WORDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a constant": (lambda g: g - 0.25, "12 of 12 entries are wrong, each too small by 0.25"),
    "twice in one coordinate": (
        lambda g: np.stack([g[0], 2 * g[1], g[2]]),
        "4 of 12 entries are wrong, all of coordinate [1], 2 times what they should be",
    ),
    "0 in one coordinate": (
        lambda g: np.stack([0 * g[0], g[1], g[2]]),
        "4 of 12 entries are wrong, all of coordinate [0], 0 times what they should be",
    ),
    "some rule": (lambda g: g + g**2, "12 of 12 entries are wrong"),
}


@pytest.mark.parametrize(("mistake", "told"), MISTAKES_IN_WORDS.values(), ids=list(MISTAKES_IN_WORDS))
def test_what_wrong_entries_have_in_common_is_told(mistake: Callable[[Any], Any], told: str) -> None:
    case = waves()
    metrics = metrics_of(replace(case, gradient=lambda x: mistake(case.gradient(x))))
    assert metrics["diagnosis"]["evidence"].endswith(f"; {told}")


@pytest.mark.parametrize("seed", range(3))
def test_a_fraction_of_the_entries_is_drawn(seed: int) -> None:
    """All entries were compared, whatever the fraction."""
    points = np.random.default_rng(0).uniform(-2, 2, (40, 5))
    case = made(lambda x: np.sin(x).sum(0), np.cos, points)
    metrics = metrics_of(case, seed, fraction=0.1, methods=DIFFERENCES)
    assert (metrics["verdict"], metrics["kinks"]["checked"]) == ("correct", 20)
    assert {entry["compared"] for entry in metrics["checks"]} == {20}
    coverage = metrics["coverage"]
    assert (coverage["entries"], coverage["compared"]) == (200, 20)
    assert coverage["miss_probability"] == pytest.approx(0.9)
    wrong = metrics_of(doubled(case), seed, fraction=0.1)
    assert (wrong["verdict"], wrong["diagnosis"]["fault"]) == ("wrong", "factor")


def test_every_tensor_has_an_entry_of_a_fraction() -> None:
    parts = (Piece("function:f.w", slice(0, 2), (2,)), Piece("function:f.b", slice(2, 3), ()))
    metrics = metrics_of(replace(waves(), pieces=parts), fraction=1e-9)
    assert {(e["tensor"], e["compared"]) for e in metrics["checks"]} == {(part.tensor, 1) for part in parts}


def test_many_entries_are_reported_on_the_way() -> None:
    points = np.random.default_rng(0).uniform(-2, 2, (30, 100))
    case, events = made(lambda x: np.sin(x).sum(0), np.cos, points), list[Event]()
    config = GradcheckConfig(target=Given((case,)), step_sweep=StepSweep(per_decade=1, directions=1))
    metrics = gradcheck.run(config, RunContext(Streams(0), events.append)).metrics
    assert metrics["verdict"] == "correct"
    done = [Work("entries", 2048, 3000, "f"), Work("entries", 3000, 3000, "f"), Work("cases", 1, 1, "f")]
    assert events == done


def test_a_factor_of_ones_own_is_told() -> None:
    case = waves()
    metrics = metrics_of(replace(case, gradient=lambda x: 1.25 * case.gradient(x)))
    assert metrics["diagnosis"]["fault"] is None
    assert "all entries are 1.25 times what they should be" in metrics["diagnosis"]["evidence"]


@COMPLEX
@pytest.mark.parametrize("far", [1e-12, 1e6, 1e100, 1e150])
def test_points_of_any_size_are_judged(far: float, takes_complex: bool) -> None:
    case = made(lambda x: (x**2).sum(0), lambda x: 2 * x, far * POINTS, takes_complex)
    assert metrics_of(case)["verdict"] == "correct"
    assert metrics_of(negated(case))["verdict"] == "wrong"


@COMPLEX
def test_a_point_smaller_than_any_step_is_left_undecided(takes_complex: bool) -> None:
    case = made(lambda x: (x**2).sum(0), lambda x: 2 * x, 1e-200 * POINTS, takes_complex)
    assert metrics_of(case)["verdict"] == "inconclusive"
    assert metrics_of(negated(case))["verdict"] == ("wrong" if takes_complex else "inconclusive")


@COMPLEX
@pytest.mark.parametrize("constant", [0.0, 1.0, -1e200, 1e-200])
def test_a_constant_has_the_gradient_zero(constant: float, takes_complex: bool) -> None:
    right = made(lambda x: 0 * x[0] + constant, np.zeros_like, POINTS, takes_complex)
    assert metrics_of(right)["verdict"] == "correct"
    claimed = 1e-5 * max(abs(constant), 1.0)
    wrong = replace(right, gradient=lambda x: np.full(np.shape(x), claimed))
    assert metrics_of(wrong)["verdict"] == "wrong"


@COMPLEX
def test_a_claim_of_zero_is_wrong_where_there_is_a_slope(takes_complex: bool) -> None:
    metrics = metrics_of(replace(waves(1.0, takes_complex), gradient=np.zeros_like))
    assert (metrics["verdict"], metrics["diagnosis"]["tensor"]) == ("wrong", "f")


def uneven(takes_complex: bool, tiny: float, factor: float = 1.0) -> Case:
    """1000 x₀ + tiny · x₁²/2; what is said of x₁ is times a factor."""

    def gradient(x: Any) -> Any:
        return np.stack([np.full(np.shape(x[0]), 1e3), factor * tiny * x[1]])

    points = np.array([[0.0, 1e-3, -2e-3], [1.0, -1.5, 2.0]])
    return made(lambda x: 1e3 * x[0] + tiny * x[1] ** 2 / 2, gradient, points, takes_complex)


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0, 1.1])
@pytest.mark.parametrize(("takes_complex", "tiny"), [(True, 1e-9), (False, 1e-7)])
def test_a_tiny_wrong_entry_beside_a_large_one_is_caught(
    takes_complex: bool, tiny: float, factor: float
) -> None:
    """By the complex step 1e-9 beside 1e3, by extrapolation what is above rounding of the values."""
    assert metrics_of(uneven(takes_complex, tiny))["verdict"] == "correct"
    metrics = metrics_of(uneven(takes_complex, tiny, factor))
    assert metrics["verdict"] == "wrong"
    exact = "complex" if takes_complex else "richardson"
    (entry,) = (e for e in metrics["checks"] if e["pair"] == f"analytic-{exact}")
    assert entry["bound_ratio"] > 1
    assert entry["worst"]["index"][1] == 1


def test_the_tensor_of_a_wrong_case_is_named() -> None:
    right = waves()
    first, second = (
        replace(right, pieces=(Piece(name, slice(0, 3), (3,)),)) for name in ("objective:a", "objective:b")
    )
    metrics = metrics_of(Given((first, negated(second))))
    assert (metrics["verdict"], metrics["diagnosis"]["tensor"]) == ("wrong", "objective:b")
    wrong = {entry["tensor"] for entry in metrics["checks"] if not entry["passed"]}
    assert wrong == {"objective:b"}


def test_the_wrong_one_of_several_tensors_of_a_function_is_named() -> None:
    parts = (Piece("function:f.w", slice(0, 2), (2,)), Piece("function:f.b", slice(2, 3), ()))
    case = replace(waves(), pieces=parts)
    assert metrics_of(case)["verdict"] == "correct"
    metrics = metrics_of(off_in_one_coordinate(case))
    assert (metrics["verdict"], metrics["diagnosis"]["tensor"]) == ("wrong", "function:f.b")


@COMPLEX
def test_at_a_minimum_every_entry_is_zero(takes_complex: bool) -> None:
    """A zero of extrapolation is never sure relative to a tensor of zeros."""
    weights = np.array([1.0, 3.0, 0.1])

    def value(x: Any) -> Any:
        return 2.5 + np.tensordot(weights, np.cosh(x - 1.3), 1)

    def gradient(x: Any) -> Any:
        return (weights * np.sinh(x - 1.3).T).T

    case = made(value, gradient, np.full((3, 2), 1.3), takes_complex)
    assert metrics_of(case)["verdict"] == "correct"
    wrong = replace(case, gradient=lambda x: gradient(x) + 1e-6)
    assert metrics_of(wrong)["verdict"] == "wrong"


@COMPLEX
def test_a_small_tensor_beside_a_large_one_is_not_accused(takes_complex: bool) -> None:
    """The rounding of central differences is far above its entries, though not above the others'."""
    parts = (Piece("function:f.w", slice(0, 1), ()), Piece("function:f.b", slice(1, 2), ()))

    def gradient(x: Any) -> Any:
        return np.stack([1e3 * np.cos(x[0]), 1e-9 * np.cos(x[1])])

    points = POINTS[:2]
    case = made(lambda x: 1e3 * np.sin(x[0]) + 1e-9 * np.sin(x[1]), gradient, points, takes_complex)
    metrics = metrics_of(replace(case, pieces=parts))
    assert metrics["verdict"] != "wrong"
    assert {e["tensor"] for e in metrics["checks"] if not e["passed"]} <= {"function:f.b"}


@pytest.mark.parametrize("points", [POINTS, 1e-12 * POINTS, 1e6 * POINTS], ids=["one", "tiny", "large"])
def test_what_has_no_truncation_has_no_order(points: Any) -> None:
    """Of a square the rounding of differences was taken for a branch, of order −1, and accused."""
    metrics = metrics_of(made(lambda x: (x**2).sum(0), lambda x: 2 * x, points))
    assert (metrics["order"]["observed"], metrics["order"]["central4"]["observed"]) == (None, None)
    assert metrics["findings"] == []


def test_orders_of_a_right_gradient_and_of_a_wrong_one() -> None:
    order = metrics_of(waves())["order"]
    assert order["observed"] == pytest.approx(2, abs=0.1)
    assert order["taylor"]["observed"] == pytest.approx(2, abs=0.1)
    off = metrics_of(replace(waves(), gradient=lambda x: 1.01 * waves().gradient(x)))["order"]
    assert off["taylor"]["observed"] == pytest.approx(1, abs=0.1)

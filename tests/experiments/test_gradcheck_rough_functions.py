"""Functions with kinks, noise and bad manners, and a thousand right ones: no false accusation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dnnexp.experiments.gradcheck.cases import Case
from tests.experiments.given_cases import doubled, made, metrics_of, negated

POINTS = np.random.default_rng(2).uniform(-2, 2, (3, 4))
Function = Callable[[Any], Any]


def bent(points: Any, slope_at_kink: float = 0.0) -> Case:
    """|x₀| + Σ x_j²/2, with a slope of its own at 0."""

    def gradient(x: Any) -> Any:
        found = np.array(x)
        found[0] += np.where(x[0] == 0, slope_at_kink, np.sign(x[0]))
        return found

    return made(lambda x: np.abs(x[0]) + (x**2).sum(0) / 2, gradient, points, takes_complex=False)


@pytest.mark.parametrize("slope", [0.0, 0.5, -1.0, 1.0])
def test_a_kink_at_one_point_of_many_is_left_out(slope: float) -> None:
    points = np.random.default_rng(0).uniform(0.5, 2, (2, 20))
    points[0, 7] = 0.0
    metrics = metrics_of(bent(points, slope))
    assert (metrics["passed"], metrics["verdict"]) == (True, "correct")
    assert metrics["kinks"]["excluded"] == 1
    assert {entry["excluded"] for entry in metrics["checks"]} == {1}
    assert metrics_of(doubled(bent(points, slope)))["verdict"] == "wrong"


def test_a_kink_at_all_points_leaves_nothing_to_say() -> None:
    metrics = metrics_of(bent(np.zeros((1, 5))))
    assert (metrics["passed"], metrics["verdict"], metrics["diagnosis"]) == (False, "inconclusive", None)
    assert metrics["kinks"]["excluded"] == 5


def test_beside_a_kink_a_shorter_step_is_taken() -> None:
    """The step of central differences, 6e-6, crosses it."""
    case = bent(np.array([[1e-7, -1e-7, 1e-6]]))
    assert metrics_of(case)["verdict"] == "correct"
    assert metrics_of(negated(case))["verdict"] == "wrong"


def random_noise(x: Any) -> Any:
    return np.sum(x**2, axis=0) + 1e-3 * np.random.default_rng().standard_normal(np.shape(x)[1:])


def changing(x: Any) -> Any:
    found = np.sum(x**2, axis=0)
    x += 1
    return found


def logarithm(x: Any) -> Any:
    return np.sum(np.log(x), axis=0)


MANNERS: dict[str, tuple[Function, Function, str]] = {
    "value at random": (random_noise, lambda x: 2 * x, "non_deterministic"),
    "value changes x": (changing, lambda x: 2 * x, "mutates_input"),
    "gradient changes x": (lambda x: (x**2).sum(0), lambda x: np.multiply(x, 2, out=x), "mutates_input"),
    "not finite": (logarithm, lambda x: 1 / x, "non_finite"),
    "gradient not finite": (lambda x: (x**2).sum(0), lambda x: x * np.inf, "non_finite"),
}


@pytest.mark.parametrize(("value", "gradient", "kind"), MANNERS.values(), ids=list(MANNERS))
def test_bad_manners_are_found_and_do_not_pass(value: Function, gradient: Function, kind: str) -> None:
    before = POINTS.copy()
    metrics = metrics_of(made(value, gradient, POINTS, takes_complex=False))
    assert not metrics["passed"]
    assert metrics["verdict"] != "correct"
    assert kind in [finding["kind"] for finding in metrics["findings"]]
    assert (before == POINTS).all()


@pytest.mark.parametrize("name", ["value at random", "value changes x", "not finite"])
def test_no_derivative_is_accused_where_the_value_is_at_fault(name: str) -> None:
    value, gradient, _ = MANNERS[name]
    metrics = metrics_of(made(value, gradient, POINTS, takes_complex=False))
    assert (metrics["verdict"], metrics["diagnosis"]) == ("inconclusive", None)


def test_a_few_values_that_are_not_finite_are_told_with_their_place() -> None:
    points = np.array([[1.0, -2.0, 3.0]])
    (found, *_) = metrics_of(made(logarithm, lambda x: 1 / x, points, takes_complex=False))["findings"]
    assert (found["kind"], found["where"]) == ("non_finite", "f, value")
    assert found["evidence"] == "1 of 3 numbers is not finite, the first at [1]"


def single(x: Any) -> Any:
    """Σ sin x_j in single precision."""
    return np.sin(x.astype(np.float32)).sum(0).astype(np.float64)


def scattered(x: Any) -> Any:
    """Σ sin x_j with errors of 1e-9 that no step resolves."""
    return np.sin(x).sum(0) + 1e-9 * np.sin(1e12 * x).sum(0)


@pytest.mark.parametrize("gradient", [np.cos, lambda x: np.cos(x.astype(np.float32)).astype(np.float64)],
                         ids=["double", "single"])  # fmt: skip
@pytest.mark.parametrize("value", [single, scattered])
def test_rough_values_are_no_wrong_derivative(value: Function, gradient: Function) -> None:
    case = made(value, gradient, POINTS, takes_complex=False)
    assert metrics_of(case)["verdict"] != "wrong"
    assert not metrics_of(doubled(case))["passed"]


WAVES = pytest.mark.parametrize("frequency", [1e3, 1e6, 1e9, 1e12, 1e15])


@pytest.mark.parametrize("takes_complex", [True, False])
@WAVES
def test_waves_shorter_than_every_step_are_not_accused(frequency: float, takes_complex: bool) -> None:
    def value(x: Any) -> Any:
        return np.sin(frequency * x).sum(0) / frequency

    case = made(value, lambda x: np.cos(frequency * x), POINTS, takes_complex)
    assert metrics_of(case)["verdict"] != "wrong"


SMOOTH: list[tuple[Function, Function]] = [
    (np.sin, np.cos),
    (np.tanh, lambda u: 1 / np.cosh(u) ** 2),
    (np.square, lambda u: 2 * u),
    (lambda u: np.sqrt(1 + u * u), lambda u: u / np.sqrt(1 + u * u)),
    (lambda u: np.log(1 + u * u), lambda u: 2 * u / (1 + u * u)),
    (lambda u: 1 / (1 + u * u), lambda u: -2 * u / (1 + u * u) ** 2),
    (lambda u: np.exp(-u * u), lambda u: -2 * u * np.exp(-u * u)),
    (lambda u: u, np.ones_like),
    (lambda u: 0 * u + 1, lambda u: 0 * u),
]


def composed(seed: int) -> Case:
    """c h(Σ g_k(a_k · x + b_k)), each g_k and h one of `SMOOTH`, and the sizes of all of it random."""
    generator = np.random.default_rng(seed)
    d, terms, count = (int(n) for n in generator.integers(1, 7, 3))
    chosen = [SMOOTH[i] for i in generator.integers(len(SMOOTH), size=terms + 1)]
    scale, width = 10 ** generator.uniform(-12, 12), 10 ** generator.uniform(-2, 2)
    a = generator.standard_normal((terms, d)) * 10 ** generator.uniform(-3, 0.5, (1, d)) / width
    b = generator.standard_normal(terms)
    (h, dh), *inner = chosen

    def parts(x: Any) -> Any:
        return (np.tensordot(a, x, 1).T + b).T

    def total(u: Any) -> Any:
        return np.sum([g(row) for (g, _), row in zip(inner, u, strict=True)], axis=0)

    def gradient(x: Any) -> Any:
        u = parts(x)
        slopes = np.stack([dg(row) for (_, dg), row in zip(inner, u, strict=True)])
        return scale * dh(total(u)) * np.tensordot(a.T, slopes, 1)

    points = width * generator.standard_normal((d, count))
    return made(lambda x: scale * h(total(parts(x))), gradient, points, bool(seed % 2))


def accusation(seed: int) -> Any:
    """What is said against a right case; None if nothing is."""
    metrics = metrics_of(composed(seed), seed)
    return None if metrics["verdict"] != "wrong" else (seed, metrics["diagnosis"])


@pytest.mark.parametrize("block", range(4))
def test_no_right_function_is_accused_and_most_pass(block: int) -> None:
    seeds = range(15 * block, 15 * block + 15)
    assert [found for seed in seeds if (found := accusation(seed))] == []
    assert sum(metrics_of(composed(seed), seed)["passed"] for seed in seeds) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_no_right_function_of_a_thousand_is_accused(block: int) -> None:
    seeds = range(100 * block, 100 * block + 100)
    assert [found for seed in seeds if (found := accusation(seed))] == []


@pytest.mark.parametrize("seed", range(20))
def test_composed_functions_with_a_wrong_gradient_do_not_pass(seed: int) -> None:
    case = composed(seed)
    claimed = case.gradient(case.points)
    assert metrics_of(negated(case))["passed"] == (not np.any(claimed))
    wrong = replace(case, gradient=lambda x: 1.001 * case.gradient(x))
    assert metrics_of(wrong)["passed"] == (not np.any(claimed))

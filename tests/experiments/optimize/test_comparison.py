"""What all optimizers share: noise, the order of the data, blocks of one computation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from scipy import linalg, stats

from dnnexp.core.arrays import Floats
from dnnexp.core.data.synthetic import Teacher
from dnnexp.core.objectives import LeastSquares, NetworkTraining, Objective, Quadratic, Valley
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum, Optimizer, RMSprop
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize import comparison as module
from dnnexp.experiments.optimize.comparison import Comparison
from dnnexp.experiments.optimize.config import Noise, OptimizeConfig, Record
from dnnexp.experiments.optimize.starts import Starts, UniformStarts

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
DATA = Teacher(samples=20, features=3)
NETWORK = NetworkTraining(data=DATA, hidden=(4,), batch=5)
RULES: dict[str, Optimizer] = {
    "slow": GradientDescent(0.01),
    "fast": GradientDescent(0.05),
    "adam": Adam(0.1),
    "rmsprop": RMSprop(0.01),
}


def problem(config: OptimizeConfig, objective: Objective, purpose: str = "", runs: int = 3) -> Comparison:
    streams = Streams(config.seed)
    prepared = objective.prepare(streams)
    return Comparison(config, prepared, np.zeros((objective.dimension, runs)), streams, purpose)


def slopes(found: Comparison, copies: int, steps: int) -> Floats:
    """The gradients at the minimum of the valley, or at parameters of 0, `(steps, d, copies · runs)`."""
    slope, x = found.slope(copies), np.concatenate([found.starts] * copies, axis=1)
    return np.array([slope(x, step) for step in range(1, steps + 1)])


# --- Shared by the optimizers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "objective"),
    [({"noise": Noise(0.5)}, Valley()), ({}, NETWORK), ({"noise": Noise(0.5)}, NETWORK)],
    ids=["noise", "data", "both"],
)
def test_copies_of_the_starts_meet_the_same_noise_and_batches(
    configure: Configure, changes: Any, objective: Objective
) -> None:
    found = problem(configure(**changes), objective)
    one, three = slopes(found, 1, 7), slopes(found, 3, 7)
    assert np.array_equal(three, np.tile(one, (1, 1, 3)))
    assert len({step.tobytes() for step in one}) == 7  # every step anew
    assert len({run.tobytes() for run in one[0].T}) == 3  # every start its own


@pytest.mark.parametrize(
    ("noise", "objective", "starts"),
    [
        (0.0, Valley(), Starts(own=5)),
        (0.5, Valley(), Starts(own=5)),
        (0.0, NETWORK, Starts(own=5)),
        (0.5, NETWORK, Starts(own=5)),
        (0.5, LeastSquares(data=DATA, batch=4), Starts(own=5)),
    ],
    ids=["plain", "noise", "network", "network with noise", "least squares with noise"],
)
def test_adding_an_optimizer_changes_nobody_elses_numbers(
    run: Run, noise: float, objective: Objective, starts: Starts
) -> None:
    """Stacked with others or alone: the same bits."""
    shared = {"noise": Noise(noise), "objective": objective, "starts": starts, "steps": 50}
    whole = run(optimizers=RULES, **shared)
    for label, rule in RULES.items():
        alone = run(optimizers={label: rule}, **shared)
        assert alone.metrics["optimizers"][label] == whole.metrics["optimizers"][label]
        for name, value in alone.arrays.items():
            if name.startswith(f"{label}."):
                assert np.array_equal(value, whole.arrays[name], equal_nan=True), name


def test_blocks_of_any_size_give_the_same_numbers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {f"r{index}": GradientDescent(0.01 * (index + 1)) for index in range(5)}
    whole = run(optimizers=rules, noise=Noise(0.1), steps=30)
    monkeypatch.setattr(module, "_BLOCK_COORDINATES", 2 * 18)  # two rules of 9 starts in 2 dimensions
    parts = run(optimizers=rules, noise=Noise(0.1), steps=30)
    assert parts.metrics == whole.metrics
    assert all(
        np.array_equal(parts.arrays[f"{label}.point"], whole.arrays[f"{label}.point"]) for label in rules
    )


def test_purposes_meet_other_noise_and_batches(configure: Configure) -> None:
    for config, objective in ((configure(noise=Noise(1.0)), Valley()), (configure(), NETWORK)):
        reported, tuned, suite = (
            slopes(problem(config, objective, purpose), 1, 5) for purpose in ("", "tuning ", "valley/")
        )
        for one, other in ((reported, tuned), (reported, suite), (tuned, suite)):
            assert not np.array_equal(one, other)


def test_the_data_order_is_one_for_all_rules_in_a_run(run: Run) -> None:
    """Two of the same rule under two labels, far apart in the config, are the same run."""
    rules = {"a": GradientDescent(0.1), "adam": Adam(), "b": GradientDescent(0.1), "c": GradientDescent(0.2)}
    result = run(optimizers=rules, objective=NETWORK, starts=Starts(own=2), steps=20, noise=Noise(0.01))
    assert np.array_equal(result.arrays["a.final"], result.arrays["b.final"])
    assert not np.array_equal(result.arrays["a.final"], result.arrays["c.final"])


# --- Noise -------------------------------------------------------------------------------------------------


def test_noise_is_normal_and_white(configure: Configure) -> None:
    """By Kolmogorov and Smirnov, and by correlations: with this seed, no p-value is below 1e-3."""
    found = slopes(problem(configure(noise=Noise(2.0)), Valley(), runs=50), 1, 50)  # (50, 2, 50)
    assert stats.kstest(found.ravel(), stats.norm(0, 2).cdf).pvalue > 1e-3
    for one, other in (
        (found[1:], found[:-1]),
        (found[:, 0], found[:, 1]),
        (found[:, :, 1:], found[:, :, :-1]),
    ):
        assert stats.pearsonr(one.ravel(), other.ravel()).pvalue > 1e-3


def test_no_noise_is_no_noise(configure: Configure, run: Run) -> None:
    assert not slopes(problem(configure(noise=Noise(0.0)), Valley()), 2, 3).any()
    silent, plain = run(noise=Noise(0.0)), run()
    assert silent.metrics == plain.metrics


def test_noise_is_proportional_to_its_standard_deviation(configure: Configure) -> None:
    one, two = (slopes(problem(configure(noise=Noise(std)), Valley()), 1, 5) for std in (1.0, 2.0))
    assert np.array_equal(two, 2 * one)


RUNS = 4000


def second_moments(run: Run, rule: Optimizer) -> Floats:
    """E[x²] by coordinate after 400 steps from 0 on a quadratic with λ = 1, √10, 10 and noise of std 0.5."""
    starts = Starts(uniform=UniformStarts(-1e-9, 1e-9, RUNS))
    result = run(
        objective=Quadratic(3), starts=starts, steps=400, noise=Noise(0.5), optimizers={"rule": rule}
    )
    return np.asarray(np.mean(result.arrays["rule.final"] ** 2, axis=1))


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.15])
def test_the_stationary_variance_of_gradient_descent(run: Run, rate: float) -> None:
    """E[x²] = η σ² / (λ (2 − η λ)): x ← (1 − ηλ) x − η ξ keeps it as it is.

    x is normal, so that the mean of R squares has a relative standard deviation of √(2/R); allowed are 4.
    After 400 steps, (1 − ηλ)^800 of the variance is missing, at most 1e-7.
    """
    curvatures = Quadratic(3).eigenvalues()
    expected = rate * 0.25 / (curvatures * (2 - rate * curvatures))
    found = second_moments(run, GradientDescent(rate))
    np.testing.assert_allclose(found, expected, rtol=4 * np.sqrt(2 / RUNS) + 1e-6)


@pytest.mark.parametrize("velocity", ["scaled", "raw"])
def test_the_stationary_variance_of_momentum(run: Run, velocity: Literal["scaled", "raw"]) -> None:
    """Σ = M Σ Mᵀ + η² σ² b bᵀ with b = (1, 1) for (x, v): x and v take the same noise; tolerance as above."""
    scaled, rule = Momentum(0.02, 0.8), Momentum(0.02, 0.8, velocity=velocity)
    noise = (0.02 * 0.5) ** 2 * np.ones((2, 2))
    expected = [
        linalg.solve_discrete_lyapunov(scaled.iteration_matrix(curvature), noise)[0, 0]
        for curvature in Quadratic(3).eigenvalues()
    ]
    np.testing.assert_allclose(second_moments(run, rule), expected, rtol=4 * np.sqrt(2 / RUNS) + 1e-6)


# --- What is recorded --------------------------------------------------------------------------------------


def test_thresholds_are_sorted_and_above_the_minimum(configure: Configure) -> None:
    config = configure(targets=(1e-3, 10.0, 1.0))
    assert problem(config, Valley()).recording(every_step=True).thresholds.tolist() == [1e-3, 1, 10]
    least = LeastSquares(data=DATA)
    prepared = problem(config, least)
    assert prepared.objective.minimum is not None
    expected = prepared.objective.minimum + np.array([1e-3, 1, 10])
    assert prepared.recording(every_step=True).thresholds.tolist() == expected.tolist()


def test_steps_recorded(configure: Configure) -> None:
    found = problem(configure(record=Record(spacing="linear", count=4)), Valley())
    all_of_them, ends = found.recording(every_step=True), found.recording(every_step=False)
    assert (all_of_them.steps.tolist(), all_of_them.keep_points) == ([0, 100, 200, 300], True)
    assert (ends.steps.tolist(), ends.keep_points) == ([0, 300], False)

"""Tuned runs: the trials against runs of their own, the best against brute force."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnnexp.core.arrays import Floats
from dnnexp.core.data.synthetic import Moons
from dnnexp.core.objectives import LogisticRegression, NetworkTraining, Objective, Valley
from dnnexp.core.optimizers import Adam, GradientDescent, Momentum, Optimizer, replaced
from dnnexp.core.stepping import Trajectory
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.comparison import Comparison
from dnnexp.experiments.optimize.config import Noise, OptimizeConfig
from dnnexp.experiments.optimize.starts import Starts
from dnnexp.experiments.optimize.trials import _best
from dnnexp.experiments.optimize.tuning import Tune, TuningRange

Configure = Callable[..., OptimizeConfig]
Run = Callable[..., Result]
Score = Literal["final_value", "running_time"]
RATES = TuningRange("learning_rate", 1e-3, 10.0)
RULES: dict[str, Optimizer] = {"descent": GradientDescent(0.1), "adam": Adam(0.1), "ball": Momentum(0.01)}
NETWORK = NetworkTraining(data=Moons(samples=60, validation=0.4), hidden=(4,), batch=6)


def tuned_config(configure: Configure, **changes: Any) -> OptimizeConfig:
    defaults = {"optimizers": dict(RULES), "tune": Tune((RATES,), trials=7, starts=5), "steps": 60}
    return configure(**defaults | changes)


def alone(config: OptimizeConfig, rule: Optimizer, seed: int = 1) -> Trajectory:
    """A rule from the tuning starts, without any other trial, everything recorded."""
    streams = Streams(seed)
    objective = config.objective.prepare(streams)
    assert config.tune is not None
    starts = config.starts.draw_others(streams("tuning starts"), objective, config.tune.starts)
    problem = Comparison(config, objective, starts, streams, "tuning ")
    recording = problem.recording(every_step=True)
    return problem.descend_all({"one": rule}, recording, lambda keys, done: lambda *seen: None)["one"]


def tuning(result: Result, label: str) -> Any:
    return result.metrics["optimizers"][label]["tuning"]


# --- Trials ------------------------------------------------------------------------------------------------


def test_a_trial_is_a_plain_loop_of_steps(configure: Configure, run: Run) -> None:
    """Gradient descent on the valley, f = x²/20 + y², from the tuning starts, each trial by itself."""
    config = tuned_config(configure)
    result = run(config)
    starts = config.starts.draw_others(Streams(1)("tuning starts"), Valley(), 5)
    for trial, entry in enumerate(tuning(result, "descent")["trials"]):
        x, y = starts
        for _ in range(60):
            rate = entry["hyperparameters"]["learning_rate"]
            x, y = x - rate * (x / 10), y - rate * (y / 0.5)
        values = x**2 / 20 + y**2
        assert np.array_equal(result.arrays["descent.tuning.value"][trial], values)
        assert entry["score"] == sorted(values)[2]


@pytest.mark.parametrize("score", ["final_value", "running_time"])
@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize(
    "objective",
    [
        Valley(),
        NETWORK,
        LogisticRegression(data=Moons(samples=30, validation=0.0), batch=5),
    ],
    ids=["valley", "network", "logistic"],
)
def test_all_trials_at_once_are_each_trial_alone(
    configure: Configure, run: Run, objective: Objective, noise: float, score: Score
) -> None:
    config = tuned_config(
        configure,
        objective=objective,
        noise=Noise(noise),
        starts=Starts(own=4),
        targets=(0.3,),
        tune=Tune((RATES,), trials=5, starts=3, score=score),
    )
    result = run(config)
    for label, rule in RULES.items():
        for trial, entry in enumerate(tuning(result, label)["trials"]):
            lone = alone(config, replaced(rule, **entry["hyperparameters"]))
            final = lone.measured["validation_loss"] if objective == NETWORK else lone.value
            assert np.array_equal(result.arrays[f"{label}.tuning.value"][trial], final[-1])
            expected = sorted(final[-1])[1]
            if score == "running_time":
                reached = lone.reached_step[0]
                spent = [int(at) if at >= 0 else 60 for at in reached]
                expected = sum(spent) / sum(reached >= 0) if (reached >= 0).any() else math.inf
            assert entry["score"] == (expected if math.isfinite(expected) else None)


def test_running_times_of_mini_batches_differ(configure: Configure, run: Run) -> None:
    """Values were taken at the first and the last step only, so that all that got there scored the same."""
    tune = Tune((TuningRange("learning_rate", 0.1, 3.0),), trials=4, starts=3, score="running_time")
    config = tuned_config(configure, objective=NETWORK, starts=Starts(own=2), targets=(0.4,), tune=tune)
    scores = [entry["score"] for entry in tuning(run(config), "descent")["trials"]]
    assert len({score for score in scores if score is not None}) > 1
    assert min(score for score in scores if score is not None) < 60


def test_what_is_tuned_for_is_the_validation_loss(configure: Configure, run: Run) -> None:
    """Not the loss that the steps take down, of which another trial is the best."""
    moons = Moons(samples=40, noise=0.6, validation=0.5)
    objective = NetworkTraining(data=moons, hidden=(16,), batch=20)
    tune = Tune((TuningRange("learning_rate", 0.01, 10.0),), trials=9, starts=3)
    config = tuned_config(
        configure,
        objective=objective,
        starts=Starts(own=3),
        tune=tune,
        steps=300,
        optimizers={"adam": Adam()},
    )
    found = tuning(run(config), "adam")
    trials = [alone(config, replaced(Adam(), **entry["hyperparameters"])) for entry in found["trials"]]
    training = [float(np.median(trial.measured["train_loss"][-1])) for trial in trials]
    validation = [float(np.median(trial.measured["validation_loss"][-1])) for trial in trials]
    assert [entry["score"] for entry in found["trials"]] == validation
    assert found["best"] == found["trials"][int(np.argmin(validation))]["hyperparameters"]
    assert np.argmin(training) != np.argmin(validation)


def test_two_entries_of_a_rule_are_tried_with_the_same_random_values(configure: Configure, run: Run) -> None:
    rules = {"a": GradientDescent(0.1), "b": GradientDescent(1.0, clip_norm=1.0), "c": Adam()}
    tune = Tune((RATES,), trials=7, method="random", starts=2)
    result = run(tuned_config(configure, optimizers=rules, tune=tune))
    a, b, c = (result.arrays[f"{label}.tuning.learning_rate"] for label in rules)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


# --- What is reported --------------------------------------------------------------------------------------


def test_the_starts_reported_on_are_not_those_tuned_on(configure: Configure) -> None:
    """Of starts that are drawn uniformly, by the objective, or both ways beside a point."""
    config = tuned_config(configure)
    for starts in (config.starts, Starts(own=9), replace(config.starts, points=((1.0, 2.0),), own=3)):
        streams = Streams(1)
        reported = starts.draw(streams("starts"), Valley())
        tuned_on = starts.draw_others(streams("tuning starts"), Valley(), 50)
        assert not set(map(tuple, reported.T)) & set(map(tuple, tuned_on.T))


def test_untuned_is_the_run_of_the_same_config_without_tuning(configure: Configure, run: Run) -> None:
    config = tuned_config(configure, noise=Noise(0.1))
    tuned, plain = run(config), run(replace(config, tune=None))
    assert np.array_equal(tuned.arrays["start"], plain.arrays["start"])
    for label in RULES:
        assert tuned.metrics["optimizers"][label]["untuned"] == plain.metrics["optimizers"][label]
        for name in ("value", "final", "point", "reached_step", "diverged_step"):
            untuned = tuned.arrays[f"{label}.untuned.{name}"]
            assert np.array_equal(untuned, plain.arrays[f"{label}.{name}"])


def test_tuned_is_the_run_of_the_best_hyperparameters(configure: Configure, run: Run) -> None:
    config = tuned_config(configure, noise=Noise(0.1))
    result = run(config)
    best = {label: replaced(rule, **tuning(result, label)["best"]) for label, rule in RULES.items()}
    expected = run(tuned_config(configure, noise=Noise(0.1), optimizers=best, tune=None))
    assert result.metrics["ranking"] == expected.metrics["ranking"]
    for label in RULES:
        found = dict(result.metrics["optimizers"][label])
        assert {"untuned", "tuning"} == set(found) - set(expected.metrics["optimizers"][label])
        del found["untuned"], found["tuning"]
        assert found == expected.metrics["optimizers"][label]


def test_every_optimizer_has_as_many_trials(configure: Configure, run: Run) -> None:
    space = (RATES, TuningRange("momentum", 0.0, 0.9, spacing="linear"))
    result = run(tuned_config(configure, tune=Tune(space, trials=9, starts=2), steps=20))
    for label in RULES:
        found = tuning(result, label)
        assert len(found["trials"]) == 9
        assert found["best"] in [entry["hyperparameters"] for entry in found["trials"]]
        assert result.arrays[f"{label}.tuning.budget"].shape == (3, 9)
        assert result.arrays[f"{label}.tuning.value"].shape == (9, 2)


# --- The best trial ----------------------------------------------------------------------------------------


@given(
    st.lists(st.lists(st.sampled_from((0.0, 1.0, math.inf)), min_size=3, max_size=3), min_size=1, max_size=6)
)
def test_the_best_has_the_least_score_then_the_fewest_diverged_runs_then_comes_first(
    configure: Configure, finals: list[list[float]]
) -> None:
    trials = [trajectory(np.array(final)) for final in finals]
    tune = Tune((RATES,), trials=max(2, len(trials)))
    config = configure(tune=tune)
    values = {"learning_rate": np.arange(1.0, len(trials) + 1)}
    problem = Comparison(config, Valley(), np.zeros((2, 3)), Streams(0), "tuning ")
    found = _best(problem, tune, GradientDescent(), values, trials)
    expected = min(
        range(len(trials)),
        key=lambda trial: (sorted(finals[trial])[1], finals[trial].count(math.inf), trial),
    )
    assert found.metrics["best"] == {"learning_rate": expected + 1.0}
    assert found.rule == GradientDescent(expected + 1.0)
    assert found.metrics["at_edge"] is (expected in (0, len(trials) - 1))
    assert found.arrays["diverged"].tolist() == [final.count(math.inf) for final in finals]


REACHED = st.lists(st.sampled_from((-1, 0, 20)), min_size=3, max_size=3)


@given(
    st.lists(
        st.tuples(REACHED, REACHED, st.lists(st.sampled_from((0.0, 1.0)), min_size=3, max_size=3)), min_size=1
    )
)
def test_equal_running_times_go_by_the_next_target_then_by_the_final_value(
    configure: Configure, trials: list[tuple[list[int], list[int], list[float]]]
) -> None:
    """As rankings do; a run of 60 steps spends all of them on a target that it does not reach."""

    def time(reached: list[int]) -> float:
        successes = sum(step >= 0 for step in reached)
        return sum(step if step >= 0 else 60 for step in reached) / successes if successes else math.inf

    tune = Tune((RATES,), trials=max(2, len(trials)), score="running_time")
    problem = Comparison(
        configure(tune=tune, targets=(1.0, 1e-3), steps=60), Valley(), np.zeros((2, 3)), Streams(0), "tuning "
    )
    found = _best(
        problem,
        tune,
        GradientDescent(),
        {"learning_rate": np.arange(1.0, len(trials) + 1)},
        [
            replace(trajectory(np.array(final)), reached_step=np.array([small, large]))
            for small, large, final in trials
        ],
    )
    keys = [(time(small), time(large), sorted(final)[1]) for small, large, final in trials]
    assert found.metrics["best"] == {"learning_rate": keys.index(min(keys)) + 1.0}
    scores = [key[0] if math.isfinite(key[0]) else None for key in keys]
    assert [entry["score"] for entry in found.metrics["trials"]] == scores


def test_final_values_at_the_smallest_target_are_equal_and_the_faster_one_wins(configure: Configure) -> None:
    """A learning rate used to be chosen for ending at 1e-300 rather than at 1e-9."""
    tune = Tune((RATES,), trials=2)
    problem = Comparison(
        configure(tune=tune, targets=(1e-6,), steps=60), Valley(), np.zeros((2, 3)), Streams(0), ""
    )
    slow, fast, far = (
        replace(trajectory(np.full(3, final)), reached_step=np.full((1, 3), step))
        for final, step in ((1e-300, 50), (1e-9, 20), (2e-6, 10))
    )
    values = {"learning_rate": np.array([1.0, 2.0, 3.0])}
    found = _best(problem, tune, GradientDescent(), values, [slow, fast, far])
    assert found.metrics["best"] == {"learning_rate": 2.0}
    assert [entry["score"] for entry in found.metrics["trials"]] == [1e-300, 1e-9, 2e-6]


def trajectory(final: Floats) -> Trajectory:
    """One that ended with these values, infinite where it diverged."""
    diverged = np.where(np.isinf(final), 1, -1)
    never = np.full((3, len(final)), -1)
    return Trajectory(final[None], None, np.zeros((2, len(final))), never, diverged)


def test_a_score_that_is_infinite_is_null(configure: Configure, run: Run) -> None:
    """A target that no trial reaches, at rates that let no or all runs diverge."""
    tune = Tune((TuningRange("learning_rate", 1e-6, 1e6),), trials=5, starts=3, score="running_time")
    config = tuned_config(configure, optimizers={"descent": GradientDescent()}, tune=tune, targets=(1e-300,))
    result = run(config)
    found = tuning(result, "descent")
    assert [entry["score"] for entry in found["trials"]] == [None] * 5
    assert [entry["diverged"] for entry in found["trials"]] == [0, 0, 0, 3, 3]
    medians = [sorted(values)[1] for values in result.arrays["descent.tuning.value"]]
    assert found["best"] == found["trials"][medians.index(min(medians))]["hyperparameters"]

"""The space of trials, and what is told of their scores, against brute force."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dnnexp.core.arrays import Floats
from dnnexp.core.optimizers import Adam, GradientDescent, Lion, Momentum, Optimizer, RMSprop
from dnnexp.experiments.optimize.tuning import Tune, TuningRange, at_edge, budget

Spacing = Literal["log", "linear"]
RATES = TuningRange("learning_rate", 1e-4, 1e2)
MOMENTA = TuningRange("momentum", 0.0, 0.96, spacing="linear")
BETAS = TuningRange("beta1", 0.5, 0.99, spacing="linear")


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@st.composite
def ranges(draw: st.DrawFn, hyperparameter: str) -> TuningRange:
    spacing: Spacing = draw(st.sampled_from(("log", "linear")))
    low = draw(st.floats(0 if spacing == "linear" else 1e-300, 1e299))
    return TuningRange(hyperparameter, low, draw(st.floats(low, 1e300, exclude_min=True)), spacing)


# --- The values --------------------------------------------------------------------------------------------


@given(ranges("learning_rate"), st.floats(0, 1))
def test_values_stay_in_their_bounds(entry: TuningRange, place: float) -> None:
    """Powers of rounded logarithms left them by the last digit."""
    low, inner, high = entry.at(np.array([0, place, 1]))
    assert (low, high) == (entry.low, entry.high)
    assert low <= inner <= high


def test_spacing_by_hand() -> None:
    places = np.array([0, 0.25, 0.5, 1])
    log, linear = TuningRange("x", 1e-4, 1.0), TuningRange("x", 1.0, 3.0, spacing="linear")
    # log10 1e-4 and a power of it are rounded
    np.testing.assert_allclose(log.at(places), [1e-4, 1e-3, 1e-2, 1], rtol=1e-14)
    assert linear.at(places).tolist() == [1, 1.5, 2, 3]


@given(ranges("learning_rate"), ranges("momentum"), st.integers(2, 5))
def test_a_grid_has_all_combinations_of_evenly_spaced_values(
    first: TuningRange, second: TuningRange, side: int
) -> None:
    found = Tune((first, second), trials=side**2).values(Momentum(), generator())
    assert list(found) == ["learning_rate", "momentum"]
    pairs = set(zip(*(values.tolist() for values in found.values()), strict=True))
    sides = [sorted(set(values.tolist())) for values in found.values()]
    assert pairs == set(itertools.product(*sides))
    assert all(len(values) == side**2 for values in found.values())
    for entry, values in zip((first, second), sides, strict=True):
        assert (values[0], values[-1]) == (entry.low, entry.high)
        assert_even(entry, values)


def assert_even(entry: TuningRange, values: list[float]) -> None:
    """In exact arithmetic where linear; rounding is of the ends, and of a logarithm up to 300 in size."""
    if entry.spacing == "linear":
        gaps = np.diff([float(Fraction(x) - Fraction(entry.low)) for x in values])
        slack = 1e-15 * entry.high
    else:
        gaps, slack = np.diff(np.log10(values)), 1e-12
    assert np.ptp(gaps) <= 8 * slack


@given(ranges("learning_rate"), st.integers(0, 2**32))
def test_random_values_are_in_their_bounds_and_hang_on_the_generator_alone(
    entry: TuningRange, seed: int
) -> None:
    tune = Tune((entry,), trials=20, method="random")
    found = tune.values(Adam(), generator(seed))["learning_rate"]
    assert found.shape == (20,)
    assert ((found >= entry.low) & (found <= entry.high)).all()
    assert np.array_equal(found, tune.values(Adam(), generator(seed))["learning_rate"])


def test_random_values_are_even_in_their_spacing_and_independent() -> None:
    """By Kolmogorov and Smirnov, and by a rank correlation: with this seed, no p-value is below 1e-3."""
    tune = Tune((RATES, MOMENTA), trials=2000, method="random")
    found = tune.values(Momentum(), generator())
    logarithms, momenta = np.log10(found["learning_rate"]), found["momentum"]
    assert stats.kstest(logarithms, stats.uniform(-4, 6).cdf).pvalue > 1e-3
    assert stats.kstest(momenta, stats.uniform(0, 0.96).cdf).pvalue > 1e-3
    assert stats.spearmanr(logarithms, momenta).pvalue > 1e-3


@pytest.mark.parametrize("method", ["grid", "random"])
@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (GradientDescent(), ["learning_rate"]),
        (Momentum(), ["learning_rate", "momentum"]),
        (Adam(), ["learning_rate", "beta1"]),
    ],
)
def test_every_optimizer_has_the_same_number_of_trials(
    rule: Optimizer, names: list[str], method: Literal["grid", "random"]
) -> None:
    tune = Tune((RATES, MOMENTA, BETAS), trials=25, method=method)
    found = tune.values(rule, generator())
    assert list(found) == names
    assert {len(values) for values in found.values()} == {25}
    assert list(tune.problems("one", rule)) == []


# --- What does not fit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tune", "rule", "path", "text"),
    [
        (Tune((MOMENTA,), 4), Adam(), ("space",), "one has none of the hyperparameters momentum"),
        (Tune((RATES, MOMENTA), 10), Momentum(), ("trials",), "needs a number such as 9, not 10"),
        (Tune((RATES, MOMENTA), 2), Momentum(), ("trials",), "needs a number such as 4, not 2"),
        (Tune((TuningRange("momentum", 0.5, 1.0),), 4), Momentum(), ("space", 0, "high"), "less than 1"),
        (
            Tune((RATES, TuningRange("clip_norm", 0.5, 1.0)), 4),
            Adam(),
            ("space", 1, "hyperparameter"),
            "is null",
        ),
        (
            Tune((TuningRange("schedule", 0.5, 1.0),), 4),
            Adam(),
            ("space", 0, "hyperparameter"),
            "not a real number",
        ),
        (
            Tune((TuningRange("learning_rate", 0.0, 1.0, "linear"),), 4),
            Lion(),
            ("space", 0, "low"),
            "greater than 0 for one, not 0.0",
        ),
    ],
)
def test_what_does_not_fit_a_rule(tune: Tune, rule: Optimizer, path: Any, text: str) -> None:
    ((found_path, found_text),) = tune.problems("one", rule)
    assert found_path == path
    assert text in found_text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: TuningRange("x", 1.0, 1.0), "must be below high"),
        (lambda: TuningRange("x", 0.0, 1.0), "greater than 0 with spacing: log"),
        (lambda: Tune((RATES, RATES), 4), "space.1.hyperparameter: duplicate range of learning_rate"),
    ],
)
def test_what_is_wrong_in_itself(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


# --- The best trial ----------------------------------------------------------------------------------------


@given(st.data(), st.integers(1, 3), st.integers(1, 6))
def test_the_edge_against_brute_force(data: st.DataObject, dimensions: int, trials: int) -> None:
    column = st.lists(st.integers(0, 4).map(float), min_size=trials, max_size=trials)
    columns = [data.draw(column) for _ in range(dimensions)]
    best = data.draw(st.integers(0, trials - 1))
    expected = any(
        all(values[best] <= other for other in values) or all(values[best] >= other for other in values)
        for values in columns
    )
    named = {f"h{index}": np.array(values) for index, values in enumerate(columns)}
    assert at_edge(named, best) is expected


def test_inside_in_one_hyperparameter_and_at_the_edge_in_another() -> None:
    values = {"a": np.array([1.0, 2, 3]), "b": np.array([1.0, 1, 2])}
    assert at_edge(values, 1)
    assert not at_edge({"a": values["a"]}, 1)


# --- The budget --------------------------------------------------------------------------------------------

SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


def enumerated(scores: list[float], k: int) -> list[float]:
    """The least scores that the best of k is at most in such a share of all choices of k trials."""
    bests = sorted(min(chosen) for chosen in itertools.combinations(scores, k))
    return [bests[math.ceil(share * len(bests)) - 1] for share in SHARES]


@given(st.lists(st.integers(0, 5).map(float) | st.just(math.inf), min_size=1, max_size=7))
def test_the_budget_against_all_choices_of_trials(scores: list[float]) -> None:
    found: Floats = budget(np.array(scores))
    assert found.shape == (3, len(scores))
    for k in range(1, len(scores) + 1):
        assert found[:, k - 1].tolist() == enumerated(scores, k)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 25, 41, 100])
def test_the_budget_against_the_exact_formula(n: int) -> None:
    """P(best of k is one of the r best) = 1 − C(n−r, k) / C(n, k)."""
    found = budget(generator().permutation(np.arange(1.0, n + 1)))
    for k in range(1, n + 1):
        for row, share in zip(found, SHARES, strict=True):
            within = (1 - Fraction(math.comb(n - r, k), math.comb(n, k)) for r in range(1, n + 1))
            assert row[k - 1] == 1 + next(r for r, likely in enumerate(within) if likely >= share)
    assert found[:, -1].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("rule", "entry", "text"),
    [
        (Adam(), TuningRange("beta1", 0.5, 3.0), "must be less than 1 for it, not 3.0"),
        (RMSprop(momentum=0.5), TuningRange("momentum", 0.1, 3.0), "must be less than 1 for it, not 3.0"),
        (
            Adam(clip_norm=1.0),
            TuningRange("clip_norm", 0.0, 1.0, "linear"),
            "must be greater than 0 for it, not 0.0",
        ),
        (
            Adam(),
            TuningRange("clip_norm", 0.1, 1.0),
            "clip_norm of it is null; give it a number to tune it",
        ),
    ],
)
def test_a_range_keeps_to_the_bounds_of_the_field(rule: Optimizer, entry: TuningRange, text: str) -> None:
    """Those of a field that may be null used to be passed over."""
    assert [message for _, message in entry.problems("it", rule)] == [text]

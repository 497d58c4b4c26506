"""Initializers that draw number by number: the moments and the distribution of many draws.

Tolerances are 5 standard errors of n independent draws of standard deviation σ: σ/√n for the mean, and
σ √((κ − 1)/4n) for the standard deviation, with the kurtosis κ = 3 of a normal and 9/5 of a uniform
distribution (that of a truncated normal is between). Seeds are fixed, so that a test that passes goes on
to pass.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import (
    Constant,
    Glorot,
    He,
    Initializer,
    LeCun,
    Normal,
    TruncatedNormal,
    Uniform,
    Zeros,
)
from dnnexp.registry import parts

FAN_IN, FAN_OUT, COUNT = 30, 50, 200_000
Distribution = Callable[[int, int], Any]
"""A distribution of SciPy for a fan-in and a fan-out."""


def normal(std: Callable[[int, int], float]) -> Distribution:
    return lambda fan_in, fan_out: stats.norm(0, std(fan_in, fan_out))


def uniform(std: Callable[[int, int], float]) -> Distribution:
    """Symmetric: on ±√3 std."""

    def between(fan_in: int, fan_out: int) -> Any:
        half = math.sqrt(3) * std(fan_in, fan_out)
        return stats.uniform(-half, 2 * half)

    return between


def glorot(gain: float = 1.0) -> Callable[[int, int], float]:
    return lambda fan_in, fan_out: gain * math.sqrt(2 / (fan_in + fan_out))


def over_fan_in(gain: float) -> Callable[[int, int], float]:
    return lambda fan_in, fan_out: gain / math.sqrt(fan_in)


@dataclass(frozen=True)
class Case:
    """An initializer, and the distribution that its paper gives it."""

    part: Initializer
    distribution: Distribution


CASES = {
    "normal-std": Case(Normal(std=0.3), normal(lambda n, m: 0.3)),
    "normal-variance": Case(Normal(variance=0.01), normal(lambda n, m: 0.1)),
    "uniform": Case(Uniform(-0.5, 0.1), lambda n, m: stats.uniform(-0.5, 0.6)),
    "truncated": Case(TruncatedNormal(0.3), lambda n, m: stats.truncnorm(-2, 2, 0, 0.3)),
    "truncated-early": Case(TruncatedNormal(0.3, cut=0.5), lambda n, m: stats.truncnorm(-0.5, 0.5, 0, 0.3)),
    "truncated-late": Case(TruncatedNormal(0.3, cut=40.0), lambda n, m: stats.norm(0, 0.3)),
    "glorot": Case(Glorot(), uniform(glorot())),
    "glorot-normal": Case(Glorot("normal"), normal(glorot())),
    "glorot-gain": Case(Glorot(gain=3.0), uniform(glorot(3.0))),
    "he": Case(He(), normal(over_fan_in(math.sqrt(2)))),
    "he-uniform": Case(He("uniform"), uniform(over_fan_in(math.sqrt(2)))),
    "he-gain": Case(He(gain=1.0), normal(over_fan_in(1.0))),
    "lecun": Case(LeCun(), normal(over_fan_in(1.0))),
    "lecun-uniform": Case(LeCun("uniform"), uniform(over_fan_in(1.0))),
    "lecun-of-pytorch": Case(  # nn.Linear: uniform on ±1/√fan_in
        LeCun("uniform", gain=1 / math.sqrt(3)),
        lambda n, m: stats.uniform(-1 / math.sqrt(n), 2 / math.sqrt(n)),
    ),
}


def draw(part: Initializer, shape: tuple[int, ...] = (COUNT,), seed: int = 0) -> Floats:
    return part.draw(np.random.default_rng(seed), FAN_IN, FAN_OUT, shape)


def test_every_initializer_that_draws_number_by_number_has_a_case() -> None:
    constant = {"zeros", "constant"}
    by_number = {
        name
        for name, cls in parts("initializer").items()
        if cls.__module__.startswith("dnnexp.") and not (cls.only_matrices or cls.needs_activation)
    }
    assert {case.part.name for case in CASES.values()} == by_number - constant


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_moments(case: Case) -> None:
    drawn, expected = draw(case.part), case.distribution(FAN_IN, FAN_OUT)
    kurtosis = 3 + float(expected.stats("k"))
    assert abs(drawn.mean() - expected.mean()) <= 5 * expected.std() / math.sqrt(COUNT)
    allowed = 5 * expected.std() * math.sqrt((kurtosis - 1) / (4 * COUNT))
    assert abs(drawn.std() - expected.std()) <= allowed


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_variance_of_an_entry_is_that_of_the_distribution_where_its_mean_is_0(case: Case) -> None:
    """SciPy's own for a truncated normal is good to 1e-11 or so."""
    expected, found = case.distribution(FAN_IN, FAN_OUT), case.part.entry_variance(FAN_IN, FAN_OUT)
    if abs(expected.mean()) > 1e-12:
        assert found is None
    else:
        assert found == pytest.approx(expected.var(), rel=1e-10)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("cut", [0.1, 1.0, 2.0, 10.0])
def test_the_variance_of_a_truncated_entry_counts_the_cut(cut: float, corrected: bool) -> None:
    expected = 0.09 if corrected else stats.truncnorm(-cut, cut, 0, 0.3).var()
    found = TruncatedNormal(0.3, cut, corrected).entry_variance(FAN_IN, FAN_OUT)
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_variance_of_constants_is_0_and_only_that_of_zeros_counts() -> None:
    assert Zeros().entry_variance(FAN_IN, FAN_OUT) == Constant(0.0).entry_variance(FAN_IN, FAN_OUT) == 0
    assert Constant(-0.25).entry_variance(FAN_IN, FAN_OUT) is None
    assert Normal(std=0.0).entry_variance(FAN_IN, FAN_OUT) == 0
    assert Uniform(-0.6, 0.6).entry_variance(FAN_IN, FAN_OUT) == pytest.approx(0.12, rel=1e-15)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_distribution(case: Case) -> None:
    """The greatest distance of distribution functions, as Kolmogorov: beyond 2.2/√n once in 8000 times."""
    distance = stats.kstest(draw(case.part), case.distribution(FAN_IN, FAN_OUT).cdf).statistic
    assert distance * math.sqrt(COUNT) < 2.2


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_support(case: Case) -> None:
    """What has ends is within them, and comes near both."""
    low, high = case.distribution(FAN_IN, FAN_OUT).support()
    drawn = draw(case.part)
    assert low <= drawn.min()
    assert drawn.max() <= high
    if math.isfinite(high):
        assert max(drawn.min() - low, high - drawn.max()) < 0.001 * (high - low)


def test_the_bound_of_glorot_is_that_of_the_paper() -> None:
    """Glorot and Bengio 2010, eq. 16: uniform on ± √6 / √(n_j + n_{j+1})."""
    assert np.abs(draw(Glorot())).max() == pytest.approx(math.sqrt(6 / (FAN_IN + FAN_OUT)), rel=1e-4)


@pytest.mark.parametrize(
    "part",
    [f(d) for f in (Glorot, He, LeCun) for d in ("normal", "uniform")],
    ids=repr,
)
def test_fans_scale_a_draw(part: Initializer) -> None:
    """The same stream at four times the fans gives half the numbers."""
    small = part.draw(np.random.default_rng(0), 3, 5, (100,))
    large = part.draw(np.random.default_rng(0), 12, 20, (100,))
    np.testing.assert_allclose(large, small / 2, rtol=1e-13)


def test_he_and_lecun_look_at_the_fan_in_only_and_glorot_at_both() -> None:
    def scale(part: Initializer, fan_in: int, fan_out: int) -> float:
        return float(part.draw(np.random.default_rng(0), fan_in, fan_out, (1,))[0])

    for part in (He(), LeCun()):
        assert scale(part, 4, 9) == scale(part, 4, 100)
        assert scale(part, 4, 9) != scale(part, 9, 4)
    assert scale(Glorot(), 4, 9) == scale(Glorot(), 9, 4)
    assert scale(Glorot(), 4, 9) != scale(Glorot(), 4, 100)


def test_a_variance_is_the_square_of_a_standard_deviation() -> None:
    np.testing.assert_array_equal(draw(Normal(std=0.5)), draw(Normal(variance=0.25)))


def test_constants_are_constant() -> None:
    np.testing.assert_array_equal(draw(Zeros()), 0)
    np.testing.assert_array_equal(draw(Constant(-0.25)), -0.25)
    np.testing.assert_array_equal(draw(Normal(std=0.0)), 0)
    np.testing.assert_array_equal(draw(TruncatedNormal(0.0)), 0)


@pytest.mark.parametrize("cut", [0.1, 0.5, 1.0, 2.0, 3.0, 10.0])
def test_the_second_moment_of_a_truncated_normal(cut: float) -> None:
    """By quadrature over the density; 0.8796² at 2. Corrected, it has the deviation it is given."""
    density = stats.norm.pdf
    mass = integrate.quad(density, -cut, cut, epsabs=1e-14)[0]
    square = integrate.quad(lambda z: z * z * density(z), -cut, cut, epsabs=1e-14)[0] / mass
    part = TruncatedNormal(0.3, cut)
    assert part.shrinkage == pytest.approx(math.sqrt(square), rel=1e-11)
    plain, corrected = draw(part), draw(TruncatedNormal(0.3, cut, corrected=True))
    np.testing.assert_allclose(corrected, plain / math.sqrt(square), rtol=1e-11)
    # κ ≤ 3
    assert corrected.std() == pytest.approx(0.3, rel=5 * math.sqrt(2 / (4 * COUNT)))
    assert np.abs(plain).max() <= cut * 0.3


def test_the_constant_of_variance_scaling() -> None:
    """JAX and Keras divide by .87962566103423978 where they draw truncated normals."""
    assert TruncatedNormal(1.0).shrinkage == pytest.approx(0.87962566103423978, rel=1e-14)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "neither given"),
        ({"std": 1.0, "variance": 1.0}, "both given"),
        ({"std": 0.0, "variance": 0.0}, "both"),
    ],
)
def test_normal_needs_exactly_one_scale(given: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=f"needs exactly one of std and variance, {text}"):
        Normal(**given)


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.0), (0.5, 0.5), (-1e-3, -1.0)])
def test_uniform_needs_an_interval(low: float, high: float) -> None:
    with pytest.raises(ValueError, match=f"low: must be below high, but low is {low:g} and high {high:g}"):
        Uniform(low, high)

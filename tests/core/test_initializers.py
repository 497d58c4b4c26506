"""Initializers, by the moments of many draws.

Tolerances are 5 standard errors of n independent draws of standard deviation σ: σ/√n for the mean, and
σ √((κ − 1)/4n) for the standard deviation, with the kurtosis κ = 3 of a normal and 9/5 of a uniform
distribution. Seeds are fixed, so that a test that passes goes on to pass.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import Glorot, He, Initializer, LayerInitializer, Normal, Zeros
from dnnexp.registry import parts

FAN_IN, FAN_OUT, COUNT = 30, 50, 200_000


@dataclass(frozen=True)
class Case:
    """An initializer and the standard deviation that its paper gives it."""

    part: Initializer
    std: Callable[[int, int], float]
    uniform: bool = False


CASES = {
    "zeros": Case(Zeros(), lambda fan_in, fan_out: 0.0),
    "normal-std": Case(Normal(std=0.3), lambda fan_in, fan_out: 0.3),
    "normal-variance": Case(Normal(variance=0.01), lambda fan_in, fan_out: 0.1),
    "normal-none": Case(Normal(std=0.0), lambda fan_in, fan_out: 0.0),
    "glorot": Case(Glorot(), lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)), uniform=True),
    "glorot-normal": Case(Glorot("normal"), lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out))),
    "glorot-gain": Case(
        Glorot(gain=3.0), lambda fan_in, fan_out: 3 * math.sqrt(2 / (fan_in + fan_out)), True
    ),
    "he": Case(He(), lambda fan_in, fan_out: math.sqrt(2 / fan_in)),
    "he-uniform": Case(He("uniform"), lambda fan_in, fan_out: math.sqrt(2 / fan_in), uniform=True),
    "he-gain": Case(He(gain=1.0), lambda fan_in, fan_out: 1 / math.sqrt(fan_in)),
}


def draw(part: Initializer, shape: tuple[int, ...] = (COUNT,), seed: int = 0) -> Floats:
    return part.draw(np.random.default_rng(seed), FAN_IN, FAN_OUT, shape)


def example(cls: type[Any]) -> Initializer:
    """The part with its defaults, or that of the table where it has none."""
    try:
        part: Initializer = cls()
    except (TypeError, ValueError):
        part = next(case.part for case in CASES.values() if type(case.part) is cls)
    return part


@pytest.mark.parametrize("cls", parts("initializer").values(), ids=parts("initializer"))
@pytest.mark.parametrize("shape", [(7,), (5, 7), ()], ids=str)
def test_an_initializer_has_its_shape_and_follows_its_stream(cls: type[Any], shape: tuple[int, ...]) -> None:
    drawn = np.asarray(draw(example(cls), shape))
    assert drawn.shape == shape
    assert drawn.dtype == np.float64
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(drawn, draw(example(cls), shape))
    if np.any(drawn):
        assert not np.array_equal(drawn, draw(example(cls), shape, seed=1))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_moments(case: Case) -> None:
    drawn, std = draw(case.part), case.std(FAN_IN, FAN_OUT)
    kurtosis = 1.8 if case.uniform else 3.0
    assert abs(drawn.mean()) <= 5 * std / math.sqrt(COUNT)
    assert abs(drawn.std() - std) <= 5 * std * math.sqrt((kurtosis - 1) / (4 * COUNT))


@pytest.mark.parametrize("case", [case for case in CASES.values() if not case.uniform])
def test_what_is_normal_has_the_quantiles_of_a_normal(case: Case) -> None:
    """The shares within 1, 2 and 3 σ, erf(k/√2), to 5 standard errors √(p (1 − p)/n)."""
    std = case.std(FAN_IN, FAN_OUT)
    drawn = np.abs(draw(case.part))
    if std == 0:
        np.testing.assert_array_equal(drawn, 0)
        return
    for k in (1, 2, 3):
        p = math.erf(k / math.sqrt(2))
        assert abs((drawn < k * std).mean() - p) < 5 * math.sqrt(p * (1 - p) / COUNT)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.uniform])
def test_what_is_uniform_fills_its_interval_evenly(name: str) -> None:
    """±√3 σ: within it always, up to its ends, and a tenth in each tenth (5 standard errors)."""
    bound = math.sqrt(3) * CASES[name].std(FAN_IN, FAN_OUT)
    drawn = draw(CASES[name].part)
    assert np.abs(drawn).max() <= bound
    assert np.abs(drawn).max() > 0.999 * bound
    counts = np.histogram(drawn, 10, (-bound, bound))[0]
    assert np.abs(counts / COUNT - 0.1).max() < 5 * math.sqrt(0.09 / COUNT)


def test_the_bound_of_glorot_is_that_of_the_paper() -> None:
    """Glorot and Bengio 2010, eq. 16: uniform on ± √6 / √(n_j + n_{j+1})."""
    assert np.abs(draw(Glorot())).max() == pytest.approx(math.sqrt(6) / math.sqrt(FAN_IN + FAN_OUT), rel=1e-3)


@pytest.mark.parametrize("part", [Glorot("normal"), Glorot("uniform"), He("normal"), He("uniform")], ids=repr)
def test_fans_scale_a_draw(part: Initializer) -> None:
    """The same stream at four times the fans gives half the numbers."""
    small = part.draw(np.random.default_rng(0), 3, 5, (100,))
    large = part.draw(np.random.default_rng(0), 12, 20, (100,))
    np.testing.assert_allclose(large, small / 2, rtol=1e-13)


def test_he_looks_at_the_fan_in_only_and_glorot_at_both() -> None:
    def scale(part: Initializer, fan_in: int, fan_out: int) -> float:
        return float(part.draw(np.random.default_rng(0), fan_in, fan_out, (1,))[0])

    assert scale(He(), 4, 9) == scale(He(), 4, 100)
    assert scale(He(), 4, 9) != scale(He(), 9, 4)
    assert scale(Glorot(), 4, 9) == scale(Glorot(), 9, 4)
    assert scale(Glorot(), 4, 9) != scale(Glorot(), 4, 100)


def test_a_variance_is_the_square_of_a_standard_deviation() -> None:
    np.testing.assert_array_equal(draw(Normal(std=0.5)), draw(Normal(variance=0.25)))


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


def test_a_layer_has_zero_biases_unless_it_is_told_otherwise() -> None:
    assert LayerInitializer(Normal(std=1.0)) == LayerInitializer(weights=Normal(std=1.0), biases=Zeros())
    assert LayerInitializer.shorthand == "weights"

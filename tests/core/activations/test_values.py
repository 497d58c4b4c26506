"""Activations against closed forms, and against one another."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from dnnexp.config.schema import read
from dnnexp.core.activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    Activation,
    Erf,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    LeakyReLU,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Sine,
    Softplus,
    Softsign,
    Tanh,
)
from tests.core.activations.accuracy import arguments, assert_within, bound


def exp(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def hard_sigmoid(z: float) -> float:
    return min(max(z / 6 + 0.5, 0.0), 1.0)


def gelu(of: Any, z: float) -> float:
    if of.form == "exact":
        return z * math.erfc(-z / math.sqrt(2)) / 2
    z = max(-1e100, z)  # the cube of which is a float
    return z / (1 + exp(-math.sqrt(8 / math.pi) * (z + 0.044715 * z * z * z)))


ORACLES: dict[str, Callable[[Any, float], float]] = {
    "sigmoid": lambda of, z: 1 / (1 + exp(-z)),
    "tanh": lambda of, z: math.tanh(z),
    "softsign": lambda of, z: z / (1 + abs(z)),
    "erf": lambda of, z: math.erf(z),
    "relu": lambda of, z: max(0.0, z),
    "leaky_relu": lambda of, z: max(z, of.slope * z),
    "relu6": lambda of, z: min(max(0.0, z), 6.0),
    "elu": lambda of, z: z if z > 0 else of.alpha * math.expm1(z),
    "selu": lambda of, z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    "celu": lambda of, z: max(0.0, z) + min(0.0, of.alpha * math.expm1(min(0.0, z) / of.alpha)),
    "softplus": lambda of, z: max(0.0, z) + math.log1p(exp(-of.beta * abs(z))) / of.beta,
    "silu": lambda of, z: z / (1 + exp(-z)),
    "gelu": gelu,
    "mish": lambda of, z: z * math.tanh(math.log1p(exp(z))),
    "hard_sigmoid": lambda of, z: hard_sigmoid(z),
    "hard_tanh": lambda of, z: min(max(-1.0, z), 1.0),
    "hard_swish": lambda of, z: z * hard_sigmoid(z),
    "identity": lambda of, z: z,
    "sine": lambda of, z: math.sin(of.frequency * min(max(-8e307, z), 8e307)),
}
"""The functions on Python floats, one formula as it stands in the book, for the part with its fields."""


def test_f_is_the_function(activation: Activation) -> None:
    """To a few roundings, of the argument, too; at the ends, to the limit.

    Where the sigmoid is below the smallest normal number it is held there.
    """
    if activation.name not in ORACLES:
        pytest.skip(f"no independent form of {activation.name}")
    z = arguments()
    expected = np.array([ORACLES[activation.name](activation, x) for x in z.tolist()])
    assert_within(activation.f(z), expected, bound(expected, z, activation.df(z), 8))


@pytest.mark.parametrize("part", [Tanh(), Softsign(), Erf(), HardTanh(), Identity(), Sine()], ids=str)
def test_odd_functions(part: Activation) -> None:
    z = arguments()
    np.testing.assert_array_equal(part.f(-z), -part.f(z))


@pytest.mark.parametrize("part", [Sigmoid(), HardSigmoid()], ids=str)
def test_sigmoids_are_odd_about_one_half(part: Activation) -> None:
    z = arguments()
    np.testing.assert_allclose(part.f(-z), 1 - part.f(z), rtol=0, atol=4e-16)


@pytest.mark.parametrize(
    "part", [ReLU(), Softplus(), Softplus(0.3), SiLU(), GELU(), GELU("tanh"), HardSwish()], ids=str
)
def test_two_halves_of_a_rectifier_make_the_identity(part: Activation) -> None:
    """f(z) − f(−z) = z."""
    z = arguments()
    np.testing.assert_allclose(part.f(z) - part.f(-z), z, rtol=1e-15, atol=1e-15)


FAMILY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tanh z = 2 sigmoid(2z) - 1": (Tanh().f, lambda z: 2 * Sigmoid().f(2 * z) - 1),
    "softplus' = sigmoid": (Softplus().df, Sigmoid().f),
    "softplus' = sigmoid(beta z)": (Softplus(3.0).df, lambda z: Sigmoid().f(3 * z)),
    "silu = z sigmoid": (SiLU().f, lambda z: z * Sigmoid().f(z)),
    "mish = z tanh(softplus)": (Mish().f, lambda z: z * np.tanh(Softplus().f(z))),
    "gelu = z (1 + erf(z / sqrt 2)) / 2": (GELU().f, lambda z: z * (1 + Erf().f(z / math.sqrt(2))) / 2),
    "hard sigmoid = relu6(z + 3) / 6": (HardSigmoid().f, lambda z: ReLU6().f(z + 3) / 6),
    "hard swish = z hard sigmoid": (HardSwish().f, lambda z: z * HardSigmoid().f(z)),
    "hard tanh = 2 hard sigmoid(3z) - 1": (HardTanh().f, lambda z: 2 * HardSigmoid().f(3 * z) - 1),
    "celu = elu where alpha is 1": (CELU().f, ELU().f),
    "celu = alpha elu(z / alpha)": (CELU(0.4).f, lambda z: 0.4 * ELU().f(z / 0.4)),
    "leaky relu of slope 0 = relu": (LeakyReLU(0.0).f, ReLU().f),
    "relu6 below 6 = relu": (ReLU6().f, lambda z: np.minimum(ReLU().f(z), 6)),
    "sine of a frequency": (Sine(30.0).f, lambda z: np.sin(30 * z)),
}


@pytest.mark.parametrize(("one", "other"), FAMILY.values(), ids=FAMILY)
def test_one_is_made_of_others(one: Callable[[Any], Any], other: Callable[[Any], Any]) -> None:
    """Where z is moderate; what subtracts from 1 is right to the roundings of 1."""
    z = np.random.default_rng(4).uniform(-40, 40, 2000)
    np.testing.assert_allclose(one(z), other(z), rtol=1e-14, atol=1e-14)


def test_softplus_goes_to_the_rectifier() -> None:
    """It is at most log 2 / β above, at 0."""
    z = np.append(np.random.default_rng(5).uniform(-4, 4, 1000), 0.0)
    for beta in (1.0, 10.0, 1000.0):
        above = Softplus(beta).f(z) - ReLU().f(z)
        assert above.min() >= 0
        assert above.max() == above[-1] == pytest.approx(math.log(2) / beta, rel=1e-14)


@pytest.mark.parametrize(
    ("part", "place", "value"),
    [
        (SiLU(), -1.278464542761074, -0.2784645427610738),  # −W(1/e) at −1 − W(1/e)
        (GELU(), -0.7517915246935645, -0.1699712074799037),  # these two by mpmath, with 30 digits
        (Mish(), -1.192431214515495, -0.3088434130172504),
    ],
    ids=str,
)
def test_the_lowest_points(part: Activation, place: float, value: float) -> None:
    assert part.f(np.array(place)) == pytest.approx(value, abs=1e-15)
    assert part.df(np.array(place)) == pytest.approx(0, abs=1e-15)


def test_the_tanh_form_of_gelu_is_close_to_the_exact_one() -> None:
    """The largest difference is a property of the approximation: 4.7e-4."""
    z = np.linspace(-8, 8, 100_001)
    apart = np.abs(GELU("tanh").f(z) - GELU().f(z))
    assert apart.max() == pytest.approx(4.7e-4, abs=0.1e-4)


def normal_mean(function: Callable[[float], float]) -> float:
    """E[function(z)] of a standard normal z, half by half."""
    halves = [
        integrate.quad(lambda z: function(z) * math.exp(-z * z / 2), *ends, epsabs=1e-13, epsrel=1e-13)[0]
        for ends in ((-40, 0), (0, 40))
    ]
    return float(sum(halves)) / math.sqrt(2 * math.pi)


def test_selu_keeps_mean_0_and_variance_1() -> None:
    """Klambauer et al. 2017: what λ and α were solved for."""
    assert normal_mean(lambda z: SELU().f(np.array(z))) == pytest.approx(0, abs=1e-12)
    assert normal_mean(lambda z: SELU().f(np.array(z)) ** 2) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("q", [0.1, 1.0, 5.0])
def test_the_mean_square_of_erf(q: float) -> None:
    """Williams 1996: E[erf(√q z)²] = (2/π) asin(2q / (1 + 2q)), and E[erf'²] = 4 / (π √(1 + 4q))."""
    scale = math.sqrt(q)
    value = normal_mean(lambda z: Erf().f(np.array(scale * z)) ** 2)
    slope = normal_mean(lambda z: Erf().df(np.array(scale * z)) ** 2)
    assert value == pytest.approx(2 / math.pi * math.asin(2 * q / (1 + 2 * q)), rel=1e-12)
    assert slope == pytest.approx(4 / (math.pi * math.sqrt(1 + 4 * q)), rel=1e-12)


@pytest.mark.parametrize(
    ("part", "field", "bad"),
    [
        (LeakyReLU, "slope", 1.0),
        (LeakyReLU, "slope", -0.1),
        (ELU, "alpha", 0.0),
        (CELU, "alpha", -1.0),
        (Softplus, "beta", 0.0),
        (Sine, "frequency", 0.0),
        (GELU, "form", "sigmoid"),
    ],
)
def test_parameters_out_of_range_are_refused(part: type[Activation], field: str, bad: object) -> None:
    found, errors = read(part, {field: bad})
    assert found is None
    assert [path for path, _ in errors] == [(field,)]

"""The theory drawn beside an h sweep: truncation h²|φ‴|/6 and round-off, from derivatives known otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Tanh
from dnnexp.core.arrays import Floats
from dnnexp.core.losses import SquaredError
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import RunContext
from dnnexp.experiments.gradcheck import function_sweep, sweep
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig, StepSweep
from tests.experiments.given_cases import Given, made

DIRECTIONS = 4
STEPS = StepSweep(directions=DIRECTIONS, per_decade=4)


def test_truncation_of_a_function_with_a_known_third_derivative() -> None:
    """f = Σ x_j⁵ + x_j³: f′ = Σ 5x⁴ + 3x², f‴ = Σ 60x² + 6, along directions drawn as documented."""
    x = np.array([0.7, -1.3, 3.0])
    case = made(lambda x: (x**5 + x**3).sum(0), lambda x: 5 * x**4 + 3 * x**2, np.tile(x[:, None], 5))
    config = GradcheckConfig(target=Given((case,)), step_sweep=STEPS)
    arrays = function_sweep.sweep(config, (case,), RunContext(Streams(3))).arrays
    stream = Streams(3)("directions", case.name)
    for found in arrays["sweep.truncation"]:
        v = stream.standard_normal(3) * np.maximum(1, np.abs(x)) / np.sqrt(3)
        first, third = v @ (5 * x**4 + 3 * x**2), v**3 @ (60 * x**2 + 6)
        np.testing.assert_allclose(found, arrays["sweep.h"] ** 2 / 6 * abs(third / first), rtol=1e-3)


def tanh_problem() -> Problem:
    network, generator = Network((2, 3, 2), (Tanh(), Tanh())), np.random.default_rng(5)
    parameters = generator.standard_normal(network.parameter_count)
    return Problem(
        network,
        parameters,
        generator.standard_normal((3, 2)),
        generator.uniform(-1, 1, (3, 2)),
        SquaredError(),
    )


def times(a: Floats, b: Floats) -> Floats:
    """The product of two power series in s up to s³, `(4, ...)` each; matrices multiply."""
    return np.array([sum(a[j] @ b[k - j] for j in range(k + 1)) for k in range(4)])


def tanh_of(z: Floats) -> Floats:
    """The power series of t = tanh z from t′ = (1 − t²) z′."""
    t = np.zeros_like(z)
    t[0] = np.tanh(z[0])
    for k in range(1, 4):
        u = [(i == 0) - sum(t[j] * t[i - j] for j in range(i + 1)) for i in range(k)]
        t[k] = sum(j * z[j] * u[k - j] for j in range(1, k + 1)) / k
    return t


def loss_series(problem: Problem, v: Floats) -> Floats:
    """φ(s) = ½ Σ (y(θ + s v) − t)² as a power series in s, without differences: its coefficients 0 to 3."""
    a = np.zeros((4, *problem.x.shape))
    a[0], network = problem.x, problem.network
    for here, along in zip(network.layers(problem.parameters), network.layers(v), strict=True):
        weights = np.zeros((4, *here.weights.T.shape))
        weights[0], weights[1] = here.weights.T, along.weights.T
        z = times(a, weights)
        z[0] += here.biases
        z[1] += along.biases
        a = tanh_of(z)
    a[0] -= problem.t
    return np.array([sum((a[j] * a[k - j]).sum() for j in range(k + 1)) / 2 for k in range(4)])


@pytest.fixture(scope="module")
def network_arrays() -> dict[str, Any]:
    config = GradcheckConfig(network=CheckedNetwork((2, 3, 2), Tanh()), batch=3, step_sweep=STEPS)
    return sweep.sweep(config, tanh_problem(), RunContext(Streams(3))).arrays


def test_truncation_of_a_network(network_arrays: dict[str, Any]) -> None:
    problem, stream = tanh_problem(), Streams(3)("directions")
    for found in network_arrays["sweep.truncation"]:
        _, first, _, third = loss_series(problem, stream.standard_normal(problem.network.parameter_count))
        expected = network_arrays["sweep.h"] ** 2 / 6 * abs(6 * third / first)
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_round_off_of_a_network(network_arrays: dict[str, Any]) -> None:
    """The formula takes u for each rounding: uniform errors in ±u have a root mean square of u / √3."""
    small = network_arrays["sweep.h"] < 1e-8
    ratio = (network_arrays["sweep.central"] / network_arrays["sweep.round_off"])[:, small]
    assert 1 / 1.25 < np.sqrt(3 * (ratio**2).mean()) < 1.25

"""Extrapolated derivatives of random networks err by no more than they say.

Among them sines of up to 100 z in several layers, whose slopes reach 1e13 and turn within 1e-13.
"""

import numpy as np
import pytest

from dnnexp.core.network import Network
from dnnexp.core.network_extrapolation import extrapolated_derivatives, rounding_noise
from dnnexp.core.parameter_derivatives import forward_derivatives
from dnnexp.core.problem import Problem
from dnnexp.registry import find, parts
from tests.core.conftest import examples

SINES = [find("activation", "sine")(frequency=frequency) for frequency in (10.0, 30.0, 100.0)]
ACTIVATIONS = [*(example for cls in parts("activation").values() for example in examples(cls)), *SINES]


def random_problem(seed: int) -> Problem:
    """1 to 6 layers of 1 to 12 units, one activation or any mixture, parameters of std 0.1 to 5."""
    generator = np.random.default_rng(seed)
    depth = int(generator.integers(1, 7))
    widths = tuple(int(n) for n in generator.integers(1, 13, depth + 1))
    chosen = generator.integers(len(ACTIVATIONS), size=depth if seed % 2 else 1)
    network = Network(widths, tuple(ACTIVATIONS[i] for i in np.resize(chosen, depth)))
    losses = [cls() for cls in parts("loss").values()]
    loss, batch = losses[generator.integers(len(losses))], int(generator.integers(1, 9))
    std = np.exp(generator.uniform(np.log(0.1), np.log(5)))
    return Problem(
        network,
        std * generator.standard_normal(network.parameter_count),
        generator.standard_normal((batch, widths[0])),
        loss.example_targets(generator, batch, widths[-1]),
        loss,
    )


def assert_stated(problem: Problem, enough: float) -> float:
    """The error is below twice the stated one, or of what rounds away: 100 u of the tensors' largest.

    Returns the share of derivatives that were found at all.
    """
    exact = forward_derivatives(problem)
    found = extrapolated_derivatives(problem, np.arange(len(exact)), enough=enough)
    known = np.isfinite(found.error)
    assert not np.isfinite(found.value[~known]).any()
    error = np.abs(found.value - exact)[known]
    assert (error <= 2 * found.error[known] + 1e-14 * np.abs(exact).max()).all()
    return float(known.mean())


@pytest.mark.parametrize("block", range(8))
def test_the_stated_error_holds(block: int) -> None:
    """And what is found nowhere is rare."""
    shares = [assert_stated(random_problem(seed), 1e-6) for seed in range(25 * block, 25 * block + 25)]
    assert np.mean(shares) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("block", range(40))
@pytest.mark.parametrize("enough", [0.0, 1e-4, 1e-6])
def test_the_stated_error_holds_in_a_thousand_networks(block: int, enough: float) -> None:
    for seed in range(25 * block, 25 * block + 25):
        assert_stated(random_problem(seed), enough)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("enough", [0.0, 1e-6])
def test_waves_shorter_than_every_step_are_left_open(seed: int, enough: float) -> None:
    """Guards: a slope of 1e13 stated as −0.6 ± 6.8, from steps that all went over many waves."""
    generator, network = np.random.default_rng(seed), Network((3, 10, 4, 5, 3, 2), (SINES[-1],) * 5)
    loss = find("loss", "linear")()
    problem = Problem(
        network,
        3.8 * generator.standard_normal(network.parameter_count),
        generator.standard_normal((4, 3)),
        loss.example_targets(generator, 4, 2),
        loss,
    )
    assert np.isinf(rounding_noise(problem, 0))
    assert_stated(problem, enough)
    first = extrapolated_derivatives(problem, np.arange(40), enough=enough)
    assert np.isnan(first.value).all()


@pytest.mark.parametrize("std", [0.1, 1.0, 5.0])
def test_ordinary_networks_are_not_left_open(std: float) -> None:
    """Of any activation; nor sines of 30 z in three layers."""
    for number, activation in enumerate([*ACTIVATIONS[:-3], SINES[1]]):
        network, generator = Network((4, 6, 6, 2), (activation,) * 3), np.random.default_rng(number)
        loss = find("loss", "squared_error")()
        problem = Problem(
            network,
            std * generator.standard_normal(network.parameter_count),
            generator.standard_normal((3, 4)),
            loss.example_targets(generator, 3, 2),
            loss,
        )
        assert np.isfinite(rounding_noise(problem, 0))

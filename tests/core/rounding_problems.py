"""Problems in single precision, and the check that no error exceeds its bound."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.losses import Loss
from dnnexp.core.network import Network
from dnnexp.core.problem import Problem
from dnnexp.registry import parts
from tests.core.conftest import label


def problem_of(
    activations: tuple[Activation, ...],
    loss: Loss,
    widths: tuple[int, ...],
    seed: int,
    scale: float = 1.0,
    dtype: Any = np.float32,
) -> Problem:
    """Weights of variance scale²/n, 1 to 16 samples."""
    network, generator = Network(widths, activations), np.random.default_rng(seed)
    parameters = scale * generator.standard_normal(network.parameter_count)
    for layer in network.layers(parameters):
        layer.weights[:] /= np.sqrt(layer.weights.shape[1])
    batch = int(generator.integers(1, 17))
    x = generator.standard_normal((batch, widths[0]))
    t = loss.example_targets(generator, batch, widths[-1])
    return Problem(network, parameters.astype(dtype), x.astype(dtype), t.astype(dtype), loss)


def examples(activation: Activation, dtype: Any = np.float32) -> Iterator[Problem]:
    """One network for each loss: flat and wide, middling, deep and narrow, at weights from 0.01 to 3."""
    for number, loss in enumerate(parts("loss").values()):
        seed = zlib.crc32(f"{label(activation)} {loss.name}".encode())
        generator = np.random.default_rng(seed)
        depth, widest = ((1, 100), (4, 25), (16, 5))[(number + seed) % 3]
        widths = tuple(int(n) for n in generator.integers(1, widest + 1, depth + 1))
        scale = float(np.exp(generator.uniform(np.log(0.01), np.log(3))))
        yield problem_of((activation,) * depth, loss(), widths, seed, scale, dtype)


def in_double(problem: Problem) -> Problem:
    return replace(
        problem, **{name: getattr(problem, name).astype(np.float64) for name in ("parameters", "x", "t")}
    )


def assert_bounded(found: Any, exact: Any, bound: Any) -> None:
    assert np.shape(bound) == np.shape(exact)
    over = np.abs(found - exact) / bound
    assert over.max() <= 1, f"an error is {over.max():.3g} times its bound, at {over.argmax()}"

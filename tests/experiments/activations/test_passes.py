"""Passes layer by layer, against `Network`, which keeps all layers."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Tanh
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.core.initializers import LSUV, Critical, He, LayerInitializer, Normal, Orthogonal
from dnnexp.core.mean_field import critical_at_bias
from dnnexp.core.network import Network
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.passes import Gradients, Level, Passes, segment_length

DEPTHS = range(1, 13)
INITIALIZERS = {
    "he": LayerInitializer(He(), Normal(std=0.1)),
    "orthogonal": LayerInitializer(Orthogonal()),
    "critical": LayerInitializer(Critical(), Normal(variance=0.05)),
    "lsuv": LayerInitializer(LSUV(), Normal(std=0.1)),
}


def widths(depth: int) -> tuple[int, ...]:
    """All neighbours differ."""
    return tuple(3 + (5 * level) % 7 for level in range(depth + 1))


def pairs(runs: Iterable[int]) -> list[tuple[np.random.Generator, np.random.Generator]]:
    streams = Streams(7)
    return [(streams("weights", str(run)), streams("biases", str(run))) for run in runs]


def made(
    depth: int,
    initializer: LayerInitializer,
    runs: Iterable[int] = range(3),
    is_kept: bool = True,
    batch: int = 4,
) -> Passes:
    x = np.random.default_rng(1).standard_normal((batch, 3))
    return Passes(widths(depth), Tanh(), initializer, x, pairs(runs), is_kept)


def cotangent(y: Numbers) -> Floats:
    """∂E/∂y of ½ Σ (y − t)² with t the same for all networks."""
    t = np.random.default_rng(2).standard_normal(y.shape[-2:])
    return np.asarray(y - t)


def gone_through(passes: Passes) -> tuple[list[Level], list[Gradients]]:
    """Levels and gradients, both from the first layer on."""
    levels = list(passes.forward())
    return levels, list(passes.backward(cotangent))[::-1]


# --- Against networks that are kept ------------------------------------------------------------------------


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_block_is_its_networks(depth: int, name: str) -> None:
    """Signals bit for bit; gradients, too: the same products of the same matrices."""
    passes = made(depth, INITIALIZERS[name])
    levels, gradients = gone_through(passes)
    network = Network(widths(depth), (Tanh(),) * depth)
    for run, streams in enumerate(pairs(range(3))):
        parameters = network.draw(INITIALIZERS[name], *streams, passes.x)
        signals = network.forward(parameters, passes.x)
        slope, to_input = network.backward(parameters, signals, cotangent(signals.output))
        for level, layer in enumerate(network.layers(parameters)):
            np.testing.assert_array_equal(levels[level].layer.weights[run], layer.weights)
            np.testing.assert_array_equal(levels[level].layer.biases[run], layer.biases)
            np.testing.assert_array_equal(levels[level].pre[run], signals.pre[level])
            np.testing.assert_array_equal(levels[level].post[run], signals.post[level + 1])
        for level, layer in enumerate(network.layers(slope)):
            np.testing.assert_array_equal(gradients[level].weights[run], layer.weights)
            np.testing.assert_array_equal(gradients[level].pre[run].sum(axis=0), layer.biases)
        first = gradients[0]
        np.testing.assert_array_equal(first.pre[run] @ first.level.layer.weights[run], to_input)


@pytest.mark.parametrize("depth", DEPTHS)
def test_gradients_by_signals_against_differences(depth: int) -> None:
    """Of E along a random direction of a layer's z, and of its a: central, h = 1e-6, off by 1e-9 or so."""
    passes = made(depth, INITIALIZERS["he"], range(1))
    _, gradients = gone_through(passes)
    generator = np.random.default_rng(3)
    for found in gradients:
        number = found.level.number
        rest = [other.level.layer for other in gradients[number:]]

        def error(a: Floats, rest: Any = rest) -> float:
            for layer in rest:
                a = np.tanh(a @ layer.weights[0].T + layer.biases[0])
            return float(np.square(cotangent(a)).sum() / 2)

        direction, h = generator.standard_normal(found.level.pre[0].shape), 1e-6
        z, a = found.level.pre[0], found.level.post[0]
        by_pre = (error(np.tanh(z + h * direction)) - error(np.tanh(z - h * direction))) / (2 * h)
        by_post = (error(a + h * direction) - error(a - h * direction)) / (2 * h)
        assert (found.pre[0] * direction).sum() == pytest.approx(by_pre, abs=1e-7)
        assert (found.post[0] * direction).sum() == pytest.approx(by_post, abs=1e-7)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_network_is_the_same_in_any_block(name: str) -> None:
    together = gone_through(made(7, INITIALIZERS[name], range(5)))
    apart = [gone_through(made(7, INITIALIZERS[name], [run])) for run in range(5)]
    for run, alone in enumerate(apart):
        for block, single in zip(together[0], alone[0], strict=True):
            np.testing.assert_array_equal(block.post[run], single.post[0])
        for gradients, gradient in zip(together[1], alone[1], strict=True):
            for whole, part in zip(gradients[1:], gradient[1:], strict=True):
                np.testing.assert_array_equal(np.broadcast_to(whole, (5, *whole.shape[1:]))[run], part[0])


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_way_back_computes_the_same_layers_again(depth: int, name: str) -> None:
    """Also where weights were fitted to the signal."""
    levels, gradients = gone_through(made(depth, INITIALIZERS[name]))
    assert [found.level.number for found in gradients] == list(range(1, depth + 1))
    for level, found in zip(levels, gradients, strict=True):
        np.testing.assert_array_equal(level.layer.weights, found.level.layer.weights)
        np.testing.assert_array_equal(level.incoming, found.level.incoming)
        np.testing.assert_array_equal(level.pre, found.level.pre)


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_is_kept_changes_no_signal(depth: int) -> None:
    kept = made(depth, INITIALIZERS["lsuv"])
    plain = made(depth, INITIALIZERS["lsuv"], is_kept=False)
    for one, other in zip(kept.forward(), plain.forward(), strict=True):
        np.testing.assert_array_equal(one.post, other.post)
    assert not list(plain.backward(cotangent))


def test_the_critical_point_is_that_of_the_activation() -> None:
    """Weights of variance σ_w² / n_in, within 5 standard errors of 40,000 squares."""
    passes = Passes((200, 200), Tanh(), INITIALIZERS["critical"], np.ones((1, 200)), pairs([0]), False)
    (level,) = passes.forward()
    expected = critical_at_bias(Tanh(), 0.05).sigma_w2 / 200
    assert np.square(level.layer.weights).mean() == pytest.approx(expected, rel=5 * (2 / 40_000) ** 0.5)


def test_single_precision_stays_single() -> None:
    passes = Passes(
        (3, 4, 5, 6), Tanh(), INITIALIZERS["lsuv"], np.ones((2, 3), np.float32), pairs([0, 1]), True
    )
    levels = list(passes.forward())
    gradients = list(passes.backward(lambda y: y - np.float32(1)))
    arrays = [array for level in levels for array in (*level.layer, *level[2:])]
    arrays += [array for found in gradients for array in found[1:]]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


# --- Memory ------------------------------------------------------------------------------------------------


def test_segments_are_about_as_long_as_there_are_many() -> None:
    for depth in range(1, 200):
        length = segment_length(depth)
        assert (length - 1) ** 2 < depth <= length**2


WIDTH, RUNS = 32, 16
LEVEL = 8 * RUNS * WIDTH * WIDTH
"""Bytes of the signal of a layer; weights take as much."""


def peak(depth: int, is_kept: bool, go: Callable[[Passes], object]) -> float:
    """The most that was held at once, in signals of a layer."""
    x = np.ones((WIDTH, WIDTH))
    passes = Passes((WIDTH,) * (depth + 1), Tanh(), INITIALIZERS["he"], x, pairs(range(RUNS)), is_kept)
    tracemalloc.start()
    go(passes)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held / LEVEL


def drained(passes: Passes) -> None:
    for level in passes.forward():
        del level


def there_and_back(passes: Passes) -> None:
    drained(passes)
    for gradients in passes.backward(cotangent):
        del gradients


def test_a_pass_forward_needs_no_more_memory_in_deeper_networks() -> None:
    """The check can fail: it does where levels are kept."""
    shallow, deep = peak(8, False, drained), peak(64, False, drained)
    assert deep <= shallow + 0.5
    assert peak(64, False, lambda passes: list(passes.forward())) > 3 * shallow


def test_a_pass_back_needs_memory_as_the_root_of_the_depth() -> None:
    """√L checkpoints, and a segment of √L levels of weights, z and a, beside what one level takes.

    As many levels, kept, are 64 · 3.
    """
    for depth in (16, 64):
        length = segment_length(depth)
        assert 3 * length < peak(depth, True, there_and_back) < 4 * length + 12

"""The forward and backward pass through a block of networks, one layer at a time.

The forward pass keeps one layer in memory. The backward pass needs the layers again: they are recomputed in
segments of about √L layers from checkpoints (Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear
memory cost", 2016). Weights are drawn again, not kept.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Numbers
from dnnexp.core.initializers import LayerInitializer
from dnnexp.core.network import Layer, affine

Streams = list[tuple[np.random.Generator, np.random.Generator]]
"""The streams of the weights and of the biases of every network of the block."""


class Level(NamedTuple):
    """A layer, numbered from 1, with its input `(runs, batch, n_in)` and outputs `(runs, batch, n_out)`.

    All networks share the input of the first layer, `(batch, n_0)`.
    """

    number: int
    layer: Layer
    incoming: Any
    pre: Any
    post: Any


class Gradients(NamedTuple):
    """∂E/∂z, ∂E/∂a `(runs, batch, n_out)` and ∂E/∂w `(runs, n_out, n_in)` of a layer."""

    level: Level
    pre: Any
    post: Any
    weights: Any


class _Checkpoint(NamedTuple):
    """The beginning of a segment: the number of layers before it, their output, the state of the streams."""

    done: int
    signal: Any
    streams: Streams


def segment_length(depth: int) -> int:
    """√L, rounded up: a segment has about as many layers as there are segments."""
    return math.isqrt(depth - 1) + 1


@dataclass(frozen=True)
class Passes:
    """The passes through one block of networks: forward once, to the end, and then backward.

    Attributes:
        widths: n_0 … n_L.
        activation: the activation of every layer.
        initializer: the initializer of every layer.
        x: the input `(batch, n_0)`, in the precision of the computation.
        streams: the streams of each network, which are consumed.
        is_kept: whether a backward pass will follow.
    """

    widths: tuple[int, ...]
    activation: Activation
    initializer: LayerInitializer
    x: Numbers
    streams: Streams
    is_kept: bool
    _checkpoints: list[_Checkpoint] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """The number of layers L."""
        return len(self.widths) - 1

    def forward(self) -> Iterator[Level]:
        """The layers, one after another: z = w a + b, a ← σ(z)."""
        signal, streams = self.x, self.streams
        for number in range(1, self.depth + 1):
            if self.is_kept and (number - 1) % segment_length(self.depth) == 0:
                self._checkpoints.append(_Checkpoint(number - 1, signal, copy.deepcopy(streams)))
            level = self._level(number, signal, streams)
            signal = level.post
            yield level
            del level

    def backward(self, cotangent: Callable[[Numbers], Numbers]) -> Iterator[Gradients]:
        """From the last layer to the first: δ = σ'(z) ⊙ ∂E/∂a, ∂E/∂w = δᵀ a, and wᵀ δ for the layer before.

        Args:
            cotangent: ∂E/∂y for the output y `(runs, batch, n_L)`.
        """
        incoming: Any = None
        while self._checkpoints:
            levels = self._segment(self._checkpoints.pop())
            incoming = cotangent(levels[-1].post) if incoming is None else incoming
            while levels:
                level = levels.pop()
                delta = incoming * self.activation.df(level.pre)
                yield Gradients(level, delta, incoming, delta.swapaxes(-1, -2) @ level.incoming)
                incoming = delta @ level.layer.weights

    def _segment(self, start: _Checkpoint) -> list[Level]:
        """The layers of a segment, recomputed."""
        levels: list[Level] = []
        signal = start.signal
        end = min(start.done + segment_length(self.depth), self.depth)
        for number in range(start.done + 1, end + 1):
            levels.append(self._level(number, signal, start.streams))
            signal = levels[-1].post
        return levels

    def _level(self, number: int, incoming: Any, streams: Streams) -> Level:
        layer = self._draw(number, incoming, streams)
        pre = affine(incoming, layer)
        return Level(number, layer, incoming, pre, self.activation.f(pre))

    def _draw(self, number: int, incoming: Any, streams: Streams) -> Layer:
        """The parameters of a layer of every network."""
        n_in, n_out = self.widths[number - 1 : number + 1]
        weights = np.empty((len(streams), n_out, n_in), self.x.dtype)
        biases = np.empty((len(streams), n_out), self.x.dtype)
        for run, pair in enumerate(streams):
            a = incoming if incoming.ndim == 2 else incoming[run]
            weights[run], biases[run] = self.initializer.draw(*pair, self.activation, n_in, n_out, a)
        return Layer(weights, biases)

"""The derivative of a loss by every single parameter, without a Python loop over parameters.

Moving one parameter of layer l moves one pre-activation of that layer, by the same known amount
whatever comes after. So a block of parameters is a stack of perturbed networks in which layer l differs
in one unit each; what follows is a batched forward pass. Forward mode, central differences and the
complex step share that pass and differ in what they send through it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.differentiation import CENTRAL_STEP, COMPLEX_STEP, scaled_step
from dnnexp.core.losses import Loss
from dnnexp.core.network import Layer, Network, Signals, affine, product

_BLOCK_NUMBERS = 2**18
"""About how many activations of one layer a block of perturbed networks holds (2 MiB of float64)."""

Progress = Callable[[int], None]
"""Called with the number of parameters done since the last call."""


@dataclass(frozen=True)
class Problem:
    """A network at given parameters `(P,)`, a batch x and t, and a loss."""

    network: Network
    parameters: Floats
    x: Floats
    t: Floats
    loss: Loss

    def signals(self) -> Signals:
        """The unperturbed forward pass."""
        return self.network.forward(self.parameters, self.x)


@dataclass(frozen=True)
class _Block:
    """Some parameters of one layer: entry k moves unit `units[k]` by `sources[k, s]` per unit of change."""

    level: int
    units: Any  # (block,)
    sources: Floats  # (block, batch)
    places: Any  # where the entries stand in the result: a slice or indexes


def _block_size(problem: Problem) -> int:
    return max(1, _BLOCK_NUMBERS // (len(problem.x) * max(problem.network.widths)))


def _ranges(problem: Problem) -> Iterator[tuple[int, bool, range]]:
    """All parameters in blocks of one layer's weights or biases: (level, is bias, places)."""
    widths, start = problem.network.widths, 0
    size = _block_size(problem)
    for level, (n_in, n_out) in enumerate(pairwise(widths)):
        for is_bias, count in ((False, n_out * n_in), (True, n_out)):
            for first in range(start, start + count, size):
                yield level, is_bias, range(first, min(first + size, start + count))
            start += count


def _block(problem: Problem, signals: Signals, level: int, is_bias: bool, places: range | Integers) -> _Block:
    """The block of those places; its layer's first parameter follows from the widths."""
    n_in, n_out = problem.network.widths[level : level + 2]
    start = sum(n * (m + 1) for m, n in pairwise(problem.network.widths[: level + 1]))
    entries = np.asarray(places) - start
    if is_bias:
        units, sources = entries - n_out * n_in, np.ones((len(places), len(problem.x)))
    else:
        units, inputs = np.divmod(entries, n_in)
        sources = signals.post[level].T[inputs]
    stand = slice(places.start, places.stop) if isinstance(places, range) else places
    return _Block(level, units, sources, stand)


def _for_each_block(
    problem: Problem, signals: Signals, work: Callable[[_Block], None], progress: Progress
) -> None:
    """Call `work` on every block of all parameters, on all cores."""

    def run(where: tuple[int, bool, range]) -> int:
        work(_block(problem, signals, *where))
        return len(where[2])

    _on_all_cores(run, _ranges(problem), progress)


def _on_all_cores(run: Callable[[Any], int], jobs: Iterable[Any], progress: Progress) -> None:
    """Run every job; they are independent, so their order is no matter."""

    def quietly(job: Any) -> int:
        with np.errstate(all="ignore"):
            return run(job)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done in pool.map(quietly, jobs):
                progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _both_sides(
    problem: Problem, layers: list[Layer], signals: Signals, block: _Block, h: Floats
) -> tuple[Any, Any, Any]:
    """The outputs of the block's networks at θ + h and θ − h, and which crossed a kink; h `(block,)`."""
    shift = h[:, None] * block.sources
    plus, crossed_up = _perturbed_output(problem, layers, signals, block, shift)
    minus, crossed_down = _perturbed_output(problem, layers, signals, block, -shift)
    return plus, minus, crossed_up | crossed_down


def _perturbed_output(
    problem: Problem, layers: list[Layer], signals: Signals, block: _Block, shift: Any
) -> tuple[Any, Any]:
    """The outputs of the block's networks, whose moved units' pre-activations are shifted by `shift`.

    Returns:
        Outputs `(block, batch, n_L)`, and which networks had a unit cross a kink, `(block,)`.
    """
    network, level = problem.network, block.level
    activation = network.activations[level]
    z = signals.pre[level].T[block.units]
    moved = activation.f(z + shift)
    crossed = _crosses(activation.kinks, z, z + shift).any(axis=1)
    change = moved - signals.post[level + 1].T[block.units]  # (block, batch)
    if level == network.depth - 1:
        outputs = np.repeat(signals.output[None].astype(change.dtype), len(change), axis=0)
        outputs[np.arange(len(change)), :, block.units] = moved
        return outputs, crossed
    columns = layers[level + 1].weights.T[block.units]  # (block, n_out)
    z = change[:, :, None] * columns[:, None, :]
    z += signals.pre[level + 1]
    for later in range(level + 1, network.depth):
        activation = network.activations[later]
        if activation.kinks:
            crossed |= _crosses(activation.kinks, signals.pre[later], z).any(axis=(1, 2))
        a = activation.f(z)
        if later + 1 < network.depth:
            z = affine(a, layers[later + 1])
    return a, crossed


def _crosses(kinks: tuple[float, ...], before: Any, after: Any) -> Any:
    """Where a pre-activation has changed side of a kink: the broadcast shape of the two."""
    crossed = np.zeros(np.broadcast_shapes(np.shape(before), np.shape(after)), bool)
    for kink in kinks:
        crossed |= (before.real > kink) != (after.real > kink)
    return crossed


def forward_derivatives(problem: Problem, progress: Progress = lambda done: None) -> Floats:
    """∂E/∂θ for every parameter by forward mode, one tangent a parameter: shape `(P,)`."""
    network, signals = problem.network, problem.signals()
    layers, slopes = network.layers(problem.parameters), network.slopes(signals)
    pull = problem.loss.gradient(signals.output, problem.t)
    derivatives = np.empty_like(problem.parameters)

    def work(block: _Block) -> None:
        level = block.level
        a_dot = block.sources * slopes[level].T[block.units]  # (block, batch): one unit moves
        if level == network.depth - 1:
            derivatives[block.places] = (a_dot * pull.T[block.units]).sum(axis=1)
            return
        columns = layers[level + 1].weights.T[block.units]
        tangent = slopes[level + 1] * (a_dot[:, :, None] * columns[:, None, :])
        for later in range(level + 2, network.depth):
            tangent = slopes[later] * product(tangent, layers[later].weights.T)
        derivatives[block.places] = np.einsum("ksn,sn->k", tangent, pull)

    _for_each_block(problem, signals, work, progress)
    return derivatives


def central_derivatives(
    problem: Problem, step: float = CENTRAL_STEP, progress: Progress = lambda done: None
) -> tuple[Floats, Any]:
    """(E(θ + h) − E(θ − h)) / 2h for every parameter, with h = step · max(1, |θ|).

    The difference of losses is formed from the difference of outputs (`Loss.difference`).

    Returns:
        The derivatives, and a mask of those for which a unit crossed a kink between θ − h and θ + h,
        where the quotient is no derivative: both `(P,)`.
    """
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    h = scaled_step(problem.parameters, step)
    derivatives, crossed = np.empty_like(h), np.empty(h.shape, bool)

    def work(block: _Block) -> None:
        width = h[block.places]
        plus, minus, crossed[block.places] = _both_sides(problem, layers, signals, block, width)
        derivatives[block.places] = problem.loss.difference(plus, minus, problem.t) / (2 * width)

    _for_each_block(problem, signals, work, progress)
    return derivatives, crossed


def parameter_levels(network: Network, places: Integers) -> tuple[Integers, Any]:
    """The layers (from 0) of parameters, and which of them are biases: `(K,)` each."""
    counts = [count for n_in, n_out in pairwise(network.widths) for count in (n_out * n_in, n_out)]
    level, is_bias = np.divmod(np.searchsorted(np.cumsum(counts), places, side="right"), 2)
    return level, is_bias.astype(bool)


def parameter_differences(
    problem: Problem, places: Integers, h: Floats, progress: Progress = lambda done: None
) -> tuple[Floats, Floats, Floats]:
    """φ(h) − φ(−h) and φ(h) − 2φ(0) + φ(−h) of φ(s) = E(θ + s e_k), for some parameters k `(K,)`.

    Steps and results are `(H, K)`. Differences of losses are formed from those of outputs; the third
    result, Σ |t (y₊ − y₋)|, is the size of what they may be small sums of.
    """
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    all_places, widths = np.tile(places, len(h)), h.reshape(-1)
    difference, bend, size = np.empty((3, h.size))

    def run(job: tuple[int, bool, Integers]) -> int:
        level, is_bias, entries = job
        block = _block(problem, signals, level, is_bias, all_places[entries])
        block = replace(block, places=entries)
        plus, minus, _ = _both_sides(problem, layers, signals, block, widths[entries])
        loss, here, t = problem.loss, signals.output, problem.t
        difference[entries] = loss.difference(plus, minus, t)
        bend[entries] = loss.difference(plus, here, t) + loss.difference(minus, here, t)
        size[entries] = np.abs(t * (plus - minus)).sum(axis=(1, 2))
        return len(entries)

    _on_all_cores(run, _selections(problem, all_places), progress)
    return difference.reshape(h.shape), bend.reshape(h.shape), size.reshape(h.shape)


def _selections(problem: Problem, places: Integers) -> Iterator[tuple[int, bool, Integers]]:
    """Entries of `places` in blocks of one layer's weights or biases: (level, is bias, entries)."""
    size = _block_size(problem)
    levels, is_bias = parameter_levels(problem.network, places)
    for level in range(problem.network.depth):
        for kind in (False, True):
            (entries,) = np.nonzero((levels == level) & (is_bias == kind))
            for first in range(0, len(entries), size):
                yield level, kind, entries[first : first + size]


def complex_derivatives(
    problem: Problem, step: float = COMPLEX_STEP, progress: Progress = lambda done: None
) -> Floats:
    """Im E(θ + i h) / h for every parameter: shape `(P,)`."""
    signals, layers = problem.signals(), problem.network.layers(problem.parameters)
    derivatives = np.empty_like(problem.parameters)

    def work(block: _Block) -> None:
        shift = 1j * step * block.sources
        outputs, _ = _perturbed_output(problem, layers, signals, block, shift)
        derivatives[block.places] = problem.loss.value(outputs, problem.t).imag / step

    _for_each_block(problem, signals, work, progress)
    return derivatives


def central_jacobian(problem: Problem, step: float = CENTRAL_STEP) -> tuple[Floats, Any]:
    """∂y/∂x by central differences along every input, h = step · max(1, |x|).

    Returns:
        The Jacobians `(batch, n_L, n_0)`, and the mask `(batch, n_0)` of the inputs that made a unit of
        their sample cross a kink.
    """
    network, x = problem.network, problem.x
    h = scaled_step(x, step)  # (batch, n_0)
    shift = np.eye(x.shape[1])[:, None, :] * h  # (n_0, batch, n_0)
    plus = network.forward(problem.parameters, x + shift)
    minus = network.forward(problem.parameters, x - shift)
    crossed = np.zeros((x.shape[1], len(x)), bool)
    for activation, z, up, down in zip(
        network.activations, problem.signals().pre, plus.pre, minus.pre, strict=True
    ):
        for side in (up, down):
            crossed |= _crosses(activation.kinks, z, side).any(axis=2)
    quotients = (plus.output - minus.output) / (2 * h.T[:, :, None])  # (n_0, batch, n_L)
    return quotients.transpose(1, 2, 0), crossed.T


def complex_jacobian(problem: Problem, step: float = COMPLEX_STEP) -> Floats:
    """∂y/∂x by the complex step along every input: `(batch, n_L, n_0)`."""
    shift = 1j * step * np.eye(problem.x.shape[1])[:, None, :]
    outputs = problem.network.forward(problem.parameters, problem.x + shift).output
    return np.asarray(outputs.imag.transpose(1, 2, 0) / step)

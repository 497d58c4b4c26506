"""Networks in which one parameter each is moved, many at a time.

Moving one parameter of layer l moves one pre-activation of that layer, by the same known amount
whatever comes after. So a block of parameters is a stack of perturbed networks in which layer l differs
in one unit each; what follows is a batched forward pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.network import Layer, Network, Signals, affine
from dnnexp.core.problem import Problem

THREADS = "DNNEXP_THREADS"
"""The environment variable that says how many threads to use; all cores by default."""
MEMORY = 32.0
"""The MiB that a stack of perturbed networks takes by default, in each thread: what caches like best."""
_ARRAYS = 16
"""About how many float64 arrays of a layer's activations a pass holds at once, complex ones counted twice."""

Progress = Callable[[int], None]
"""Called with the number of parameters done since the last call."""


def silent(done: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Block:
    """Some parameters of one layer: entry k moves unit `units[k]` by `sources[k, s]` per unit of change."""

    level: int
    units: Any  # (block,)
    sources: Floats  # (block, batch)
    entries: Any  # where they stand in the result: a slice or indexes


class Perturbed(NamedTuple):
    """What perturbed networks put out, and what crossed a kink on the way there.

    Attributes:
        output: `(block, batch, n_L)`.
        crossed: in which networks a unit crossed a kink, `(block,)`.
        units: which units did in any of them, `(n_l,)` for each layer.
    """

    output: Any
    crossed: Any
    units: tuple[Any, ...]


def least_memory(network: Network, batch: int) -> float:
    """The MiB that a single perturbed network takes."""
    return 8 * _ARRAYS * batch * max(network.widths) / 2**20


def block_size(problem: Problem, memory: float) -> int:
    """How many perturbed networks are stacked; it follows from the arguments alone."""
    return max(1, int(memory / least_memory(problem.network, len(problem.x))))


def parameter_levels(network: Network, places: Integers) -> tuple[Integers, Any]:
    """The layers (from 0) of parameters, and which of them are biases: `(K,)` each."""
    counts = [count for n_in, n_out in pairwise(network.widths) for count in (n_out * n_in, n_out)]
    level, is_bias = np.divmod(np.searchsorted(np.cumsum(counts), places, side="right"), 2)
    return level, is_bias.astype(bool)


def for_each_block(
    problem: Problem,
    signals: Signals,
    places: Integers | None,
    work: Callable[[Block], None],
    progress: Progress,
    memory: float,
) -> None:
    """Call `work` on every block of the parameters at `places`, or of all, on all cores.

    The blocks' entries are those of `places`.
    """
    size = block_size(problem, memory)
    jobs = _ranges(problem, size) if places is None else _selections(problem, places, size)

    def run(job: tuple[int, bool, Any]) -> int:
        level, is_bias, entries = job
        chosen = np.arange(entries.start, entries.stop) if places is None else places[entries]
        work(_block(problem, signals, level, is_bias, chosen, entries))
        return len(chosen)

    _on_all_cores(run, jobs, progress)


def _ranges(problem: Problem, size: int) -> Iterator[tuple[int, bool, slice]]:
    """All parameters in blocks of one layer's weights or biases: (level, is bias, entries)."""
    start = 0
    for level, (n_in, n_out) in enumerate(pairwise(problem.network.widths)):
        for is_bias, count in ((False, n_out * n_in), (True, n_out)):
            for first in range(start, start + count, size):
                yield level, is_bias, slice(first, min(first + size, start + count))
            start += count


def _selections(problem: Problem, places: Integers, size: int) -> Iterator[tuple[int, bool, Integers]]:
    """Entries of `places` in blocks of one layer's weights or biases: (level, is bias, entries)."""
    levels, is_bias = parameter_levels(problem.network, places)
    for level in range(problem.network.depth):
        for kind in (False, True):
            (entries,) = np.nonzero((levels == level) & (is_bias == kind))
            for first in range(0, len(entries), size):
                yield level, kind, entries[first : first + size]


def _block(
    problem: Problem, signals: Signals, level: int, is_bias: bool, places: Integers, entries: Any
) -> Block:
    """The block of those places; its layer's first parameter follows from the widths."""
    n_in, n_out = problem.network.widths[level : level + 2]
    start = sum(n * (m + 1) for m, n in pairwise(problem.network.widths[: level + 1]))
    if is_bias:
        units, sources = places - start - n_out * n_in, np.ones((len(places), len(problem.x)))
    else:
        units, inputs = np.divmod(places - start, n_in)
        sources = signals.post[level].T[inputs]
    return Block(level, units, sources, entries)


def _on_all_cores(run: Callable[[Any], int], jobs: Iterable[Any], progress: Progress) -> None:
    """Run every job; they are independent, so their order is no matter."""

    def quietly(job: Any) -> int:
        with np.errstate(all="ignore"):
            return run(job)

    with ThreadPoolExecutor(int(os.environ.get(THREADS) or os.cpu_count() or 1)) as pool:
        try:
            for done in pool.map(quietly, jobs):
                progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def perturbed(problem: Problem, layers: list[Layer], signals: Signals, block: Block, shift: Any) -> Perturbed:
    """The block's networks, whose moved units' pre-activations are shifted by `shift` `(block, batch)`."""
    network, level = problem.network, block.level
    activation = network.activations[level]
    units = tuple(np.zeros(width, bool) for width in network.widths[1:])
    z = signals.pre[level].T[block.units]
    moved = activation.f(z + shift)
    crossed = crosses(activation.kinks, z, z + shift).any(axis=1)
    units[level][block.units[crossed]] = True
    change = moved - signals.post[level + 1].T[block.units]  # (block, batch)
    if level == network.depth - 1:
        outputs = np.repeat(signals.output[None].astype(change.dtype), len(change), axis=0)
        outputs[np.arange(len(change)), :, block.units] = moved
        return Perturbed(outputs, crossed, units)
    columns = layers[level + 1].weights.T[block.units]  # (block, n_out)
    z = change[:, :, None] * columns[:, None, :]
    z += signals.pre[level + 1]
    for later in range(level + 1, network.depth):
        activation = network.activations[later]
        if activation.kinks:
            sides = crosses(activation.kinks, signals.pre[later], z)
            crossed |= sides.any(axis=(1, 2))
            units[later][:] = sides.any(axis=(0, 1))
        a = activation.f(z)
        if later + 1 < network.depth:
            z = affine(a, layers[later + 1])
    return Perturbed(a, crossed, units)


def crosses(kinks: tuple[float, ...], before: Any, after: Any) -> Any:
    """Where a pre-activation has changed side of a kink: the broadcast shape of the two."""
    crossed = np.zeros(np.broadcast_shapes(np.shape(before), np.shape(after)), bool)
    for kink in kinks:
        crossed |= (before.real > kink) != (after.real > kink)
    return crossed

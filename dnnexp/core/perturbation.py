"""Stacks of networks, each with one parameter perturbed.

A change of one parameter of layer l changes one pre-activation of that layer by a known amount, whatever the
later layers are. So a block of parameters is a stack of perturbed networks, each of which differs in one unit
of layer l; a batched forward pass does the rest.
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
"""Environment variable with the number of threads; all cores by default."""
MEMORY_MIB = 32.0
"""Default memory of a stack of perturbed networks in each thread, in MiB: small enough for caches."""
_ARRAYS_PER_PASS = 16
"""About the number of float64 arrays of a layer's activations that a pass holds; complex ones count twice."""

Progress = Callable[[int], None]
"""Called with the number of parameters done since the last call."""


def no_progress(done: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Block:
    """Parameters of one layer: parameter k moves z of unit `units[k]` by `sources[k]` times its change."""

    level: int
    units: Any  # (block,)
    sources: Floats  # (block, batch)
    entries: Any  # their positions in the result: a slice or indices


class Perturbed(NamedTuple):
    """Outputs of perturbed networks, and the units that crossed a kink (a point where σ' jumps).

    Attributes:
        output: `(block, batch, n_L)`.
        crossed: the networks in which a unit crossed a kink, `(block,)`.
        units: the units that crossed one in any network, `(n_l,)` for each layer.
    """

    output: Any
    crossed: Any
    units: tuple[Any, ...]


def least_memory(network: Network, batch: int) -> float:
    """Memory of a single perturbed network, in MiB."""
    return 8 * _ARRAYS_PER_PASS * batch * max(network.widths) / 2**20


def block_size(problem: Problem, memory: float) -> int:
    """Number of perturbed networks in a stack, whatever the machine."""
    return max(1, int(memory / least_memory(problem.network, len(problem.x))))


def parameter_levels(network: Network, places: Integers) -> tuple[Integers, Any]:
    """The layers (from 0) of parameters, and whether they are biases: `(K,)` each."""
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
    """Call `work` on every block of the parameters at `places`, or of all parameters, on all cores.

    The entries of a block index `places`.
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
    """The block with the weights or biases of one layer at these places."""
    n_in, n_out = problem.network.widths[level : level + 2]
    start = sum(n * (m + 1) for m, n in pairwise(problem.network.widths[: level + 1]))
    if is_bias:
        units, sources = places - start - n_out * n_in, np.ones((len(places), len(problem.x)))
    else:
        units, inputs = np.divmod(places - start, n_in)
        sources = signals.post[level].T[inputs]
    return Block(level, units, sources, entries)


def _on_all_cores(run: Callable[[Any], int], jobs: Iterable[Any], progress: Progress) -> None:
    """Run every job on a thread pool. Jobs are independent and may run in any order."""

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
    """Outputs of the block's networks, where z of each moved unit is shifted by `shift` `(block, batch)`."""
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
    """Whether a pre-activation changed sides of a kink: the broadcast shape of the two."""
    crossed = np.zeros(np.broadcast_shapes(np.shape(before), np.shape(after)), bool)
    for kink in kinks:
        crossed |= (before.real > kink) != (after.real > kink)
    return crossed

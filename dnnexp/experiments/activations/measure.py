"""The measurement of a case: statistics of every layer of every network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnexp.core.arrays import Floats, Numbers
from dnnexp.core.losses import Loss
from dnnexp.core.streams import Streams
from dnnexp.experiments.activations.config import ActivationsConfig, block_size
from dnnexp.experiments.activations.histograms import histogram
from dnnexp.experiments.activations.passes import Gradients, Level, Passes
from dnnexp.experiments.activations.statistics import (
    FRACTIONS,
    MOMENTS,
    Found,
    describe,
    fractions,
    geometry,
    root_mean_square,
)
from dnnexp.experiments.base import QUANTILES

DISTRIBUTION = (*MOMENTS, *QUANTILES)
LAYER = (
    *(f"{side}.{name}" for side in ("pre", "post") for name in DISTRIBUTION),
    *FRACTIONS,
    *("sample_std", "unit_std", "effective_rank", "correlation"),
)
GRADIENT = (
    *(f"gradient.{side}.{name}" for side in ("pre", "post", "weights") for name in DISTRIBUTION),
    "gradient.norm_ratio",
)
SCATTER = "first_square"
"""The mean of z² of the first sample; its scatter over networks is reported."""
Measured = dict[str, Floats]
"""`SCATTER`, the statistics `LAYER` and, with gradients, `GRADIENT`: each `(runs, L)`.

A statistic that does not exist is NaN.
"""


def measure(
    config: ActivationsConfig,
    case: str,
    widths: tuple[int, ...],
    x: Floats,
    streams: Streams,
    bins: bool = True,
) -> tuple[Measured, dict[str, Any]]:
    """The statistics of a case in networks of these widths and, with `bins`, histograms of the first block.

    Weights are drawn by initializer label and network, so all activations see the same weights.
    """
    names = (SCATTER, *LAYER, *(GRADIENT if config.loss else ()))
    blocks: list[Measured] = []
    histograms: dict[str, Any] = {}
    size = block_size(widths, len(x), config.seeds)
    for first in range(0, config.seeds, size):
        runs = range(first, min(first + size, config.seeds))
        passes = _passes(config, case, widths, x, streams, runs)
        blocks.append({name: np.full((len(runs), passes.depth), np.nan) for name in names})
        for level in passes.forward():
            _note(blocks[-1], level.number, _of_level(passes, level))
            if bins and first == 0:
                histograms |= histogram(f"{case}.{level.number}.pre", level.pre)
                histograms |= histogram(f"{case}.{level.number}.post", level.post)
            del level  # before the next one is computed
        if config.loss:
            cotangent = _cotangent(config.loss, passes, streams, runs)
            for gradients in passes.backward(cotangent):
                _note(blocks[-1], gradients.level.number, _of_gradients(gradients))
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}, histograms


def _passes(
    config: ActivationsConfig, case: str, widths: tuple[int, ...], x: Floats, streams: Streams, runs: range
) -> Passes:
    activation, initializer = config.cases[case]
    labels = [f"{initializer.label}/{run}" if run else initializer.label for run in runs]
    pairs = [(streams("weights", label), streams("biases", label)) for label in labels]
    precise = x.astype(config.dtype, copy=False)
    return Passes(widths, activation, initializer.item, precise, pairs, is_kept=config.loss is not None)


def _cotangent(loss: Loss, passes: Passes, streams: Streams, runs: range) -> Callable[[Numbers], Numbers]:
    """∂E/∂y as a function of y; every network has its own targets `(batch, n_L)`."""
    shape = len(passes.x), passes.widths[-1]
    drawn = [loss.example_targets(streams("targets", str(run or "")), *shape) for run in runs]
    targets = np.array(drawn, passes.x.dtype)

    def gradient(y: Numbers) -> Numbers:
        found: Numbers = loss.gradient(y, targets)
        return found

    return gradient


def _note(block: Measured, number: int, found: Found) -> None:
    for name, values in found.items():
        if values is not None:
            block[name][:, number - 1] = values


def _of_level(passes: Passes, level: Level) -> Found:
    return {
        **_named("pre", describe(level.pre)),
        **_named("post", describe(level.post)),
        **fractions(passes.activation, level.post),
        **geometry(level.pre, level.post),
        SCATTER: root_mean_square(level.pre[:, 0]) ** 2,
    }


def _of_gradients(gradients: Gradients) -> Found:
    weights = describe(gradients.weights)
    norms = np.sqrt(weights["mean_square"]), root_mean_square(gradients.level.layer.weights)
    return {
        **_named("gradient.pre", describe(gradients.pre)),
        **_named("gradient.post", describe(np.broadcast_to(gradients.post, gradients.pre.shape))),
        **_named("gradient.weights", weights),
        "gradient.norm_ratio": norms[0] / norms[1],
    }


def _named(prefix: str, found: Found) -> Found:
    return {f"{prefix}.{name}": values for name, values in found.items()}

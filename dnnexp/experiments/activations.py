"""What each layer of a fresh network puts out, for every activation and every initialization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import MinLen

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.initializers import LayerInitializer
from dnnexp.core.inputs import Input, NormalInput
from dnnexp.core.network import Network
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import (
    QUANTILES,
    Expectation,
    ExperimentConfig,
    Metrics,
    Outline,
    Request,
    Result,
    Work,
    finite,
    leaves,
    quantiles,
    too_large,
)
from dnnexp.registry import Checked, Complaint, Count, Labelled, check

_BINS = 60
_LARGEST = 1e300
"""Greater values are counted as this one: neither bins nor axes must overflow."""
_MOMENTS = ("mean", "std")
_FRACTIONS = ("zero_fraction", "saturated_fraction", "dead_fraction")


@dataclass(frozen=True)
class Widths:
    """The widths of a fully connected network, the input's first."""

    layers: Annotated[tuple[Count, ...], MinLen(2)]


@dataclass(frozen=True, kw_only=True)
class Config(ExperimentConfig, Checked):
    """The outputs of every layer, for each activation with each initializer (a case)."""

    experiment: Literal["activations"] = "activations"
    network: Widths
    input: Input = NormalInput()
    activations: Annotated[tuple[Labelled[Activation], ...], MinLen(1)]
    initializers: Annotated[tuple[Labelled[LayerInitializer], ...], MinLen(1)]
    expect: tuple[Expectation, ...] = ()

    @check("network", "input")
    @staticmethod
    def fits_in_memory(network: Widths, input: Input) -> Iterator[Complaint]:
        """Weights, and pre- and post-activations of all layers, fit in memory."""
        widths = network.layers
        weights = sum(n_in * n_out for n_in, n_out in pairwise(widths))
        if message := too_large(weights + 3 * input.samples * sum(widths)):
            yield ("network", "layers"), f"{message}: take smaller layers, or fewer samples"

    @property
    def cases(self) -> list[str]:
        """`<activation>/<initializer label>`, in the order of the config."""
        return [f"{a.label}/{i.label}" for a in self.activations for i in self.initializers]


def run(config: Config, request: Request) -> Result:
    """Send one input through a network of every case.

    The weights are drawn by initializer label, so all activations see the same ones.
    """
    widths = config.network.layers
    x = config.input.draw(request.streams("input"), widths[0])
    metrics: Metrics = {"cases": {}}
    arrays: dict[str, Any] = {}
    for done, (case, activation, initializer) in enumerate(_cases(config), start=1):
        network = Network(widths, (activation,) * (len(widths) - 1))
        with np.errstate(all="ignore"):
            levels = _levels(network, initializer, x, request.streams)
            found = [_describe(activation, pre, post) for pre, post in levels]
            for level, (pre, post) in enumerate(levels, start=1):
                arrays |= _histogram(f"{case}.{level}.pre", pre)
                arrays |= _histogram(f"{case}.{level}.post", post)
        metrics["cases"][case] = {"layers": found}
        request.progress(Work("cases", done, len(config.cases)))
    return Result(config, metrics, arrays)


def _levels(
    network: Network, initializer: Labelled[LayerInitializer], x: Floats, streams: Streams
) -> list[tuple[Floats, Floats]]:
    """Pre- and post-activations of every layer, `(samples, width)` each."""
    label = initializer.label
    weights, biases = streams("weights", label), streams("biases", label)
    signals = network.forward(network.draw(initializer.item, weights, biases), x)
    return list(zip(signals.pre, signals.post[1:], strict=True))


def _cases(config: Config) -> Iterator[tuple[str, Activation, Labelled[LayerInitializer]]]:
    pairs = ((a, i) for a in config.activations for i in config.initializers)
    for case, (activation, initializer) in zip(config.cases, pairs, strict=True):
        yield case, activation.item, initializer


def _describe(activation: Activation, pre: Floats, post: Floats) -> Metrics:
    """The statistics of a layer, over units and samples."""
    saturated = None
    if activation.saturation is not None:
        low, high = activation.saturation
        saturated = finite(((post < low) | (post > high)).mean())
    return {
        "pre": _statistics(pre),
        "post": _statistics(post),
        "zero_fraction": finite((post == 0).mean()),
        "saturated_fraction": saturated,
        "dead_fraction": finite((post == 0).all(axis=0).mean()),
    }


def _statistics(values: Floats) -> Metrics:
    """Mean, standard deviation (ddof 0) and quantiles; None where not finite."""
    moments = {"mean": finite(values.mean()), "std": finite(values.std())}
    return moments | quantiles(values, tuple(QUANTILES))


def _histogram(key: str, values: Floats) -> dict[str, Any]:
    """Counts of the finite values in equal bins from the least to the greatest.

    Values that are all the same get bins half a unit to each side of it.
    """
    kept = np.clip(values[np.isfinite(values)], -_LARGEST, _LARGEST)
    low, high = (kept.min(), kept.max()) if kept.size else (0.0, 0.0)
    if (high - low) / _BINS <= np.spacing(max(abs(low), abs(high))):
        half = max(0.5, abs(low) / 2)
        low, high = low - half, low + half
    counts, edges = np.histogram(kept, bins=_BINS, range=(low, high))
    return {f"{key}.counts": counts, f"{key}.edges": edges}


def outline(config: Config) -> Outline:
    """The shape of the metrics."""
    statistics = leaves((*_MOMENTS, *QUANTILES))
    layer = {"pre": statistics, "post": statistics} | leaves(_FRACTIONS)
    layers = [layer] * (len(config.network.layers) - 1)
    return {"cases": {case: {"layers": layers} for case in config.cases}}


def shrink(config: Config) -> Config:
    """At most 50 samples through layers of at most 20 units."""
    widths = tuple(min(20, width) for width in config.network.layers)
    fewer = vars(config.input) | {"samples": min(50, config.input.samples)}
    return replace(config, network=Widths(widths), input=type(config.input)(**fewer))


def estimate(config: Config) -> str:
    """The number of multiplications and of histograms."""
    widths = config.network.layers
    products = sum(n_in * n_out for n_in, n_out in pairwise(widths))
    total = products * config.input.samples * len(config.cases)
    histograms = len(config.cases) * (len(widths) - 1)
    return f"{len(config.cases)} cases x {len(widths) - 1} layers = {histograms} histograms; " + (
        f"{total:,} multiplications"
    )

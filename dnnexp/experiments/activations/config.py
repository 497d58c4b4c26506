"""The config of `activations`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MinLen

from dnnexp.core.activations import Activation
from dnnexp.core.initializers import LayerInitializer
from dnnexp.core.inputs import Input, NormalInput
from dnnexp.core.losses import Linear, Loss, SoftmaxCrossEntropy
from dnnexp.experiments.activations.passes import segment_length
from dnnexp.experiments.base import Expectation, ExperimentConfig, too_large
from dnnexp.registry import Checked, Count, Fraction, Labelled, Problem, check

_BLOCK_OUTPUTS = 2**20
"""Outputs of one layer in a block of networks (8 MiB of float64)."""
_MAX_LAYERS = 10_000
_MAX_STATISTICS = 100
"""Numbers kept for each layer of each network, at most."""


@dataclass(frozen=True)
class Widths(Checked):
    """The widths of a fully connected network, the input's first.

    The widths after the input's are repeated: `{layers: [64, 100], repeat: 50}` has 50 layers of 100.
    """

    layers: Annotated[tuple[Count, ...], MinLen(2)]
    repeat: Count = 1

    @check("layers", "repeat")
    @staticmethod
    def not_endless(layers: tuple[int, ...], repeat: int) -> Iterator[Problem]:
        """The number of layers is limited."""
        if (count := (len(layers) - 1) * repeat) > _MAX_LAYERS:
            yield ("repeat",), f"makes {count:,} layers; at most {_MAX_LAYERS:,} are allowed"

    @property
    def unrolled(self) -> tuple[int, ...]:
        """n_0 … n_L."""
        first, *layers = self.layers
        return (first, *layers * self.repeat)


@dataclass(frozen=True)
class Thresholds:
    """The limits beyond which a case is not healthy.

    Attributes:
        dead: the largest share of dead units that a layer may have.
        saturated: the largest share of saturated outputs that a layer may have.
        exploding: the largest factor by which the signal (`sample_std`) may grow from the first layer to the
            last, or gradients by pre-activations from the last to the first.
        vanishing: the smallest such factor.
        same: outputs that differ by at most this, relative to their root mean square, count as equal (in
            single precision, at least eight roundings).
    """

    dead: Fraction = 0.5
    saturated: Fraction = 0.5
    exploding: Annotated[float, Gt(1)] = 100.0
    vanishing: Annotated[float, Gt(0), Lt(1)] = 0.01
    same: Annotated[float, Ge(0), Lt(1)] = 1e-12


@dataclass(frozen=True, kw_only=True)
class ActivationsConfig(ExperimentConfig, Checked):
    """The effect of every layer of fresh networks on a signal and on its gradient.

    A case is an activation with an initializer. `seeds` networks are drawn for each; metrics are medians
    over them. `loss` is the loss of the gradients (null: no gradients). `depths` and `widths` add
    networks of other depths and widths beside `network`.
    """

    experiment: Literal["activations"] = "activations"
    network: Widths
    depths: tuple[Annotated[Count, Le(_MAX_LAYERS)], ...] = ()
    widths: tuple[Count, ...] = ()
    input: Input = NormalInput()
    activations: Annotated[tuple[Labelled[Activation], ...], MinLen(1)]
    initializers: Annotated[tuple[Labelled[LayerInitializer], ...], MinLen(1)]
    seeds: Count = 1
    loss: Loss | None = Linear()
    dtype: Literal["float64", "float32"] = "float64"
    thresholds: Thresholds = Thresholds()
    expect: tuple[Expectation, ...] = ()

    @check("network", "input")
    @staticmethod
    def takes_the_input(network: Widths, input: Input) -> Iterator[Problem]:
        """The input has the width of the network's."""
        if message := input.refusal(network.layers[0]):
            yield ("network", "layers"), message

    @check("network", "activations", "initializers")
    @staticmethod
    def initializers_suit(
        network: Widths,
        activations: tuple[Labelled[Activation], ...],
        initializers: tuple[Labelled[LayerInitializer], ...],
    ) -> Iterator[Problem]:
        """Every initializer can serve every activation."""
        pairs = dict.fromkeys(pairwise(network.layers))
        for place, initializer in enumerate(initializers):
            for activation in activations:
                found = (initializer.item.complaint(activation.item, *fans) for fans in pairs)
                if message := next(filter(None, found), None):
                    yield ("initializers", place, "weights"), message

    @check("network", "loss")
    @staticmethod
    def loss_has_a_gradient(network: Widths, loss: Loss | None) -> Iterator[Problem]:
        """The softmax of a single output is always 1."""
        if isinstance(loss, SoftmaxCrossEntropy) and network.layers[-1] == 1:
            yield ("loss",), "softmax_cross_entropy needs at least 2 outputs, but network.layers ends with 1"

    @check("depths", "widths")
    @staticmethod
    def distinct(depths: tuple[int, ...], widths: tuple[int, ...]) -> Iterator[Problem]:
        """Depths and widths are distinct."""
        for name, values in (("depths", depths), ("widths", widths)):
            if len(set(values)) < len(values):
                yield (name,), "holds a number twice; numbers must be distinct"

    @check("network", "activations", "initializers", "depths", "widths", "input", "seeds", "loss")
    @staticmethod
    def fits_in_memory(
        network: Widths,
        activations: tuple[Labelled[Activation], ...],
        initializers: tuple[Labelled[LayerInitializer], ...],
        depths: tuple[int, ...],
        widths: tuple[int, ...],
        input: Input,
        seeds: int,
        loss: Loss | None,
    ) -> Iterator[Problem]:
        """A block of networks fits in memory, with the layers that its backward pass keeps."""
        every = (network.unrolled, *shapes(network, depths, widths))
        cases = len(activations) * len(initializers)
        kept = cases * sum(seeds * (len(layers) - 1) for layers in every) * _MAX_STATISTICS
        for layers in every:
            depth, block = len(layers) - 1, block_size(layers, input.rows, seeds)
            level = max(2 * input.rows * max(pair) + pair[0] * pair[1] for pair in pairwise(layers))
            held = 2 * segment_length(depth) + 3 if loss else 3
            if message := too_large(block * held * level + kept + input.rows * layers[0]):
                listed = "widths" if widths else "depths"
                where = ("network", "layers") if layers == network.unrolled else (listed,)
                yield where, f"{message}: use smaller layers, fewer samples or fewer seeds"
                return

    @property
    def cases(self) -> dict[str, tuple[Activation, Labelled[LayerInitializer]]]:
        """`<activation>/<initializer label>`, in the order of the config."""
        return {f"{a.label}/{i.label}": (a.item, i) for a in self.activations for i in self.initializers}

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The widths of the networks of `depths` and `widths`."""
        return shapes(self.network, self.depths, self.widths)

    @property
    def depth(self) -> int:
        """The number of layers L."""
        return len(self.network.unrolled) - 1

    @property
    def same(self) -> float:
        """The threshold `same`, but at least rounding."""
        return max(self.thresholds.same, 8 * float(np.finfo(self.dtype).eps))


def shapes(network: Widths, depths: tuple[int, ...], widths: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every depth with every width; without a list, the network's depth and the width of its first layer."""
    if not depths and not widths:
        return []
    first, *layers = network.unrolled
    return [(first, *[width] * depth) for width in widths or layers[:1] for depth in depths or [len(layers)]]


def block_size(layers: tuple[int, ...], samples: int, seeds: int) -> int:
    """The number of networks that are computed at once; it depends on the config only."""
    level = max(max(samples, pair[0]) * pair[1] for pair in pairwise(layers))
    return min(seeds, max(1, _BLOCK_OUTPUTS // level))


def shrink(config: ActivationsConfig) -> ActivationsConfig:
    """At most 20 samples, two networks and about 20 units a layer; all layers, depths and widths stay."""
    first, *layers = config.network.layers
    fewer = config.input.limited(20)
    small = first if fewer.refusal(min(20, first)) else min(20, first)
    widths = (width if width <= 20 else 21 + place for place, width in enumerate(config.widths))
    return replace(
        config,
        network=replace(config.network, layers=(small, *(min(20, width) for width in layers))),
        widths=tuple(widths),
        input=fewer,
        seeds=min(2, config.seeds),
    )


def estimate(config: ActivationsConfig) -> str:
    """The number of multiplications and of histograms."""
    passes = 4 if config.loss else 1
    products = sum(
        n_in * n_out
        for layers in (config.network.unrolled, *config.shapes)
        for n_in, n_out in pairwise(layers)
    )
    total = passes * products * config.input.rows * len(config.cases) * config.seeds
    histograms = len(config.cases) * config.depth
    return (
        f"{len(config.cases)} cases x {config.depth} layers = {histograms} histograms of outputs; "
        f"{config.seeds} networks each; {total:,} multiplications"
    )

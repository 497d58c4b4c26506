"""The config of `gradcheck`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le, MinLen

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_STEP
from dnnexp.core.faults import Fault
from dnnexp.core.initializers import Glorot, LayerInitializer, Normal
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.experiments.base import Expectation, ExperimentConfig, too_large
from dnnexp.registry import Checked, Complaint, Count, Fraction, Positive, check

Method = Literal["backward", "forward", "central", "complex"]
METHODS: tuple[Method, ...] = ("backward", "forward", "central", "complex")


@dataclass(frozen=True)
class CheckedNetwork(Checked):
    """A fully connected network: widths, the input's first, and one activation for all layers or a list."""

    layers: Annotated[tuple[Count, ...], MinLen(2)]
    activation: Activation | tuple[Activation, ...]

    @check("layers", "activation")
    @staticmethod
    def one_each(
        layers: tuple[int, ...], activation: Activation | tuple[Activation, ...]
    ) -> Iterator[Complaint]:
        """A list of activations has one for each layer."""
        if isinstance(activation, tuple) and len(activation) != len(layers) - 1:
            wanted = f"the network has {len(layers) - 1} layers after the input"
            yield ("activation",), f"lists {len(activation)} activations, but {wanted}"

    def build(self) -> Network:
        """The network."""
        activations = self.activation
        if isinstance(activations, Activation):
            activations = (activations,) * (len(self.layers) - 1)
        return Network(self.layers, activations)


@dataclass(frozen=True)
class Tolerances:
    """The largest errors that pass, relative to the tensor's largest entry.

    `exact` holds between backward, forward and complex; by default every entry has a bound of its own, by
    the rounding of the terms that are summed into it (see `dnnexp.core.rounding`). `central` holds wherever
    central differences take part.
    `excluded` is the fraction of a tensor's entries that may be left out of a comparison because a unit
    crossed a kink; beyond it the check is inconclusive.
    """

    exact: Positive | None = None
    central: Positive = 1e-6
    excluded: Fraction = 0.1


@dataclass(frozen=True)
class StepSweep(Checked):
    """The steps h of the error curve, in equal ratios, and along how many random directions it is taken."""

    low: Annotated[float, Ge(1e-30)] = 1e-14
    high: Annotated[Positive, Le(1.0)] = 1e-1
    per_decade: Annotated[int, Ge(1), Le(100)] = 3
    directions: Annotated[int, Ge(1), Le(1000)] = 10

    @check("low", "high")
    @staticmethod
    def ordered(low: float, high: float) -> Iterator[Complaint]:
        """Low is below high."""
        if low >= high:
            yield ("low",), f"must be below high, but low is {low:g} and high {high:g}"

    def steps(self) -> Floats:
        """The steps, rounded to three digits: shape `(H,)`."""
        decades = np.log10(self.high / self.low)
        count = int(np.ceil(decades * self.per_decade - 1e-9)) + 1
        return np.array([float(f"{h:.3g}") for h in np.geomspace(self.low, self.high, count)])


@dataclass(frozen=True, kw_only=True)
class GradcheckConfig(ExperimentConfig, Checked):
    """The derivatives of a loss by every parameter, and of the outputs by the inputs, by several methods.

    `central_step` is relative to max(1, |θ|). `inject` makes a mistake in the backward pass, to be caught.
    """

    experiment: Literal["gradcheck"] = "gradcheck"
    network: CheckedNetwork
    initializer: LayerInitializer = LayerInitializer(weights=Glorot(), biases=Normal(std=0.1))
    loss: Loss = SquaredError()
    batch: Count = 8
    methods: Annotated[tuple[Method, ...], MinLen(2)] = METHODS
    central_step: Annotated[Positive, Ge(1e-30), Le(1.0)] = CENTRAL_STEP
    tolerances: Tolerances = Tolerances()
    step_sweep: StepSweep = StepSweep()
    inject: Fault | None = None
    expect: tuple[Expectation, ...] = ()

    @check("methods")
    @staticmethod
    def distinct(methods: tuple[Method, ...]) -> Iterator[Complaint]:
        """No method stands twice."""
        if len(set(methods)) < len(methods):
            yield ("methods",), "holds a method twice; each may stand once"

    @check("network", "batch", "methods", "inject")
    @staticmethod
    def fault_shows(
        network: CheckedNetwork, batch: int, methods: tuple[Method, ...], inject: Fault | None
    ) -> Iterator[Complaint]:
        """A fault can be made, and makes a difference."""
        if inject is not None and "backward" not in methods:
            yield ("inject",), "is a fault of the backward pass, but methods has no backward"
        elif inject is not None and (message := inject.cannot_show(network.build(), batch)):
            yield ("inject",), f"{inject.name} cannot show here: {message}"

    @check("network", "batch")
    @staticmethod
    def fits_in_memory(network: CheckedNetwork, batch: int) -> Iterator[Complaint]:
        """The derivatives by every method, and the passes for dy/dx, fit in memory."""
        widths = network.layers
        parameters = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(widths))
        jacobians = 8 * batch * widths[0] * sum(widths)
        if message := too_large(16 * parameters + jacobians):
            yield ("network", "layers"), f"{message}: take smaller layers, or a smaller batch"

    @check("network", "initializer")
    @staticmethod
    def suited(network: CheckedNetwork, initializer: LayerInitializer) -> Iterator[Complaint]:
        """Every activation has what the initializer asks for."""
        for message in network.build().complaints(initializer).values():
            yield ("initializer", "weights"), message

    @property
    def pairs(self) -> list[tuple[Method, Method]]:
        """The pairs of methods that are compared, in the order of `METHODS`."""
        return list(combinations([method for method in METHODS if method in self.methods], 2))

    @property
    def tensors(self) -> list[str]:
        """W1 b1 … WL bL and dy/dx."""
        depth = len(self.network.layers) - 1
        names = [f"{kind}{layer}" for layer in range(1, depth + 1) for kind in "Wb"]
        return [*names, "dy/dx"]


def shrink(config: GradcheckConfig) -> GradcheckConfig:
    """At most 10 units a layer, a batch of 2, two directions, no step longer than the usual one."""
    network = replace(config.network, layers=tuple(min(10, n) for n in config.network.layers))
    sweep = replace(config.step_sweep, directions=min(2, config.step_sweep.directions))
    step = min(CENTRAL_STEP, config.central_step)  # with few entries, a few kinks are many
    return replace(config, network=network, batch=min(2, config.batch), step_sweep=sweep, central_step=step)


def estimate(config: GradcheckConfig) -> str:
    """The number of parameters and of passes through the network."""
    count = config.network.build().parameter_count
    passes = {"backward": 1, "forward": count, "central": 2 * count, "complex": count}
    total = sum(passes[method] for method in config.methods)
    return (
        f"{count:,} parameters by {len(config.methods)} methods = {total:,} passes of a batch of "
        f"{config.batch}; the error curve at {len(config.step_sweep.steps())} steps along "
        f"{config.step_sweep.directions} directions"
    )

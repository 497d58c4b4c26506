"""The config of `gradcheck`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen

from dnnexp.core.activations import Activation
from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import CENTRAL_FOURTH_STEP, CENTRAL_STEP
from dnnexp.core.faults import Fault
from dnnexp.core.initializers import Glorot, LayerInitializer, Normal
from dnnexp.core.losses import Loss, SquaredError
from dnnexp.core.network import Network
from dnnexp.core.perturbation import MEMORY_MIB, least_memory
from dnnexp.core.streams import Streams
from dnnexp.experiments.base import Expectation, ExperimentConfig, too_large
from dnnexp.experiments.gradcheck.targets import FunctionTarget, NetworkTarget, Target
from dnnexp.registry import Checked, Count, Fraction, Positive, Problem, check

Method = Literal["backward", "forward", "central", "central4", "richardson", "complex"]
METHODS: tuple[Method, ...] = ("backward", "forward", "central", "central4", "richardson", "complex")
_DEFAULT: tuple[Method, ...] = ("backward", "forward", "central", "complex")
DIFFERENCES = ("central", "central4", "richardson")
"""The methods that subtract: their errors are far above rounding, and kinks spoil them."""

TRUSTED = ("complex", "forward", "richardson", "central", "central4", "backward", "analytic", "transposed")
"""By which method others are measured: those first that neither a fault nor a kink spoils."""


@dataclass(frozen=True)
class CheckedNetwork(Checked):
    """A fully connected network: widths, the input's first, and one activation for all layers or a list."""

    layers: Annotated[tuple[Count, ...], MinLen(2)]
    activation: Activation | tuple[Activation, ...]

    @check("layers", "activation")
    @staticmethod
    def one_each(
        layers: tuple[int, ...], activation: Activation | tuple[Activation, ...]
    ) -> Iterator[Problem]:
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
    central differences take part, twice between those of both orders; of networks each entry has a bound of
    its own beside it, by rounding and truncation, unless `central` is larger than by default.
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
    def ordered(low: float, high: float) -> Iterator[Problem]:
        """Low is below high."""
        if low >= high:
            yield ("low",), f"must be below high, but low is {low:g} and high {high:g}"

    def steps(self) -> Floats:
        """The steps, rounded to three digits: shape `(H,)`."""
        decades = np.log10(self.high / self.low)
        count = int(np.ceil(decades * self.per_decade - 1e-9)) + 1
        return np.array([float(f"{h:.3g}") for h in np.geomspace(self.low, self.high, count)])


Step = Annotated[Positive, Ge(1e-30), Le(1.0)]
Directions = Annotated[int, Ge(0), Le(1000)]


@dataclass(frozen=True, kw_only=True)
class GradcheckConfig(ExperimentConfig, Checked):
    """The derivatives of a target, each by several methods: by default of a network.

    Of a network they are those of a loss by every parameter, and of the outputs by the inputs; other targets
    have points of their own, and need no network, loss and batch.

    Attributes:
        central_step: of the second-order differences, relative to max(1, |θ|).
        central4_step: of the fourth-order ones.
        inject: a mistake in the backward pass, to be caught.
        fraction: the share of each tensor's entries that is compared, drawn at random.
        directions: number of random directions of each tensor to compare along, instead of entry by entry.
        adjoint_directions: how many pairs u, v the test ⟨u, J v⟩ = ⟨Jᵀu, v⟩ takes.
        hessian_directions: along how many directions v the products H v of second order are compared.
        memory: MiB that a stack of perturbed networks may take, in each thread.
    """

    experiment: Literal["gradcheck"] = "gradcheck"
    target: Target = NetworkTarget()
    network: CheckedNetwork | None = None
    initializer: LayerInitializer = LayerInitializer(weights=Glorot(), biases=Normal(std=0.1))
    loss: Loss = SquaredError()
    batch: Count = 8
    methods: Annotated[tuple[Method, ...], MinLen(2)] = _DEFAULT
    central_step: Step = CENTRAL_STEP
    central4_step: Step = CENTRAL_FOURTH_STEP
    tolerances: Tolerances = Tolerances()
    step_sweep: StepSweep = StepSweep()
    inject: Fault | None = None
    fraction: Annotated[float, Gt(0), Le(1)] = 1.0
    directions: Annotated[int, Ge(1), Le(1000)] | None = None
    adjoint_directions: Directions = 5
    hessian_directions: Directions = 0
    memory: Positive = MEMORY_MIB
    expect: tuple[Expectation, ...] = ()

    @check("methods")
    @staticmethod
    def distinct(methods: tuple[Method, ...]) -> Iterator[Problem]:
        """No method stands twice."""
        if len(set(methods)) < len(methods):
            yield ("methods",), "lists a method twice"

    @check("target", "seed")
    @staticmethod
    def works(target: Target, seed: int) -> Iterator[Problem]:
        """The target can be called at the points of this seed."""
        for path, message in target.complaints(Streams(seed)):
            yield ("target", *path), message

    @check("target", "network")
    @staticmethod
    def has_network(target: Target, network: CheckedNetwork | None) -> Iterator[Problem]:
        """The target network has one."""
        if isinstance(target, NetworkTarget) and network is None:
            yield ("network",), "is required, but missing"

    @check("network", "batch", "methods", "inject")
    @staticmethod
    def fault_shows(
        network: CheckedNetwork | None, batch: int, methods: tuple[Method, ...], inject: Fault | None
    ) -> Iterator[Problem]:
        """A fault can be made, and makes a difference."""
        if inject is None:
            return
        if network is None:
            yield ("inject",), "is a fault of a network's backward pass, but there is no network"
        elif "backward" not in methods:
            yield ("inject",), "is a fault of the backward pass, but methods has no backward"
        elif message := inject.cannot_show(network.build(), batch):
            yield ("inject",), f"{inject.name} cannot show here: {message}"

    @check("target", "inject", "directions", "hessian_directions")
    @staticmethod
    def of_networks(
        target: Target, inject: Fault | None, directions: int | None, hessian: int
    ) -> Iterator[Problem]:
        """Only a network's backward pass can be given a fault, or be checked along directions."""
        if isinstance(target, NetworkTarget) or (inject, directions, hessian) == (None, None, 0):
            return
        other = f"but the target is {target.name}"
        if inject is not None:
            yield ("inject",), f"is a fault of a network's backward pass, {other}"
        if directions is not None:
            yield ("directions",), f"are of a network's tensors, {other}: take a fraction of the entries"
        if hessian:
            yield ("hessian_directions",), f"are of a network's parameters, {other}: leave them at 0"

    @check("target", "network", "initializer", "loss", "batch", "methods", "adjoint_directions")
    @staticmethod
    def of_use(
        target: Target,
        network: CheckedNetwork | None,
        initializer: LayerInitializer,
        loss: Loss,
        batch: int,
        methods: tuple[Method, ...],
        adjoint_directions: int,
    ) -> Iterator[Problem]:
        """No key of networks is set for another target; a value that is the default may stand."""
        given = {"network": network, "initializer": initializer, "loss": loss, "batch": batch}
        given["adjoint_directions"] = adjoint_directions
        if not isinstance(target, NetworkTarget):
            yield from _useless(target, given)
            yield from _without_use(target, methods)

    @check("network", "batch", "hessian_directions", "directions")
    @staticmethod
    def fits_in_memory(
        network: CheckedNetwork | None, batch: int, hessian: int, directions: int | None
    ) -> Iterator[Problem]:
        """The derivatives by every method and along all directions, and the passes for dy/dx, fit."""
        if network is None:
            return
        widths = network.layers
        parameters = sum(n_out * (n_in + 1) for n_in, n_out in pairwise(widths))
        along = 100 * hessian + (directions or 0)
        jacobians = 0 if directions else 8 * batch * widths[0] * sum(widths)
        if message := too_large((16 + along) * parameters + jacobians):
            yield ("network", "layers"), f"{message}: take smaller layers, or a smaller batch"

    @check("network", "batch", "memory")
    @staticmethod
    def one_fits(network: CheckedNetwork | None, batch: int, memory: float) -> Iterator[Problem]:
        """A single perturbed network fits in the memory that is allowed."""
        if network is not None and (least := least_memory(network.build(), batch)) > memory:
            yield ("memory",), f"must be at least {least:.3g} (MiB, one perturbed network), not {memory:g}"

    @check("network", "initializer")
    @staticmethod
    def suited(network: CheckedNetwork | None, initializer: LayerInitializer) -> Iterator[Problem]:
        """Every activation has what the initializer asks for."""
        if network is not None:
            for message in network.build().complaints(initializer).values():
                yield ("initializer", "weights"), message

    @check("fraction", "directions")
    @staticmethod
    def one_way(fraction: float, directions: int | None) -> Iterator[Problem]:
        """Entries or directions."""
        if directions is not None and fraction < 1:
            yield ("directions",), "cannot be given beside a fraction: a check samples entries or directions"

    @property
    def built(self) -> Network:
        """The network.

        Raises:
            ValueError: there is none.
        """
        if self.network is None:
            raise ValueError("network is missing")
        return self.network.build()

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of methods that are compared, in the order of `METHODS`."""
        return list(combinations(ordered(self.methods), 2))


def ordered(methods: Iterable[str]) -> list[str]:
    """The methods in the order of `METHODS`, after the formula that a part claims."""
    return sorted(methods, key=("analytic", *METHODS, "transposed").index)


def part_methods(config: GradcheckConfig, takes_complex: bool) -> list[str]:
    """The methods for targets other than networks: extrapolation is always among them, as it is the judge."""
    numeric = {"central", "central4"} | ({"complex"} if takes_complex else set())
    return ordered({"analytic", "richardson"} | (numeric & set(config.methods)))


def _useless(target: Target, given: Mapping[str, Any]) -> Iterator[Problem]:
    """Keys that only a network has."""
    for key, value in given.items():
        if value != getattr(GradcheckConfig, key):
            own = f" (the target's own is target.{key})" if hasattr(target, key) else ""
            leave = f"leave it out, or drop it by the argument ~{key}"
            yield (key,), f"does nothing for the target {target.name}{own}: {leave}"


def _without_use(target: Target, methods: tuple[Method, ...]) -> Iterator[Problem]:
    """Methods that only a network has, and the complex step of functions that do not take it."""
    if methods == _DEFAULT:
        return
    known: tuple[str, ...] = ("central", "central4", "richardson", "complex")
    if not any(tensor.takes_complex for tensor in target.tensors):
        known = known[:-1]
    for place, method in enumerate(methods):
        if method not in known:
            allowed = f"allowed: {', '.join(known)}; the formula and richardson always take part"
            if method == "complex" and isinstance(target, FunctionTarget):
                allowed = "set target.is_complex=true if the function takes complex numbers"
            yield ("methods", place), f"{method} does nothing for the target {target.name}: {allowed}"

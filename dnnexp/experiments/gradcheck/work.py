"""The work of a gradient check in words, and a small version of the check."""

from __future__ import annotations

from dataclasses import replace

from dnnexp.core.differentiation import CENTRAL_STEP
from dnnexp.core.network_extrapolation import PASSES_PER_DERIVATIVE
from dnnexp.experiments.gradcheck.config import GradcheckConfig, part_methods
from dnnexp.experiments.gradcheck.evaluations import CALLS
from dnnexp.experiments.gradcheck.targets import NetworkTarget
from dnnexp.text import counted


def shrink(config: GradcheckConfig) -> GradcheckConfig:
    """At most 10 units a layer, a batch of 2, two directions, no step longer than the usual one."""
    network, batch = config.network, config.batch
    if network is not None:
        network = replace(network, layers=tuple(min(10, n) for n in network.layers))
    sweep = replace(config.step_sweep, directions=min(2, config.step_sweep.directions))
    step = min(CENTRAL_STEP, config.central_step)  # with few entries, a few kinks are many
    if isinstance(config.target, NetworkTarget):
        batch = min(2, batch)
    return replace(config, network=network, batch=batch, step_sweep=sweep, central_step=step)


def estimate(config: GradcheckConfig) -> str:
    """The number of parameters and of passes through the network."""
    steps = counted(len(config.step_sweep.steps()), "step")
    along = f"{steps} along {counted(config.step_sweep.directions, 'direction')}"
    if not isinstance(config.target, NetworkTarget):
        return f"{_work_of_parts(config)}; the error curve at {along}"
    count = config.built.parameter_count
    compared = round(count * config.fraction)
    if config.directions is not None:
        compared = config.directions * 2 * config.built.depth
    passes = {"forward": 1, "central": 2, "central4": 4, "richardson": PASSES_PER_DERIVATIVE, "complex": 1}
    total = sum(passes.get(method, 0) * compared for method in config.methods) + 1
    return (
        f"{counted(count, 'parameter')} by {len(config.methods)} methods = {total:,} passes of a batch of "
        f"{config.batch}; the error curve at {along}"
    )


def _work_of_parts(config: GradcheckConfig) -> str:
    """The tensors of a target other than a network, and the evaluations that an entry of one takes."""
    tensors = config.target.tensors
    takes_complex = any(tensor.takes_complex for tensor in tensors)
    methods = part_methods(config, takes_complex)
    share = f"{config.fraction:.3g} of the entries" if config.fraction < 1 else "each entry"
    evaluations = sum(CALLS.get(method, 0) for method in methods)
    return (
        f"{counted(len(tensors), 'tensor')} by {len(methods)} methods, for {share} at each "
        f"point {evaluations} evaluations"
    )

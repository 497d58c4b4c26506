"""Products with the Jacobian and the Hessian of a network along random directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.adjoint import adjoint, symmetry
from dnnexp.core.arrays import Floats
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.core.network_extrapolation import rounding_noise
from dnnexp.core.problem import Problem
from dnnexp.core.second_order import (
    central_of_gradient,
    complex_of_gradient,
    extrapolated_of_gradient,
    forward_over_reverse,
)
from dnnexp.experiments.base import RunContext, Work
from dnnexp.experiments.gradcheck.checks import Derivatives
from dnnexp.experiments.gradcheck.config import GradcheckConfig, ordered
from dnnexp.experiments.gradcheck.recheck import Estimates, recheck

_SECOND = {"central", "richardson", "complex"}
"""How the gradient may be differentiated again, beside forward mode over the pass back."""
_NOISE = 0.1
"""Standard deviation of the rounding error, as a fraction of its bound."""


def second_order_methods(config: GradcheckConfig) -> tuple[str, ...]:
    """The methods for H v; none where it is not asked for. Extrapolation is the judge of differences."""
    if not config.hessian_directions:
        return ()
    return tuple(ordered({"forward", "richardson"} | (set(config.methods) & _SECOND)))


def measure(config: GradcheckConfig, problem: Problem, context: RunContext) -> Iterator[Derivatives]:
    """uJv: ⟨u, J v⟩ against ⟨Jᵀu, v⟩; Hv.W1 …: H v by several methods; uHv: ⟨u, H v⟩ against ⟨H u, v⟩."""
    if config.adjoint_directions and {"backward", "forward"} <= set(config.methods):
        yield _adjoint(config, problem, context)
    if config.hessian_directions:
        yield from _hessian(config, problem, context)


def _adjoint(config: GradcheckConfig, problem: Problem, context: RunContext) -> Derivatives:
    """J = ∂y/∂(θ, x), for u, v of fresh normal numbers each: `(directions,)`."""
    stream, count = context.streams("adjoint"), config.adjoint_directions
    found = []
    for done in range(count):  # one at a time: a direction is as large as all parameters
        u = stream.standard_normal((1, *problem.signals().output.shape))
        v = stream.standard_normal((1, problem.parameters.size)).T
        w = stream.standard_normal((1, *problem.x.shape))
        found.append(adjoint(problem, u, v, w, config.inject))
        context.progress(Work("adjoint", done + 1, count))
    left, right, bound = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Derivatives("uJv", {"backward": right, "forward": left}, bound)


def _hessian(config: GradcheckConfig, problem: Problem, context: RunContext) -> Iterator[Derivatives]:
    """H v of every tensor of parameters, `(directions, ...)`, and the symmetry of H."""
    count, stream = config.hessian_directions, context.streams("hessian")
    drawn = stream.standard_normal((2 * count, problem.parameters.size)).T
    unit = np.asfortranarray(drawn / np.linalg.norm(drawn, axis=0))
    u, v = unit[:, count:], unit[:, :count]
    bound = rounding.hessian_bound(problem, v)
    noise = _NOISE * rounding.gradient_bound(problem)
    if not np.isfinite(rounding_noise(problem, 0)):  # waves shorter than any step
        noise = np.full_like(noise, np.inf)
    again = extrapolated_of_gradient(problem, v, noise)
    found = {"forward": forward_over_reverse(problem, v), "richardson": again.value}
    crossed = np.zeros(count, bool)
    if "central" in config.methods:
        found["central"], crossed, _ = central_of_gradient(problem, v, config.central_step)
    if "complex" in config.methods:
        found["complex"] = complex_of_gradient(problem, v)
    context.progress(Work("hessian", 1, 1))
    for level in range(problem.network.depth):
        for place, letter in enumerate("Wb"):

            def cut(matrix: Any, level: int = level, place: int = place) -> Any:
                return problem.network.layers(matrix)[level][place]

            values = {method: cut(matrix) for method, matrix in found.items()}
            part = Extrapolated(*map(cut, again))
            name = f"Hv.{letter}{level + 1}"
            yield _product(config, name, values, cut(bound), part, crossed)
    sides = symmetry(problem, u, v)
    yield Derivatives("uHv", {"forward": sides.left, "transposed": sides.right}, sides.bound)


def _product(
    config: GradcheckConfig,
    name: str,
    values: dict[str, Floats],
    bound: Floats,
    again: Extrapolated,
    crossed: Any,
) -> Derivatives:
    """H v of one tensor by every method; differences in doubt give way to extrapolation."""
    shape, flat = bound.shape, {method: value.reshape(-1) for method, value in values.items()}
    mask = np.broadcast_to(crossed.reshape((-1,) + (1,) * (len(shape) - 1)), shape).reshape(-1)

    def retake(places: Any) -> Extrapolated:
        return Extrapolated(*(part.reshape(-1)[places] for part in again))

    def cut(vector: Any) -> Any:
        return vector.reshape(shape)

    found = Estimates(flat, {"central": mask} if "central" in flat else {}, again.error.reshape(-1))
    allowed = np.full(mask.shape, config.tolerances.central * found.sound().max())
    looked = recheck(found, allowed, np.ones(mask.shape, bool), retake, mask.size)
    noise = float(bound.max()) / config.central_step
    by_method = {method: cut(vector) for method, vector in looked.by_method.items()}
    return Derivatives(name, by_method, bound, looked.doubts(cut, noise))

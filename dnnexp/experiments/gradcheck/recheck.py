"""A second look at those central differences that a first step leaves in doubt.

An entry is in doubt where a unit crossed a kink, or where the quotient agrees with no other method: then the
step may be too long or too short for it. It is taken again by extrapolation over many steps, which finds the
right ones and says how sure it is, and counts if that is sure enough; else it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.network import Network
from dnnexp.core.network_extrapolation import extrapolated_derivatives, extrapolated_jacobian
from dnnexp.core.parameter_derivatives import Problem

_MOST = 4000
"""How many parameters are taken again at most, the most doubtful first."""
_MOST_INPUTS = 100_000
"""How many entries dy/dx may have to be taken again."""


class Looked(NamedTuple):
    """Central differences after the second look.

    Attributes:
        central: the derivatives.
        crossed: which of them cross a kink with any step.
        unsure: which of the others no step gives well enough.
        taken: how many were taken again.
    """

    central: Floats
    crossed: Any
    unsure: Any
    taken: int


def parameters(problem: Problem, by_method: Mapping[str, Floats], crossed: Any, tolerance: float) -> Looked:
    """∂E/∂θ, `(P,)`; the tolerance is relative to the largest entry of each tensor."""
    central, others = by_method["central"], [v for name, v in by_method.items() if name != "central"]
    size = _sizes(problem.network, central)
    doubt = _doubt(central, others, crossed, tolerance * size)
    places = np.argsort(-doubt, kind="stable")[: min(_MOST, int(np.count_nonzero(doubt)))]
    unsure = np.zeros(central.shape, bool)
    if not len(places):
        return Looked(central, crossed, unsure, 0)
    found = extrapolated_derivatives(problem, places)
    is_sure = found.error <= tolerance * size[places]
    central, crossed = central.copy(), crossed.copy()
    central[places[is_sure]] = found.value[is_sure]
    unsure[places] = ~is_sure & ~crossed[places]
    crossed[places] &= ~is_sure
    if not _doubt(central, others, crossed, tolerance * size)[places[is_sure]].any():
        left = np.argsort(-doubt, kind="stable")[len(places) : np.count_nonzero(doubt)]
        unsure[left] = True  # those looked at were right after all
    return Looked(central, crossed, unsure, len(places))


def inputs(problem: Problem, by_method: Mapping[str, Floats], crossed: Any, tolerance: float) -> Looked:
    """∂y/∂x, `(batch, n_L, n_0)`; what crosses a kink does so for every output: `(batch, n_0)`."""
    central, others = by_method["central"], [v for name, v in by_method.items() if name != "central"]
    size = np.full(central.shape, np.abs(central).max())
    doubt = _doubt(central, others, np.broadcast_to(crossed[:, None, :], central.shape), tolerance * size)
    if not doubt.any() or central.size > _MOST_INPUTS:
        return Looked(central, crossed, np.zeros(central.shape, bool), 0)
    found = extrapolated_jacobian(problem)
    is_sure = (doubt > 0) & (found.error <= tolerance * size)
    is_lost = (doubt > 0) & ~is_sure
    still = crossed & is_lost.any(axis=1)
    central = np.where(is_sure, found.value, central)
    return Looked(central, still, is_lost & ~still[:, None, :], int(np.count_nonzero(doubt)))


def _doubt(central: Floats, others: list[Floats], crossed: Any, allowed: Floats) -> Floats:
    """By how much the nearest of the other methods exceeds what is allowed; infinite at kinks, else 0."""
    nearest = np.min([np.abs(central - other) for other in others], axis=0)
    excess = np.where(nearest > allowed, nearest / np.where(allowed > 0, allowed, 1.0), 0.0)
    return np.where(crossed | ~np.isfinite(central), np.inf, excess)


def _sizes(network: Network, vector: Floats) -> Floats:
    """The largest entry of the tensor that an entry belongs to: `(P,)`."""
    sizes = np.empty_like(vector)
    for tensors, places in zip(network.layers(vector), network.layers(sizes), strict=True):
        for tensor, place in zip(tensors, places, strict=True):
            place[...] = np.abs(tensor).max()
    return sizes

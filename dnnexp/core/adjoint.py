"""Identities that compare forward and reverse mode: ⟨u, J v⟩ = ⟨Jᵀu, v⟩, and ⟨u, H v⟩ = ⟨H u, v⟩.

Both hold up to rounding for every u and v. Each compares one number for a whole network, without a step size
and without truncation (the dot-product test; Claerbout, "Earth soundings analysis", 1992, section 5.2).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import rounding
from dnnexp.core.arrays import Floats
from dnnexp.core.faults import Fault, backward
from dnnexp.core.problem import Problem
from dnnexp.core.second_order import forward_over_reverse


class Sides(NamedTuple):
    """Both sides of an identity, and a bound on the rounding error of each: `(K,)` each.

    They may differ by twice the bound.
    """

    left: Floats
    right: Floats
    bound: Floats


def adjoint(problem: Problem, u: Floats, v: Floats, w: Floats, fault: Fault | None = None) -> Sides:
    """⟨u, J (v, w)⟩ by forward mode and ⟨Jᵀu, (v, w)⟩ by a backward pass, for J = ∂y/∂(θ, x).

    Args:
        problem: the network and its x; loss and t are not used.
        u: cotangents of y, `(K, batch, n_L)`.
        v: tangents of θ, `(P, K)`.
        w: tangents of x, `(K, batch, n_0)`.
        fault: a fault in the backward pass.

    Raises:
        ValueError: the fault is impossible in this network.
    """
    network, signals, count = problem.network, problem.signals(), len(u)
    y_dot = network.tangent(problem.parameters, signals, v, w)
    stack = np.broadcast_to(problem.parameters, (count, network.parameter_count)).T
    by_parameters, by_input = backward(network, stack, signals, u, fault)
    left = _sums((u * y_dot).reshape(count, -1))
    right = _sums(np.hstack([(by_parameters * v).T, (by_input * w).reshape(count, -1)]))
    return Sides(left, right, rounding.adjoint_bound(problem, u, v, w))


def symmetry(problem: Problem, u: Floats, v: Floats) -> Sides:
    """⟨u, H v⟩ and ⟨H u, v⟩ by forward over reverse, H = ∂²E/∂θ²; u and v are `(P, K)`."""
    left, right = (u * forward_over_reverse(problem, v)).T, (forward_over_reverse(problem, u) * v).T
    bounds = [rounding.hessian_form_bound(problem, *pair) for pair in ((u, v), (v, u))]
    return Sides(_sums(left), _sums(right), np.maximum(*bounds))


def _sums(terms: Any) -> Floats:
    """The sum of each row with a single rounding; NaN where it is not finite."""
    finite = np.isfinite(np.abs(terms).sum(axis=1))
    return np.array([math.fsum(row) if good else np.nan for row, good in zip(terms, finite, strict=True)])

"""Numerical differentiation, and the three methods for the gradient of an objective.

Central differences err by h²|f‴|/6 (truncation) and ε|f|/h (round-off); the best step is near
(3ε|f|/|f‴|)^⅓, about 1e-5 for values of order one. The complex step has no round-off error because it
subtracts nothing. (Squire and Trapp, "Using complex variables to estimate derivatives of real
functions", SIAM Review 1998.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dnnexp.core.arrays import EPSILON, Array, Floats, namespace
from dnnexp.core.objectives import Objective
from dnnexp.registry import Part, Positive, register

Function: TypeAlias = Callable[[Array], Array]
"""From points `(d, ...)` to values `(...)`."""

CENTRAL_STEP = EPSILON ** (1 / 3)
"""The relative step of central differences that balances truncation and round-off, ε^⅓ = 6.06e-6."""

CENTRAL_FOURTH_STEP = EPSILON ** (1 / 5)
"""The relative step of fourth-order differences, which err by h⁴|f⁽⁵⁾|/30: ε^⅕ = 7.4e-4."""

COMPLEX_STEP = 1e-20
"""The absolute step of the complex step: its square vanishes beside any number of order one."""


def scaled_step(x: Floats, step: float = CENTRAL_STEP) -> Floats:
    """h = step · max(1, |x|), rounded so that x + h and x differ by exactly h where possible."""
    h = step * np.maximum(1.0, np.abs(x))
    representable = np.asarray((x + h) - x)
    return np.where(representable > 0, representable, h)


def _along_each_coordinate(x: Array, h: Array) -> tuple[Array, Array]:
    """x and h·e_j side by side: shapes `(d, 1, ...)` and `(d, d, ...)`, j along the second axis."""
    d = x.shape[0]
    basis = namespace(x).eye(d).reshape((d, d) + (1,) * (x.ndim - 1))
    return x[:, None], basis * h


def central_gradient(function: Function, x: Floats, step: float = CENTRAL_STEP) -> Floats:
    """(f(x + h e_j) − f(x − h e_j)) / 2h for every coordinate j: the shape of x, `(d, ...)`.

    All 2d evaluations are one call of the function. `step` is scaled by max(1, |x_j|).
    """
    h = scaled_step(x, step)
    centre, shift = _along_each_coordinate(x, h)
    return np.asarray((function(centre + shift) - function(centre - shift)) / (2 * h))


def complex_gradient(function: Function, x: Floats, step: float = COMPLEX_STEP) -> Floats:
    """Im f(x + i h e_j) / h for every coordinate j: the shape of x, `(d, ...)`.

    The function must be analytic in each coordinate, as the objectives here are.
    """
    centre, shift = _along_each_coordinate(x, np.asarray(step))
    return np.asarray(function(centre + 1j * shift).imag / step)


def hessian(objective: Objective, x: Floats, step: float = COMPLEX_STEP) -> Floats:
    """The Hessian at a point `(d,)`: Im ∇f(x + i h e_j) / h, symmetrised, `(d, d)`.

    The gradient must be analytic in each coordinate.
    """
    points = x[:, None] + 1j * step * np.eye(len(x))
    columns = np.asarray(objective.gradient(points)).imag / step
    return np.asarray((columns + columns.T) / 2)


class GradientMethod(Part, ABC):
    """Base of the methods that compute the gradient of an objective."""

    kind = "gradient"

    @abstractmethod
    def of(self, objective: Objective) -> Function:
        """The function that maps points `(d, runs)` to gradients `(d, runs)`."""


@register("analytic")
@dataclass(frozen=True)
class Analytic(GradientMethod):
    """The objective's own formula."""

    def of(self, objective: Objective) -> Function:
        """The objective's `gradient`."""
        return objective.gradient


@register("central")
@dataclass(frozen=True)
class Central(GradientMethod):
    """Central differences: (f(x + h) − f(x − h)) / 2h with h = step · max(1, |x|), for each coordinate."""

    step: Positive = CENTRAL_STEP

    def of(self, objective: Objective) -> Function:
        """`central_gradient` of the objective's value."""
        return lambda x: central_gradient(objective.value, x, self.step)


@register("complex")
@dataclass(frozen=True)
class Complex(GradientMethod):
    """The complex step: Im f(x + i h) / h, for each coordinate; exact to rounding for small h."""

    step: Positive = COMPLEX_STEP

    def of(self, objective: Objective) -> Function:
        """`complex_gradient` of the objective's value."""
        return lambda x: complex_gradient(objective.value, x, self.step)

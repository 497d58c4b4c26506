"""A function of the user's as a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from dnnexp.core.arrays import Floats
from dnnexp.core.differentiation import COMPLEX_STEP
from dnnexp.core.streams import Streams
from dnnexp.experiments.gradcheck.cases import Case, Piece
from dnnexp.experiments.gradcheck.targets.base import Target, Tensor
from dnnexp.experiments.gradcheck.targets.user_function import (
    TargetError,
    UserFunction,
    prepare,
    resolve,
)
from dnnexp.experiments.gradcheck.targets.user_inspection import inspect_function
from dnnexp.registry import Count, Problem, check, register


@register("function")
@dataclass(frozen=True)
class FunctionTarget(Target):
    """Function: one of a plugin, such as mine.rosen of --plugin mine.py, against differences of its values.

    Its gradient is found beside it as rosen_gradient, rosen_grad, grad_rosen, gradient_rosen, rosen_jacobian,
    rosen_jac, rosen_prime, rosen_der, d_rosen, rosen.gradient or rosen.grad, or as the second of a pair that
    it returns; `gradient` names another. It is checked at `points`, else at the plugin's rosen_points,
    rosen_x0, rosen_point or x0 (a tuple or dict of arrays for several arguments), else at three standard
    normal points of `dimension` coordinates, else of the first dimension that fits. `is_complex` says that it
    takes complex arguments, analytically.
    """

    subject: ClassVar[str | None] = "function"

    function: str
    gradient: str | None = None
    points: tuple[tuple[float, ...], ...] | None = None
    dimension: Count | None = None
    is_complex: bool = False

    @check("function", "gradient")
    @staticmethod
    def found(function: str, gradient: str | None) -> Iterator[Problem]:
        """The function and its gradient are there."""
        try:
            resolve(function, gradient)
        except TargetError as error:
            yield ("function",), str(error)

    def complaints(self, streams: Streams) -> Iterator[Problem]:
        """Both give numbers at the points."""
        try:
            user = self._prepared(streams)
        except TargetError as error:
            yield ("function",), str(error)
            return
        try:
            if self.is_complex:
                user.value(user.points[:, 0] + 1j * COMPLEX_STEP)
        except TargetError as error:
            yield ("is_complex",), f"with complex arguments, {error}"

    def _prepared(self, streams: Streams) -> UserFunction:
        resolved = resolve(self.function, self.gradient)
        return prepare(resolved, self.points, self.dimension, streams("points", self.function))

    def cases(self, streams: Streams) -> tuple[Case, ...]:
        """The function at its points."""
        user = self._prepared(streams)
        start, pieces = 0, []
        for tensor, (_, shape) in zip(self.tensors, user.parts, strict=True):
            size = int(np.prod(shape, dtype=int))
            pieces.append(Piece(tensor.name, slice(start, start + size), shape))
            start += size
        return (
            Case(
                _everywhere(user.value, 0),
                _everywhere(user.gradient, 1),
                user.points,
                tuple(pieces),
                self.is_complex,
                findings=inspect_function(user),
                one_by_one=True,
            ),
        )

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """One for each of its arrays, with a name of its own where there are several."""
        resolved = resolve(self.function, self.gradient)
        name, alone = f"function:{resolved.name}", len(resolved.indices) == 1
        return tuple(
            Tensor(name if alone else f"{name}.{part}", 1 + indices, self.is_complex)
            for part, indices in resolved.indices.items()
        )


def _everywhere(function: Callable[[Floats], Any], axes: int) -> Callable[[Floats], Any]:
    """From a function of one point `(d,)` to one of many, `(d, ...)`; NaN where it raises an exception.

    A function may have no value so far from its point as the longest steps go. `axes` is 0 for a value,
    1 for a gradient.
    """

    def one(x: Floats) -> Any:
        try:
            return function(x)
        except TargetError:
            nothing = complex(np.nan, np.nan) if np.iscomplexobj(x) else np.nan
            return np.full(x.shape[:axes], nothing)

    def many(x: Floats) -> Any:
        columns = x.reshape(len(x), -1)
        found = [one(column) for column in columns.T]
        return np.stack(found, axis=-1).reshape(*np.shape(found[0]), *x.shape[1:])

    return many

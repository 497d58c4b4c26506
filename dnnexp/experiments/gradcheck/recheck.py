"""A second look at those differences that a first step leaves in doubt.

An entry is in doubt where a unit crossed a kink, or where the quotient agrees with no other method: then the
step may be too long or too short for it. It is taken again by extrapolation over many steps, which finds the
right ones and says how sure it is, and counts if that is sure enough; else it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core.arrays import Floats, Integers
from dnnexp.core.extrapolation import Extrapolated
from dnnexp.experiments.gradcheck.checks import Doubt
from dnnexp.experiments.gradcheck.config import DIFFERENCES, TRUSTED


class Estimates(NamedTuple):
    """Some derivatives as the methods first give them.

    Attributes:
        by_method: the derivatives, `(N,)` each.
        crossed: by each of central and central4 that takes part, for which a unit crossed a kink, `(N,)`.
        error: what richardson states, `(N,)`; None where it takes no part.
    """

    by_method: Mapping[str, Floats]
    crossed: Mapping[str, Any]
    error: Floats | None = None

    def sound(self) -> Floats:
        """The absolute values by the most trusted method, 0 where it has none: what sizes are taken from."""
        method = next(method for method in TRUSTED if method in self.by_method)
        values = np.abs(self.by_method[method])
        broken = self.crossed.get(method, False) | ~np.isfinite(values)
        return np.where(broken, 0.0, values)


class Rechecked(NamedTuple):
    """Derivatives after the second look.

    Attributes:
        by_method: the derivatives, `(N,)` each.
        crossed: by each of central and central4, which entries a kink keeps from being known, `(N,)`.
        unsure: by each method of differences, which entries are not known well enough, `(N,)`.
        error: what richardson states, `(N,)`; None where it takes no part.
        taken: how many were taken again.
        again: by each of central and central4, the error of those taken again and replaced, infinite where a
            unit had crossed a kink: there extrapolation alone does not accuse. NaN elsewhere, `(N,)`.
        errors: by each of central and central4 whose entries have bounds of their own, those, `(N,)`.
    """

    by_method: dict[str, Floats]
    crossed: dict[str, Any]
    unsure: dict[str, Any]
    error: Floats | None
    taken: int
    again: dict[str, Floats]
    errors: dict[str, Floats]

    def doubts(self, cut: Callable[[Any], Any], round_off: float) -> dict[str, Doubt]:
        """The doubts of each method in the tensor that `cut` takes out of a vector `(N,)`."""
        found = {}
        for method, unsure in self.unsure.items():
            if method in self.crossed:
                error = cut(self.errors[method]) if method in self.errors else None
                found[method] = Doubt(cut(self.crossed[method]), cut(unsure), round_off, error)
            else:
                found[method] = Doubt(unsure=cut(unsure), error=cut(self.error))
        return found


def recheck(
    found: Estimates, allowed: Floats, compared: Any, retake: Callable[[Integers], Extrapolated], most: int
) -> Rechecked:
    """Measure doubtful entries again with other steps: at most `most`, the most doubtful first.

    Args:
        found: the derivatives.
        allowed: by how much the entries may be off, `(N,)`.
        compared: a mask of those that are compared at all, `(N,)`.
        retake: extrapolates the derivatives at some places.
        most: the largest number of them.
    """
    doubts = {m: np.where(compared, _doubt(found, m, allowed), 0.0) for m in found.crossed}
    unsure = {method: np.zeros(allowed.shape, bool) for method in doubts}
    error = found.error
    if error is not None:
        error = np.where(_contradicted(found, allowed), np.inf, error)
        unsure["richardson"] = error > allowed
    none = {method: np.full(allowed.shape, np.nan) for method in doubts}
    first = Rechecked(dict(found.by_method), dict(found.crossed), unsure, error, 0, none, {})
    largest = np.max([np.zeros(allowed.shape), *doubts.values()], axis=0)
    ranked = np.argsort(-largest, kind="stable")[: np.count_nonzero(largest)]
    places = ranked[:most]
    if not len(places):
        return first
    again = retake(places)
    is_sure = again.error <= allowed[places]
    for method, doubt in doubts.items():
        taken = _replaced(first, method, places, doubt[places] > 0, is_sure, again)
        still = _doubt(Estimates(taken.by_method, taken.crossed, found.error), method, allowed)[places] > 0
        left = ranked[most:]
        if not still[is_sure].any():
            taken.unsure[method][left] = doubt[left] > 0  # those looked at were right after all
        # where there are kinks, extrapolation alone does not accuse
        taken.crossed[method][places] |= found.crossed[method][places] & still
        first = taken
    return first._replace(taken=len(places))


def _contradicted(found: Estimates, allowed: Floats) -> Any:
    """Where extrapolation is alone: a quotient of one step agrees with all exact methods, and it does not.

    So it is where waves are shorter than its steps.
    """
    exact = [value for method, value in found.by_method.items() if method not in DIFFERENCES]
    if len(exact) < 2 or not found.crossed:
        return np.zeros(allowed.shape, bool)

    def near(own: Floats) -> Any:
        return np.all([np.abs(own - value) <= allowed for value in exact], axis=0)

    quotients = [near(found.by_method[method]) & ~crossed for method, crossed in found.crossed.items()]
    return np.any(quotients, axis=0) & ~near(found.by_method["richardson"])


def _replaced(
    looked: Rechecked, method: str, places: Integers, in_doubt: Any, is_sure: Any, again: Extrapolated
) -> Rechecked:
    """With the entries of one method that were in doubt replaced where the new ones are sure."""
    value, crossed = looked.by_method[method].copy(), looked.crossed[method].copy()
    unsure, stated = looked.unsure[method].copy(), looked.again[method].copy()
    new = in_doubt & is_sure
    value[places[new]] = again.value[new]
    stated[places[new]] = np.where(crossed[places[new]], np.inf, again.error[new])
    unsure[places] = in_doubt & ~is_sure & ~crossed[places]
    crossed[places] &= ~is_sure
    return looked._replace(
        by_method=looked.by_method | {method: value},
        crossed=looked.crossed | {method: crossed},
        unsure=looked.unsure | {method: unsure},
        again=looked.again | {method: stated},
    )


def _doubt(found: Estimates, method: str, allowed: Floats) -> Floats:
    """By how much it is off any of the better methods, beyond what is allowed; infinite at kinks, else 0.

    Better are those that are no quotient of one step; extrapolation where it is sure.
    """
    own = found.by_method[method]
    others = {name: other for name, other in found.by_method.items() if name != method}
    better = {name: other for name, other in others.items() if name not in found.crossed}
    distance = {name: np.abs(own - other) for name, other in (better or others).items()}
    if "richardson" in distance and found.error is not None:
        distance["richardson"] = np.where(found.error <= allowed, distance["richardson"], 0.0)
    farthest = np.fmax.reduce(list(distance.values()), axis=0)
    excess = np.where(farthest > allowed, farthest / np.where(allowed > 0, allowed, 1.0), 0.0)
    return np.where(found.crossed[method] | ~np.isfinite(own), np.inf, excess)

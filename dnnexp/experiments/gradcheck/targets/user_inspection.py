"""Findings about a user's function itself, whatever its gradient is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from dnnexp.core import noise
from dnnexp.core.arrays import Floats, Numbers
from dnnexp.experiments.gradcheck.findings import Finding
from dnnexp.experiments.gradcheck.targets.user_calls import Called, TargetError, as_returned, scalar, slopes
from dnnexp.experiments.gradcheck.targets.user_function import UserFunction

_NARROW = ("float32", "float16")
_SINGLE = float(np.finfo(np.float32).eps) / 16
"""Noise relative to |f|: an eighth of the rounding of single precision, 3e7 times that of double."""
_COARSER = 64 * float(np.finfo(np.float32).eps)
"""Noise relative to |f| that exceeds accumulated single-precision rounding."""
_MEASURED = 3
"""Number of points at which the noise is measured, with 45 to 63 calls each."""
_ASIDE = 0.05
"""Relative offset from the points: at a minimum the value may be 0, beside it it is not."""


def inspect_function(f: UserFunction) -> tuple[Finding, ...]:
    """What two calls at every point show, and the noise of the values.

    Raises:
        TargetError: the user's code raised an exception, or its results have wrong shapes, at some point.
    """
    calls = [_Twice(f, x) for x in f.points.T]
    differences = [*_differences(f, calls)]
    found = [*_mutations(f, calls), *differences, *_aliases(f), *_reshaped(f, calls), *_infinities(f, calls)]
    if not differences:
        found += _leftovers(f)
    return (*found, *_narrow(f, calls, measures_noise=not differences))


class _Twice:
    """Value and gradient at one point, each called twice."""

    def __init__(self, f: UserFunction, x: Floats) -> None:
        self.called: list[tuple[str, str, Called]] = []
        self.values: list[Numbers] = []
        self.gradients: list[list[Numbers]] = []
        for _ in range(2):
            value, gradient = f.call_function(x), f.call_slope(x)
            self.called += [(f.name, "value", value), (f.slope_name, "gradient", gradient)]
            self.values.append(scalar(value.result, f.name).copy())
            parts = slopes(gradient.result, f.slope_name, f.arguments)
            self.gradients.append([part.copy() for part in parts])


def _mutations(f: UserFunction, calls: list[_Twice]) -> Iterator[Finding]:
    """Arguments that a call changed: the first such call of the value, and of the gradient."""
    reported: set[tuple[str, str]] = set()
    for n, twice in enumerate(calls):
        for name, what, called in twice.called:
            for argument, count in called.changed:
                if (what, argument) not in reported:
                    reported.add((what, argument))
                    size = f.arguments.size_of(argument)
                    evidence = (
                        f"the {what} call changes {count} of the {size} entries of {argument}, point {n}"
                    )
                    yield Finding("mutates_input", name, evidence)


def _differences(f: UserFunction, calls: list[_Twice]) -> Iterator[Finding]:
    """Results that differ between two calls at one point: the largest difference of each kind."""
    values = [(twice.values[0], twice.values[1], f"point {n}") for n, twice in enumerate(calls)]
    gradients = [
        (a, b, f"point {n}, by {name}")
        for n, twice in enumerate(calls)
        for name, a, b in zip(f.arguments.names, *twice.gradients, strict=True)
    ]
    for where, what, pairs in ((f.name, "value", values), (f.slope_name, "gradient", gradients)):
        worst = max(pairs, key=_distance)
        if _distance(worst) > 0:
            a, b, place = worst
            with np.errstate(invalid="ignore"):
                index = int(np.argmax(_differ(a, b) * np.nan_to_num(np.abs(a - b), nan=np.inf)))
            first, second = float(a.flat[index]), float(b.flat[index])
            entry = _entry(index, a.shape)
            evidence = f"two {what} calls at {place}{entry} gave {first!r} and {second!r}"
            yield Finding("non_deterministic", where, f"{evidence}, {abs(first - second):.2g} apart")


def _differ(a: Numbers, b: Numbers) -> Numbers:
    return np.asarray((a != b) & ~(np.isnan(a) & np.isnan(b)))


def _distance(pair: tuple[Numbers, Numbers, str]) -> float:
    """The largest |a − b|, infinite where only one is a number."""
    a, b, _ = pair
    differ = _differ(a, b)
    gaps = np.abs(a[differ].astype(np.float64) - b[differ])
    return float(np.nan_to_num(gaps, nan=np.inf).max(initial=0.0))


def _entry(index: int, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, np.unravel_index(index, shape)))}]" if shape else ""


def _aliases(f: UserFunction) -> Iterator[Finding]:
    """Whether the next call, elsewhere, changes a gradient that was returned."""
    x, y = _two_points(f)
    held = slopes(f.call_slope(x).result, f.slope_name, f.arguments)
    before = [part.copy() for part in held]
    try:
        f.call_slope(y)
    except TargetError:  # outside of its domain
        return
    changed = sum(int(_differ(old, new).sum()) for old, new in zip(before, held, strict=True))
    if changed:
        evidence = (
            f"the next call changes {changed} of {f.arguments.size} entries of a gradient returned before"
        )
        yield Finding("aliased_result", f.slope_name, evidence)


def _two_points(f: UserFunction) -> tuple[Floats, Floats]:
    x = f.points[:, 0]
    return x, f.points[:, -1] if f.points.shape[1] > 1 else x * (1 + _ASIDE) + _ASIDE


def _leftovers(f: UserFunction) -> Iterator[Finding]:
    """Whether a call of the function elsewhere changes the gradient, as where it uses kept results."""
    x, y = _two_points(f)
    found = []
    try:
        for before in (x, y):
            f.call_function(before)
            parts = slopes(f.call_slope(x).result, f.slope_name, f.arguments)
            found.append([part.copy() for part in parts])
    except TargetError:  # outside of its domain
        return
    changed = sum(int(_differ(first, second).sum()) for first, second in zip(*found, strict=True))
    if changed:
        evidence = (
            f"a call of {f.name} at another point changes {changed} of {f.arguments.size} entries of the "
            f"gradient at {f.describe_point(0)}: it uses what the last call left behind"
        )
        yield Finding("stale_state", f.slope_name, evidence)


def _reshaped(f: UserFunction, calls: list[_Twice]) -> Iterator[Finding]:
    """A row or a column that is taken for a vector; not where there is one number only."""
    for twice in calls:
        result = next(called.result for _, what, called in twice.called if what == "gradient")
        arrays = as_returned(result, f.slope_name, f.arguments)
        for array, (name, shape) in zip(arrays, f.parts, strict=True):
            if array.shape != shape and array.size > 1:
                evidence = f"the gradient by {name} has shape {array.shape}, taken as {shape}"
                yield Finding("reshaped_gradient", f.slope_name, evidence)
                return


def _infinities(f: UserFunction, calls: list[_Twice]) -> Iterator[Finding]:
    """The first point, and entry, where the value or the gradient is not finite."""
    for n, twice in enumerate(calls):
        value = float(twice.values[0])
        if not np.isfinite(value):
            yield Finding("non_finite", f.name, f"the value is {value} at point {n}, {f.describe_point(n)}")
            break
    for n, twice in enumerate(calls):
        for name, part in zip(f.arguments.names, twice.gradients[0], strict=True):
            bad = np.flatnonzero(~np.isfinite(part))
            if bad.size:
                entry = f"{name}{_entry(int(bad[0]), part.shape)}"
                number = float(part.flat[bad[0]])
                evidence = f"the gradient by {entry} is {number} at point {n}, {f.describe_point(n)}"
                yield Finding("non_finite", f.slope_name, evidence)
                return


def _narrow(f: UserFunction, calls: list[_Twice], measures_noise: bool) -> Iterator[Finding]:
    """Results or points of a narrow dtype; else values that scatter as if computed in one."""
    if f.narrow:
        yield Finding("single_precision", f.name, f"the plugin's points are of dtype {f.narrow}")
    value = str(calls[0].values[0].dtype)
    if value in _NARROW:
        yield Finding("single_precision", f.name, f"the value is of dtype {value}")
    for name, part in zip(f.arguments.names, calls[0].gradients[0], strict=True):
        if str(part.dtype) in _NARROW:
            evidence = f"the gradient by {name} is of dtype {part.dtype}"
            yield Finding("single_precision", f.slope_name, evidence)
            break
    if measures_noise and value not in _NARROW:
        yield from _noisy(f)


def _noisy(f: UserFunction) -> Iterator[Finding]:
    """Values that scatter as single precision does, at half of the points where noise is found."""
    relative = []
    for x in f.points.T[:_MEASURED]:
        try:
            values = noise.sampled(_valued(f), x * (1 + _ASIDE))
        except TargetError:  # outside of its domain
            continue
        judged = noise.judge(values)
        size = np.abs(values).max()
        if judged.found and size > 0:
            relative.append(float(judged.deviation / size))
    if relative and np.median(relative) > _SINGLE:
        level = float(np.median(relative))
        cause = (
            "as if computed in single precision"
            if level < _COARSER
            else "as if computed in less than single precision, or by an iteration that stops early"
        )
        evidence = f"values scatter by {level:.1e} of their size between close points, {cause}; double "
        evidence += "precision has about 1e-16"
        yield Finding("single_precision", f.name, evidence)


def _valued(f: UserFunction) -> Callable[[Floats], Floats]:
    def value(x: Floats) -> Floats:
        return np.asarray(f.value(x))

    return value

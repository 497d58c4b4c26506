"""The measurement of functions that come with their derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from dnnexp.core import noise
from dnnexp.core.arrays import EPSILON, Floats, Integers
from dnnexp.core.differentiation import COMPLEX_STEP, scaled_step
from dnnexp.core.extrapolation import Extrapolated, extrapolate, step_ladder
from dnnexp.experiments.base import RunContext, Work
from dnnexp.experiments.gradcheck.cases import Case, Piece
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.config import GradcheckConfig, part_methods
from dnnexp.experiments.gradcheck.evaluations import watched
from dnnexp.experiments.gradcheck.findings import Finding, probe
from dnnexp.experiments.gradcheck.function_blame import explain
from dnnexp.experiments.gradcheck.function_sweep import sweep
from dnnexp.experiments.gradcheck.measured import Coverage, Measured
from dnnexp.experiments.gradcheck.plugin_errors import check_shapes, report_plugin_error
from dnnexp.experiments.gradcheck.recheck import Estimates, Rechecked, recheck

_ROUNDINGS = 16
"""Rounding errors, of an entry and of its terms, that a formula is allowed beside its noise."""
_FEWEST_ROUNDINGS = 2
"""Least error of a value in rounding errors: approximation errors vary slowly and do not show as noise."""
_LEAST = 1000
"""Rounding errors of a value, over the longest step: the resolution of extrapolation where it reports 0."""
_TINY = float(np.finfo(np.float64).smallest_normal)
_BLOCK = 2**11
"""Entries that are extrapolated at a time; progress is reported between such blocks."""
_NOISES = 8
"""Standard deviations of its noise that a value is allowed."""

TOLERANCE = (
    "Extrapolation states an error for each entry, by its steps and by the noise of the function, measured as"
    f" Moré and Wild do; formulas may be off by {_NOISES} standard deviations of their own noise and by "
    f"{_ROUNDINGS} roundings in float64 (u = 1.1e-16)."
)


def measure(config: GradcheckConfig, context: RunContext) -> Measured:
    """Every case of the target at all of its points."""
    with report_plugin_error("target"):
        cases = config.target.cases(context.streams)
    cases = tuple(watched(config, case, context) if case.one_by_one else case for case in cases)
    tensors: list[Derivatives] = []
    taken, findings = 0, list(config.target.findings)
    for done, case in enumerate(cases, start=1):
        with report_plugin_error(case.name):
            check_shapes(case)
            found, again = _derivatives(config, case, context)
            known = {finding.kind for finding in case.findings}
            findings += [*case.findings, *(more for more in _inspect(case) if more.kind not in known)]
        tensors += found
        taken += again
        context.progress(Work("cases", done, len(cases), case.name))
    swept = sweep(config, cases, context)
    return Measured(
        tensors,
        _coverage(tensors),
        TOLERANCE,
        lambda accused, wrong: explain({tensor.tensor: tensor for tensor in tensors}, wrong),
        swept.metrics,
        swept.arrays,
        rechecked=taken,
        findings=tuple(findings),
    )


def _inspect(case: Case) -> Iterator[Finding]:
    """What value and formula show at all points."""
    for kind, function in (("value", case.value), ("gradient", case.gradient)):
        yield from probe(f"{case.name}, {kind}", function, case.points)


class _Entries(NamedTuple):
    """The pairs of a coordinate and a point that are compared, `(K,)` each, coordinates first."""

    coordinates: Integers
    columns: Integers
    x: Floats

    def part(self, places: slice) -> _Entries:
        """Some of them."""
        return _Entries(self.coordinates[places], self.columns[places], self.x[places])


def _sample(config: GradcheckConfig, case: Case, context: RunContext) -> Any:
    """A mask of the entries that are compared, `(d, N)`: of each tensor the fraction, at least one."""
    compared = np.ones(case.points.shape, bool)
    if config.fraction < 1:
        stream = context.streams("entries", case.name)
        for piece in case.pieces:
            shape = compared[piece.places].shape
            size = int(np.prod(shape))
            drawn = stream.permutation(size) < max(1, round(config.fraction * size))
            compared[piece.places] = drawn.reshape(shape)
    return compared


def _coverage(tensors: list[Derivatives]) -> Coverage:
    """A wrong entry of a tensor is missed where it is not among those drawn of it."""
    masks = [tensor.mask(tensor.compared) for tensor in tensors]
    missed = max((1 - float(mask.mean()) for mask in masks), default=0.0)
    counts = [tensor.shape[0] for tensor in tensors]
    entries, compared = sum(mask.size for mask in masks), sum(int(mask.sum()) for mask in masks)
    fewest, most = (extreme(counts, default=None) for extreme in (min, max))
    return Coverage(entries, compared, missed, fewest_points=fewest, most_points=most)


def _derivatives(config: GradcheckConfig, case: Case, context: RunContext) -> tuple[list[Derivatives], int]:
    """The tensors of a case by every method, and how many differences were taken again."""
    chosen = _sample(config, case, context)
    compared = chosen.reshape(-1)
    coordinates, columns = np.nonzero(chosen)
    entries = _Entries(coordinates, columns, case.points[chosen])
    by_method = {m: _spread(v, compared) for m, v in _quotients(config, case, entries).items()}
    claimed = np.asarray(case.gradient(case.points.copy()), dtype=np.float64).reshape(-1)
    again = _extrapolated(config, case, entries, context)
    again = Extrapolated(
        _spread(again.value, compared), _spread(again.error, compared, np.inf), _spread(again.order, compared)
    )
    by_method |= {"analytic": np.where(compared, claimed, np.nan), "richardson": again.value}
    bound = _rounding(case).reshape(-1)
    allowed = _allowed(config, case, claimed, again, bound)
    unknown = ~(again.error <= allowed)  # where extrapolation fails, so may a step that agrees with it
    looked = recheck(
        Estimates(by_method, {m: unknown for m in ("central", "central4") if m in by_method}, again.error),
        allowed,
        compared,
        lambda places: Extrapolated(*(part[places] for part in again)),
        compared.size,
    )
    return [_piece(case, piece, looked, bound, compared) for piece in case.pieces], looked.taken


def _spread(values: Floats, compared: Any, rest: float = np.nan) -> Floats:
    """The values at the entries that are compared, and `rest` elsewhere: `(d N,)`."""
    whole = np.full(compared.shape, rest)
    whole[compared] = values
    return whole


def _quotients(config: GradcheckConfig, case: Case, entries: _Entries) -> dict[str, Floats]:
    """The derivatives by the methods that take one step, `(K,)` each."""
    methods, by_method = part_methods(config, case.takes_complex), dict[str, Floats]()
    h = scaled_step(entries.x, config.central_step), scaled_step(entries.x, config.central4_step)
    if "central" in methods:
        by_method["central"] = _difference(config, case, entries, h[0]) / (2 * h[0])
    if "central4" in methods:
        near, far = (_difference(config, case, entries, multiple * h[1]) for multiple in (1, 2))
        by_method["central4"] = (8 * near - far) / (12 * h[1])
    if "complex" in methods:
        step = 1j * np.full(entries.x.shape, COMPLEX_STEP)
        by_method["complex"] = _values(config, case, entries, step).imag / COMPLEX_STEP
    return by_method


def _piece(case: Case, piece: Piece, looked: Rechecked, bound: Floats, compared: Any) -> Derivatives:
    """One tensor of a case, `(N, ...)`. What extrapolation cannot give, at a kink, counts as crossed."""

    def cut(vector: Any) -> Any:
        rows = vector.reshape(case.points.shape)[piece.places]
        return rows.T.reshape(-1, *piece.shape)

    doubts = {
        method: Doubt(crossed=cut(unsure | looked.crossed.get(method, False)))
        for method, unsure in looked.unsure.items()
    }
    doubts["richardson"] = replace(doubts["richardson"], error=cut(looked.error))
    found = {method: cut(vector) for method, vector in looked.by_method.items()}
    return Derivatives(piece.tensor, found, cut(bound), doubts, cut(compared))


def _allowed(
    config: GradcheckConfig, case: Case, claimed: Floats, again: Extrapolated, bound: Floats
) -> Floats:
    """How sure of an entry extrapolation must be: `(K,)`, a part of the tensor's largest.

    That is nothing where the tensor is 0. There rounding of the value is allowed for, if 0 is what is
    claimed, or something so far away that it does not matter.
    """
    size = np.where(np.isfinite(again.value), np.abs(again.value), 0.0).reshape(case.points.shape)
    allowed = np.empty_like(size)
    for piece in case.pieces:
        allowed[piece.places] = config.tolerances.central * size[piece.places].max(initial=0.0)
    scale = np.maximum(1.0, np.abs(case.points))
    # at a minimum of 0, too, the function is of some size elsewhere
    unit = EPSILON * np.maximum(*(np.abs(np.nan_to_num(case.value(case.points + s * scale))) for s in (0, 1)))
    least = _LEAST * unit / scale
    is_clear = (np.abs(claimed) <= bound) | (np.abs(claimed - again.value) > 2 * (again.error + bound))
    return np.where(is_clear, np.maximum(allowed, least).reshape(-1), allowed.reshape(-1))


def _rounding(case: Case) -> Floats:
    """How far rounding may move the formula and the complex step: `(d, N)`.

    By the noise of the formula, which shows what cancels in it, and some roundings of each entry.
    """
    values = noise.sampled(case.gradient, case.points)
    deviation = noise.estimate(values)
    here = np.abs(np.asarray(case.gradient(case.points.copy())))
    return np.asarray(np.maximum(_NOISES * np.nan_to_num(deviation) + _ROUNDINGS * EPSILON * here, _TINY))


def _extrapolated(
    config: GradcheckConfig, case: Case, entries: _Entries, context: RunContext
) -> Extrapolated:
    """By extrapolation of central differences, with the noise of the value at each point."""
    noises, count, found = _noise(case), len(entries.x), []
    for first in range(0, count, _BLOCK):
        block = entries.part(slice(first, first + _BLOCK))
        h = step_ladder(block.x)
        plus, minus = _changes(config, case, block, h), _changes(config, case, block, -h)
        found.append(extrapolate(h, plus - minus, noises[block.columns], plus + minus))
        if count > _BLOCK:
            context.progress(Work("entries", first + len(block.x), count, case.name))
    return Extrapolated(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _noise(case: Case) -> Floats:
    """The noise of the value at each point, and at least some roundings, which on a plateau do not show."""
    measured = noise.estimate(noise.sampled(case.value, case.points))
    size = np.abs(np.asarray(case.value(case.points.copy()), dtype=np.float64))
    return np.asarray(np.maximum(np.nan_to_num(measured), _FEWEST_ROUNDINGS * EPSILON * np.nan_to_num(size)))


def _changes(config: GradcheckConfig, case: Case, entries: _Entries, h: Floats) -> Floats:
    """f(x + h e_j) − f(x), h `(H, K)`."""
    if case.difference is None:  # the values at the points themselves need no repetition
        here = np.asarray(case.value(case.points.copy()), dtype=np.float64)[entries.columns]
        return np.stack([_values(config, case, entries, step) - here for step in h])
    return np.stack([_each(config, case, entries, step, case.change) for step in h])


def _difference(config: GradcheckConfig, case: Case, entries: _Entries, h: Floats) -> Floats:
    """f(x + h e_j) − f(x − h e_j), h `(K,)`."""
    found = _each(config, case, entries, h, lambda moved, here: case.change(moved, 2 * here - moved))
    return np.asarray(found)


def _values(config: GradcheckConfig, case: Case, entries: _Entries, h: Any) -> Any:
    """f(x + h e_j), h `(K,)`."""
    return _each(config, case, entries, h, lambda moved, here: case.value(moved))


def _each(
    config: GradcheckConfig, case: Case, entries: _Entries, h: Any, function: Callable[[Any, Any], Any]
) -> Any:
    """A function of the moved points x + h e_j and of x, `(d, block)` each, for all entries: `(K,)`."""
    size = max(1, int(config.memory * 2**20 / (64 * len(case.points))))
    found = []
    for first in range(0, len(h), size):
        part = slice(first, first + size)
        here = case.points[:, entries.columns[part]]
        moved = here.astype(np.result_type(here, h))
        moved[entries.coordinates[part], np.arange(moved.shape[1])] += h[part]
        found.append(np.asarray(function(moved, here)))
    return np.concatenate(found)

"""The table and the verdict of `gradcheck`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.checks import ratio
from dnnexp.experiments.gradcheck.sentences import breaks_down, describe, headline, kind, points, share
from dnnexp.experiments.gradcheck.targets import FunctionTarget
from dnnexp.experiments.tables import table
from dnnexp.text import counted

_FAILURES = 10
_SINGLE = {
    "uJv": "adjoint test, ⟨u, J v⟩ against ⟨Jᵀu, v⟩, J = ∂y/∂(θ, x)",
    "uHv": "symmetry of the Hessian, ⟨u, H v⟩ against ⟨H u, v⟩",
    "directional": "∇E·v along random directions, at the best steps of each",
}
"""Titles of the checks that give one number for each random direction."""
_HIDDEN = "below the round-off of differences"
_WIDTH = 80
"""Largest width of a table in characters; pairs that do not fit go into further tables."""


def tables(result: Result) -> list[RenderableType]:
    """The largest relative difference of every tensor and pair, and the verdict."""
    config, metrics = result.config, result.metrics
    allowed = [] if config.tolerances.exact else [Text(metrics["tolerance"], style="dim")]
    facts = [*_single(metrics["checks"]), *_orders(metrics["order"]), *_coverage(config, metrics["coverage"])]
    return [*_errors(config.name, metrics["checks"]), *facts, *verdict(result), *allowed]


def _errors(name: str, checks: Any) -> list[RenderableType]:
    """A table for all tensors that are compared by the same pairs."""
    rows: dict[str, dict[str, Text]] = {}
    for entry in checks:
        if entry["tensor"] not in _SINGLE:
            rows.setdefault(entry["tensor"], {})[entry["pair"]] = _error(entry)
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for tensor, row in rows.items():
        groups.setdefault(tuple(row), {})[tensor] = row.values()
    tables: list[RenderableType] = []
    for pairs, tensors in groups.items():
        for part in _chunks(pairs, max(map(len, tensors))):
            errors = table("tensor", *(pair.replace("-", "\n") for pair in pairs[part]))
            for tensor, row in tensors.items():
                errors.add_row(tensor, *list(row)[part])
            tables.append(errors)
    return [Text(f"{name}: largest difference, relative to the tensor's largest entry", "bold"), *tables]


def _chunks(pairs: tuple[str, ...], head: int) -> Iterator[slice]:
    """Slices of pairs that fit into a table beside a first column of `head` characters."""
    start = max(head, 9) + 5
    first, width = 0, start
    for place, pair in enumerate(pairs):
        column = max(map(len, pair.split("-"))) + 3
        if width + column > _WIDTH and place > first:
            yield slice(first, place)
            first, width = place, start
        width += column
    yield slice(first, len(pairs))


def _single(checks: Any) -> Iterator[RenderableType]:
    """A line for each of the tests along directions of everything, with the errors of the first method."""
    for tensor, title in _SINGLE.items():
        own = [entry for entry in checks if entry["tensor"] == tensor]
        own = [entry for entry in own if entry["pair"].startswith(own[0]["pair"].partition("-")[0])]
        if own:
            errors = [Text.assemble(_error(entry), f" ({entry['pair'].partition('-')[2]})") for entry in own]
            yield Text.assemble(f"{title}: ", Text(", ").join(errors))


def _orders(order: Any) -> Iterator[RenderableType]:
    """The slopes of the error curves in the truncation branch."""
    named = {"central differences": order, "of fourth order": order["central4"]}
    named["Taylor remainder |E(θ + hv) - E(θ) - h∇E·v|"] = order["taylor"]
    shown = [
        f"{name} {fit['observed']:.2f} (theory {fit['expected']:g})"
        for name, fit in named.items()
        if fit["observed"] is not None
    ]
    if shown:
        yield Text(f"order of the error in the step: {', '.join(shown)}")


def _coverage(config: Any, coverage: Any) -> Iterator[RenderableType]:
    """The share that was compared, and the probability that the rest hides an error."""
    chance = f"with probability {coverage['miss_probability']:.2g}"
    if config.directions:
        wrong = f"wrong by {coverage['error']:.0%} of its tensor's largest is missed {chance}"
        along = counted(config.directions, "direction")
        yield Text(f"{along} of each tensor: a single parameter's entry {wrong}")
    elif coverage["compared"] < coverage["entries"]:
        yield Text(f"{share(config, coverage)} compared: a single wrong one is missed {chance}")


def _error(entry: Any) -> Text:
    value = entry["max_rel_error"]
    shown = "–" if not entry["compared"] else "inf/nan" if value is None else f"{value:.1e}"
    return Text(shown, style="" if entry["passed"] else "bold red")


def verdict(result: Result) -> list[RenderableType]:
    """The verdict in one sentence, then the failures with index and both numbers."""
    metrics, main = result.metrics, headline(result.metrics)
    if metrics["passed"]:
        where = f", {at}" if (at := points(metrics["coverage"])) else ""
        sentence = Text(f"correct: all methods agree on every tensor{where}{_tail(metrics)}", style="green")
        warnings = [Text(describe(finding), style="yellow") for finding in metrics["findings"]]
        return [sentence, *_advice(result), *warnings]
    return [
        Text.assemble((f"{metrics['verdict']}{_reason(metrics, main)}", "bold red"), _diagnosis(metrics)),
        *(Text(describe(finding)) for finding in metrics["findings"] if finding != main),
        *([] if breaks_down(main) else _failures(result)),
    ]


def _reason(metrics: Any, main: Any) -> str:
    """The reason of the verdict, with the points and the counts of kinks."""
    if breaks_down(main):
        return f": {describe(main)}"
    reason = f": {metrics['culprit']} alone disagrees with all others" if metrics["culprit"] else ""
    if main is not None:  # the diagnosis has its numbers
        reason = f": {kind(main)}: {main['where']}" if metrics["diagnosis"] else f": {describe(main)}"
    at = points(metrics["coverage"])
    return reason + (f"; checked {at}" if at else "") + _tail(metrics)


def _tail(metrics: Any) -> str:
    """The numbers of entries that kinks and rounding affected."""
    kinks, tail = metrics["kinks"], ""
    if kinks["crossed"]:
        crossed, of = kinks["crossed"], counted(kinks["checked"], "entry", "entries")
        tail = f"; {crossed:,} of {of} crossed a kink, where the derivative jumps"
    if any(kinks["layers"]):
        tail += f" (units that did, by layer: {', '.join(map(str, kinks['layers']))})"
    again = metrics["rechecked"]
    if again and metrics["verdict"] != "wrong":  # against a wrong method all differences are in doubt
        were = "was" if again == 1 else "were"
        tail += f"; {counted(again, 'central difference')} {were} taken again with other steps"
    if out := kinks["excluded"]:
        were = "was" if out == 1 else "were"
        tail += (
            f"; {counted(out, 'entry', 'entries')} {were} left out, where differences are not exact enough"
        )
    hidden = dict.fromkeys(entry["tensor"] for entry in metrics["checks"] if entry["unresolved"])
    if hidden:
        tail += f"; below the round-off of central differences: {', '.join(hidden)}"
    return tail


def _advice(result: Result) -> Iterator[RenderableType]:
    """After a pass at one point only, where the wrong formula may have the right value."""
    target = result.config.target
    if result.metrics["coverage"]["most_points"] != 1:
        return
    how = "raise target.points"
    if isinstance(target, FunctionTarget):
        own = f"{target.function.rpartition('.')[2]}_points"
        how = f"add points to target.points, or define a list {own} in the plugin"
    yield Text(f"a wrong gradient may happen to be right at one point: {how}", style="yellow")


def _diagnosis(metrics: Any) -> str:
    """The line below a verdict that says where to look first, if that is known."""
    diagnosis = metrics["diagnosis"]
    return f"\nlook first at {diagnosis['tensor']}: {diagnosis['evidence']}" if diagnosis else ""


def _failures(result: Result) -> Iterator[RenderableType]:
    """Why each check failed, the first ones."""
    failed = [_failure(result, entry) for entry in result.metrics["checks"] if not entry["passed"]]
    lines = list(dict.fromkeys(failed))
    for line in lines[:_FAILURES]:
        yield Text(f"  {line}")
    if len(lines) > _FAILURES:
        yield Text(f"  and {counted(len(lines) - _FAILURES, 'more check')}")


def _failure(result: Result, entry: Any) -> str:
    if not entry["unresolved"] and ratio(result.config.tolerances, entry) > 1:
        left, right = entry["pair"].split("-")
        worst = entry["worst"]
        a, b = ("not finite" if worst[side] is None else repr(worst[side]) for side in ("left", "right"))
        return f"{entry['tensor']}{worst['index']}: {left} {a}, {right} {b}"
    return f"{_SINGLE.get(entry['tensor'], entry['tensor'])}: {doubt(result, entry)}"


def doubt(result: Result, entry: Any) -> str:
    """Why a check that shows no error did not pass."""
    own = [each["pair"] for each in result.metrics["checks"] if each["tensor"] == entry["tensor"]]
    if entry["unresolved"] and not any("complex" in pair for pair in own):
        reason = "no step gives it accurately enough" if entry["tensor"] in _SINGLE else _HIDDEN
        return f"{reason}{_without_complex(result.config)}"
    reasons = "at kinks, or where rounding leaves no digits"
    count = counted(entry["excluded"], "entry", "entries")
    return f"{count} left out ({reasons}), more than tolerances.excluded"


def _without_complex(config: Any) -> str:
    """Advice on how to enable the complex step, where that is possible."""
    if isinstance(config.target, FunctionTarget):
        return "; if the function takes complex numbers, set target.is_complex=true"
    return "" if "complex" in config.methods else "; add the complex step to the methods"

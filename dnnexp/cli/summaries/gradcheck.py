"""The table and the verdict of `gradcheck`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dnnexp.cli.summaries.tables import table
from dnnexp.experiments.base import Result

_FAILURES = 10
_SINGLE = {
    "uJv": "⟨u, J v⟩ against ⟨Jᵀu, v⟩, J = ∂y/∂(θ, x)",
    "uHv": "⟨u, H v⟩ against ⟨H u, v⟩",
    "directional": "∇E·v along random directions, at the best steps of each",
}
"""The tests that give one number for each random direction."""
_WIDTH = 80
"""Of a table; more pairs than fit go into several."""


def tables(result: Result) -> list[RenderableType]:
    """The largest relative difference of every tensor and pair, and the verdict."""
    config, metrics = result.config, result.metrics
    allowed = [] if config.tolerances.exact else [Text(metrics["tolerance"], style="dim")]
    facts = [*_single(metrics["checks"]), *_orders(metrics["order"]), *_coverage(config, metrics["coverage"])]
    return [*_errors(config.name, metrics["checks"]), *facts, *verdict(metrics), *allowed]


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
    """Which pairs make a table, beside a first column of `head` characters."""
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
    named["Taylor remainder"] = order["taylor"]
    shown = [
        f"{name} {found['observed']:.2f} (theory {found['expected']:g})"
        for name, found in named.items()
        if found["observed"] is not None
    ]
    if shown:
        yield Text(f"slopes against the step: {', '.join(shown)}")


def _coverage(config: Any, coverage: Any) -> Iterator[RenderableType]:
    """What was not compared, and the chance that it hides something."""
    chance = f"with probability {coverage['miss_probability']:.2g}"
    if config.directions:
        wrong = f"wrong by {coverage['error']:.0%} of its tensor's largest is missed {chance}"
        yield Text(f"{config.directions} directions of each tensor: a single parameter's entry {wrong}")
    elif coverage["compared"] < coverage["entries"]:
        share = f"{coverage['compared']:,} of {coverage['entries']:,} entries"
        yield Text(f"{share}: a single wrong one is missed {chance}")


def _error(entry: Any) -> Text:
    value = entry["max_rel_error"]
    shown = "not finite" if value is None else f"{value:.1e}" if entry["compared"] else "–"
    return Text(shown, style="" if entry["passed"] else "bold red")


def verdict(metrics: Any) -> list[RenderableType]:
    """The verdict in one sentence, then the failures with index and both numbers."""
    kinks, tail = metrics["kinks"], ""
    if kinks["crossed"]:
        tail = f"; {kinks['crossed']:,} of {kinks['checked']:,} entries crossed a kink"
    if any(kinks["layers"]):
        tail += f" (units that did, by layer: {', '.join(map(str, kinks['layers']))})"
    if metrics["rechecked"]:
        tail += f"; {metrics['rechecked']:,} central differences were taken again with other steps"
    if kinks["excluded"]:
        tail += f"; {kinks['excluded']:,} entries were left out, where differences are not exact enough"
    hidden = dict.fromkeys(entry["tensor"] for entry in metrics["checks"] if entry["unresolved"])
    if hidden:
        tail += f"; below the round-off of central differences: {', '.join(hidden)}"
    if metrics["passed"]:
        warnings = [Text(_finding(finding), style="yellow") for finding in metrics["findings"]]
        return [Text(f"correct: all methods agree on every tensor{tail}", style="green"), *warnings]
    accused = f": {metrics['culprit']} alone disagrees with all others" if metrics["culprit"] else ""
    lines: list[RenderableType] = [Text(f"{metrics['verdict']}{accused}{tail}", style="bold red")]
    if metrics["diagnosis"]:
        where, evidence = metrics["diagnosis"]["tensor"], metrics["diagnosis"]["evidence"]
        lines.append(Text(f"look first at {where}: {evidence}"))
    lines += [Text(_finding(finding)) for finding in metrics["findings"]]
    failed = [_failure(entry, metrics["verdict"]) for entry in metrics["checks"] if not entry["passed"]]
    told = list(dict.fromkeys(failed))
    lines += [Text(f"  {line}") for line in told[:_FAILURES]]
    if len(told) > _FAILURES:
        lines.append(Text(f"  and {len(told) - _FAILURES} more checks"))
    return lines


def _finding(finding: Any) -> str:
    return f"{finding['kind'].replace('_', ' ')}: {finding['where']}: {finding['evidence']}"


def _failure(entry: Any, verdict: str) -> str:
    if verdict == "inconclusive" and entry["unresolved"] and entry["tensor"] in _SINGLE:
        return (
            f"{_SINGLE[entry['tensor']]}: no step gives it well enough; add the complex step to the methods"
        )
    if verdict == "inconclusive" and entry["unresolved"]:
        return f"{entry['tensor']}: below the round-off of differences; add the complex step to the methods"
    if verdict == "inconclusive":
        return (
            f"{entry['tensor']}: {entry['excluded']:,} entries left out (at kinks, or where rounding leaves "
            "nothing), more than tolerances.excluded"
        )
    left, right = entry["pair"].split("-")
    worst = entry["worst"]
    a, b = ("not finite" if worst[side] is None else repr(worst[side]) for side in ("left", "right"))
    return f"{entry['tensor']}{worst['index']}: {left} {a}, {right} {b}"

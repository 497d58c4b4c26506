"""The table and the verdict of `gradcheck`."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dnnexp.cli.summaries.tables import Titled, table
from dnnexp.experiments.base import Result

_FAILURES = 10


def tables(result: Result) -> list[RenderableType]:
    """The largest relative difference of every tensor and pair, and the verdict."""
    config, metrics = result.config, result.metrics
    pairs = [f"{left}-{right}" for left, right in config.pairs]
    found = {(entry["tensor"], entry["pair"]): entry for entry in metrics["checks"]}
    title = f"{config.name}: largest difference, relative to the tensor's largest entry"
    errors = table("tensor", *(pair.replace("-", "\n") for pair in pairs))
    for tensor in config.tensors:
        errors.add_row(tensor, *(_error(found[tensor, pair]) for pair in pairs))
    allowed = [] if config.tolerances.exact else [Text(metrics["tolerance"], style="dim")]
    return [Titled(title, [errors]), *verdict(metrics), *allowed]


def _error(entry: Any) -> Text:
    value = entry["max_rel_error"]
    shown = "not finite" if value is None else f"{value:.1e}"
    return Text(shown, style="" if entry["passed"] else "bold red")


def verdict(metrics: Any) -> list[RenderableType]:
    """The verdict in one sentence, then the failures with index and both numbers."""
    kinks, tail = metrics["kinks"], ""
    if kinks["crossed"]:
        tail = f"; {kinks['crossed']:,} of {kinks['checked']:,} entries crossed a kink"
    if metrics["rechecked"]:
        tail += f"; {metrics['rechecked']:,} central differences were taken again with other steps"
    if kinks["excluded"]:
        tail += f"; {kinks['excluded']:,} entries were left out of central"
    hidden = dict.fromkeys(entry["tensor"] for entry in metrics["checks"] if entry["unresolved"])
    if hidden:
        tail += f"; below the round-off of central differences: {', '.join(hidden)}"
    if metrics["passed"]:
        return [Text(f"correct: all methods agree on every tensor{tail}", style="green")]
    accused = f": {metrics['culprit']} alone disagrees with all others" if metrics["culprit"] else ""
    lines: list[RenderableType] = [Text(f"{metrics['verdict']}{accused}{tail}", style="bold red")]
    if metrics["diagnosis"]:
        where, evidence = metrics["diagnosis"]["tensor"], metrics["diagnosis"]["evidence"]
        lines.append(Text(f"look first at {where}: {evidence}"))
    failed = [entry for entry in metrics["checks"] if not entry["passed"]]
    lines += [Text(f"  {_failure(entry, metrics['verdict'])}") for entry in failed[:_FAILURES]]
    if len(failed) > _FAILURES:
        lines.append(Text(f"  and {len(failed) - _FAILURES} more checks"))
    return lines


def _failure(entry: Any, verdict: str) -> str:
    if verdict == "inconclusive" and entry["unresolved"]:
        return f"{entry['tensor']}, {entry['pair']}: below round-off; add the complex step to the methods"
    if verdict == "inconclusive":
        return (
            f"{entry['tensor']}, {entry['pair']}: {entry['excluded']:,} entries left out, "
            "more than tolerances.excluded"
        )
    left, right = entry["pair"].split("-")
    worst = entry["worst"]
    return f"{entry['tensor']}{worst['index']}: {left} {worst['left']!r}, {right} {worst['right']!r}"

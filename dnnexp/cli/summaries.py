"""Summaries: what a run found, as tables for a terminal of 80 columns."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.experiments.base import Result

_LAYERS = 5
_FAILURES = 10
_STYLES = {"holds": "green", "fails": "red", "not_evaluable": "yellow", "skipped": "dim"}


def summary(experiment: str, result: Result, outcomes: list[dict[str, str]]) -> RenderableType:
    """The tables of a result, then the expectations with their outcomes."""
    tables: dict[str, Callable[[Result], list[RenderableType]]] = {
        "optimize": _optimize,
        "activations": _activations,
        "gradcheck": _gradcheck,
    }
    return Group(*tables[experiment](result), *_expectations(outcomes))


def refusal(result: Result, unmet: list[dict[str, str]]) -> RenderableType:
    """Why the exit code is 1: the verdict on the gradients where it is no, and the unmet expectations."""
    verdict = [] if result.passed else _verdict(result.metrics)
    return Group(*verdict, *_expectations(unmet))


def text(experiment: str, result: Result, outcomes: list[dict[str, str]]) -> str:
    """The summary as plain text."""
    stream = io.StringIO()
    Console(file=stream, width=100, color_system=None).print(summary(experiment, result, outcomes))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    table.add_column(columns[0], overflow="fold", min_width=8)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _optimize(result: Result) -> list[RenderableType]:
    config, metrics = result.config, result.metrics
    targets = [repr(target) for target in sorted(config.targets, reverse=True)]
    starts = _count(config.starts.count, "start")
    title = f"{config.name}: {config.objective.name}, {starts}, {config.steps:,} steps"
    heads = [f"≤ {float(target):g}" for target in targets]
    diverged = any(found["diverged"] for found in metrics["optimizers"].values())
    columns = ["median\nfinal f", "best\nfinal f", *["diverged"] * diverged]
    table = _table(title, "optimizer", *heads, *columns)
    for label in metrics["ranking"]:
        found = metrics["optimizers"][label]
        table.add_row(
            label,
            *(_reached(found, target) for target in targets),
            _number(found["final_value"]["median"]),
            _number(found["best"]["value"]),
            *[str(found["diverged"])] * diverged,
        )
    notes = (
        f"ranked by the expected running time to {min(config.targets):g}",
        "≤ target: starts that ever reached it, and their gradients (median)",
    )
    return [table, *(Text(note, style="dim") for note in notes)]


def _reached(found: Any, target: str) -> str:
    entry = found["targets"][target]
    if not entry["reached"]:
        return "–"
    return f"{entry['reached']}/{found['runs']}\n{entry['evaluations']['median']:,.0f}"


def _activations(result: Result) -> list[RenderableType]:
    config = result.config
    depth = len(config.network.layers) - 1
    shown = np.unique(np.linspace(0, depth - 1, min(depth, _LAYERS)).round().astype(int))
    title = f"{config.name}: standard deviation of the outputs, {config.input.samples} samples"
    table = _table(title, "case", *(f"layer {level + 1}" for level in shown))
    for case, found in result.metrics["cases"].items():
        table.add_row(case, *(_layer(found["layers"][level]) for level in shown))
    note = "sat: saturated; 0: exactly 0; dead: units that are 0 for every sample"
    return [table, Text(note, style="dim")]


def _layer(layer: Any) -> str:
    post = layer["post"]
    if post["min"] is not None and post["min"] == post["max"]:
        return f"all {_number(post['mean'])}"
    shares = {
        "sat": layer["saturated_fraction"],
        "0": layer["zero_fraction"],
        "dead": layer["dead_fraction"],
    }
    notes = [f"{share:.0%} {name}" for name, share in shares.items() if share]
    return "\n".join([_number(post["std"]), *notes])


def _gradcheck(result: Result) -> list[RenderableType]:
    config, metrics = result.config, result.metrics
    pairs = [f"{left}-{right}" for left, right in config.pairs]
    found = {(entry["tensor"], entry["pair"]): entry for entry in metrics["checks"]}
    table = _table(
        f"{config.name}: largest difference, relative to the tensor's largest entry",
        "tensor",
        *(pair.replace("-", "\n") for pair in pairs),
    )
    for tensor in config.tensors:
        table.add_row(tensor, *(_error(found[tensor, pair]) for pair in pairs))
    return [table, *_verdict(metrics)]


def _error(entry: Any) -> Text:
    value = entry["max_rel_error"]
    shown = "not finite" if value is None else f"{value:.1e}"
    return Text(shown, style="" if entry["passed"] else "bold red")


def _verdict(metrics: Any) -> list[RenderableType]:
    """The verdict in one sentence, then the failures with index and both numbers."""
    kinks, tail = metrics["kinks"], ""
    if kinks["excluded"]:
        tail = f"; {kinks['excluded']:,} of {kinks['checked']:,} entries crossed a kink and were left out of "
        tail += "central"
    hidden = dict.fromkeys(entry["tensor"] for entry in metrics["checks"] if entry["unresolved"])
    if hidden:
        tail += f"; below the round-off of central differences: {', '.join(hidden)}"
    if metrics["passed"]:
        return [Text(f"correct: all methods agree on every tensor{tail}", style="green")]
    lines: list[RenderableType] = [Text(f"{metrics['verdict']}{tail}", style="bold red")]
    failed = [entry for entry in metrics["checks"] if not entry["passed"]]
    lines += [Text(f"  {_failure(entry, metrics['verdict'])}") for entry in failed[:_FAILURES]]
    if len(failed) > _FAILURES:
        lines.append(Text(f"  and {len(failed) - _FAILURES} more checks"))
    if metrics["diagnosis"]:
        lines.append(
            Text(f"look first at {metrics['diagnosis']['tensor']}: {metrics['diagnosis']['evidence']}")
        )
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


def _expectations(outcomes: list[dict[str, str]]) -> list[RenderableType]:
    if not outcomes:
        return []
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for entry in outcomes:
        style = _STYLES[entry["outcome"]]
        detail = Text(entry["detail"], style="dim")
        if entry["outcome"] == "holds":
            detail.no_wrap, detail.overflow = True, "ellipsis"
        word = Text(entry["outcome"].replace("_", " "), style=style)
        table.add_row(word, Group(Text(entry["claim"]), detail))
    return [Text(""), Text("expectations", style="bold"), table]

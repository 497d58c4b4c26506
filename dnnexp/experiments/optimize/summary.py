"""The tables of `optimize`: the results of each optimizer, or of a suite."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.summary_notes import forms, objective_notes, suite_notes
from dnnexp.experiments.tables import Titled, table
from dnnexp.text import counted, number


def tables(result: Result) -> list[RenderableType]:
    """One table for an objective; for a suite one of the optimizers and one of the objectives."""
    if result.config.objectives:
        found, notes = _suite(result), suite_notes(result)
    else:
        found, notes = [_of_objective(result)], objective_notes(result)
    told = [Text(line, style="yellow" if line.startswith("warning") else "dim") for line in notes]
    return [*found, *told]


def _title(result: Result, what: str) -> str:
    config = result.config
    return f"{config.name}: {what}, {counted(config.starts.count, 'start')}, {config.steps:,} steps"


def _of_objective(result: Result) -> RenderableType:
    """A row for every optimizer, best first; a tuned one has a second row for its untuned form.

    On a narrow terminal the best value is left out, then targets, the largest first.
    """
    config, metrics = result.config, result.metrics
    targets = [repr(target) for target in sorted(config.targets, reverse=True)]
    minimum = metrics["minimum"]
    rows = [
        {"optimizer": label if form is found else "  untuned"} | _cells(form, targets, minimum)
        for label, found in ((label, metrics["optimizers"][label]) for label in metrics["ranking"])
        for form in forms(found)
    ]
    heads = [head for head in rows[0] if head != "diverged" or any(row[head] != "0" for row in rows)]
    dropped = [head for head in heads if head.startswith("best")] + heads[1 : len(targets)]
    variants = [
        _table([head for head in heads if head not in dropped[:few]], rows) for few in range(len(dropped) + 1)
    ]
    (entry,) = config.suite
    return Titled(_title(result, entry.item.name), variants)


def _table(heads: list[str], rows: list[dict[str, str]]) -> Table:
    made = table(*heads)
    for row in rows:
        made.add_row(*(row[head] for head in heads), style="dim" if row["optimizer"][0] == " " else "")
    return made


def _cells(form: Any, targets: list[str], minimum: float | None) -> dict[str, str]:
    """The cells of an optimizer, by the heads of the columns."""
    what = "f" if minimum is None else "f − f*"
    values = {
        f"median\nfinal {what}": _median(form["final_value"], minimum or 0.0),
        f"best\nfinal {what}": _above(form["best"]["value"], minimum or 0.0),
    }
    reached = {f"≤ {float(target):g}": _reached(form, target) for target in targets}
    return reached | (_learning(form) or values) | {"diverged": str(form["diverged"])}


def _above(value: float | None, minimum: float) -> str:
    return number(None if value is None else value - minimum)


def _median(final_value: Any, minimum: float) -> str:
    """The median and, for several starts, its bootstrap interval; a dash for an infinite end."""
    ends = final_value["median_ci"] or []
    interval = "…".join("–" if end is None else f"{end - minimum:.2g}" for end in ends)
    return f"{_above(final_value['median'], minimum)}\n{interval}"


def _learning(form: Any) -> dict[str, str]:
    """The loss and accuracy of an objective with data, by the heads of their columns."""
    return {
        f"{part.replace('validation', 'valid.')}\n{what.replace('accuracy', 'right')}": (
            f"{value:.1%}" if what == "accuracy" and value is not None else number(value)
        )
        for part in ("train", "validation")
        for what, value in form.get(part, {}).items()
    }


def _reached(form: Any, target: str) -> str:
    """The number of runs that reached the target, their gradients, and how many hold it at the end."""
    entry = form["targets"][target]
    if not entry["reached"]:
        return "–"
    held = "" if entry["held"] == entry["reached"] else f"\n{entry['held']} held"
    return f"{entry['reached']}/{form['runs']}\n{entry['evaluations']['median']:,.0f}{held}"


def _suite(result: Result) -> list[RenderableType]:
    """The optimizers by the area under their ECDF, then the objectives with the best optimizer of each."""
    metrics, config = result.metrics, result.config
    objectives = metrics["objectives"]
    firsts = [found["ranking"][0] for found in objectives.values()]
    made = table("optimizer", "ECDF area", "first on")
    for label in metrics["ranking"]:
        made.add_row(label, f"{metrics['ecdf'][label]:.3f}", str(firsts.count(label)))
    smallest = min(config.targets)
    each = table("objective", "first", f"starts to\n{smallest:g}", "diverged", "median\nfinal f − f*")
    for label, found in objectives.items():
        best = found["optimizers"][found["ranking"][0]]
        entry = best["targets"][repr(smallest)]
        held = "" if entry["held"] == entry["reached"] else f"\n{entry['held']} held"
        median = _above(best["final_value"]["median"], found["minimum"] or 0.0)
        reached = f"{entry['reached']}/{best['runs']}{held}"
        each.add_row(label, found["ranking"][0], reached, str(best["diverged"]), median)
    title = _title(result, counted(len(objectives), "objective"))
    return [Titled(title, [made]), Titled("the first on each objective", [each])]

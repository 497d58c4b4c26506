"""The tables of `optimize`: what each optimizer reached, what tuning found, theory beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dnnexp.cli.summaries.tables import count, number, table
from dnnexp.experiments.base import Result


def tables(result: Result) -> list[RenderableType]:
    """One table for an objective; for a suite one of the optimizers and one of the objectives."""
    if result.config.objectives:
        return [*_suite(result), *_notes(_suite_notes(result))]
    (entry,) = result.config.suite
    found = _of_objective(result, entry.item.name, result.metrics)
    return [found, *_notes(_objective_notes(result))]


def _notes(lines: Iterator[str]) -> list[RenderableType]:
    return [Text(line, style="yellow" if line.startswith("warning") else "dim") for line in lines]


def _title(result: Result, what: str) -> str:
    config = result.config
    return f"{config.name}: {what}, {count(config.starts.count, 'start')}, {config.steps:,} steps"


def _of_objective(result: Result, name: str, metrics: Any) -> RenderableType:
    """A row for every optimizer, best first; where tuned, another for its untuned form."""
    config = result.config
    targets = [repr(target) for target in sorted(config.targets, reverse=True)]
    forms = [form for found in metrics["optimizers"].values() for form in _forms(found)]
    columns = [f"≤ {float(target):g}" for target in targets]
    columns += [head for head, _ in (_learning(forms[0]) if forms else [])] or [
        "median\nfinal f",
        "best\nfinal f",
    ]
    diverged = any(form["diverged"] for form in forms)
    made = table(_title(result, name), "optimizer", *columns, *["diverged"] * diverged)
    for label in metrics["ranking"]:
        found = metrics["optimizers"][label]
        for form in _forms(found):
            ends = [value for _, value in _learning(form)]
            ends = ends or [_median(form["final_value"]), number(form["best"]["value"])]
            is_untuned = form is found.get("untuned")
            made.add_row(
                "  untuned" if is_untuned else label,
                *(_reached(form, target) for target in targets),
                *ends,
                *[str(form["diverged"])] * diverged,
                style="dim" if is_untuned else "",
            )
    return made


def _median(final_value: Any) -> str:
    """The median and, of several starts, its bootstrap interval; a dash for an end that is infinite."""
    ends = final_value["median_ci"] or []
    interval = "…".join("–" if end is None else f"{end:.2g}" for end in ends)
    return f"{number(final_value['median'])}\n{interval}"


def _forms(found: Any) -> list[Any]:
    """The metrics of an optimizer, and of its untuned form where it was tuned."""
    return [found, found["untuned"]] if "untuned" in found else [found]


def _learning(form: Any) -> list[tuple[str, str]]:
    """Heads and values of the loss and accuracy that an objective on data has."""
    parts = [part for part in ("train", "validation") if part in form]
    found = [(part, what, form[part][what]) for part in parts for what in form[part]]
    return [
        (
            f"{part.replace('validation', 'valid.')}\n{what.replace('accuracy', 'right')}",
            f"{value:.1%}" if what == "accuracy" and value is not None else number(value),
        )
        for part, what, value in found
    ]


def _reached(found: Any, target: str) -> str:
    entry = found["targets"][target]
    if not entry["reached"]:
        return "–"
    return f"{entry['reached']}/{found['runs']}\n{entry['evaluations']['median']:,.0f}"


def _objective_notes(result: Result) -> Iterator[str]:
    config, metrics = result.config, result.metrics
    yield f"ranked by the expected running time to {min(config.targets):g}"
    yield "≤ target: starts that ever reached it, and their gradients (median)"
    if config.starts.count > 1 and not config.suite[0].item.measures:
        yield "below the median: its 95 % interval (bootstrap over the starts)"
    yield from _conditions(config)
    yield from _tuned(metrics["optimizers"])
    yield from _edges([metrics])
    for label, found in metrics["optimizers"].items():
        yield from _theory(label, found["theory"])


def _theory(label: str, theory: Any) -> Iterator[str]:
    """What was predicted, beside what was measured."""
    if theory["fitted_rate"] is not None:
        rates = f"{theory['predicted_rate']:.6g} predicted, {theory['fitted_rate']:.6g} fitted"
        gap = "" if theory["gap"] is None else f", {theory['gap']:.2%} off"
        yield f"rate of {label}: {rates}{gap}{' (not asymptotic yet)' * bool(theory['note'])}"
    if theory["measured_mean"] is not None:
        error = "" if theory["standard_error"] is None else f" ± {theory['standard_error']:.2g}"
        means = f"{theory['predicted_mean']:.3g} predicted, {theory['measured_mean']:.3g}{error} measured"
        yield f"final mean of {label}: {means}"


def _conditions(config: Any) -> Iterator[str]:
    """What is done to the gradients: noise and clipping, which are never left unsaid."""
    if config.noise.std:
        yield f"noise of standard deviation {config.noise.std:g} on every gradient, the same for all"
    for entry in config.optimizers:
        if entry.item.clips:
            limits = {"norm": entry.item.clip_norm, "value": entry.item.clip_value}
            told = (f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
            yield f"clipped: {entry.label}, at {' and '.join(told)}"


def _tuned(optimizers: Any) -> Iterator[str]:
    """What tuning chose, a line for each hyperparameter."""
    chosen: dict[str, list[str]] = {}
    for label, found in optimizers.items():
        for name, value in found.get("tuning", {"best": {}})["best"].items():
            chosen.setdefault(name, []).append(f"{label} {value:.3g}")
    for name, values in chosen.items():
        yield f"tuned {name}: {', '.join(values)}"


def _edges(objectives: list[Any]) -> Iterator[str]:
    """For which optimizers tuning found no optimum inside its space; in a suite, on how many objectives."""
    labels = Counter(
        label
        for found in objectives
        for label, optimizer in found["optimizers"].items()
        if optimizer.get("tuning", {}).get("at_edge")
    )
    if labels:
        told = (f"{label} ({number})" if len(objectives) > 1 else label for label, number in labels.items())
        where = f" (on so many of {len(objectives)} objectives)" if len(objectives) > 1 else ""
        yield f"warning: best trial at an edge of the tuning space{where}: {', '.join(told)}"


def _suite(result: Result) -> list[RenderableType]:
    """The optimizers by the area under their ECDF, then the objectives with the best optimizer of each."""
    metrics, config = result.metrics, result.config
    objectives = metrics["objectives"]
    firsts = [found["ranking"][0] for found in objectives.values()]
    made = table(_title(result, count(len(objectives), "objective")), "optimizer", "ECDF area", "first on")
    for label in metrics["ranking"]:
        made.add_row(label, f"{metrics['ecdf'][label]:.3f}", str(firsts.count(label)))
    smallest = repr(min(config.targets))
    columns = ("objective", "first", f"starts to\n{min(config.targets):g}", "median\nfinal f")
    each = table("by objective", *columns)
    for label, found in objectives.items():
        best = found["optimizers"][found["ranking"][0]]
        reached = f"{best['targets'][smallest]['reached']}/{best['runs']}"
        each.add_row(label, found["ranking"][0], reached, number(best["final_value"]["median"]))
    return [made, each]


def _suite_notes(result: Result) -> Iterator[str]:
    yield "ECDF area: share of (objective, start, target) reached, over log evaluations"
    yield from _conditions(result.config)
    yield from _edges(list(result.metrics["objectives"].values()))

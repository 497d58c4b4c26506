"""The notes below the tables of `optimize`: how to read them, theory beside measurement, warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from dnnexp.experiments.base import Result
from dnnexp.experiments.optimize.metrics import rank_key


def forms(found: Any) -> list[Any]:
    """The metrics of an optimizer, and of its untuned form where it was tuned."""
    return [found, found["untuned"]] if "untuned" in found else [found]


def objective_notes(result: Result) -> Iterator[str]:
    """The notes of a single objective."""
    config, metrics = result.config, result.metrics
    yield (
        f"ranked by the expected running time to {min(config.targets):g}:"
        " gradients spent by all starts / starts that reached it"
    )
    yield "≤ target: starts that reached it, and the median number of gradients they took"
    every = [form for found in metrics["optimizers"].values() for form in forms(found)]
    if any(target["held"] < target["reached"] for form in every for target in form["targets"].values()):
        yield "held: starts that are still at the target at the end (all, if not shown)"
    if config.starts.count > 1 and not config.suite[0].item.measures:
        yield "below the median: its 95 % interval (bootstrap over the starts)"
    if metrics["minimum"] is None:
        yield "no minimum is known: targets refer to the value itself"
    yield from _conditions(config)
    yield from _tuned(metrics["optimizers"])
    yield from _warnings(result, [metrics])
    for label, found in metrics["optimizers"].items():
        yield from _theory(label, found["theory"])


def suite_notes(result: Result) -> Iterator[str]:
    """The notes of a suite."""
    yield "ECDF area: share of (objective, start, target) reached, over log evaluations; 1 is best"
    yield "held: starts that are still at the target at the end (all, if not shown)"
    yield from _conditions(result.config)
    yield from _warnings(result, list(result.metrics["objectives"].values()))


def _theory(label: str, theory: Any) -> Iterator[str]:
    """Predictions beside measurements."""
    if theory["fitted_rate"] is not None:
        rates = f"{theory['predicted_rate']:.6g} predicted, {theory['fitted_rate']:.6g} fitted"
        gap = "" if theory["gap"] is None else f", {theory['gap']:.2%} off"
        yield f"rate of {label}: {rates}{' (not asymptotic yet)' if theory['note'] else gap}"
    if theory["measured_mean"] is not None:
        error = "" if theory["standard_error"] is None else f" ± {theory['standard_error']:.2g}"
        means = f"{theory['predicted_mean']:.3g} predicted, {theory['measured_mean']:.3g}{error} measured"
        yield f"final mean of {label}: {means}"


def _conditions(config: Any) -> Iterator[str]:
    """Noise, clipping and warm-up, which change the gradients and the rates."""
    if config.noise.std:
        yield f"noise of standard deviation {config.noise.std:g} on every gradient, the same for all"
    for entry in config.optimizers:
        if entry.item.clips:
            limits = {"norm": entry.item.clip_norm, "value": entry.item.clip_value}
            told = (f"{name} {limit:g}" for name, limit in limits.items() if limit is not None)
            yield f"clipped: {entry.label}, at {' and '.join(told)}"
        if entry.item.schedule.warmup >= config.steps > 0:
            warmup = f"{entry.item.schedule.warmup:,} steps of {config.steps:,}"
            yield f"warning: {entry.label} never leaves its warm-up of {warmup}"


def _tuned(optimizers: Any) -> Iterator[str]:
    """The tuned values, one line for each hyperparameter."""
    chosen: dict[str, list[str]] = {}
    for label, found in optimizers.items():
        for name, value in found.get("tuning", {"best": {}})["best"].items():
            chosen.setdefault(name, []).append(f"{label} {value:.3g}")
    for name, values in chosen.items():
        yield f"tuned {name}: {', '.join(values)}"


def _warnings(result: Result, objectives: list[Any]) -> Iterator[str]:
    """Reasons to distrust the comparison; in a suite, with the number of objectives."""
    targets = result.config.targets

    def is_lost(found: Any) -> bool:
        starts = result.config.tune.starts
        return all(trial["diverged"] == starts for trial in found["tuning"]["trials"])

    def is_worse(found: Any) -> bool:
        return rank_key(found["untuned"], targets) < rank_key(found, targets)

    tuned = [{k: v for k, v in found["optimizers"].items() if "tuning" in v} for found in objectives]
    yield from _warn("every trial diverged from every start", tuned, is_lost)
    yield from _warn(
        "best trial at an edge of the tuning space",
        tuned,
        lambda found: found["tuning"]["at_edge"] and not is_lost(found),
    )
    yield from _warn("the untuned optimizer is better than the tuned one from these starts", tuned, is_worse)
    for found in objectives:
        values = [form["best"]["value"] for one in found["optimizers"].values() for form in forms(one)]
        least, minimum = min((v for v in values if v is not None), default=None), found["minimum"]
        if None not in (least, minimum) and least < minimum - 1e-9 * max(1.0, abs(minimum)):
            yield f"warning: a run reached {least:.6g}, below the stated minimum {minimum:.6g}"


def _warn(what: str, objectives: list[dict[str, Any]], holds: Callable[[Any], bool]) -> Iterator[str]:
    labels = Counter(label for found in objectives for label, one in found.items() if holds(one))
    if labels:
        told = (f"{label} ({number})" if len(objectives) > 1 else label for label, number in labels.items())
        where = f" (number of the {len(objectives)} objectives)" if len(objectives) > 1 else ""
        yield f"warning: {what}{where}: {', '.join(told)}"

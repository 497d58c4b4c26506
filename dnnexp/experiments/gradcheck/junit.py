"""The checks and findings of a run as test cases of a JUnit report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dnnexp.experiments.base import Result
from dnnexp.experiments.experiment import JUnitCase
from dnnexp.experiments.gradcheck.checks import limit, ratio
from dnnexp.experiments.gradcheck.config import Tolerances
from dnnexp.experiments.gradcheck.sentences import kind
from dnnexp.experiments.gradcheck.summary import doubt


def cases(result: Result) -> Iterator[JUnitCase]:
    """A case for every tensor and pair of methods, then one for every finding."""
    for entry in result.metrics["checks"]:
        yield _check(result, entry)
    for finding in result.metrics["findings"]:
        name, evidence = f"{kind(finding)}: {finding['where']}", finding["evidence"]
        if result.metrics["passed"]:
            yield JUnitCase(name, "skipped", f"warning: {evidence}")
        else:
            yield JUnitCase(name, "failed", evidence, evidence, finding["kind"])


def _check(result: Result, entry: Any) -> JUnitCase:
    """The case of a tensor and a pair; the pair may disagree on another tensor only."""
    name = f"{entry['tensor']} {entry['pair']}"
    if entry["passed"]:
        return JUnitCase(name)
    tolerances, metrics = result.config.tolerances, result.metrics
    is_wrong = not entry["unresolved"] and ratio(tolerances, entry) > 1
    numbers = _numbers(tolerances, entry)
    message = numbers if is_wrong else doubt(result, entry)
    details = "\n".join(dict.fromkeys([message, numbers, *_diagnosis(metrics["diagnosis"])]))
    verdict = "wrong" if is_wrong and metrics["verdict"] == "wrong" else "inconclusive"
    return JUnitCase(name, "failed", message, details, verdict)


def _numbers(tolerances: Tolerances, entry: Any) -> str:
    """`W1[0, 2]: backward 0.5, central 0.25, relative error 5.0e-01, allowed 1e-06`."""
    (left, right), worst = entry["pair"].split("-"), entry["worst"]
    sides = f"{left} {_number(worst['left'])}, {right} {_number(worst['right'])}"
    error = entry["max_rel_error"]
    relative = "not finite" if error is None else f"{error:.1e}"
    relative = relative if entry["compared"] else "of nothing"
    place, allowed = f"{entry['tensor']}{worst['index']}", _allowed(tolerances, entry)
    return f"{place}: {sides}, relative error {relative}{allowed}"


def _allowed(tolerances: Tolerances, entry: Any) -> str:
    """The tolerance of the pair; where only the entry's own bound is exceeded, the error over that."""
    allowed, error = limit(tolerances, entry["pair"].split("-")), entry["max_rel_error"]
    is_within = allowed is not None and error is not None and error <= allowed
    if allowed is not None and not (is_within and ratio(tolerances, entry) > 1):
        return f", allowed {allowed:g}"
    times = entry["bound_ratio"]
    return "" if times is None else f", {times:.1e} times what its entry is allowed"


def _number(value: float | None) -> str:
    return "not finite" if value is None else repr(value)


def _diagnosis(diagnosis: Any) -> list[str]:
    if diagnosis is None:
        return []
    lines = [f"look first at {diagnosis['tensor']}: {diagnosis['evidence']}"]
    known = [key for key in ("layer", "fault") if diagnosis[key] is not None]
    return [*lines, *(f"{key}: {diagnosis[key]}" for key in known)]

"""Expectations: checked against the outline before a run, decided by the metrics after it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dnnexp import expression
from dnnexp.experiments.base import Expectation


def complaint(check: str, outline: Any = None) -> str | None:
    """What is wrong with a check: its grammar or, with an outline, a path that cannot exist."""
    try:
        parsed = expression.parse(check)
        if outline is not None:
            parsed.check(outline)
    except expression.ExpressionError as error:
        return str(error)
    return None


def judge(expectations: Iterable[Expectation], metrics: Any, skip: bool) -> list[dict[str, str]]:
    """The outcome of every expectation, as it stands in `metrics.json`."""
    return [{"claim": e.claim, "check": e.check} | _outcome(e.check, metrics, skip) for e in expectations]


def _outcome(check: str, metrics: Any, skip: bool) -> dict[str, str]:
    if skip:
        return {"outcome": "skipped", "detail": "a smoke run is too small to decide it"}
    found = expression.parse(check).evaluate(metrics)
    names = {True: "holds", False: "fails", None: "not_evaluable"}
    return {"outcome": names[found.value], "detail": found.detail}

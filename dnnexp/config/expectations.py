"""Expressions over metrics: checked against the outline before a run, evaluated after it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from dnnexp import expression
from dnnexp.experiments.base import Expectation


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> expression.Expression:
    """The expression in a text; cached, as parsing takes longer than evaluating.

    Raises:
        ExpressionError: the text is not an expression.
    """
    return expression.parse(text)


def check_problem(text: str, outline: Any = None) -> str | None:
    """The problem of a check: of its grammar or, with an outline, a path that cannot exist."""
    try:
        check = parsed(text)
        if outline is not None:
            check.check(outline)
    except expression.ExpressionError as error:
        return str(error)
    return None


def judge(expectations: Iterable[Expectation], metrics: Any, skip: bool) -> list[dict[str, str]]:
    """The outcome of every expectation, as in `metrics.json`."""
    return [{"claim": e.claim, "check": e.check} | _outcome(e.check, metrics, skip) for e in expectations]


def _outcome(check: str, metrics: Any, skip: bool) -> dict[str, str]:
    if skip:
        return {"outcome": "skipped", "detail": "a smoke run is too small to decide it"}
    result = parsed(check).evaluate(metrics)
    names = {True: "holds", False: "fails", None: "not_evaluable"}
    return {"outcome": names[result.value], "detail": result.detail}

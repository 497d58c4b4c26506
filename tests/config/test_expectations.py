"""Expectations: problems before a run, outcomes after it."""

import pytest

from dnnexp.config.expectations import check_problem, judge
from dnnexp.experiments.base import Expectation

OUTLINE = {"loss": float, "ranking": [str]}


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("loss < 1", None),
        ("loss <", "`loss <` is not an expression"),
        ("lost < 1", "`lost` does not exist; did you mean `loss`?"),
    ],
)
def test_a_check_has_a_problem_of_grammar_or_of_a_path(check: str, problem: str | None) -> None:
    message = check_problem(check, OUTLINE)
    assert message == problem or (message is not None and problem is not None and message.startswith(problem))


def test_a_path_is_a_problem_only_under_an_outline() -> None:
    assert check_problem("lost < 1") is None
    assert check_problem("lost <") is not None


@pytest.mark.parametrize(
    ("loss", "skip", "outcome"),
    [(0.5, False, "holds"), (2.0, False, "fails"), (None, False, "not_evaluable"), (0.5, True, "skipped")],
)
def test_every_outcome(loss: float | None, skip: bool, outcome: str) -> None:
    (entry,) = judge([Expectation("it is small", "loss < 1")], {"loss": loss}, skip)
    assert (entry["claim"], entry["check"], entry["outcome"]) == ("it is small", "loss < 1", outcome)
    assert entry["detail"]

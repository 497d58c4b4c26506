"""The cases of a gradient check in the JUnit report: what is told of checks and findings."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from dnnexp.cli.execute import RunOutcome
from dnnexp.cli.junit import report
from dnnexp.core.activations.sigmoidal import Tanh
from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig

CONFIG = GradcheckConfig(network=CheckedNetwork(layers=(3, 2), activation=Tanh()))
FINDING = {"kind": "non_deterministic", "where": "mine.f", "evidence": "two calls differ"}


@pytest.mark.parametrize(("passed", "tag"), [(False, "failure"), (True, "skipped")])
def test_a_finding_fails_unless_the_run_passed(passed: bool, tag: str) -> None:
    found = {"passed": passed, "checks": [], "agreement": {}, "diagnosis": None, "findings": [FINDING]}
    found["verdict"] = "correct" if passed else "inconclusive"
    result = Result(CONFIG, found, passed=passed)
    outcome = RunOutcome(0 if passed else 1, result)
    (suite,) = report("gradcheck", [], [("x", outcome)], strict=False)
    (shown,) = suite.iterfind("testcase[@name='non deterministic: mine.f']/*")
    assert shown.tag == tag
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == (("0", "1") if passed else ("1", "0"))
    assert shown.attrib["message"].endswith("two calls differ")
    assert shown.get("type") == (None if passed else "non_deterministic")


def failures_of(*checks: Any) -> list[ET.Element]:
    """The failures of a run with these checks, in which all pairs disagree on some tensor."""
    found = {"passed": False, "checks": checks, "agreement": {entry["pair"]: False for entry in checks}}
    result = Result(CONFIG, found | {"verdict": "wrong", "diagnosis": None, "findings": []}, passed=False)
    return list(report("gradcheck", [], [("x", RunOutcome(1, result))], strict=False).iter("failure"))


def failed(pair: str, error: float | None, **others: Any) -> Any:
    entry = {"tensor": "b1", "pair": pair, "passed": False, "max_rel_error": error, "bound_ratio": None}
    worst = {"index": [1], "left": 0.5, "right": None if error is None else 0.25}
    return {**entry, "worst": worst, "unresolved": False, "compared": 2, "excluded": 0, **others}


def test_a_number_that_is_not_finite_is_named_so() -> None:
    (failure,) = failures_of(failed("backward-forward", None))
    assert failure.text == "b1[1]: backward 0.5, forward not finite, relative error not finite"


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        (failed("backward-central", 0.5), "allowed 1e-06"),
        (failed("backward-complex", 0.5, bound_ratio=3e12), "3.0e+12 times what its entry is allowed"),
        (failed("backward-central", 0.5, bound_ratio=3e12), "allowed 1e-06"),
        (failed("backward-central", 1e-9, bound_ratio=70.0), "7.0e+01 times what its entry is allowed"),
    ],
    ids=["a tolerance", "bounds by entry", "both", "a tiny entry"],
)
def test_a_failure_says_what_was_allowed(entry: Any, allowed: str) -> None:
    (failure,) = failures_of(entry)
    assert failure.attrib["type"] == "wrong"
    assert (failure.text or "").endswith(f", relative error {entry['max_rel_error']:.1e}, {allowed}")


def test_a_check_is_not_called_wrong_for_another_tensor_of_its_pair() -> None:
    """Entries were left out of b1; that W1 is wrong by the same two methods does not make b1 so."""
    pair = "backward-central"
    left_out, wrong = failures_of(failed(pair, 1e-9, excluded=2), failed(pair, 0.5, tensor="W1"))
    assert (left_out.attrib["type"], wrong.attrib["type"]) == ("inconclusive", "wrong")
    reason = "2 entries left out (at kinks, or where rounding leaves no digits)"
    assert left_out.attrib["message"].startswith(reason)

"""The JUnit report: it parses, it has every run, and its failures agree with the exit code."""

import json
import os
import weakref
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dnnexp import experiments
from dnnexp.experiments.gradcheck.checks import ratio
from dnnexp.experiments.gradcheck.config import Tolerances

Run = Callable[..., Any]

RIGHT = """\
experiment: gradcheck
network: {layers: [3, 4, 2], activation: tanh}
batch: 2
step_sweep: {per_decade: 1, directions: 2}
"""
WRONG = f"{RIGHT}inject: {{name: missing_slope, layer: 1}}\n"
ZEROS = RIGHT.replace("tanh}", "relu}\ninitializer: {weights: zeros, biases: zeros}")
"""All units sit on a kink."""
TINY = "experiment: optimize\nstarts: {points: [[1, 2]]}\nsteps: 5\noptimizers: [adam]\n"
BROKEN = "experiment: gradcheck\nnetwork: {layers: [3, 2]}\nbatch: -1\nbatsch: 2\n"
CLAIMS = """\
expect:
  - {claim: holds, check: optimizers.adam.runs == 1}
  - {claim: fails, check: optimizers.adam.runs == 2}
  - {claim: unknown, check: 'optimizers.adam.targets["1e-06"].evaluations.median > 1'}
"""


@pytest.fixture(autouse=True)
def _configs(cli: Run) -> None:
    texts = {"right": RIGHT, "wrong": WRONG, "zeros": ZEROS, "tiny": TINY, "broken": BROKEN}
    for name, text in {**texts, "claims": TINY + CLAIMS}.items():
        Path(f"{name}.yaml").write_text(text)


@pytest.fixture
def reported(cli: Run) -> Callable[..., tuple[Any, ET.Element]]:
    """How a command ended, and its report, whose counts are checked."""

    def run(*arguments: str) -> tuple[Any, ET.Element]:
        ran = cli(*arguments, "-q", "--no-plots", "--junit", "report.xml")
        root = ET.parse("report.xml").getroot()
        assert_counted(root)
        assert (ran.code != 0) == bool(list(root.iter("failure")) + list(root.iter("error")))
        return ran, root

    return run


def assert_counted(root: ET.Element) -> None:
    assert root.tag == "testsuites"
    for element in (root, *root):
        counted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
        for attribute, tag in counted.items():
            assert int(element.attrib[attribute]) == len(list(element.iter(tag)))
        assert float(element.attrib["time"]) >= 0
    assert all(len(case) <= 1 for case in root.iter("testcase"))


def cases(suite: ET.Element) -> dict[str, ET.Element]:
    found = {case.attrib["name"]: case for case in suite.iter("testcase")}
    assert len(found) == int(suite.attrib["tests"])
    return found


def metrics(ran: Any) -> Any:
    return json.loads((ran.folder / "metrics.json").read_text())["metrics"]


def test_a_case_for_every_check_and_all_pass(reported: Run) -> None:
    ran, root = reported("gradcheck", "right.yaml")
    (suite,) = root
    assert suite.attrib["name"] == "gradcheck.right"
    assert datetime.fromisoformat(suite.attrib["timestamp"]).utcoffset() is not None
    assert {case.attrib["classname"] for case in suite} == {"dnnexp.gradcheck.right"}
    checks = [f"{entry['tensor']} {entry['pair']}" for entry in metrics(ran)["checks"]]
    assert list(cases(suite)) == ["run", *checks]
    assert "W1 backward-central" in checks
    assert root.attrib["failures"] == root.attrib["skipped"] == "0"
    assert root.attrib["time"] == suite.attrib["time"] == cases(suite)["run"].attrib["time"] != "0.000"


def test_a_wrong_gradient_fails_with_the_numbers_and_the_diagnosis(reported: Run) -> None:
    ran, root = reported("gradcheck", "wrong.yaml")
    assert ran.code == 1
    found = metrics(ran)
    by_name = cases(root[0])
    for entry in found["checks"]:
        case = by_name[f"{entry['tensor']} {entry['pair']}"]
        assert (case.find("failure") is None) == entry["passed"]
    failure = by_name["W1 backward-complex"][0]
    (entry,) = [e for e in found["checks"] if (e["tensor"], e["pair"]) == ("W1", "backward-complex")]
    worst, text = entry["worst"], failure.text or ""
    assert failure.attrib["type"] == "wrong"
    assert failure.attrib["message"] == text.splitlines()[0]
    assert f"W1{worst['index']}: backward {worst['left']!r}, complex {worst['right']!r}" in text
    times = f"{ratio(Tolerances(), entry):.1e} times what its entry is allowed"
    assert f"relative error {entry['max_rel_error']:.1e}, {times}" in text
    assert ", allowed 1e-06" in (by_name["W1 backward-central"][0].text or "")
    assert f"look first at {found['diagnosis']['tensor']}: {found['diagnosis']['evidence']}" in text
    assert text.endswith("layer: 1\nfault: missing_slope")


def test_an_inconclusive_check_says_why(reported: Run) -> None:
    ran, root = reported("gradcheck", "zeros.yaml")
    assert (ran.code, metrics(ran)["verdict"]) == (1, "inconclusive")
    failures = list(root.iter("failure"))
    assert failures
    assert {failure.attrib["type"] for failure in failures} == {"inconclusive"}
    reasons = {failure.attrib["message"] for failure in failures}
    reason = "2 entries left out (at kinks, or where rounding leaves no digits)"
    assert any(text.startswith(reason) for text in reasons)
    assert all("left out" in reason or "below the round-off" in reason for reason in reasons)
    assert all("relative error" in (failure.text or "").splitlines()[1] for failure in failures)


@pytest.mark.parametrize(
    ("options", "tags", "code"),
    [
        ([], [None, "skipped", "skipped"], 0),
        (["--strict"], [None, "failure", "failure"], 1),
        (["--strict", "--smoke"], ["skipped", "skipped", "skipped"], 0),
    ],
)
def test_an_unmet_claim_fails_where_it_is_strict(
    reported: Run, options: list[str], tags: list[str | None], code: int
) -> None:
    ran, root = reported("optimize", "claims.yaml", *options)
    assert ran.code == code
    shown = [cases(root[0])[name] for name in ("holds", "fails", "unknown")]
    assert [case[0].tag if len(case) else None for case in shown] == tags
    words = ["skipped"] * 3 if "--smoke" in options else ["holds", "fails", "not evaluable"]
    for case, word in zip(shown, words, strict=True):
        assert all(outcome.attrib["message"].startswith(f"{word}: ") for outcome in case)


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ('"a <b> & \\"c\\"\\n]]> d"', 'a <b> & "c"\n]]> d'),
        ('"bell \\a, \\u001b[31m, \\uFFFE"', "bell \\x07, \\x1b[31m, \\ufffe"),
        ('"σ′, 𝒩"', "σ′, 𝒩"),
    ],
)
def test_a_claim_of_any_characters_leaves_an_xml_that_parses(reported: Run, claim: str, name: str) -> None:
    Path("odd.yaml").write_text(f"{TINY}expect:\n  - {{claim: {claim}, check: 'False'}}\n", encoding="utf-8")
    _, root = reported("optimize", "odd.yaml", "--strict")
    assert list(cases(root[0])) == ["run", name]


def test_a_broken_config_is_never_green(reported: Run) -> None:
    assert reported("gradcheck", "broken.yaml")[1].attrib["errors"] == "1"
    ran, root = reported("gradcheck", "right.yaml", "broken.yaml", "nowhere.yaml", "wrong.yaml")
    assert ran.code == 2
    suites = {suite.attrib["name"]: suite for suite in root}
    assert set(suites) == {"broken.yaml", "nowhere.yaml", "gradcheck.right", "gradcheck.wrong"}
    ((error,),) = suites["broken.yaml"]
    assert error.tag == "error"
    assert (error.text or "").splitlines() == [
        line for line in ran.err.splitlines() if "broken.yaml:" in line
    ]
    assert suites["nowhere.yaml"].attrib["errors"] == "1"
    assert suites["gradcheck.right"].attrib["failures"] == "0"
    assert suites["gradcheck.wrong"].attrib["failures"] != "0"


def test_a_bug_is_an_error_of_its_run(reported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: Any, request: Any) -> NoReturn:
        raise RuntimeError("a \x00 bug")

    monkeypatch.setattr(experiments.find("optimize"), "run", fail)
    ran, root = reported("optimize", "claims.yaml")
    assert ran.code == 4
    (case,) = root[0]
    (error,) = case
    assert (case.attrib["name"], error.tag) == ("run", "error")
    assert error.attrib == {"message": "RuntimeError: a \\x00 bug", "type": "RuntimeError"}
    assert (error.text or "").startswith("Traceback")


def test_a_run_that_cannot_be_written_is_an_error(reported: Run) -> None:
    ran, root = reported("optimize", "tiny.yaml", "-o", "tiny.yaml")
    assert ran.code == 3
    (error,) = root.iter("error")
    assert (error.text or "").startswith("tiny.yaml: is a file")


@pytest.mark.parametrize("error", [None, RuntimeError("a bug")])
def test_what_is_kept_of_a_run_holds_no_arrays(
    cli: Run, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """Or the memory that configs need would add up."""
    seen, alive = list[Any](), list[Any]()
    module = experiments.find("optimize")
    works = module.run

    def run(config: Any, request: Any) -> Any:
        result = works(config, request)
        seen.extend(weakref.ref(array) for array in result.arrays.values())
        if error is not None:
            raise error
        return result

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr("dnnexp.cli.annotations.show", lambda _: alive.extend(made() for made in seen))
    cli("optimize", "tiny.yaml", "-q", "--no-plots")
    assert alive
    assert all(array is None for array in alive)


def test_ctrl_c_leaves_the_report_of_what_is_complete(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    module = experiments.find("optimize")
    works, begun = module.run, []

    def run(config: Any, request: Any) -> Any:
        begun.append(config.name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return works(config, request)

    monkeypatch.setattr(module, "run", run)
    ran = cli("optimize", *["tiny.yaml"] * 3, "-q", "--no-plots", "--junit", "report.xml")
    assert (ran.code, ran.err.strip()) == (130, "dnnexp: interrupted")
    root = ET.parse("report.xml").getroot()
    assert_counted(root)
    assert [suite.attrib["errors"] for suite in root] == ["0", "1", "1"]


def test_the_folder_of_the_report_is_made_and_nothing_else_is_left(cli: Run) -> None:
    ran = cli("optimize", "tiny.yaml", "-q", "--no-plots", "--junit", "deep/er/r.xml")
    assert (ran.code, ran.err) == (0, "")
    assert os.listdir("deep/er") == ["r.xml"]
    assert ran.folder.is_dir()


def test_the_times_are_those_of_the_run_record(reported: Run) -> None:
    ran, (suite,) = reported("optimize", "tiny.yaml")
    record = json.loads((ran.folder / "run.json").read_text())
    began = datetime.fromisoformat(record["start"]) - datetime.fromisoformat(suite.attrib["timestamp"])
    assert 0 <= began.total_seconds() <= float(suite.attrib["time"]) + 1  # the report's is in whole seconds
    assert float(suite.attrib["time"]) >= record["durations"]["run"] - 0.001  # writing takes time, too


def test_a_dry_run_writes_no_report(cli: Run) -> None:
    assert cli("optimize", "tiny.yaml", "--dry-run", "--junit", "deep/r.xml").code == 0
    assert not Path("deep").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [("tiny.yaml/r.xml", "tiny.yaml: File exists"), ("x" * 300, "File name too long")],
    ids=["under a file", "too long"],
)
def test_a_report_that_cannot_be_written_costs_no_run(cli: Run, name: str, why: str) -> None:
    ran = cli("optimize", "tiny.yaml", "-q", "--no-plots", "--junit", name)
    assert (ran.code, ran.err) == (3, f"dnnexp: {name}: cannot be written: {why}\n")
    assert (ran.folder / "metrics.json").exists()


@pytest.mark.parametrize(("name", "what"), [("taken", "a directory"), (os.devnull, "a device or a pipe")])
def test_a_name_that_no_file_can_take_is_refused_before_anything_runs(cli: Run, name: str, what: str) -> None:
    Path("taken").mkdir()
    ran = cli("optimize", "tiny.yaml", "--junit", name)
    assert (ran.code, ran.out) == (2, "")
    assert f"'--junit': {name} is {what}, but the report must be a file." in ran.err
    assert not Path("outputs").exists()


def test_an_older_report_is_replaced_also_behind_a_link(reported: Run) -> None:
    Path("real.xml").write_text("old")
    Path("report.xml").symlink_to("real.xml")
    reported("optimize", "tiny.yaml")
    assert Path("report.xml").is_symlink()

"""GitHub's annotations: on stderr, where GitHub runs the command, escaped as its documentation says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dnnexp import experiments
from dnnexp.cli import annotations

Run = Callable[..., Any]

WRONG = """\
experiment: gradcheck
network: {layers: [3, 4, 2], activation: tanh}
batch: 2
step_sweep: {per_decade: 1, directions: 2}
inject: {name: missing_slope, layer: 1}
"""
TINY = "experiment: optimize\nstarts: {points: [[1, 2]]}\nsteps: 5\noptimizers: [adam]\n"
CLAIM = """expect:\n  - {claim: "100% of\\n<a>: b, c", check: optimizers.adam.runs == 2}\n"""
CLAIMED = "::100%25 of%0A<a>: b, c: fails: optimizers.adam.runs = 1"


@pytest.fixture
def annotated(cli: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """How a command ended on GitHub, and its annotations."""

    def run(*arguments: str) -> tuple[Any, list[str]]:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        ran = cli(*arguments)
        assert "::" not in ran.out
        return ran, [line for line in ran.err.splitlines() if line.startswith("::")]

    return run


def test_a_wrong_gradient_is_an_error_with_its_diagnosis(annotated: Run) -> None:
    Path("wrong.yaml").write_text(WRONG)
    ran, (line, *checks) = annotated("gradcheck", "wrong.yaml", "-q", "--no-plots")
    assert ran.code == 1
    assert ran.folder.is_dir()
    title = "::error title=dnnexp gradcheck wrong,file=wrong.yaml"
    assert line.startswith(f"{title}::wrong: backward alone disagrees with all others")
    assert "%0Alook first at b1: " in line
    assert line.count("%0A") == 1
    order, check = checks
    assert order.startswith(f"{title}::order: the Taylor remainder: falls with the step to the power 1.")
    number = r"-?\d\.\d+(e-\d+)?"
    assert re.fullmatch(rf"{title}::\w+\[[\d, ]+\]: backward {number}, \w+ {number}", check)


def test_what_is_inconclusive_is_an_error_too(annotated: Run) -> None:
    """The exit code is 1: an error says why the step fails."""
    units_on_kinks = "{layers: [3, 4, 2], activation: relu}\ninitializer: {weights: zeros, biases: zeros}"
    Path("zeros.yaml").write_text(f"experiment: gradcheck\nnetwork: {units_on_kinks}\nbatch: 2\n")
    ran, (line, *checks) = annotated("gradcheck", "zeros.yaml", "-q", "--no-plots")
    assert ran.code == 1
    assert line.startswith("::error title=dnnexp gradcheck zeros,file=zeros.yaml::inconclusive")
    (check,) = checks
    assert "b2: 2 entries left out" in check


@pytest.mark.parametrize(
    ("options", "level", "code"), [([], "warning", 0), (["--strict"], "error", 1), (["--smoke"], None, 0)]
)
def test_an_unmet_claim_is_a_warning_or_an_error(
    annotated: Run, options: list[str], level: str | None, code: int
) -> None:
    Path("tiny.yaml").write_text(TINY + CLAIM)
    ran, lines = annotated("optimize", "tiny.yaml", "--no-plots", *options)
    assert ran.code == code
    assert lines == ([f"::{level} title=dnnexp optimize tiny,file=tiny.yaml{CLAIMED}"] if level else [])


def test_the_errors_of_a_config_are_where_they_are(annotated: Run) -> None:
    Path("a,b:c%.yaml").write_text("steps: -1\nstepps: 3\n")
    Path("tiny.yaml").write_text(TINY)
    ran, lines = annotated("optimize", "a,b:c%.yaml", "nowhere.yaml", "tiny.yaml", "-q", "--no-plots")
    assert ran.code == 2
    title = "::error title=dnnexp optimize config"
    at = f"{title},file=a%2Cb%3Ac%25.yaml"
    assert f"{at},line=1,col=8::steps: must be at least 0, not -1" in lines
    assert any(line.startswith(f"{at},line=2,col=1::stepps: unknown key") for line in lines)
    assert f"{title},file=nowhere.yaml::there is no such file" in lines
    assert len(lines) == len(re.findall(r"^(?!::|dnnexp).*\.yaml:", ran.err, flags=re.MULTILINE))


def test_an_error_of_an_argument_is_at_no_line(annotated: Run) -> None:
    Path("tiny.yaml").write_text(TINY)
    _, (line,) = annotated("optimize", "tiny.yaml", "steps=-1")
    assert re.fullmatch(r"::error title=dnnexp optimize config::.*steps=-1.*must be at least 0, not -1", line)


def test_the_reference_is_no_file_of_the_user(annotated: Run) -> None:
    options = ["steps=10", "+expect={claim: x, check: 'False'}", "--no-plots", "--strict", "-q"]
    _, lines = annotated("optimize", *options)
    assert "::error title=dnnexp optimize reference::x: fails: " in "\n".join(lines)
    assert not any("file=" in line for line in lines)


def test_a_bug_is_an_error(annotated: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(config: Any, request: Any) -> NoReturn:
        raise RuntimeError("a bug")

    Path("tiny.yaml").write_text(TINY)
    monkeypatch.setattr(experiments.find("optimize"), "run", fail)
    ran, lines = annotated("optimize", "tiny.yaml")
    assert ran.code == 4
    assert lines == ["::error title=dnnexp optimize tiny,file=tiny.yaml::RuntimeError: a bug"]


def test_there_are_at_most_ten_a_run(annotated: Run) -> None:
    claims = [f"{{claim: c{number}, check: 'False'}}" for number in range(12)]
    Path("tiny.yaml").write_text(f"{TINY}expect: [{', '.join(claims)}]\n")
    _, lines = annotated("optimize", "tiny.yaml", "--no-plots")
    assert [re.sub("^.*::", "", line).partition(":")[0] for line in lines] == [
        *(f"c{number}" for number in range(9)),
        "and 3 more",
    ]
    assert lines[-1].startswith("::warning ")


@pytest.mark.parametrize("value", [None, "", "false"])
def test_elsewhere_there_are_none(cli: Run, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    Path("wrong.yaml").write_text(WRONG)
    Path("broken.yaml").write_text("batch: -1\n")
    assert "::" not in cli("gradcheck", "wrong.yaml", "broken.yaml", "--no-plots").err


def test_a_property_escapes_more_than_a_message() -> None:
    problem = "x%,:\r.yaml:3:4: 5%, a: b\r\nc"
    (line,) = annotations.of_config("optimize", Path("x%,:\r.yaml"), [problem])
    place = "file=x%25%2C%3A%0D.yaml,line=3,col=4"
    assert line == f"::error title=dnnexp optimize config,{place}::5%25, a: b%0D%0Ac"

"""What a user can get wrong: exit code 2, one clear message, no traceback, no run folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

VALID = """\
starts: {points: [[1, 2]]}
steps: 3
optimizers: [adam]
"""
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
    + ["#" + "x" * 10_000_000]
)


def with_line(line: str, instead_of: str = "") -> str:
    return "\n".join(each for each in VALID.splitlines() if each != instead_of) + f"\n{line}\n"


def refused(cli: Run, *arguments: str | Path, command: str = "optimize") -> str:
    """What is said of arguments that are refused."""
    before = sorted(os.listdir())
    ran = cli(command, *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert sorted(os.listdir()) == before  # not even an output folder
    return str(ran.err)


# The list of issue 2, one by one: the text of the file, and what the message has
FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "x.yaml: the text is empty, but one document is needed"),
    "invalid YAML": ("a: [1\n", "x.yaml:2:1: expected ',' or ']', as the '[' of line 1 is still open"),
    "duplicate key": (with_line("steps: 4"),
                      "x.yaml:4:1: steps: the key 'steps' is on line 2 and again on line 4, but may be"),
    "tab": ("steps: 3\n\tseed: 1\n", "x.yaml:2:1: a tab is not allowed"),
    "10 MB alias bomb": (BOMB, "(1 MiB) are allowed"),
    "alias bomb": (BOMB.partition("#")[0], "more than the 100000 nodes allowed"),
    "binary": (bytes(range(256)), "x.yaml:3:115: the byte 0x80 is not UTF-8"),
    "unknown key": (with_line("stpes: 3"), "x.yaml:4:1: stpes: unknown key; did you mean 'steps'?"),
    "wrong type": (with_line("steps: many", "steps: 3"),
                   'x.yaml:3:8: steps: must be an integer, not "many"'),
    "negative steps": (with_line("steps: -3", "steps: 3"), "x.yaml:3:8: steps: must be at least 0, not -3"),
    "unknown optimizer": (with_line("optimizers: [adaam]", "optimizers: [adam]"),
                          "x.yaml:3:14: optimizers.0: unknown optimizer 'adaam'; did you mean 'adam'?"),
    "two with one label": (with_line("optimizers: [adam, adam]", "optimizers: [adam]"),
                           "x.yaml:3:20: optimizers.1.label: the label 'adam' is taken by item 0"),
    "bounds": (with_line("starts: {uniform: {low: 1, high: 0, count: 1}}", "starts: {points: [[1, 2]]}"),
               "x.yaml:3:25: starts.uniform.low: must be below high in every coordinate"),
    "dimension": (with_line("starts: {points: [[1, 2, 3]]}", "starts: {points: [[1, 2]]}"),
                  "x.yaml:3:19: starts.points.0: has 3 coordinates, but the objective valley has"),
    "no such metric": (with_line("expect: [{claim: c, check: rankng == 1}]"),
                       "x.yaml:4:28: expect.0.check: `rankng` does not exist; did you mean `ranking`?"),
    "call": (with_line("expect: [{claim: c, check: open(1)}]"),
             "x.yaml:4:28: expect.0.check: calling `open` is not allowed"),
    "import": (with_line("expect: [{claim: c, check: __import__('os')}]"),
               "x.yaml:4:28: expect.0.check: calling `__import__` is not allowed"),
    "another command": (f"experiment: gradcheck\n{VALID}",
                        "this config is for another command: run `dnnexp gradcheck x.yaml`"),
    "python object": (with_line("name: !!python/name:os.system"), "tags that build objects do not exist"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_file_is_one_message(cli: Run, name: str) -> None:
    text, message = FILES[name]
    Path("x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    said = refused(cli, "x.yaml")
    (line,) = said.splitlines()
    assert message in line
    assert line.startswith("x.yaml:")


def test_a_missing_file(cli: Run) -> None:
    assert refused(cli, "nowhere.yaml") == "nowhere.yaml: there is no such file\n"


def test_a_directory(cli: Run) -> None:
    Path("d").mkdir()
    assert refused(cli, "d") == "d: is a directory, not a config file\n"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("stpes=1", "argument 'stpes=1': unknown key 'stpes'; did you mean 'steps'?"),
        (
            "optimizers.adaam.beta1=0",
            "argument 'optimizers.adaam.beta1=0': no item 'adaam'; did you mean 'adam'?",
        ),
        ("steps=-1", "argument 'steps=-1': steps: must be at least 0, not -1"),
        ("+steps=1", "argument '+steps=1': steps is not a list; + appends to lists only"),
        ("~stpes", "argument '~stpes': unknown key 'stpes'"),
    ],
)
def test_a_wrong_override_is_one_message(cli: Run, argument: str, message: str) -> None:
    (line,) = refused(cli, argument).splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize("argument", ["steps=[1", "a..b=1", "=1", "~"])
def test_an_argument_that_spells_no_override_shows_the_usage(cli: Run, argument: str) -> None:
    said = refused(cli, argument)
    assert said.startswith("Usage: dnnexp optimize ")
    assert f"Error: argument {argument!r}: " in said


def test_all_wrong_arguments_are_named(cli: Run) -> None:
    said = refused(cli, "steps=[1", "a..b=1")
    assert "argument 'steps=[1'" in said
    assert "argument 'a..b=1'" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--name", "a b"],
            'option --name: name: must be a letter, then letters, digits, _ or - (at most 100), not "a b"',
        ),
        (["--name", ""], "option --name: name: must be a letter"),
        (["--name", "../x"], "option --name: name: must be a letter"),
        (["--seed", str(2**63)], "option --seed: seed: must be at most 9223372036854775807"),
        (["--seed", "-1"], "Invalid value for '--seed': -1 is not in the range x>=0"),
        (["--seed", "x"], "Invalid value for '--seed': 'x' is not a valid integer range"),
        (["--trace", "0"], "Invalid value for '--trace': 0 is not in the range x>=1"),
        (["--smok"], "No such option '--smok'"),
        (["--output-dir"], "Option '--output-dir' requires an argument"),
    ],
)
def test_a_wrong_option_is_one_message(cli: Run, arguments: list[str], message: str) -> None:
    assert message in refused(cli, *arguments).replace("No such option: --smok", "No such option '--smok'")


def test_an_unknown_command(cli: Run) -> None:
    assert "No such command 'optimise'" in refused(cli, command="optimise")


@pytest.mark.parametrize("experiment", ["activations", "gradcheck"])
def test_a_config_for_optimize_is_refused_by_the_others(cli: Run, experiment: str) -> None:
    Path("x.yaml").write_text(f"experiment: optimize\n{VALID}")
    assert refused(cli, "x.yaml", command=experiment) == (
        "x.yaml:1:13: experiment: this config is for another command: run `dnnexp optimize x.yaml`\n"
    )


def test_every_error_of_every_file_is_shown(cli: Run) -> None:
    Path("a.yaml").write_text("steps: -1\nseed: x\n")
    Path("b.yaml").write_text("nmae: 3\n")
    said = refused(cli, "a.yaml", "b.yaml", "c.yaml").splitlines()
    assert [line.partition(": ")[0] for line in said] == [
        "a.yaml:2:7", "a.yaml:1:1", "a.yaml:1:8", "a.yaml:1:1",
        "b.yaml:1:1", "b.yaml:1:1", "b.yaml:1:1", "b.yaml:1:1",
        "c.yaml",
    ]  # fmt: skip


def test_a_dry_run_refuses_the_same(cli: Run) -> None:
    Path("x.yaml").write_text(VALID)
    assert "must be at least 0" in refused(cli, "x.yaml", "steps=-1", "--dry-run")

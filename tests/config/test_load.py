"""From a file and overrides to a config, or to every error with its place."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.load import ConfigError, load
from dnnexp.config.overrides import parse
from dnnexp.config.scalars import MAX_BYTES
from dnnexp.config.shipped import directory
from tests.config.reading import agrees

OPTIMIZE = """\
experiment: optimize
seed: 3
starts: {points: [[1, 2]]}
steps: 10
optimizers:
  - adam
  - {name: momentum, learning_rate: 0.1}
  - name: rmsprop
    label: slow
    beta: 0.99
"""
GRADCHECK = """\
network:
  layers: [3, 2]
  activation: tanh
initializer: {name: glorot, gain: 1}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config_of(text: str | bytes, *arguments: str, experiment: str = "optimize", name: str = "x.yaml") -> Any:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load(experiment, Path(name), [parse(argument) for argument in arguments])


def problems(
    text: str | bytes, *arguments: str, experiment: str = "optimize", name: str = "x.yaml"
) -> list[str]:
    """The lines of the error; each is one line."""
    with pytest.raises(ConfigError) as error:
        config_of(text, *arguments, experiment=experiment, name=name)
    assert str(error.value).splitlines() == error.value.problems
    return error.value.problems


def changed(old: str, new: str, text: str = OPTIMIZE) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_file_is_read() -> None:
    config = config_of(OPTIMIZE, "steps=20")
    assert (config.seed, config.steps, config.name) == (3, 20, "x")
    assert [entry.label for entry in config.optimizers] == ["adam", "momentum", "slow"]


# Places


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("steps: 10", "steps:  -1", "x.yaml:4:9: steps: must be at least 0, not -1"),
        ("learning_rate: 0.1", "learning_rate: 0",
         "x.yaml:7:37: optimizers.1.learning_rate: must be greater than 0, not 0"),
        ("beta: 0.99", "beta: 2", "x.yaml:10:11: optimizers.2.beta: must be less than 1, not 2"),
        ("[1, 2]", "[1, x]", 'x.yaml:3:23: starts.points.0.1: must be a number, not "x"'),
        ("[[1, 2]]", "[[1, 2], [3]]",
         "x.yaml:3:27: starts.points.1: has 1 coordinates, but the objective valley has dimension 2"),
        ("- adam", "- adaam",
         "x.yaml:6:5: optimizers.0: unknown optimizer 'adaam'; did you mean 'adam'? allowed: "),
        ("name: momentum", "name: mometum",
         "x.yaml:7:12: optimizers.1.name: unknown optimizer 'mometum'; did you mean 'momentum'? allowed: "),
        # an unknown key is where the key is, not its value
        ("beta: 0.99", "bata:     0.99",
         "x.yaml:10:5: optimizers.2.bata: unknown key; did you mean 'beta'? allowed: "),
        ("learning_rate: 0.1", "rate: 0.1", "x.yaml:7:22: optimizers.1.rate: unknown key; allowed: "),
        # a missing key is at the mapping that lacks it
        ("steps: 10\n", "", "x.yaml:1:1: steps: is required, but missing"),
        ("{points: [[1, 2]]}", "{uniform: {low: 0, high: 1}}",
         "x.yaml:3:19: starts.uniform.count: is required, but missing"),
        ("  - name: rmsprop\n    label", "  - label", "x.yaml:8:5: optimizers.2: needs a name; allowed: "),
        # a label that only one of two items writes
        ("label: slow", "label: adam", "x.yaml:9:12: optimizers.2.label: the label 'adam' is taken by "
         "item 0; add a label: of its own to one of them"),
        ("    label: slow", "    label: s w", "x.yaml:9:12: optimizers.2.label: must be a letter, then "
         'letters, digits, _ or - (at most 100), not "s w"'),
    ],
)  # fmt: skip
def test_an_error_has_file_line_and_column(old: str, new: str, line: str) -> None:
    (said,) = problems(changed(old, new))
    assert agrees(said, line), said


def test_a_repeated_default_label_is_at_its_item() -> None:
    assert problems(changed("- adam", "- adam\n  - adam")) == [
        "x.yaml:7:5: optimizers.1.label: the label 'adam' is taken by item 0; "
        "add a label: of its own to one of them"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("gain: 1", "gain: -1", "x.yaml:4:35: initializer.gain: must be greater than 0, not -1"),
        ("gain: 1", "gian: 1", "x.yaml:4:29: initializer.gian: unknown key; did you mean 'gain'? "
         "allowed: distribution, gain"),
        ("{name: glorot, gain: 1}", "glorrot", "x.yaml:4:14: initializer: unknown initializer 'glorrot'; "
         "did you mean 'glorot'? allowed: "),
        ("name: glorot", "name: glorrot", "x.yaml:4:21: initializer.name: unknown initializer 'glorrot'; "
         "did you mean 'glorot'? allowed: "),
        ("{name: glorot, gain: 1}", "{weights: glorot, biases: {name: he, gain: 0}}",
         "x.yaml:4:57: initializer.biases.gain: must be greater than 0, not 0"),
    ],
)  # fmt: skip
def test_an_error_in_a_shorthand_is_at_its_own_key(old: str, new: str, line: str) -> None:
    """It used to be `initializer.weights.gain`, a path that the file does not have, at the mapping."""
    (said,) = problems(changed(old, new, GRADCHECK), experiment="gradcheck")
    assert agrees(said, line), said


def test_several_problems_are_reported_in_one_go() -> None:
    text = "seed: 1\nseed: 2\nsteps: -1\nstarts: !new {points: [[1]]}\noptimizers: [adaam, *x]\nexpect:\n"
    text += "  - {claim: a, check: 'ranking['}\n  - {claim: b, check: open()}\ntragets: [1]\n3: 4\n"
    lines = problems(text)
    assert [line.partition(": ")[0] for line in lines] == [
        "x.yaml:2:1",
        "x.yaml:4:9",
        "x.yaml:5:21",
        "x.yaml:10:1",
        "x.yaml:3:8",
        "x.yaml:5:14",
        "x.yaml:9:1",
        "x.yaml:7:23",
        "x.yaml:8:23",
    ]
    assert (
        lines[0]
        == "x.yaml:2:1: seed: the key 'seed' is on line 1 and again on line 2, but may be given only once"
    )


def test_a_value_that_cannot_be_read_is_reported_once() -> None:
    (line,) = problems(changed("steps: 10", "steps: !new 10"))
    assert line.startswith("x.yaml:4:8: steps: the tag !new is unknown")


# Overrides


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["steps=-1"], ["argument 'steps=-1': steps: must be at least 0, not -1"]),
        (["optimizers.slow.beta=1"],
         ["argument 'optimizers.slow.beta=1': optimizers.2.beta: must be less than 1, not 1"]),
        (["+optimizers=adam"], ["argument '+optimizers=adam': optimizers.3.label: the label 'adam' is taken "
                                "by item 0; add a label: of its own to one of them"]),
        (["objective={name: quadratic, dimension: 3}"],
         ["x.yaml:3:19: starts.points.0: has 2 coordinates, but the objective quadratic has dimension 3"]),
        (["starts.points.0.1=a"],
         ["argument 'starts.points.0.1=a': starts.points.0.1: must be a number, not \"a\""]),
        (["starts.uniform.count=3"],
         ["x.yaml:3:9: starts.uniform.low: is required, but missing",
          "x.yaml:3:9: starts.uniform.high: is required, but missing"]),
        (["stpes=1"], ["argument 'stpes=1': unknown key 'stpes'; did you mean 'steps'? allowed: "]),
        (["name=a b"], ["argument 'name=a b': name: must be a letter, then letters, digits, _ "
                        'or - (at most 100), not "a b"']),
        (["experiment=gradcheck"], ["argument 'experiment=gradcheck': experiment: must be 'optimize', "
                                    'not "gradcheck"']),
    ],
)  # fmt: skip
def test_an_error_in_an_override_names_the_argument(arguments: list[str], lines: list[str]) -> None:
    said = problems(OPTIMIZE, *arguments)
    assert len(said) == len(lines)
    assert all(map(agrees, said, lines)), said


def test_an_error_inside_a_replaced_value_names_the_argument() -> None:
    """It used to be given the place that a value of the same path had in the file."""
    argument = "optimizers=[adam, {name: adam, label: b, learning_rate: -1}]"
    assert problems(OPTIMIZE, argument) == [
        f"argument {argument!r}: optimizers.1.learning_rate: must be greater than 0, not -1"
    ]


def test_the_last_of_two_overrides_is_named() -> None:
    lines = problems(OPTIMIZE, "optimizers.1.learning_rate=-1", "optimizers.1={name: adam, learning_rate: 0}")
    assert lines == [
        "argument 'optimizers.1={name: adam, learning_rate: 0}': "
        "optimizers.1.learning_rate: must be greater than 0, not 0",
        "argument 'optimizers.1={name: adam, learning_rate: 0}': "
        "optimizers.1.label: the label 'adam' is taken by item 0; add a label: of its own to one of them",
    ]


@pytest.mark.parametrize("key", ["starts", "steps", "optimizers"])
def test_an_argument_that_removes_a_required_key_is_named(key: str) -> None:
    """The message used to name line 1 of the file."""
    assert problems(OPTIMIZE, f"~{key}") == [f"argument '~{key}': {key}: is required, but missing"]


def test_a_removed_item_moves_the_places_of_those_after_it() -> None:
    text = changed("beta: 0.99", "beta: 2")
    assert problems(text, "~optimizers.adam") == [
        "x.yaml:10:11: optimizers.1.beta: must be less than 1, not 2"
    ]
    assert problems(
        text, "~optimizers.adam", "~optimizers.momentum", "+optimizers={name: adam, beta1: 1}"
    ) == [
        "x.yaml:10:11: optimizers.0.beta: must be less than 1, not 2",
        "argument '+optimizers={name: adam, beta1: 1}': optimizers.1.beta1: must be less than 1, not 1",
    ]


def test_a_removed_item_moves_the_arguments_after_it() -> None:
    assert problems(OPTIMIZE, "optimizers.slow.beta=1", "~optimizers.0") == [
        "argument 'optimizers.slow.beta=1': optimizers.1.beta: must be less than 1, not 1"
    ]


def test_overrides_can_mend_a_file() -> None:
    text = changed("steps: 10", "steps: -10")
    assert config_of(text, "steps=10").steps == 10
    assert config_of(changed("- adam", "- adaam"), "~optimizers.0").optimizers[0].label == "momentum"


def test_errors_of_the_file_and_of_overrides_come_together() -> None:
    unknown, *others = problems(changed("seed: 3", "seed: -3"), "steps=-1", "sed=1")
    assert unknown.startswith("argument 'sed=1': unknown key 'sed'; did you mean 'seed'? allowed: ")
    assert others == [
        "x.yaml:2:7: seed: must be at least 0, not -3",
        "argument 'steps=-1': steps: must be at least 0, not -1",
    ]


# Names and commands


@pytest.mark.parametrize(
    ("file", "name"),
    [("my_run-2.yaml", "my_run-2"), ("a.b.yaml", "run"), ("2.yaml", "run"), ("über.yaml", "run"), ("x", "x")],
)
def test_the_name_is_by_default_that_of_the_file(file: str, name: str) -> None:
    assert config_of(OPTIMIZE, name=file).name == name
    assert config_of(f"name: own\n{OPTIMIZE}", name=file).name == "own"
    assert config_of(OPTIMIZE, "name=other", name=file).name == "other"


def test_a_config_for_another_command_says_which() -> None:
    text = f"experiment: gradcheck\n{GRADCHECK}"
    assert problems(text) == [
        "x.yaml:1:13: experiment: this config is for another command: run `dnnexp gradcheck x.yaml`"
    ]
    assert config_of(text, experiment="gradcheck").name == "x"
    assert config_of(GRADCHECK, experiment="gradcheck").experiment == "gradcheck"


def test_a_config_for_another_command_still_has_the_problems_of_its_text() -> None:
    """The problems of the text used to be dropped."""
    lines = problems(f"experiment: gradcheck\nseed: 1\nseed: 2\n{GRADCHECK}")
    assert [line.partition(": ")[0] for line in lines] == ["x.yaml:3:1", "x.yaml:1:13"]


@pytest.mark.parametrize("value", ["optimise", "[a]", "5", "null"])
def test_an_unknown_experiment_is_a_problem(value: str) -> None:
    (line,) = problems(changed("experiment: optimize", f"experiment: {value}"))
    assert line.startswith("x.yaml:1:13: experiment: unknown experiment ")
    assert line.endswith("sweep")


# Files that are not configs


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: there is no such file$"):
        load("optimize", Path("nowhere.yaml"))
    with pytest.raises(
        ConfigError, match=r"there is no such file; `dnnexp init` writes the starter configs$"
    ):
        load("optimize", Path("configs/optimize/reference.yaml"))


def test_a_directory() -> None:
    Path("d").mkdir()
    with pytest.raises(ConfigError, match=r"^d: is a directory, not a config file$"):
        load("optimize", Path("d"))
    with pytest.raises(ConfigError, match=r"is a directory, not a config file; it holds .*reference\.yaml"):
        load("optimize", directory() / "optimize")


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"^x\.yaml: cannot be read: Permission denied$"):
        load("optimize", Path("x.yaml"))


def test_a_path_through_a_file_and_one_too_long() -> None:
    Path("x.yaml").write_text(OPTIMIZE)
    with pytest.raises(ConfigError, match=r"^x\.yaml/y\.yaml: cannot be read: Not a directory$"):
        load("optimize", Path("x.yaml/y.yaml"))
    with pytest.raises(ConfigError, match=r"cannot be read: File name too long$"):
        load("optimize", Path("x" * 300))


BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "x.yaml: the text is empty, but one document is needed"),
        ("# nothing\n", "x.yaml: the text is empty, but one document is needed"),
        ("[1]\n", "x.yaml:1:1: must be a mapping of keys to values"),
        ("optimize\n", "x.yaml:1:1: must be a mapping of keys to values"),
        ("null\n", "x.yaml:1:1: must be a mapping of keys to values"),
        ("steps: 1\n\tseed: 2\n", "x.yaml:2:1: a tab is not allowed here; write spaces for indentation "
         "and around values"),
        ("steps: [1\nseed: 2\n",
         "x.yaml:2:5: expected ',' or ']', as the '[' of line 1 is still open"),
        ("a: 1\n---\nb: 2\n", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "x.yaml:1:1: the byte 0x89 is not UTF-8, as the text must be"),
        (b"a: \x00", "x.yaml:1:4: the control character U+0000 is not allowed; text must be printable"),
        ("a: 1\n" * 2_000_000, f"x.yaml: the text has at least {MAX_BYTES + 1} bytes, "
         f"but at most {MAX_BYTES} (1 MiB) are allowed"),
        (BOMB, None),
        (BOMB + "\n#" + "x" * 10_000_000, None),
        ("!!python/object/apply:os.system [true]", None),
    ],
    ids=["empty", "comment", "list", "text", "null", "tab", "invalid", "two documents", "binary", "zero",
         "10 MB", "alias bomb", "10 MB alias bomb", "python tag"],
)  # fmt: skip
def test_text_that_is_not_a_config_gives_one_line(text: str | bytes, line: str | None) -> None:
    lines = problems(text)
    assert len([each for each in lines if "is required" not in each and "unknown key" not in each]) == 1
    assert lines[0].startswith("x.yaml:")
    assert line is None or lines == [line]


# Expectations


def expecting(*checks: str) -> str:
    return OPTIMIZE + "expect:\n" + "".join(f"  - claim: c\n    check: {check}\n" for check in checks)


def test_an_expectation_is_taken_as_it_stands() -> None:
    checks = ['ranking[0] == "adam"', "optimizers.slow.final_value.median < 1"]
    assert [e.check for e in config_of(expecting(*checks)).expect] == checks


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("ranking[", ["`ranking[` is not an expression"]),
        ("'a ==='", ["`a ===` is not an expression"]),
        ("''", ["is not an expression"]),
        ("ranking.sort()", ["calling `ranking.sort` is not allowed"]),
        ("open(1) == 1", ["calling `open` is not allowed"]),
        ("__import__(1)", ["calling `__import__` is not allowed"]),
        ('"import os"', ["`import os` is not an expression"]),
        ("ranking.__class__ == 1", ["the name `__class__` is not allowed"]),
        ("rankng[0] == 1", ["`rankng` does not exist", "did you mean `ranking`?"]),
        ("optimizers.adaam.runs == 1", ["`optimizers.adaam` does not exist", "did you mean `adam`?"]),
        ("ranking[3] == 1", ["`ranking[3]` does not exist", "allowed: 0 to 2"]),
        ("optimizers.adam.targets.zero == 1", ["`optimizers.adam.targets.zero` does not exist", "allowed: "]),
        ("optimizers.adam.runs", ["a check must be true or false"]),
    ],
)
def test_an_invalid_check_is_a_problem_at_its_place(check: str, words: list[str]) -> None:
    (line,) = problems(expecting(check))
    assert line.startswith("x.yaml:13:12: expect.0.check: ")
    assert all(word in line for word in words)


def test_all_checks_are_looked_at() -> None:
    lines = problems(expecting("open(1)", 'ranking[0] == "adam"', "rankng[0] == 1", "ranking["))
    assert [line.split(": ")[:2] for line in lines] == [
        [f"x.yaml:{row}:12", f"expect.{index}.check"] for row, index in ((13, 0), (17, 2), (19, 3))
    ]


def test_an_invalid_check_in_an_override_is_a_problem_of_the_argument() -> None:
    argument = "+expect={claim: c, check: rankng}"
    (line,) = problems(OPTIMIZE, argument)
    assert line.startswith(f"argument {argument!r}: expect.0.check: `rankng` does not exist")


def test_the_paths_of_a_check_follow_the_overrides() -> None:
    text = expecting("optimizers.adam.runs == 1")
    assert config_of(text).expect[0].check == "optimizers.adam.runs == 1"
    (line,) = problems(text, "~optimizers.adam")
    assert line.startswith("x.yaml:13:12: expect.0.check: `optimizers.adam` does not exist")
    hint = "; the argument ~expect drops the file's claims"
    assert line.endswith(hint)
    for lines in (problems(expecting("rankng[0] == 1")), problems(expecting("ranking["), "steps=-1")):
        assert not any(line.endswith(hint) for line in lines), "no override can have caused it"

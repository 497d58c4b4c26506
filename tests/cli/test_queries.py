"""list, schema, init, --help, --version."""

import dataclasses
import errno
import json
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

import dnnexp
from dnnexp import experiments
from dnnexp.config import dialect
from dnnexp.config.shipped import directory, files
from dnnexp.registry import find, first_line, kinds, parts

Run = Callable[..., Any]
PARTS = [(kind, name) for kind in kinds() for name in parts(kind)]
WRITTEN = [file.relative_to(directory()) for file in files()]
SHIPPED = [file for file in WRITTEN if file.suffix == ".yaml"]


def squeezed(text: str) -> str:
    """The text without its line breaks and indentation: listings wrap."""
    return " ".join(text.split())


# list


def test_list_shows_every_part_of_every_kind(cli: Run) -> None:
    ran = cli("list")
    assert (ran.code, ran.err) == (0, "")
    assert re.findall(r"^(\w+):$", ran.out, flags=re.MULTILINE) == ["experiment", *kinds()]
    for kind, name in PARTS:
        assert squeezed(f"{name} {first_line(find(kind, name))}") in squeezed(ran.out)


@pytest.mark.parametrize("kind", kinds())
def test_list_of_a_kind_singular_or_plural(cli: Run, kind: str) -> None:
    """`dnnexp list losses` used to know no kind 'losse'."""
    ran = cli("list", kind)
    found = re.findall(r"^  (\w+)  ", ran.out, flags=re.MULTILINE)
    assert (ran.code, found) == (0, list(parts(kind)))
    plural = kind + ("es" if kind.endswith("s") else "s")
    assert cli("list", plural) == ran


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_list_of_a_part_shows_its_documentation_and_fields(cli: Run, kind: str, name: str) -> None:
    cls = find(kind, name)
    ran = cli("list", kind, name)
    assert ran.code == 0
    assert ran.out.startswith(f"{kind} {name}\n\n{first_line(cls)}\n")
    for field in dataclasses.fields(cls):
        assert re.search(rf"^  {field.name}: .+, (default .+|required)$", ran.out, flags=re.MULTILINE)


def test_the_words_for_types_bounds_and_defaults(cli: Run) -> None:
    adam = cli("list", "optimizer", "adam").out
    assert "  learning_rate: number > 0, default 0.001\n" in adam
    assert "  beta1: number >= 0 and < 1, default 0.9\n" in adam
    assert (
        "accumulator: 'coordinate' or 'norm', default \"coordinate\""
        in cli("list", "optimizer", "adagrad").out
    )
    assert "  dimension: integer >= 1 and <= 1e+06, default 2\n" in cli("list", "objective", "quadratic").out


def test_list_as_json(cli: Run) -> None:
    every = json.loads(cli("list", "--json").out)
    assert {kind: [part["name"] for part in found] for kind, found in every.items()} == {
        kind: list(parts(kind)) for kind in kinds()
    } | {"experiment": list(experiments.names())}
    one = json.loads(cli("list", "optimizers", "adam", "--json").out)
    (adam,) = one["optimizer"]
    assert adam == next(part for part in every["optimizer"] if part["name"] == "adam")
    names = [field["name"] for field in adam["fields"]]
    assert names[:4] == ["learning_rate", "beta1", "beta2", "epsilon"]
    assert names[-1] == "schedule", "what all rules have comes last"
    assert json.loads(cli("list", "loss", "--json").out) == {"loss": every["loss"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimiser"], "unknown kind 'optimiser'; did you mean 'optimizer'? allowed: "),
        (["zzz"], "unknown kind 'zzz'; allowed: "),
        (["optimizer", "adaam"], "unknown optimizer 'adaam'; did you mean 'adam'? allowed: gradient_descent"),
    ],
)
def test_list_of_what_is_unknown(cli: Run, arguments: list[str], message: str) -> None:
    ran = cli("list", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


# schema


@pytest.mark.parametrize("experiment", experiments.names())
def test_schema_prints_the_schema_of_an_experiment(cli: Run, experiment: str) -> None:
    ran = cli("schema", experiment)
    assert (ran.code, ran.err) == (0, "")
    schema = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = dialect.parse((directory() / experiment / "reference.yaml").read_bytes()).value
    assert jsonschema.Draft202012Validator(schema).is_valid(tree)
    assert not jsonschema.Draft202012Validator(schema).is_valid(tree | {"sede": 1})


def test_schema_of_all(cli: Run) -> None:
    schema = json.loads(cli("schema").out)
    validator = jsonschema.Draft202012Validator(schema)
    for file in SHIPPED:
        assert validator.is_valid(dialect.parse((directory() / file).read_bytes()).value)


def test_schema_of_what_is_unknown(cli: Run) -> None:
    ran = cli("schema", "optimise")
    assert (ran.code, ran.out) == (2, "")
    assert "unknown experiment 'optimise'; did you mean 'optimize'? allowed: " in ran.err


# init


def test_init_writes_configs_that_run(cli: Run) -> None:
    ran = cli("init")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [f"configs/{file}" for file in WRITTEN]
    for file in WRITTEN:
        assert (Path("configs") / file).read_bytes() == (directory() / file).read_bytes()
    assert cli("activations", "configs/activations/reference.yaml", "--smoke", "--no-plots").code == 0


def test_init_writes_the_example_plugin_too(cli: Run) -> None:
    assert cli("init").code == 0
    assert cli("list", "--plugin", "configs/plugins/rosenbrock.py").code == 0
    assert Path("plugins/rosenbrock.py") in WRITTEN


def test_the_wheel_has_all_that_init_writes() -> None:
    project = tomllib.loads((Path(dnnexp.__file__).parent.parent / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {"configs": "dnnexp/configs"}, "the whole folder"


def test_init_in_a_new_folder(cli: Run) -> None:
    assert cli("init", "a/b").out.splitlines() == [f"a/b/configs/{file}" for file in WRITTEN]
    assert os.listdir() == ["a"]


def test_init_keeps_what_is_there(cli: Run) -> None:
    mine = Path("configs/optimize/reference.yaml")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    ran = cli("init")
    assert ran.code == 0
    assert mine.read_text() == "mine"
    assert f"{mine} (exists, kept)" in ran.out.splitlines()
    assert Path("configs/gradcheck/reference.yaml").exists()
    assert all(line.endswith("(exists, kept)") for line in cli("init").out.splitlines())


@pytest.mark.parametrize("path", ["configs", "configs/optimize"])
def test_init_where_a_file_is_in_the_way(cli: Run, path: str) -> None:
    """A file `configs/optimize` used to count as a starter config that is kept, with exit code 0."""
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text("mine")
    ran = cli("init")
    assert ran.code == 3
    assert re.fullmatch(r"dnnexp: configs\S*: cannot be written: (File exists|Not a directory)\n", ran.err)
    assert Path(path).read_text() == "mine"


def test_init_into_a_file(cli: Run) -> None:
    Path("x").write_text("mine")
    ran = cli("init", "x")
    assert ran.code == 2
    assert "Directory 'x' is a file" in ran.err


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_init_where_nothing_can_be_made(cli: Run, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(self: Path, *args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "mkdir", fail)
    ran = cli("init")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"dnnexp: configs/activations: cannot be written: {os.strerror(code)}\n"


def test_init_on_a_full_disk_leaves_no_half_of_a_config(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The half must not be kept by the next `dnnexp init`."""

    class Full:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *error: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> NoReturn:
            self.stream.write(data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    opened = Path.open
    with monkeypatch.context() as patch:

        def open_full(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            stream = opened(self, mode, *args, **kwargs)
            return Full(stream) if mode == "xb" else stream

        patch.setattr(Path, "open", open_full)
        ran = cli("init")
    assert ran.code == 3
    assert ran.err == f"dnnexp: configs/{SHIPPED[0]}: cannot be written: No space left on device\n"
    assert not (Path("configs") / SHIPPED[0]).exists()
    assert "kept" not in cli("init").out


# the program itself


def test_version(cli: Run) -> None:
    ran = cli("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"dnnexp, version {dnnexp.__version__}\n", "")


COMMANDS = [*experiments.names(), "sweep", "runs", "list", "schema", "init"]


def test_help_names_every_command(cli: Run) -> None:
    ran = cli("-h")
    assert (ran.code, ran.err) == (0, "")
    assert cli("--help") == ran
    shown = re.findall(r"^  (\w+)  +(\S.*)$", ran.out.partition("Commands:")[2], flags=re.MULTILINE)
    assert sorted(name for name, _ in shown) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_help(cli: Run, command: str) -> None:
    from dnnexp.cli.app import cli as group

    ran = cli(command, "-h")
    assert ran.code == 0
    assert cli(command, "--help") == ran
    found = group.get_command(click.Context(group), command)
    assert found is not None
    assert found.help
    options = [p for p in found.params if p.param_type_name == "option"]
    for option in options:
        assert getattr(option, "help", None)
        assert all(name in ran.out for name in option.opts)


def test_without_a_command_the_help_is_shown(cli: Run) -> None:
    ran = cli()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.rstrip() == cli("-h").out.rstrip()


def test_an_unknown_command_has_a_suggestion(cli: Run) -> None:
    ran = cli("optimise")
    assert (ran.code, ran.out) == (2, "")
    assert "No such command 'optimise'. Did you mean 'optimize'?" in ran.err
    assert "Did you mean" not in cli("zzz").err

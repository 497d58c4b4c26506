"""The JSON Schema, for editors, takes what the commands take."""

from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from dnnexp import experiments
from dnnexp.config import dialect
from dnnexp.config.json_schema import json_schema
from dnnexp.config.sweep import SweepConfig
from tests.config.reading import (
    MINIMAL,
    SHIPPED,
    SWEEPS,
    KeyPath,
    config_class,
    errors_of,
    valid,
    validator,
    with_value,
)

EXPERIMENTS = pytest.mark.parametrize("experiment", experiments.names())


@EXPERIMENTS
def test_the_json_schema_is_a_schema(experiment: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema([config_class(experiment)]))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_json_schema_takes_a_shipped_config_but_not_a_misspelt_key(file: Path) -> None:
    tree = dialect.parse(file.read_bytes()).value
    schema = validator(config_class(tree["experiment"]))
    assert schema.is_valid(tree)
    assert not schema.is_valid(tree | {"nmae": "x"})
    assert not schema.is_valid(tree | {"seed": -1})


@EXPERIMENTS
def test_the_json_schema_of_all_experiments_takes_each_but_not_a_misspelt_key(experiment: str) -> None:
    schema = validator(*map(config_class, experiments.names()))
    assert schema.is_valid(MINIMAL[experiment])
    assert not schema.is_valid(MINIMAL[experiment] | {"nmae": "x"})


@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.stem)
def test_the_json_schema_takes_a_shipped_sweep_but_not_a_misspelt_key(file: Path) -> None:
    tree = dialect.parse(file.read_bytes()).value
    schema = validator(SweepConfig)
    assert schema.is_valid(tree)
    assert schema.is_valid(tree | {"metrics": ["minimum", {"value": "minimum", "label": "x"}]})
    wrong: list[Any] = [{"gird": {}}, {"grid": {"steps": 5}}, {"metrics": [{"label": "x"}]}]
    for faulty in [*wrong, {"random": {"count": 0}}]:
        assert not schema.is_valid(tree | faulty)


@pytest.mark.parametrize(
    ("experiment", "where", "value"),
    [
        ("optimize", ("optimizers",), []),
        ("optimize", ("optimizers",), ["adaam"]),
        ("optimize", ("optimizers",), [{"name": "adam", "lr": 1}]),
        ("optimize", ("optimizers",), [{"name": "adam", "beta1": 1}]),
        ("optimize", ("optimizers",), [{"name": "adam", "label": "1"}]),
        ("optimize", ("steps",), "10"),
        ("optimize", ("targets",), [0]),
        ("activations", ("activations",), []),
        ("activations", ("initializers",), [{"weights": "zeros"}]),
        ("gradcheck", ("network", "layers"), [3]),
        ("gradcheck", ("network", "activation"), "relo"),
    ],
)
def test_the_json_schema_rejects_the_same_as_the_command(experiment: str, where: KeyPath, value: Any) -> None:
    """An empty `optimizers` used to pass: its bound was written as that of a text."""
    tree = with_value(MINIMAL[experiment], where, value)
    assert errors_of(experiment, tree) != []
    assert not validator(config_class(experiment)).is_valid(tree)


@EXPERIMENTS
def test_the_defaults_in_the_json_schema_can_be_written_in_a_config(experiment: str) -> None:
    """The default of `objective` used to be given as `{}`, which names nothing."""
    schema = json_schema([config_class(experiment)])
    filled = {key: entry["default"] for key, entry in schema["properties"].items() if "default" in entry}
    assert valid(experiment, filled | MINIMAL[experiment]) == valid(experiment, MINIMAL[experiment])

"""What is read, written and read again is the same."""

from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import HealthCheck, given, settings

from dnnexp import experiments
from dnnexp.config import dialect
from dnnexp.config.dump import dump
from dnnexp.config.json_schema import json_schema
from dnnexp.config.schema import read
from dnnexp.registry import plain
from tests.config.reading import MINIMAL, SHIPPED, KeyPath, config_class, valid, with_value
from tests.config.strategies import field_trees


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # every part is in the strategy
@pytest.mark.usefixtures("data_files")
@pytest.mark.parametrize("experiment", experiments.names())
def test_what_a_config_writes_reads_as_the_same_config_and_fits_the_schema(experiment: str) -> None:
    cls = config_class(experiment)
    validator = jsonschema.Draft202012Validator(json_schema([cls]))

    @settings(max_examples=50, suppress_health_check=list(HealthCheck))
    @given(field_trees(cls))
    def check(tree: Any) -> None:
        config, errors = read(cls, tree)
        assert errors == []
        assert config is not None
        assert read(cls, plain(config)) == (config, [])
        document = dialect.parse(dump(plain(config)))
        assert document.problems == ()
        again, _ = read(cls, document.value)
        assert again == config
        assert dump(plain(again)) == dump(plain(config))
        for written in (tree, plain(config)):
            assert jsonschema.exceptions.best_match(validator.iter_errors(written)) is None

    check()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("objective",), {"name": "network", "data": "moons", "batch": None}),
        (("optimizers",), [{"name": "nadam", "momentum_decay": None}]),
    ],
)
def test_a_null_in_the_place_of_a_default_is_kept(path: KeyPath, value: Any) -> None:
    """A run with `batch: null` used to write a config without it, which reads as batches of 32."""
    config = valid("optimize", with_value(MINIMAL["optimize"] | {"starts": {"own": 1}}, path, value))
    assert valid("optimize", plain(config)) == config


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_shipped_config_reads_as_itself(file: Path) -> None:
    tree = dialect.parse(file.read_bytes()).value
    config = valid(tree["experiment"], tree)
    assert valid(tree["experiment"], plain(config)) == config

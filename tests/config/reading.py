"""Small configs, and trees that are read into configs."""

import copy
import functools
from collections.abc import Sequence
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types

from dnnexp import experiments
from dnnexp.config.json_schema import json_schema
from dnnexp.config.schema import read
from dnnexp.config.shipped import directory

Tree = Any
KeyPath = tuple[str | int, ...]

MINIMAL: dict[str, Tree] = {
    "optimize": {"starts": {"points": [[1, 2]]}, "steps": 10, "optimizers": ["adam"]},
    "activations": {"network": {"layers": [3, 4]}, "activations": ["relu"], "initializers": ["glorot"]},
    "gradcheck": {"network": {"layers": [3, 4, 2], "activation": "tanh"}},
}
SHIPPED = sorted(path for path in directory().rglob("*.yaml") if path.parent.name in experiments.names())
SWEEPS = sorted((directory() / "sweep").glob("*.yaml"))


def with_value(tree: Tree, path: Sequence[str | int], value: Any) -> Tree:
    """A copy of the tree with a value set; missing mappings on the way are made."""
    copied = here = copy.deepcopy(tree)
    for key in path[:-1]:
        here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
    here[path[-1]] = value
    return copied


def config_class(experiment: str) -> Any:
    return experiments.find(experiment).config_class


def errors_of(experiment: str, tree: Tree) -> list[tuple[KeyPath, str]]:
    config, errors = read(config_class(experiment), tree)
    assert (config is None) == bool(errors)
    return errors


def valid(experiment: str, tree: Tree) -> Any:
    config, errors = read(config_class(experiment), tree)
    assert errors == []
    return config


@functools.cache
def validator(*classes: Any) -> Any:
    """The validator of these classes' JSON Schema, which takes long to build."""
    return jsonschema.Draft202012Validator(json_schema(classes))


def agrees(message: str, expected: str) -> bool:
    """Whether a message is as expected; what is allowed is left open where the expected one ends with it."""
    return message == expected or (expected.endswith("allowed: ") and message.startswith(expected))

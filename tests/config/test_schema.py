"""Plain trees become configs: shorthands, defaults, and every field of every part."""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dnnexp import experiments
from dnnexp.config.dump import dump
from dnnexp.config.schema import read
from dnnexp.config.shapes import hints
from dnnexp.registry import find, kinds, parts, plain
from tests.config.reading import MINIMAL, KeyPath, Tree, config_class, valid, with_value
from tests.config.strategies import part_trees
from tests.config.strategies.inputs import fitted

EXPERIMENTS = pytest.mark.parametrize("experiment", experiments.names())

PLACES: list[tuple[str, KeyPath, str, Callable[[str], Tree]]] = [
    ("optimize", ("objective",), "objective", lambda name: name),
    ("optimize", ("gradient",), "gradient", lambda name: name),
    ("optimize", ("objective",), "data", lambda name: {"name": "least_squares", "data": name}),
    ("optimize", ("optimizers",), "optimizer", lambda name: [name]),
    ("optimize", ("optimizers",), "schedule", lambda name: [{"name": "adam", "schedule": name}]),
    ("activations", ("input",), "input", lambda name: name),
    ("activations", ("activations",), "activation", lambda name: [name]),
    ("activations", ("initializers",), "initializer", lambda name: [name]),
    ("gradcheck", ("network", "activation"), "activation", lambda name: name),
    ("gradcheck", ("network", "activation"), "activation", lambda name: ["relu", name]),
    ("gradcheck", ("initializer",), "initializer", lambda name: name),
    ("gradcheck", ("initializer", "weights"), "initializer", lambda name: name),
    ("gradcheck", ("loss",), "loss", lambda name: name),
    ("gradcheck", ("inject",), "fault", lambda name: name),
    ("gradcheck", ("target",), "target", lambda name: name),
]


@pytest.mark.parametrize(("experiment", "path", "kind", "write"), PLACES)
def test_a_bare_name_is_the_mapping_with_that_name(
    experiment: str, path: KeyPath, kind: str, write: Callable[[Any], Tree]
) -> None:
    for name in parts(kind):
        short, long = (with_value(MINIMAL[experiment], path, write(x)) for x in (name, {"name": name}))
        config, errors = read(config_class(experiment), short)
        same, same_errors = read(config_class(experiment), long)
        assert config == same
        assert [text for _, text in errors] == [text for _, text in same_errors]


def test_every_kind_of_part_has_a_place_in_the_test_above() -> None:
    assert {kind for _, _, kind, _ in PLACES} == set(kinds())


def test_a_bare_initializer_stands_for_the_weights() -> None:
    bare = {"label": "he_2", "name": "he", "gain": 2}
    full = {"label": "he_2", "weights": {"name": "he", "gain": 2}, "biases": "zeros"}
    first, second = (
        valid("activations", MINIMAL["activations"] | {"initializers": [x]}) for x in (bare, full)
    )
    assert first == second
    (labelled,) = valid("activations", MINIMAL["activations"] | {"initializers": ["he"]}).initializers
    assert (labelled.label, labelled.item.weights.name, labelled.item.biases.name) == ("he", "he", "zeros")


@EXPERIMENTS
def test_defaults_are_filled_in(experiment: str) -> None:
    filled = plain(valid(experiment, MINIMAL[experiment]))
    nulls = {"tune", "inject", "directions"}
    written = [key for key in hints(config_class(experiment)) if key not in nulls]
    assert list(filled) == written, "null is not written"
    assert (filled["experiment"], filled["name"], filled["seed"]) == (experiment, "run", 0)


def test_the_defaults_of_optimize_in_full() -> None:
    filled = plain(valid("optimize", MINIMAL["optimize"]))
    assert filled == {
        "experiment": "optimize",
        "name": "run",
        "seed": 0,
        "objective": {"name": "valley"},
        "objectives": [],
        "gradient": {"name": "analytic"},
        "noise": {"std": 0.0},
        "starts": {"points": [[1.0, 2.0]]},
        "steps": 10,
        "record": {"spacing": "log", "count": 200, "points": "auto"},
        "targets": [1.0, 1e-3, 1e-6],
        "optimizers": [
            {
                "name": "adam",
                "learning_rate": 1e-3,
                "beta1": 0.9,
                "beta2": 0.999,
                "epsilon": 1e-8,
                "epsilon_root": 0.0,
                "bias_correction": True,
                "weight_decay": 0.0,
                "decay": "coupled",
                "decay_scale": "learning_rate",
                "schedule": {"name": "constant", "warmup": 0, "warmup_start": 0.0},
            }
        ],
        "animate": False,
        "expect": [],
    }


@EXPERIMENTS
def test_a_config_is_frozen_and_the_tree_is_left_alone(experiment: str) -> None:
    tree = copy.deepcopy(MINIMAL[experiment])
    config = valid(experiment, tree)
    assert tree == MINIMAL[experiment]
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 1


@pytest.mark.usefixtures("data_files")
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in kinds() for name in parts(kind)])
def test_every_field_of_every_part_can_be_written_and_read_again(kind: str, name: str) -> None:
    cls = find(kind, name)
    if (kind, name) == ("target", "function"):
        pytest.skip("needs a plugin")
    experiment, path, write = next((place[0], place[1], place[3]) for place in PLACES if place[2] == kind)
    # starts of the objective's own fit its dimension, whatever that is
    minimal = MINIMAL[experiment] | ({"starts": {"own": 1}} if experiment == "optimize" else {})
    if kind == "target" and name != "network":  # which other targets do not have
        minimal = {}

    @settings(max_examples=3, suppress_health_check=list(HealthCheck))
    @given(part_trees(cls, every=True))
    def check(tree: Tree) -> None:
        # normal has std and variance, of which one is given
        assert {"name", *hints(cls)} - set(tree) <= {"std", "variance"}
        written = with_value(minimal, path, write(tree))
        if kind == "input":
            written = with_value(written, ("network", "layers"), fitted([3, 4], tree))
        if kind == "fault":  # of its second layer, which must be square for some
            written = with_value(written, ("network", "layers"), [3, 4, 4])
        config = valid(experiment, written)
        assert name in dump(plain(config))
        assert valid(experiment, plain(config)) == config

    check()

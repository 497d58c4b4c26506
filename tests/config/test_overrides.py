"""Overrides: `a.b=value`, `+list=item`, `~a.b`."""

import copy
from typing import Any

import pytest

from dnnexp import experiments
from dnnexp.config.overrides import OverrideError, apply, is_override, parse
from dnnexp.config.schema import read
from dnnexp.registry import plain
from tests.config.reading import agrees

Tree = Any

OPTIMIZE: Tree = {
    "starts": {"points": [[1, 2], [3, 4]]},
    "steps": 10,
    "optimizers": [
        "adam",
        {"name": "momentum", "learning_rate": 0.1},
        {"name": "adagrad", "label": "adagrad_norm", "accumulator": "norm"},
    ],
}
ACTIVATIONS: Tree = {
    "network": {"layers": [3, 4]},
    "activations": ["relu", "tanh"],
    "initializers": [
        "he",
        {"label": "small", "name": "normal", "std": 0.1},
        {"label": "full", "weights": "glorot", "biases": "zeros"},
    ],
}
GRADCHECK: Tree = {"network": {"layers": [3, 4, 2], "activation": "tanh"}, "initializer": "glorot"}
TREES = {"optimize": OPTIMIZE, "activations": ACTIVATIONS, "gradcheck": GRADCHECK}


def edited(experiment: str, *arguments: str, tree: Tree = None) -> Tree:
    """The tree after some overrides; the one given stays as it is."""
    tree = TREES[experiment] if tree is None else tree
    before = copy.deepcopy(tree)
    result = tree
    for argument in arguments:
        result = apply(experiments.find(experiment).config_class, result, parse(argument)).tree
    assert tree == before
    return result


def resolved(experiment: str, *arguments: str, tree: Tree = None) -> Tree:
    """The config, as its plain tree, after some overrides."""
    cls = experiments.find(experiment).config_class
    config, errors = read(cls, edited(experiment, *arguments, tree=tree))
    assert errors == []
    return plain(config)


def at(tree: Tree, path: str) -> Any:
    for key in path.split("."):
        tree = tree[int(key) if isinstance(tree, list) else key]
    return tree


@pytest.mark.parametrize(
    ("experiment", "argument", "path", "value"),
    [
        # keys that the file has
        ("optimize", "steps=20", "steps", 20),
        ("optimize", "starts.points.1=[5, 6]", "starts.points.1", [5.0, 6.0]),
        ("optimize", "starts.points.1.0=7", "starts.points.1", [7.0, 4.0]),
        ("optimize", "starts={points: [[7, 8]]}", "starts", {"points": [[7.0, 8.0]]}),
        # list items by index and by label
        ("optimize", "optimizers.1.learning_rate=0.5", "optimizers.1.learning_rate", 0.5),
        ("optimize", "optimizers.momentum.learning_rate=0.5", "optimizers.1.learning_rate", 0.5),
        ("optimize", "optimizers.adagrad_norm.epsilon=1e-9", "optimizers.2.epsilon", 1e-9),
        ("optimize", "optimizers.momentum=rmsprop", "optimizers.1.name", "rmsprop"),
        ("optimize", "optimizers.adagrad_norm.label=norm", "optimizers.2.label", "norm"),
        ("activations", "initializers.full.biases={name: normal, std: 2}", "initializers.2.biases.std", 2.0),
        # bare names
        ("optimize", "optimizers.adam.learning_rate=0.5", "optimizers.0.learning_rate", 0.5),
        ("optimize", "optimizers.0.learning_rate=0.5", "optimizers.0.learning_rate", 0.5),
        ("gradcheck", "network.activation.name=relu", "network.activation.name", "relu"),
        ("activations", "activations.0=sigmoid", "activations.0.name", "sigmoid"),
        # keys that the file leaves out
        ("optimize", "seed=5", "seed", 5),
        ("optimize", "objective.name=beale", "objective.name", "beale"),
        ("optimize", "record.count=7", "record", {"spacing": "log", "count": 7, "points": "auto"}),
        ("optimize", "gradient=central", "gradient.name", "central"),
        ("optimize", "targets.1=0.5", "targets", [1.0, 0.5, 1e-6]),
        ("optimize", "starts.uniform={low: -1, high: 1, count: 2}", "starts.uniform.count", 2),
        ("gradcheck", "tolerances.exact=1e-8", "tolerances",
         {"exact": 1e-8, "central": 1e-6, "excluded": 0.1}),
        # a part where its holder is due
        ("gradcheck", "initializer.weights.gain=2", "initializer.weights",
         {"name": "glorot", "distribution": "uniform", "gain": 2.0}),
        ("gradcheck", "initializer.biases={name: normal, std: 2}", "initializer",
         {"weights": {"name": "glorot", "distribution": "uniform", "gain": 1.0},
          "biases": {"name": "normal", "std": 2.0}}),
        ("gradcheck", "initializer=he", "initializer.weights.name", "he"),
        ("activations", "initializers.he.weights.gain=3", "initializers.0.weights.gain", 3.0),
        ("activations", "initializers.small.weights.std=3", "initializers.1.weights.std", 3.0),
        ("activations", "initializers.small.biases=he", "initializers.1.biases.name", "he"),
        # appending
        ("optimize", "+optimizers=rmsprop", "optimizers.3.name", "rmsprop"),
        ("optimize", "+optimizers={name: adam, label: b}", "optimizers.3.label", "b"),
        ("optimize", "+targets=0.5", "targets", [1.0, 1e-3, 1e-6, 0.5]),
        ("optimize", "+starts.points.0=9", "starts.points.0", None),
        ("optimize", "+expect={claim: c, check: 'True'}", "expect", [{"claim": "c", "check": "True"}]),
    ],
)  # fmt: skip
def test_an_override_changes_the_named_value(experiment: str, argument: str, path: str, value: Any) -> None:
    if value is None:  # an invalid config, which only `read` reports
        assert at(edited(experiment, argument), path) == [1, 2, 9]
    else:
        assert at(resolved(experiment, argument), path) == value


def test_an_override_changes_nothing_else() -> None:
    before, after = resolved("optimize"), resolved("optimize", "optimizers.momentum.learning_rate=0.5")
    before["optimizers"][1]["learning_rate"] = 0.5
    assert after == before


def test_the_label_stays_when_the_name_changes() -> None:
    """What was picked by a label can be picked by it again."""
    result = resolved("optimize", "optimizers.adam.name=rmsprop", "optimizers.adam.beta=0.5")
    assert result["optimizers"][0]["label"] == "adam"
    assert result["optimizers"][0]["beta"] == 0.5


def test_overrides_build_on_one_another() -> None:
    result = resolved(
        "optimize",
        "+optimizers=rmsprop",
        "optimizers.rmsprop.beta=0.5",
        "~optimizers.adam",
        "optimizers.0.learning_rate=7",
    )
    assert [item["name"] for item in result["optimizers"]] == ["momentum", "adagrad", "rmsprop"]
    assert result["optimizers"][0]["learning_rate"] == 7.0
    assert result["optimizers"][2]["beta"] == 0.5


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("~optimizers.momentum.learning_rate", "optimizers.1.learning_rate", 1e-3),
        ("~optimizers.2.label", "optimizers.2.accumulator", "norm"),
        ("~seed", "seed", 0),
        ("~record.count", "record.count", 200),
        ("~starts.points.0", "starts.points", [[3.0, 4.0]]),
    ],
)  # fmt: skip
def test_a_tilde_goes_back_to_the_default(argument: str, path: str, value: Any) -> None:
    tree = OPTIMIZE | {"seed": 8, "record": {"count": 5}}
    assert at(resolved("optimize", argument, tree=tree), path) == value


def test_required_keys_can_come_from_overrides_alone() -> None:
    """Appending to a required list that the file leaves out used to say that it is not a list."""
    arguments = ["steps=3", "+optimizers=adam", "+optimizers=rmsprop", "+starts.points=[1, 2]"]
    result = resolved("optimize", *arguments, tree={"name": "x"})
    assert [item["name"] for item in result["optimizers"]] == ["adam", "rmsprop"]
    assert result["starts"]["points"] == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("010", 10),
        ("true", True),
        ("yes", "yes"),
        ("", None),
        ("null", None),
        ("[1, 2.0, x]", [1, 2.0, "x"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("'1'", "1"),
        ("a=b", "a=b"),
        ("2020-01-01", "2020-01-01"),
        (" x ", "x"),
    ],
)
def test_values_are_of_the_files_dialect(text: str, value: Any) -> None:
    given = parse(f"name={text}").value
    assert (given, type(given)) == (value, type(value))


@pytest.mark.parametrize(
    ("experiment", "argument", "message"),
    [
        ("optimize", "stpes=1", "unknown key 'stpes'; did you mean 'steps'? allowed: "),
        ("optimize", "~stpes", "unknown key 'stpes'; did you mean 'steps'? allowed: "),
        ("optimize", "+stpes=1", "unknown key 'stpes'; did you mean 'steps'? allowed: "),
        ("optimize", "record.cuont=1", "unknown key 'cuont'; did you mean 'count'? "
         "allowed: spacing, count, points"),
        ("optimize", "optimizers.adam.lr=1",
         "unknown key 'lr'; allowed: "),
        ("optimize", "optimizers.adaam.beta1=0", "no item 'adaam'; did you mean 'adam'? "
         "allowed: adam, momentum, adagrad_norm, 0, 1, 2"),
        ("optimize", "optimizers.3.beta1=0", "no item '3'; allowed: adam, momentum, adagrad_norm, 0, 1, 2"),
        ("optimize", "optimizers.-1.beta1=0",
         "no item '-1'; did you mean '1'? allowed: adam, momentum, adagrad_norm, 0, 1, 2"),
        ("optimize", "optimizers.adagrad.epsilon=1", "no item 'adagrad'; did you mean 'adagrad_norm'? "
         "allowed: adam, momentum, adagrad_norm, 0, 1, 2"),
        ("optimize", "~optimizers.rmsprop",
         "no item 'rmsprop'; allowed: adam, momentum, adagrad_norm, 0, 1, 2"),
        ("optimize", "starts.points.2=[1, 1]", "no item '2'; allowed: 0, 1"),
        ("optimize", "starts.points.0.0.0=1", "1 has no key '0'"),
        ("optimize", "steps.a=1", "10 has no key 'a'"),
        ("optimize", "record.spacing.a=1", "\"log\" has no key 'a'"),
        ("optimize", "+steps=1", "steps is not a list; + appends to lists only"),
        ("optimize", "+record={count: 2}", "record is not a list; + appends to lists only"),
        ("optimize", "objective.dimension=2", "unknown key 'dimension'; allowed: name, instance"),
        ("gradcheck", "initializer.weights.std=2", "unknown key 'std'; allowed: name, distribution, gain"),
        ("gradcheck", "initializer.gain=2", "unknown key 'gain'; allowed: weights, biases"),
        ("activations", "initializers.full.weigths=he",
         "unknown key 'weigths'; did you mean 'weights'? allowed: label, weights, biases"),
    ],
)  # fmt: skip
def test_an_unknown_key_or_item_is_a_problem_of_the_argument(
    experiment: str, argument: str, message: str
) -> None:
    with pytest.raises(OverrideError) as error:
        edited(experiment, argument)
    assert agrees(str(error.value), f"argument {argument!r}: {message}")


@pytest.mark.parametrize(
    ("tree", "argument", "message"),
    [
        ({"steps": [10]}, "steps.0.a=3", "10 has no key 'a'"),
        ({"objective": ["valley"]}, "objective.0.a=3", "\"valley\" has no key 'a'"),
        ({"targets": {"a": 1}}, "targets.a=2", "unknown key 'a'; allowed: none"),
        ({"record": {"spacing": {"a": 1}}}, "record.spacing.a=2", "unknown key 'a'; allowed: none"),
        ({}, "optimizers.adam.learning_rate=1", "no item 'adam'; allowed: none"),
        ({}, "steps.a=1", "unknown key 'a'; allowed: none"),
        ({"optimizers": [{"name": "adam", "label": 5}]}, "optimizers.foo.x=1", "no item 'foo'; allowed: 0"),
        ({"optimizers": [5, None, ["adam"]]}, "optimizers.foo.x=1", "no item 'foo'; allowed: 0, 1, 2"),
        ({"optimizers": [5]}, "optimizers.0.x=1", "5 has no key 'x'"),
        ({"optimizers": ["adaam"]}, "optimizers.0.x=1",
         "unknown optimizer 'adaam'; did you mean 'adam'? allowed: "),
        ({"optimizers": ["adam"]}, "optimizers.\u00b2.x=1", "no item '\u00b2'; allowed: adam, 0"),
    ],
)  # fmt: skip
def test_an_override_into_a_wrong_file_is_an_error_too(tree: Tree, argument: str, message: str) -> None:
    """The override meets what the hints do not foresee: an error, no traceback."""
    with pytest.raises(OverrideError) as error:
        edited("optimize", argument, tree=tree)
    assert agrees(str(error.value), f"argument {argument!r}: {message}")


def test_an_item_of_a_list_in_the_place_of_a_number_can_be_set() -> None:
    """`steps.0=3` where the file says `steps: [10]` ended in a traceback."""
    assert edited("optimize", "steps.0=3", tree={"steps": [10]}) == {"steps": [3]}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("=1", "a key is empty; write key.subkey=value"),
        ("a..b=1", "a key is empty; write key.subkey=value"),
        (".a=1", "a key is empty; write key.subkey=value"),
        ("+=1", "a key is empty; write key.subkey=value"),
        ("~", "a key is empty; write key.subkey=value"),
        ("~a.", "a key is empty; write key.subkey=value"),
        (
            "a=[1, 2",
            "expected ',' or ']', as the '[' of line 1 is still open; put the whole argument in quotes",
        ),
        ("a={b: 1, b: 2}", "the key 'b' is on line 1 and again on line 1, but may be given only once"),
    ],
)
def test_an_argument_that_is_not_an_override(argument: str, message: str) -> None:
    with pytest.raises(OverrideError) as error:
        parse(argument)
    assert str(error.value) == f"argument {argument!r}: {message}"


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a=1", True),
        ("a.b=", True),
        ("+a=1", True),
        ("~a", True),
        ("~a.b", True),
        ("a.yaml", False),
        ("~/a.yaml", False),
        ("configs/a", False),
    ],
)
def test_an_argument_without_an_equals_sign_is_a_file(argument: str, expected: bool) -> None:
    assert is_override(argument) is expected


@pytest.mark.parametrize(
    ("argument", "path", "removed"),
    [
        ("optimizers.adagrad_norm.epsilon=1", ("optimizers", 2, "epsilon"), False),
        ("+optimizers=rmsprop", ("optimizers", 3), False),
        ("~optimizers.momentum", ("optimizers", 1), True),
        ("~steps", ("steps",), True),
        ("steps=1", ("steps",), False),
    ],
)
def test_the_path_has_labels_as_indices(argument: str, path: tuple[str | int, ...], removed: bool) -> None:
    edit = apply(experiments.find("optimize").config_class, OPTIMIZE, parse(argument))
    assert (edit.path, edit.removed) == (path, removed)

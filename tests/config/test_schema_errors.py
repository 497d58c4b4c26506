"""Every problem of a config has its path, the given value, and what is allowed."""

import math
from typing import Any

import pytest

from dnnexp.config.shapes import hints
from dnnexp.registry import find, parts
from tests.config.reading import MINIMAL, KeyPath, Tree, agrees, config_class, errors_of, with_value

BAD_NAME = "must be a letter, then letters, digits, _ or - (at most 100), not "

# experiment, where a value is set in the minimal config, the value, where the error is, its message
ERRORS: list[tuple[str, KeyPath, Any, KeyPath, str]] = [
    # unknown keys
    ("optimize", ("stpes",), 1, ("stpes",), "unknown key; did you mean 'steps'? allowed: "),
    ("optimize", ("zzz",), 1, ("zzz",), "unknown key; allowed: "),
    ("optimize", ("starts", "pts"), 1, ("starts", "pts"), "unknown key; did you mean 'points'? "
     "allowed: points, uniform, own"),
    ("optimize", ("optimizers", 0), {"name": "adam", "lr": 1}, ("optimizers", 0, "lr"),
     "unknown key; allowed: "),
    ("optimize", ("objective",), {"name": "valley", "dimension": 2}, ("objective", "dimension"),
     "unknown key; allowed: instance"),
    ("activations", ("initializers", 0), {"name": "glorot", "gian": 1}, ("initializers", 0, "gian"),
     "unknown key; did you mean 'gain'? allowed: distribution, gain"),
    # wrong types
    ("optimize", ("steps",), "10", ("steps",), 'must be an integer, not "10"'),
    ("optimize", ("steps",), 10.0, ("steps",), "must be an integer, not 10.0"),
    ("optimize", ("steps",), True, ("steps",), "must be an integer, not true"),
    ("optimize", ("steps",), None, ("steps",), "must be an integer, not null"),
    ("optimize", ("steps",), [10], ("steps",), "must be an integer, not [10]"),
    ("optimize", ("targets",), [True], ("targets", 0), "must be a number, not true"),
    ("optimize", ("targets",), ["1"], ("targets", 0), 'must be a number, not "1"'),
    ("optimize", ("targets",), 1, ("targets",), "must be a list, not 1"),
    ("optimize", ("targets",), "123", ("targets",), 'must be a list, not "123"'),
    ("optimize", ("targets",), {"a": 1}, ("targets",), 'must be a list, not {"a": 1}'),
    ("optimize", ("name",), 5, ("name",), "must be text, not 5"),
    ("optimize", ("starts",), [1], ("starts",), "must be a mapping of points, uniform, own, not [1]"),
    ("optimize", ("starts", "uniform"), 3, ("starts", "uniform"),
     "must be a mapping of low, high, count, not 3"),
    ("optimize", ("starts", "uniform"), {"low": "a", "high": 1, "count": 1}, ("starts", "uniform", "low"),
     'must be a number, not "a"'),
    ("optimize", ("starts", "uniform"), {"low": [0, "a"], "high": 1, "count": 1},
     ("starts", "uniform", "low", 1), 'must be a number, not "a"'),
    ("optimize", ("record", "spacing"), "cubic", ("record", "spacing"),
     "must be 'linear', 'log' or 'every', not \"cubic\""),
    ("optimize", ("record", "points"), 5, ("record", "points"), "must be 'auto' or true or false, not 5"),
    ("optimize", ("objective",), 5, ("objective",),
     "must be a name or a mapping with a name, not 5; allowed: "),
    ("optimize", ("optimizers",), "adam", ("optimizers",), 'must be a list, not "adam"'),
    ("optimize", ("optimizers",), {"name": "adam"}, ("optimizers",), 'must be a list, not {"name": "adam"}'),
    ("optimize", ("optimizers", 0), ["adam"], ("optimizers", 0),
     'must be a name or a mapping with a name, not ["adam"]; allowed: '),
    ("optimize", ("optimizers", 0), None, ("optimizers", 0),
     "must be a name or a mapping with a name, not null; allowed: "),
    ("optimize", ("expect",), ["steps == 1"], ("expect", 0),
     'must be a mapping of claim, check, not "steps == 1"'),
    ("optimize", ("expect",), [{"claim": 1, "check": "True"}], ("expect", 0, "claim"), "must be text, not 1"),
    ("optimize", ("experiment",), "gradcheck", ("experiment",), "must be 'optimize', not \"gradcheck\""),
    ("gradcheck", ("network",), "tanh", ("network",),
     'must be a mapping of layers, activation, not "tanh"'),
    ("gradcheck", ("batch",), 1e4, ("batch",), "must be an integer, not 10000.0"),
    ("gradcheck", ("tolerances", "exact"), 10**400, ("tolerances", "exact"),
     f"must be a number, not 1{'0' * 56}..."),
    ("gradcheck", ("initializer",), 3, ("initializer",), "must be a mapping of weights, biases, not 3"),
    # bounds
    ("optimize", ("steps",), -1, ("steps",), "must be at least 0, not -1"),
    ("optimize", ("steps",), 10**9 + 1, ("steps",), "must be at most 1000000000, not 1000000001"),
    ("optimize", ("seed",), -1, ("seed",), "must be at least 0, not -1"),
    ("optimize", ("seed",), 2**63, ("seed",), "must be at most 9223372036854775807, not 9223372036854775808"),
    ("optimize", ("targets",), [1, 0], ("targets", 1), "must be greater than 0, not 0"),
    ("optimize", ("optimizers", 0), {"name": "adam", "learning_rate": 0}, ("optimizers", 0, "learning_rate"),
     "must be greater than 0, not 0"),
    ("optimize", ("optimizers", 0), {"name": "adam", "beta1": 1}, ("optimizers", 0, "beta1"),
     "must be less than 1, not 1"),
    ("optimize", ("record", "count"), 1, ("record", "count"), "must be at least 2, not 1"),
    ("gradcheck", ("step_sweep", "high"), 2, ("step_sweep", "high"), "must be at most 1, not 2"),
    ("gradcheck", ("batch",), 0, ("batch",), "must be at least 1, not 0"),
    ("gradcheck", ("batch",), 10**9 + 1, ("batch",), "must be at most 1000000000, not 1000000001"),
    ("optimize", ("optimizers",), [], ("optimizers",), "needs at least 1 item, 0 given"),
    ("activations", ("network", "layers"), [5], ("network", "layers"), "needs at least 2 items, 1 given"),
    ("activations", ("network", "layers"), [5, 0], ("network", "layers", 1), "must be at least 1, not 0"),
    # numbers are finite
    ("optimize", ("targets",), [math.inf], ("targets", 0), "must be a finite number, not Infinity"),
    ("optimize", ("targets",), [math.nan], ("targets", 0), "must be a finite number, not NaN"),
    ("optimize", ("starts", "points"), [[1, -math.inf]], ("starts", "points", 0, 1),
     "must be a finite number, not -Infinity"),
    ("optimize", ("starts", "uniform"), {"low": -math.inf, "high": 1, "count": 1},
     ("starts", "uniform", "low"), "must be a finite number, not -Infinity"),
    ("optimize", ("starts", "uniform"), {"low": 0, "high": [1, math.inf], "count": 1},
     ("starts", "uniform", "high", 1), "must be a finite number, not Infinity"),
    ("optimize", ("gradient",), {"name": "central", "step": math.inf}, ("gradient", "step"),
     "must be a finite number, not Infinity"),
    # names of parts
    ("optimize", ("optimizers",), ["adaam"], ("optimizers", 0),
     "unknown optimizer 'adaam'; did you mean 'adam'? allowed: "),
    ("optimize", ("optimizers",), [{"name": "adaam"}], ("optimizers", 0, "name"),
     "unknown optimizer 'adaam'; did you mean 'adam'? allowed: "),
    ("optimize", ("optimizers",), [{"learning_rate": 1}], ("optimizers", 0),
     "needs a name; allowed: "),
    ("optimize", ("optimizers",), [{"name": 5}], ("optimizers", 0, "name"),
     "needs a name; allowed: "),
    ("optimize", ("optimizers",), [{"label": "x"}], ("optimizers", 0),
     "needs a name; allowed: "),
    ("gradcheck", ("initializer",), "glorrot", ("initializer",),
     "unknown initializer 'glorrot'; did you mean 'glorot'? allowed: "),
    ("gradcheck", ("initializer", "weights"), "glorrot", ("initializer", "weights"),
     "unknown initializer 'glorrot'; did you mean 'glorot'? allowed: "),
    ("gradcheck", ("network", "activation"), ["tanh", "relo"], ("network", "activation", 1),
     "unknown activation 'relo'; did you mean 'relu'? allowed: "),
    # labels
    ("optimize", ("optimizers",), ["adam", "adam"], ("optimizers", 1, "label"),
     "the label 'adam' is taken by item 0; add a label: of its own to one of them"),
    ("optimize", ("optimizers",), ["adam", {"name": "rmsprop", "label": "adam"}], ("optimizers", 1, "label"),
     "the label 'adam' is taken by item 0; add a label: of its own to one of them"),
    ("optimize", ("optimizers",), [{"name": "adam", "label": "1a"}], ("optimizers", 0, "label"),
     f'{BAD_NAME}"1a"'),
    ("optimize", ("optimizers",), [{"name": "adam", "label": "a.b"}], ("optimizers", 0, "label"),
     f'{BAD_NAME}"a.b"'),
    ("optimize", ("optimizers",), [{"name": "adam", "label": 5}], ("optimizers", 0, "label"),
     "must be text, not 5"),
    ("optimize", ("name",), "a b", ("name",), f'{BAD_NAME}"a b"'),
    ("optimize", ("name",), "a\n", ("name",), f'{BAD_NAME}"a\\n"'),
    ("optimize", ("name",), "", ("name",), f'{BAD_NAME}""'),
    ("optimize", ("name",), "é", ("name",), f'{BAD_NAME}"é"'),
    ("activations", ("initializers",), [{"weights": "zeros"}], ("initializers", 0, "label"),
     "is required, but missing"),
    # fields that constrain one another
    ("gradcheck", ("initializer",), "normal", ("initializer",),
     "needs exactly one of std and variance, neither given"),
    ("gradcheck", ("initializer",), {"weights": "glorot", "biases": "sparse"}, ("initializer", "biases"),
     "sparse makes weights only, no biases; allowed: "),
    ("gradcheck", ("initializer",), {"name": "uniform", "low": 1, "high": 0}, ("initializer", "low"),
     "must be below high, but low is 1 and high 0"),
    ("gradcheck", ("initializer",), {"name": "normal", "std": 1, "variance": 1}, ("initializer",),
     "needs exactly one of std and variance, both given"),
    ("gradcheck", ("initializer",), {"weights": "glorot", "biases": "normal"}, ("initializer", "biases"),
     "needs exactly one of std and variance, neither given"),
    ("optimize", ("starts", "uniform"), {"low": 1, "high": -1, "count": 1}, ("starts", "uniform", "low"),
     "must be below high in every coordinate, but low is 1.0, high -1.0"),
    ("optimize", ("starts", "uniform"), {"low": [0, 3], "high": 2, "count": 1}, ("starts", "uniform", "low"),
     "must be below high in every coordinate, but low is (0.0, 3.0), high 2.0"),
    ("optimize", ("starts", "uniform"), {"low": [0, 0], "high": [1, 1, 1], "count": 1},
     ("starts", "uniform", "high"), "has 3 bounds where low has 2"),
    ("optimize", ("starts", "uniform"), {"low": [0] * 3, "high": 1, "count": 1}, ("starts", "uniform", "low"),
     "has 3 coordinates, but the objective valley has dimension 2"),
    ("optimize", ("starts", "points"), [[1, 2], [1, 2, 3]], ("starts", "points", 1),
     "has 3 coordinates, but the objective valley has dimension 2"),
    ("optimize", ("objective",), {"name": "quadratic", "dimension": 3}, ("starts", "points", 0),
     "has 2 coordinates, but the objective quadratic has dimension 3"),
    ("optimize", ("starts",), {}, ("starts",),
     "has no start; give points, uniform or own"),
    ("optimize", ("targets",), [1, 1.0], ("targets",), "duplicate target 1"),
    ("gradcheck", ("step_sweep",), {"low": 0.1, "high": 0.1}, ("step_sweep", "low"),
     "must be below high, but low is 0.1 and high 0.1"),
    ("gradcheck", ("network", "activation"), ["tanh"] * 3, ("network", "activation"),
     "lists 3 activations, but the network has 2 layers after the input"),
    ("gradcheck", ("methods",), ["backward", "backward"], ("methods",),
     "lists a method twice"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("experiment", "where", "value", "path", "message"),
    ERRORS,
    ids=[f"{'.'.join(map(str, e[1]))}={e[2]}"[:50] for e in ERRORS],
)
def test_a_problem_has_its_path_the_given_value_and_what_is_allowed(
    experiment: str, where: KeyPath, value: Any, path: KeyPath, message: str
) -> None:
    ((said_path, said),) = errors_of(experiment, with_value(MINIMAL[experiment], where, value))
    assert said_path == path
    assert agrees(said, message), said


NAMED = ", ".join(parts("optimizer"))
ADAM_KEYS = ", ".join(["label", *hints(find("optimizer", "adam"))])
KEYS = ", ".join(hints(config_class("optimize")))


@pytest.mark.parametrize(
    ("where", "value", "allowed"),
    [
        (("stpes",), 1, KEYS),
        (("optimizers",), ["adaam"], NAMED),
        (("optimizers",), [{"learning_rate": 1}], NAMED),
        (("optimizers",), [5], NAMED),
        (("optimizers", 0), {"name": "adam", "lr": 1}, ADAM_KEYS),
    ],
)
def test_a_problem_lists_all_allowed_names(where: KeyPath, value: Any, allowed: str) -> None:
    ((_, said),) = errors_of("optimize", with_value(MINIMAL["optimize"], where, value))
    assert said.endswith(f"allowed: {allowed}")


@pytest.mark.parametrize(
    ("experiment", "key"), [(name, key) for name, tree in MINIMAL.items() for key in tree]
)
def test_a_missing_required_key_is_a_problem(experiment: str, key: str) -> None:
    tree = {k: v for k, v in MINIMAL[experiment].items() if k != key}
    assert errors_of(experiment, tree) == [((key,), "is required, but missing")]


@pytest.mark.parametrize("tree", [[], "optimize", 5, None])
def test_a_config_is_a_mapping(tree: Tree) -> None:
    ((path, message),) = errors_of("optimize", tree)
    assert path == ()
    assert message.startswith(f"must be a mapping of {KEYS}, not ")


def test_all_errors_are_found_in_one_go() -> None:
    tree = {
        "experiment": "optimise",
        "name": "1",
        "seed": 1.5,
        "objective": {"name": "quadratic", "dimension": 0, "condition": 2},
        "gradient": "centrl",
        "starts": {"points": [[1, "a"], 5], "uniform": {"low": 1, "high": 0, "cuont": 3}},
        "steps": -1,
        "record": {"spacing": "cubic", "count": 1},
        "targets": [0, math.inf],
        "optimizers": ["adaam", {"name": "adam", "beta1": 2, "beta2": True}, "rmsprop", "rmsprop", {}],
        "expect": [{"claim": "no check"}],
        "stpes": 3,
    }
    assert {path for path, _ in errors_of("optimize", tree)} == {
        ("experiment",),
        ("name",),
        ("seed",),
        ("objective", "dimension"),
        ("objective", "condition"),
        ("gradient",),
        ("starts", "points", 0, 1),
        ("starts", "points", 1),
        ("starts", "uniform", "low"),
        ("starts", "uniform", "count"),
        ("starts", "uniform", "cuont"),
        ("steps",),
        ("record", "spacing"),
        ("record", "count"),
        ("targets", 0),
        ("targets", 1),
        ("optimizers", 0),
        ("optimizers", 1, "beta1"),
        ("optimizers", 1, "beta2"),
        ("optimizers", 3, "label"),
        ("optimizers", 4),
        ("expect", 0, "check"),
        ("stpes",),
    }


def test_a_repeated_label_shows_beside_an_error_in_its_list() -> None:
    """It used to stay hidden until every item of the list was valid by itself."""
    tree = with_value(MINIMAL["optimize"], ("optimizers",), ["adam", {"name": "adam", "beta1": 2}])
    assert [path for path, _ in errors_of("optimize", tree)] == [
        ("optimizers", 1, "beta1"),
        ("optimizers", 1, "label"),
    ]


def test_a_list_of_wrong_items_is_not_called_too_short() -> None:
    """Pydantic counts the valid items: one wrong optimizer used to be `0 given`, too."""
    tree = with_value(MINIMAL["optimize"], ("optimizers",), [{"name": "adam", "beta1": 2}])
    assert [path for path, _ in errors_of("optimize", tree)] == [("optimizers", 0, "beta1")]

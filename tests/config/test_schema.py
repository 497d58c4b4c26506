"""Plain trees become configs, or every error with its path."""

import copy
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import annotated_types as at
import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dnnexp import experiments
from dnnexp.config import dialect
from dnnexp.config.dump import dump
from dnnexp.config.schema import json_schema, read
from dnnexp.config.shapes import hints, is_part_base
from dnnexp.config.shipped import directory
from dnnexp.registry import Labelled, Part, Pattern, find, kinds, parts, plain

Tree = Any
KeyPath = tuple[str | int, ...]

MINIMAL: dict[str, Tree] = {
    "optimize": {"starts": {"points": [[1, 2]]}, "steps": 10, "optimizers": ["adam"]},
    "activations": {"network": {"layers": [3, 4]}, "activations": ["relu"], "initializers": ["glorot"]},
    "gradcheck": {"network": {"layers": [3, 4, 2], "activation": "tanh"}},
}
SHIPPED = sorted(directory().rglob("*.yaml"))
EXPERIMENTS = pytest.mark.parametrize("experiment", experiments.NAMES)


def with_value(tree: Tree, path: Sequence[str | int], value: Any) -> Tree:
    """A copy of the tree with a value set; missing mappings on the way are made."""
    copied = here = copy.deepcopy(tree)
    for key in path[:-1]:
        here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
    here[path[-1]] = value
    return copied


def config_class(experiment: str) -> type[Any]:
    return experiments.find(experiment).Config


def errors_of(experiment: str, tree: Tree) -> list[tuple[KeyPath, str]]:
    config, errors = read(config_class(experiment), tree)
    assert (config is None) == bool(errors)
    return errors


def valid(experiment: str, tree: Tree) -> Any:
    config, errors = read(config_class(experiment), tree)
    assert errors == []
    return config


OPTIMIZERS = "gradient_descent, momentum, nesterov, adagrad, rmsprop, adadelta, adam, adamw, amsgrad, nadam, radam, adamax, lion, rprop"
TOP = "experiment, name, seed, objective, objectives, gradient, noise, starts, steps, record, targets, optimizers, tune, animate, expect"
ACTIVATIONS = "sigmoid, relu, tanh, identity"
BAD_NAME = "must be a letter, then letters, digits, _ or - (at most 100), not "

# experiment, where a value is set in the minimal config, the value, where the error is, its message
ERRORS: list[tuple[str, KeyPath, Any, KeyPath, str]] = [
    # unknown keys
    ("optimize", ("stpes",), 1, ("stpes",), f"unknown key; did you mean 'steps'? allowed: {TOP}"),
    ("optimize", ("zzz",), 1, ("zzz",), f"unknown key; allowed: {TOP}"),
    ("optimize", ("starts", "pts"), 1, ("starts", "pts"), "unknown key; did you mean 'points'? "
     "allowed: points, uniform, own"),
    ("optimize", ("optimizers", 0), {"name": "adam", "lr": 1}, ("optimizers", 0, "lr"),
     "unknown key; allowed: label, learning_rate, beta1, beta2, epsilon, epsilon_root, bias_correction, weight_decay, decay, decay_scale, clip_value, clip_norm, schedule"),
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
    ("optimize", ("objective",), 5, ("objective",), "must be a name or a mapping with a name, not 5; "
     "allowed: valley, quadratic, sphere, ellipsoid, rosenbrock, zakharov, dixon_price, beale, himmelblau, booth, matyas, three_hump_camel, branin, saddle, ravine, rastrigin, ackley, griewank, levy, styblinski_tang, expression, least_squares, logistic_regression, network"),
    ("optimize", ("optimizers",), "adam", ("optimizers",), 'must be a list, not "adam"'),
    ("optimize", ("optimizers",), {"name": "adam"}, ("optimizers",), 'must be a list, not {"name": "adam"}'),
    ("optimize", ("optimizers", 0), ["adam"], ("optimizers", 0),
     f'must be a name or a mapping with a name, not ["adam"]; allowed: {OPTIMIZERS}'),
    ("optimize", ("optimizers", 0), None, ("optimizers", 0),
     f"must be a name or a mapping with a name, not null; allowed: {OPTIMIZERS}"),
    ("optimize", ("expect",), ["steps == 1"], ("expect", 0),
     'must be a mapping of claim, check, not "steps == 1"'),
    ("optimize", ("expect",), [{"claim": 1, "check": "True"}], ("expect", 0, "claim"), "must be text, not 1"),
    ("optimize", ("experiment",), "gradcheck", ("experiment",), "must be 'optimize', not \"gradcheck\""),
    ("gradcheck", ("network",), "tanh", ("network",),
     'must be a mapping of layers, activation, not "tanh"'),
    ("gradcheck", ("methods",), ["backward", "sideways"], ("methods", 1),
     "must be 'backward', 'forward', 'central' or 'complex', not \"sideways\""),
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
     f"unknown optimizer 'adaam'; did you mean 'adam'? allowed: {OPTIMIZERS}"),
    ("optimize", ("optimizers",), [{"name": "adaam"}], ("optimizers", 0, "name"),
     f"unknown optimizer 'adaam'; did you mean 'adam'? allowed: {OPTIMIZERS}"),
    ("optimize", ("optimizers",), [{"learning_rate": 1}], ("optimizers", 0),
     f"needs a name; allowed: {OPTIMIZERS}"),
    ("optimize", ("optimizers",), [{"name": 5}], ("optimizers", 0, "name"),
     f"needs a name; allowed: {OPTIMIZERS}"),
    ("optimize", ("optimizers",), [{"label": "x"}], ("optimizers", 0),
     f"needs a name; allowed: {OPTIMIZERS}"),
    ("gradcheck", ("initializer",), "glorrot", ("initializer",),
     "unknown initializer 'glorrot'; did you mean 'glorot'? allowed: zeros, normal, glorot, he"),
    ("gradcheck", ("initializer", "weights"), "glorrot", ("initializer", "weights"),
     "unknown initializer 'glorrot'; did you mean 'glorot'? allowed: zeros, normal, glorot, he"),
    ("gradcheck", ("network", "activation"), ["tanh", "relo"], ("network", "activation", 1),
     f"unknown activation 'relo'; did you mean 'relu'? allowed: {ACTIVATIONS}"),
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
    ("optimize", ("starts",), {}, ("starts",), "gives no start: give points, uniform, own, or several of them"),
    ("optimize", ("targets",), [1, 1.0], ("targets",), "holds a target twice; each may stand once"),
    ("gradcheck", ("step_sweep",), {"low": 0.1, "high": 0.1}, ("step_sweep", "low"),
     "must be below high, but low is 0.1 and high 0.1"),
    ("gradcheck", ("network", "activation"), ["tanh"] * 3, ("network", "activation"),
     "lists 3 activations, but the network has 2 layers after the input"),
    ("gradcheck", ("methods",), ["backward", "backward"], ("methods",),
     "holds a method twice; each may stand once"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("experiment", "where", "value", "path", "message"),
    ERRORS,
    ids=[f"{'.'.join(map(str, e[1]))}={e[2]}"[:50] for e in ERRORS],
)
def test_an_error_says_where_what_and_what_is_allowed(
    experiment: str, where: KeyPath, value: Any, path: KeyPath, message: str
) -> None:
    assert errors_of(experiment, with_value(MINIMAL[experiment], where, value)) == [(path, message)]


@pytest.mark.parametrize(
    ("experiment", "key"), [(name, key) for name, tree in MINIMAL.items() for key in tree]
)
def test_what_is_required_is_missed(experiment: str, key: str) -> None:
    tree = {k: v for k, v in MINIMAL[experiment].items() if k != key}
    assert errors_of(experiment, tree) == [((key,), "is required, but missing")]


@pytest.mark.parametrize("tree", [[], "optimize", 5, None])
def test_a_config_is_a_mapping(tree: Tree) -> None:
    ((path, message),) = errors_of("optimize", tree)
    assert path == ()
    assert message.startswith(f"must be a mapping of {TOP}, not ")


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


PLACES: list[tuple[str, KeyPath, str, Callable[[str], Tree]]] = [
    ("optimize", ("objective",), "objective", lambda name: name),
    ("optimize", ("gradient",), "gradient", lambda name: name),
    ("optimize", ("optimizers",), "optimizer", lambda name: [name]),
    ("activations", ("input",), "input", lambda name: name),
    ("activations", ("activations",), "activation", lambda name: [name]),
    ("activations", ("initializers",), "initializer", lambda name: [name]),
    ("gradcheck", ("network", "activation"), "activation", lambda name: name),
    ("gradcheck", ("network", "activation"), "activation", lambda name: ["relu", name]),
    ("gradcheck", ("initializer",), "initializer", lambda name: name),
    ("gradcheck", ("initializer", "weights"), "initializer", lambda name: name),
    ("gradcheck", ("loss",), "loss", lambda name: name),
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
    # schedules and data are fields of other parts
    assert {kind for _, _, kind, _ in PLACES} | {"schedule", "data"} == set(kinds())


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
    assert list(filled) == [key for key in hints(config_class(experiment)) if key != "tune"], (
        "null is not written"
    )
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


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in kinds() for name in parts(kind)])
def test_every_field_of_every_part_can_be_written(kind: str, name: str) -> None:
    if kind in ("data", "schedule") or name in (
        "expression",
        "least_squares",
        "logistic_regression",
        "network",
    ):
        pytest.skip("nested, or without a default: written in test_registry")
    cls = find(kind, name)
    fields = [field for field in dataclasses.fields(cls) if field.default is not dataclasses.MISSING]
    # normal has std and variance, of which one is given
    given = {f.name: f.default for f in fields if f.default is not None} or {f.name: 1 for f in fields[:1]}
    path, write = next((path, write) for _, path, k, write in PLACES if k == kind)
    experiment = next(experiment for experiment, _, k, _ in PLACES if k == kind)
    config = valid(experiment, with_value(MINIMAL[experiment], path, write({"name": name} | given)))  # type: ignore[arg-type]
    assert name in dump(plain(config))


# Trees that a config file may hold, from the type hints alone: a new field or part is covered at once.


def numbers(of_ints: bool, constraints: Sequence[Any]) -> st.SearchStrategy[Any]:
    low = next((c.ge for c in constraints if isinstance(c, at.Ge)), None)
    above = next((c.gt for c in constraints if isinstance(c, at.Gt)), None)
    high = next((c.le for c in constraints if isinstance(c, at.Le)), None)
    below = next((c.lt for c in constraints if isinstance(c, at.Lt)), None)
    if of_ints:
        first: Any = low if low is not None else -20
        return st.integers(first, first + 20)  # small: sizes and dimensions are integers
    lower, upper = low if low is not None else above, high if high is not None else below
    return st.floats(
        lower,  # type: ignore[arg-type]
        upper,  # type: ignore[arg-type]
        exclude_min=above is not None,
        exclude_max=below is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def trees(hint: Any, constraints: Sequence[Any] = ()) -> st.SearchStrategy[Any]:
    """Trees that are valid for a type hint, as far as the hint itself says."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        return trees(args[0], args[1:])
    if origin is tuple:
        least = next((c.min_length for c in constraints if isinstance(c, at.MinLen)), 0)
        lists = st.lists(trees(args[0]), min_size=least, max_size=least + 2)
        return lists.map(labelled) if get_origin(args[0]) is Labelled else lists
    if origin in (Union, types.UnionType):
        return st.one_of([trees(arg) for arg in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is Labelled:
        return trees(args[0])
    if is_part_base(hint):
        return st.one_of([part_trees(cls) for cls in parts(hint.kind).values()])
    if dataclasses.is_dataclass(hint):
        return field_trees(typing.cast(type, hint))
    if hint in (int, float):
        return numbers(hint is int, constraints)
    if hint is str:
        pattern = next((c.regex for c in constraints if isinstance(c, Pattern)), None)
        return st.from_regex(pattern, fullmatch=True) if pattern else st.text(max_size=20)
    return {bool: st.booleans(), type(None): st.none()}[hint]


def labelled(items: list[Any]) -> list[Any]:
    """The items with labels of their own; the first keeps its default label if it has one."""
    found = []
    for index, item in enumerate(items):
        if index == 0 and (isinstance(item, str) or "name" in item):
            found.append(item)
        else:
            item = {"name": item} if isinstance(item, str) else item
            found.append({"label": f"label-{index}"} | item)
    return found


def part_trees(cls: type[Part]) -> st.SearchStrategy[Any]:
    written = field_trees(cls).map(lambda tree: {"name": cls.name} | tree)
    return written if cls.name == "normal" and hasattr(cls, "std") else st.just(cls.name) | written


def field_trees(cls: type) -> st.SearchStrategy[Any]:
    found = hints(cls)
    fields = dataclasses.fields(cls)
    required = {f.name: trees(found[f.name]) for f in fields if f.default is f.default_factory}
    optional = {f.name: trees(found[f.name]) for f in fields if f.name not in required}
    some = st.fixed_dictionaries(required, optional=optional)
    return some.map(lambda tree: repaired(cls, tree))


def repaired(cls: type, tree: Tree) -> Tree:
    """What the classes' own rules ask of fields together is put right."""
    if {"std", "variance"} <= set(hints(cls)):
        tree = {k: v for k, v in tree.items() if k not in ("std", "variance")} | {"std": tree.get("std") or 1}
    if cls.__name__ == "StepSweep":
        tree = tree | {"low": 1e-9, "high": max(tree.get("high", 0.1), 1e-8)}
    if cls.__name__ == "CheckedNetwork" and isinstance(tree["activation"], list):
        tree = tree | {"activation": ["tanh", "relu"] * len(tree["layers"])}
        tree["activation"] = tree["activation"][: len(tree["layers"]) - 1]
    if cls.__name__ == "GradcheckConfig" and "methods" in tree:
        tree = tree | {"methods": ["complex", "backward"]}
    if cls.__name__ == "OptimizeConfig":
        config, _ = read(cls, MINIMAL["optimize"] | {"objective": tree.get("objective", "valley")})
        objective = tree.get("objective", "valley")
        name = objective if isinstance(objective, str) else objective["name"]
        fields = {} if isinstance(objective, str) else {k: v for k, v in objective.items() if k != "name"}
        dimension = config.objective.dimension if config else find("objective", name)(**fields).dimension
        width = tree["starts"].get("uniform") or {"low": -1, "high": 1, "count": 1}
        low = [-2.5] * dimension if isinstance(width["low"], list) else -2
        high = [3] * dimension if isinstance(width["high"], list) else 3.5
        points = [[0.5] * dimension for _ in tree["starts"].get("points", ())]
        tree = tree | {"starts": {"points": points, "uniform": width | {"low": low, "high": high}}}
        tree["targets"] = [1, 0.5][: len(tree.get("targets", [1]))] or [1]
    return tree


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # every part is in the strategy
@EXPERIMENTS
def test_what_a_config_writes_reads_as_the_same_config_and_fits_the_schema(experiment: str) -> None:
    if experiment == "optimize":
        pytest.skip("the strategy makes no valid data, formulas and tuning spaces yet")
    cls = config_class(experiment)
    validator = jsonschema.Draft202012Validator(json_schema([cls]))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(trees(cls))
    def check(tree: Tree) -> None:
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


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_shipped_config_reads_as_itself(file: Path) -> None:
    tree = dialect.parse(file.read_bytes()).value
    config = valid(tree["experiment"], tree)
    assert valid(tree["experiment"], plain(config)) == config


# JSON Schema


@EXPERIMENTS
def test_the_json_schema_is_a_schema(experiment: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema([config_class(experiment)]))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_the_json_schema_takes_a_shipped_config_and_no_misspelt_key(file: Path) -> None:
    tree = dialect.parse(file.read_bytes()).value
    every = [config_class(name) for name in experiments.NAMES]
    for classes in ([config_class(tree["experiment"])], every):
        validator = jsonschema.Draft202012Validator(json_schema(classes))
        assert validator.is_valid(tree)
        assert not validator.is_valid(tree | {"nmae": "x"})
        assert not validator.is_valid(tree | {"seed": -1})


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
def test_the_json_schema_refuses_what_the_command_refuses(
    experiment: str, where: KeyPath, value: Any
) -> None:
    """An empty `optimizers` used to pass: its bound was written as that of a text."""
    tree = with_value(MINIMAL[experiment], where, value)
    assert errors_of(experiment, tree) != []
    assert not jsonschema.Draft202012Validator(json_schema([config_class(experiment)])).is_valid(tree)


@EXPERIMENTS
def test_the_defaults_in_the_json_schema_can_be_written_as_they_stand(experiment: str) -> None:
    """The default of `objective` used to be given as `{}`, which names nothing."""
    schema = json_schema([config_class(experiment)])
    filled = {key: entry["default"] for key, entry in schema["properties"].items() if "default" in entry}
    assert valid(experiment, filled | MINIMAL[experiment]) == valid(experiment, MINIMAL[experiment])

"""The objective that is written as a formula."""

from collections.abc import Mapping
from typing import Any

import array_api_strict
import numpy as np
import pytest

from dnnexp.config.json_schema import json_schema
from dnnexp.config.schema import read
from dnnexp.core.bounds import Bounds
from dnnexp.core.objectives import ExpressionObjective, Objective
from dnnexp.expression._operations import CONSTANTS, FUNCTIONS
from dnnexp.registry import find, parts, plain

EPSILON = float(np.finfo(np.float64).eps)
XY = ("x", "y")

# Objectives that are written by hand elsewhere, as their formulas in two dimensions.
BY_HAND = {
    "valley": "x**2/20 + y**2",
    "quadratic": "(x**2 + 10*y**2) / 2",
    "sphere": "x**2 + y**2",
    "rosenbrock": "100*(y - x**2)**2 + (1 - x)**2",
    "zakharov": "x**2 + y**2 + (x/2 + y)**2 + (x/2 + y)**4",
    "dixon_price": "(x - 1)**2 + 2*(2*y**2 - x)**2",
    "beale": "(1.5 - x*(1 - y))**2 + (2.25 - x*(1 - y**2))**2 + (2.625 - x*(1 - y**3))**2",
    "himmelblau": "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
    "booth": "(x + 2*y - 7)**2 + (2*x + y - 5)**2",
    "matyas": "0.26*(x**2 + y**2) - 0.48*x*y",
    "three_hump_camel": "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
    "branin": "(y - 5.1*x**2/(4*pi**2) + 5*x/pi - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10",
    "saddle": "(x**2 - 1)**2/4 + y**2/2",
    "rastrigin": "20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)",
    "ackley": "20*(1 - exp(-sqrt((x**2 + y**2)/2)/5)) + e - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
    "griewank": "1 + (x**2 + y**2)/4000 - cos(x)*cos(y/sqrt(2))",
    "styblinski_tang": "(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2",
}


def formula(**fields: Any) -> ExpressionObjective:
    return ExpressionObjective(**{"expression": "x**2/20 + y**2", "variables": XY} | fields)


def errors(**fields: Any) -> list[tuple[tuple[str | int, ...], str]]:
    tree = {"expression": "x**2/20 + y**2", "variables": list(XY)} | fields
    return read(ExpressionObjective, tree)[1]


@pytest.mark.parametrize("name", BY_HAND)
def test_formulas_have_the_values_and_gradients_of_the_objectives_written_by_hand(name: str) -> None:
    """To some rounding of terms as large as any in the domain; at the minimizers, where terms cancel, too."""
    by_hand: Objective = find("objective", name)()
    written = formula(expression=BY_HAND[name])
    low, high = by_hand.domain()  # type: ignore[misc]  # a test function has one
    draws = np.random.default_rng(0).uniform(low[:, None], high[:, None], (2, 1000))
    for x in (draws, by_hand.minimizers()):
        for method in ("value", "gradient"):
            expected = getattr(by_hand, method)(x)
            atol = 32 * EPSILON * np.abs(getattr(by_hand, method)(draws)).max()
            with np.errstate(all="ignore"):  # Ackley's function has a root of 0 at its minimizer
                found = getattr(written, method)(x)
            np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def test_the_valley_written_as_a_formula_has_its_bits() -> None:
    """x/10 and 2x/20 round alike: so both give the same runs."""
    x = np.random.default_rng(0).uniform(-100, 100, (2, 1000))
    valley = find("objective", "valley")()
    np.testing.assert_array_equal(formula().value(x), valley.value(x))
    np.testing.assert_array_equal(formula().gradient(x), valley.gradient(x))


def test_arrays_of_the_standard_give_the_numbers_of_numpy() -> None:
    written, x = formula(expression=BY_HAND["ackley"]), np.random.default_rng(0).uniform(-3, 3, (2, 3, 4))
    strict = array_api_strict.asarray(x)
    np.testing.assert_array_equal(np.asarray(written.value(strict)), written.value(x))
    np.testing.assert_array_equal(np.asarray(written.gradient(strict)), written.gradient(x))


def test_what_is_not_given_is_not_known() -> None:
    objective = formula()
    assert parts("objective")["expression"] is ExpressionObjective
    assert objective.dimension == 2
    assert (objective.minimum, objective.minimizers(), objective.domain()) == (None, None, None)
    assert not objective.draws
    with pytest.raises(ValueError, match="expression has no domain to draw starts from"):
        objective.draw(np.random.default_rng(0), 3)


def test_a_minimizer_gives_the_minimum() -> None:
    objective = formula(expression="(x - 3)**2 + abs(y) - 7", minimizer=(3.0, 0.0))
    assert objective.minimum == -7
    np.testing.assert_array_equal(objective.minimizers(), [[3], [0]])
    assert formula(minimum=-2.5).minimum == -2.5
    assert formula(minimum=-2.5).minimizers() is None


def test_a_minimizer_may_be_rounded() -> None:
    """The value is then above the minimum; below it, only rounding is let pass."""
    assert formula(minimizer=(1e-3, 0.0), minimum=0.0).minimum == 0
    text = "x**2 + y**2 + 0.1 + 0.2"
    assert formula(expression=text, minimizer=(0.0, 0.0), minimum=0.3 + 1e-15).minimum == 0.3 + 1e-15


@pytest.mark.parametrize("minimum", [None, 0.05])
def test_a_minimizer_beside_which_the_formula_is_less_is_refused(minimum: float | None) -> None:
    """Gaps, reached targets and theory used to be told of a point that is no minimum."""
    with pytest.raises(ValueError, match="minimizer: must be a minimum, but near it"):
        formula(expression="x**2/20 + y**2", minimizer=(1.0, 0.0), minimum=minimum)


@pytest.mark.parametrize(
    ("low", "high"),
    [(-100, 100), ((-100, -100), 100), (-100, (100, 100)), ((-100.0, -100.0), (100.0, 100.0))],
)
def test_starts_are_drawn_from_the_box(low: Any, high: Any) -> None:
    objective = formula(box=Bounds(low, high))
    corners = objective.domain()
    assert corners is not None
    np.testing.assert_array_equal(corners, [[-100, -100], [100, 100]])
    assert {corner.dtype for corner in corners} == {np.dtype(np.float64)}
    starts = objective.draw(np.random.default_rng(0), 1000)
    assert starts.shape == (2, 1000)
    assert ((starts > -100) & (starts < 100)).all()
    # the extremes of 1000 uniform draws are within 2 % of the sides, but for (0.99)^1000 = 4e-5
    np.testing.assert_allclose([starts.min(axis=1), starts.max(axis=1)], corners, rtol=0.02)


TREES: list[dict[str, Any]] = [
    {"expression": "x**2/20 + y**2", "variables": ["x", "y"]},
    {"expression": "x**2", "variables": ["x", "y"], "minimum": 0.0},
    {"expression": "x**2", "variables": ["x"], "minimizer": [0.0], "minimum": 0.0},
    {"expression": "x**2", "variables": ["x"], "box": {"low": -1.0, "high": [1.0]}},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_configs_are_read_and_written(tree: Mapping[str, Any]) -> None:
    objective, found = read(ExpressionObjective, tree)
    assert found == []
    assert plain(objective) == {"name": "expression", **tree}


def test_a_minimum_from_a_minimizer_is_written_and_read_again() -> None:
    objective, _ = read(ExpressionObjective, TREES[0] | {"minimizer": [0, 0]})
    tree = plain(objective)
    assert tree["minimum"] == 0
    assert read(ExpressionObjective, {key: tree[key] for key in tree if key != "name"}) == (objective, [])


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"expression": "x + z"}, ("expression",), "column 5: `z` is not a variable; the variables are x, y"),
        ({"expression": "x +"}, ("expression",), "column 1: `x +` is not an expression"),
        ({"expression": "x.real + y"}, ("expression",), "column 1: `x.real` is not allowed; allowed are"),
        ({"expression": "x + 10**400"}, ("expression",), "column 5: `10**400` is not a finite number"),
        ({"expression": "x" * 1001}, ("expression",), "an expression of 1001 characters is too long"),
        ({"expression": 3}, ("expression",), "must be text, not 3"),
        ({"variables": []}, ("variables",), "needs at least 1 item"),
        ({"variables": ["x", "y", "x"]}, ("variables", 2), "the variable 'x' stands twice"),
        ({"variables": ["sin", "x", "y"]}, ("variables", 0), "has the name of a function; choose another"),
        ({"variables": ["x", "a-b"]}, ("variables", 1), "cannot be named in formulas"),
        ({"variables": ["x", "__y"]}, ("variables", 1), "must be a letter, then letters"),
        ({"variables": [f"x{i}" for i in range(101)]}, ("variables",), "at most 100"),
        ({"minimizer": [0]}, ("minimizer",), "has 1 coordinates, but there are 2 variables"),
        (
            {"minimizer": [0, 0], "minimum": 1},
            ("minimum",),
            "must be the smallest value, but at the minimizer",
        ),
        (
            {"minimizer": [0, 0], "expression": "log(x) + y"},
            ("minimizer",),
            "must be where the formula is a finite number, but there it is -inf",
        ),
        ({"minimum": "low"}, ("minimum",), "must be a number"),
        ({"box": {"low": [0, 0, 0], "high": 1}}, ("box", "low"), "has 3 coordinates, but there are 2"),
        ({"box": {"low": [0, 0], "high": [1]}}, ("box", "high"), "has 1 bounds where low has 2"),
        ({"box": {"low": 0, "high": [1, 0]}}, ("box", "low"), "must be below high in every coordinate"),
        ({"box": {"low": -1e308, "high": 0}}, ("box", "low"), "must be at least -1e+300"),
        ({"box": {"low": 0}}, ("box", "high"), "is required, but missing"),
        ({"box": 5}, ("box",), "must be a mapping of low, high"),
    ],
)
def test_errors_have_their_path(fields: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    ((where, text),) = errors(**fields)
    assert where == path
    assert message in text


def test_every_bad_variable_is_an_error_of_its_own() -> None:
    assert [path for path, _ in errors(variables=["x", "pi", "lambda", "y", "y"])] == [
        ("variables", 1),
        ("variables", 2),
        ("variables", 4),
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expression": "x + z"}, "^expression: column 5: `z` is not a variable; the variables are x, y$"),
        (
            {"variables": ("x", "e")},
            "^variables.1: the variable 'e' has the name of a constant; choose another$",
        ),
        ({"minimizer": (0.0,)}, "^minimizer: has 1 coordinates, but there are 2 variables$"),
        ({"expression": "1/x", "minimizer": (0.0, 0.0)}, "^minimizer: must be where the formula is a finite"),
    ],
)
def test_an_objective_made_by_hand_has_the_same_rules(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        formula(**fields)


def test_the_schema_for_editors_has_the_fields() -> None:
    schema = json_schema([ExpressionObjective])
    assert schema["required"] == ["name", "expression", "variables"]
    assert schema["properties"]["variables"]["maxItems"] == 100
    assert set(schema["$defs"]["Bounds"]["properties"]) == {"low", "high"}


def test_the_documentation_names_all_functions_and_constants() -> None:
    text = " ".join((ExpressionObjective.__doc__ or "").split())
    assert f"the functions {' '.join(FUNCTIONS)}." in text
    assert f"Numbers, {', '.join(CONSTANTS)}, + - * / **" in text

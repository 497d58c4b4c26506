"""Formulas against numpy, the complex step and the hand-written objectives; and what they refuse."""

import re
from typing import Any

import array_api_strict
import numpy as np
import pytest

from dnnexp.core.differentiation import complex_gradient
from dnnexp.core.objectives import Beale, Branin, ExpressionObjective, Himmelblau, Rosenbrock, Valley
from dnnexp.expression import ExpressionError, parse_formula

X = np.random.default_rng(0).uniform(-2, 2, (2, 50))


@pytest.mark.parametrize(
    ("text", "by_hand"),
    [
        ("x**2/20 + y**2", Valley()),
        ("100*(y - x**2)**2 + (1 - x)**2", Rosenbrock()),
        ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", Himmelblau()),
        ("(1.5-x*(1-y))**2 + (2.25-x*(1-y**2))**2 + (2.625-x*(1-y**3))**2", Beale()),
        ("(y - 5.1*x**2/(4*pi**2) + 5*x/pi - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10", Branin()),
    ],
)
def test_a_formula_is_the_objective_written_by_hand(text: str, by_hand: Any) -> None:
    """To rounding of the largest term."""
    formula = parse_formula(text, ("x", "y"))
    value, gradient = by_hand.value(X), by_hand.gradient(X)
    np.testing.assert_allclose(formula.value(X), value, rtol=0, atol=1e-14 * np.abs(value).max())
    np.testing.assert_allclose(formula.gradient(X), gradient, rtol=0, atol=1e-14 * np.abs(gradient).max())


FORMULAS = [
    "exp(-x)*sin(x*y) + tanh(x)/cosh(y)",
    "sqrt(1 + x**2)**3 - log(2 + y**2)",
    "2**x + (1 + x**2)**y",
    "abs(x)*y - -y",
    "x**3 - x**-2 + y**0",
    "arctan(x) + tan(y/2) + sinh(x) + e*pi",
    "3.0",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_forward_mode_is_the_complex_step(text: str) -> None:
    formula = parse_formula(text, ("x", "y"))
    expected = complex_gradient(formula.value, X)
    size = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(formula.gradient(X), expected, rtol=0, atol=1e-14 * size)


@pytest.mark.parametrize("text", FORMULAS)
def test_arrays_of_the_standard_give_the_numbers_of_numpy(text: str) -> None:
    formula = parse_formula(text, ("x", "y"))
    strict = formula.gradient(array_api_strict.asarray(X))
    np.testing.assert_allclose(np.asarray(strict), formula.gradient(X), rtol=1e-15)


def test_a_derivative_at_0_of_a_square_of_a_negative_base() -> None:
    formula = parse_formula("x**2 + y**3", ("x", "y"))
    assert formula.gradient(np.array([0.0, -2.0])).tolist() == [0.0, 12.0]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("x + z", 5, "`z` is not a variable"),
        ("x.real", 1, "`x.real` is not allowed"),
        ("__import__('os')", 1, "calling `__import__` is not allowed"),
        ("x if y else 1", 1, "is not allowed"),
        ("x < y", 1, "is not allowed"),
        ("x // 2", 1, "is not allowed"),
        ("10**400", 1, "is not a finite number"),
        ("x + 1/0", 5, "division by zero"),
        ("log(-1)", 1, "not a real number"),
        ("sin(x, y)", 1, "allowed: one"),
        ("(-2)**x", 2, "must be positive"),
        ("x +", 1, "is not an expression"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(message)) as caught:
        parse_formula(text, ("x", "y"))
    assert caught.value.column is not None
    assert abs(caught.value.column - column) <= 1


@pytest.mark.parametrize("names", [("x", "x"), ("sin",), ("pi",), ("x-y",)])
def test_names_of_variables(names: tuple[str, ...]) -> None:
    with pytest.raises(ExpressionError, match="the variable"):
        parse_formula("1", names)


def test_a_minimizer_makes_the_minimum_known() -> None:
    known = ExpressionObjective("x**2 + 3", ("x",), minimizer=(0.0,))
    assert (known.dimension, known.minimum) == (1, 3.0)
    assert ExpressionObjective("x", ("x",)).minimum is None
    with pytest.raises(ValueError, match="minimizer: has 1 coordinates, but there are 2"):
        ExpressionObjective("x + y", ("x", "y"), minimizer=(0.0,))

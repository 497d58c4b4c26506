"""Values and gradients of formulas, against closed forms, differences, and Python's own arithmetic."""

import cmath
import math
import operator
import random
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dnnexp.expression import ExpressionError, parse_formula
from dnnexp.expression._operations import FUNCTIONS

EPSILON = float(np.finfo(np.float64).eps)
XY = ("x", "y")


def at(text: str, x: float, y: float = 0.0) -> tuple[float, list[float]]:
    """Value and gradient at a point; the warnings of 1/0 and the like are not the subject here."""
    formula, point = parse_formula(text, XY), np.array([x, y])
    with np.errstate(all="ignore"):
        return float(formula.value(point)), formula.gradient(point).tolist()


# Closed forms.

CLOSED: dict[str, tuple[Callable[[float], float], Callable[[float], float], tuple[float, ...]]] = {
    "sqrt": (math.sqrt, lambda v: 0.5 / math.sqrt(v), (1e-9, 0.3, 4.0, 1e9)),
    "exp": (math.exp, math.exp, (-30, -0.7, 0.0, 2.5, 30)),
    "log": (math.log, lambda v: 1 / v, (1e-9, 0.5, 3.0, 1e9)),
    "log10": (math.log10, lambda v: 1 / (v * math.log(10)), (1e-9, 0.5, 3.0, 1e9)),
    "sin": (math.sin, math.cos, (-4.0, 0.0, 0.3, 2.0)),
    "cos": (math.cos, lambda v: -math.sin(v), (-4.0, 0.0, 0.3, 2.0)),
    "tan": (math.tan, lambda v: 1 / math.cos(v) ** 2, (-4.0, 0.0, 0.3, 1.5)),
    "arcsin": (math.asin, lambda v: 1 / math.sqrt((1 - v) * (1 + v)), (-0.999999, 0.0, 0.3, 0.99999999)),
    "arccos": (math.acos, lambda v: -1 / math.sqrt((1 - v) * (1 + v)), (-0.999999, 0.0, 0.3, 0.99999999)),
    "arctan": (math.atan, lambda v: 1 / (1 + v * v), (-100.0, 0.0, 0.3, 1e6)),
    "sinh": (math.sinh, math.cosh, (-30.0, 0.0, 0.3, 30.0)),
    "cosh": (math.cosh, math.sinh, (-30.0, 0.0, 0.3, 30.0)),
    # sech² v = 4 e^(-2|v|) / (1 + e^(-2|v|))², which keeps its digits in the tails
    "tanh": (
        math.tanh,
        lambda v: 4 * math.exp(-2 * abs(v)) / (1 + math.exp(-2 * abs(v))) ** 2,
        (-30.0, 0.0, 0.3, 300.0),
    ),
    "abs": (abs, lambda v: math.copysign(1, v), (-3.0, -1e-300, 1e-300, 7.0)),
}


def test_every_function_has_a_closed_form_here() -> None:
    assert {*CLOSED, "min", "max"} == set(FUNCTIONS)


@pytest.mark.parametrize("name", CLOSED)
def test_functions_against_closed_forms(name: str) -> None:
    """To a few roundings: none of these is ill-conditioned in its own value or in the numbers given."""
    f, df, points = CLOSED[name]
    for v in points:
        value, (by_x, by_y) = at(f"{name}(x)", v)
        assert value == pytest.approx(f(v), rel=8 * EPSILON, abs=0)
        assert by_x == pytest.approx(df(v), rel=8 * EPSILON, abs=0)
        assert by_y == 0


@pytest.mark.parametrize(
    ("text", "x", "y", "value", "gradient"),
    [
        ("x**2/20 + y**2", -80.0, 60.0, 3920, (-8, 120)),
        ("-x**2", 3.0, 0.0, -9, (-6, 0)),  # the sign after the power, as in Python
        ("2**-1*x", 3.0, 0.0, 1.5, (0.5, 0)),
        ("x - y - x", 3.0, 2.0, -2, (0, -1)),
        ("x / y / x", 3.0, 2.0, 0.5, (0, -0.25)),
        ("+x - -y", 3.0, 2.0, 5, (1, 1)),
        ("x*x*x", 3.0, 0.0, 27, (27, 0)),
        ("(x + y) * (x + y)", 3.0, 2.0, 25, (10, 10)),
        ("e**x", 0.0, 0.0, 1, (1, 0)),
        ("2**x", 3.0, 0.0, 8, (8 * math.log(2), 0)),
        ("2**3**x", 1.0, 0.0, 8, (8 * math.log(2) * 3 * math.log(3), 0)),
        ("max(x, y, 2)", 3.0, 1.0, 3, (1, 0)),
        ("min(x, y, 2)", 3.0, 1.0, 1, (0, 1)),
        ("min(3, max(1, 2)) * x + y", 3.0, 1.0, 7, (2, 1)),
    ],
)
def test_values_and_gradients_by_hand(
    text: str, x: float, y: float, value: float, gradient: tuple[float, float]
) -> None:
    found, slopes = at(text, x, y)
    assert found == pytest.approx(value, rel=4 * EPSILON)
    assert slopes == pytest.approx(gradient, rel=8 * EPSILON)


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("text", "x", "y", "value", "gradient"),
    [
        ("x**0", 0.0, 0.0, 1, (0, 0)),
        ("x**1", 0.0, 0.0, 0, (1, 0)),
        ("x**2", 0.0, 0.0, 0, (0, 0)),
        ("x**3", -2.0, 0.0, -8, (12, 0)),
        ("x**5", -2.0, 0.0, -32, (80, 0)),
        ("x**-1", -2.0, 0.0, -0.5, (-0.25, 0)),
        ("x**-2", -2.0, 0.0, 0.25, (0.25, 0)),
        ("x**0.5", 0.0, 0.0, 0, (INF, 0)),
        ("x**1.5", 0.0, 0.0, 0, (0, 0)),
        ("x**0.3", -1.0, 0.0, NAN, (NAN, 0)),
        ("x**1e300", 1.0, 0.0, 1, (1e300, 0)),
        ("x**y", 2.0, 3.0, 8, (12, 8 * math.log(2))),
        ("x**y", 0.0, 3.0, 0, (0, 0)),
        ("x**y", 0.0, 1.0, 0, (1, 0)),
        ("x**y", 0.0, 0.5, 0, (INF, 0)),
        ("x**y", 0.0, 0.0, 1, (0, -INF)),
        ("x**y", -2.0, 3.0, -8, (12, NAN)),  # there is no real power just beside the exponent 3
        ("x**y", -2.0, 0.0, 1, (0, NAN)),
        ("x**y", -2.0, 0.5, NAN, (NAN, NAN)),
        ("x**x", 2.0, 0.0, 4, (4 * (math.log(2) + 1), 0)),
    ],
)
def test_powers_where_they_are_delicate(
    text: str, x: float, y: float, value: float, gradient: tuple[float, float]
) -> None:
    found, slopes = at(text, x, y)
    assert found == pytest.approx(value, nan_ok=True)
    assert slopes == pytest.approx(gradient, rel=8 * EPSILON, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "x", "y", "gradient"),
    [
        ("abs(x)", 0.0, 0.0, (0, 0)),
        ("max(x, y)", 2.0, 2.0, (0.5, 0.5)),
        ("min(x, y)", 2.0, 2.0, (0.5, 0.5)),
        ("max(x, -x)", 0.0, 0.0, (0, 0)),
        ("max(x - x, 0)", 0.0, 0.0, (0, 0)),
        ("max(0, x)", 0.0, 0.0, (0.5, 0)),
        ("max(sqrt(x), 1)", 0.0, 0.0, (0, 0)),  # the infinite slope is not that of the maximum
        ("sqrt(x**2 + y**2)", 0.0, 0.0, (0, 0)),
        ("(x**2 + y**2)**0.3", 0.0, 0.0, (0, 0)),
        ("sqrt(x - x)", 1.0, 0.0, (0, 0)),
        ("sqrt(x**3)", 0.0, 0.0, (0, 0)),
        ("sqrt(x)", 0.0, 0.0, (INF, 0)),
    ],
)
def test_at_a_kink_the_derivative_is_the_mean_of_both_sides(
    text: str, x: float, y: float, gradient: tuple[float, float]
) -> None:
    assert at(text, x, y)[1] == list(gradient)


@pytest.mark.parametrize(
    ("text", "x", "value"),
    [
        ("1/x", 0.0, INF),
        ("log(x)", 0.0, -INF),
        ("log(x)", -1.0, NAN),
        ("sqrt(x)", -1.0, NAN),
        ("arcsin(x)", 2.0, NAN),
        ("exp(x)", 1000.0, INF),
        ("x**2", 1e200, INF),
        ("max(x, 1)", NAN, NAN),
        ("min(1, x)", NAN, NAN),
        ("min(x, 1)", -INF, -INF),
    ],
)
@pytest.mark.parametrize("shape", [(), (3,)], ids=str)
def test_what_is_no_number_is_inf_or_nan(text: str, x: float, value: float, shape: tuple[int, ...]) -> None:
    formula = parse_formula(text, ("x",))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(formula.value(np.full((1, *shape), x)), np.full(shape, value))
        assert formula.gradient(np.full((1, *shape), x)).shape == (1, *shape)


@pytest.mark.parametrize("text", ["max(x, y)", "min(x, y)", "max(x, 1)", "min(1, x)", "abs(x)"])
def test_nan_goes_through_choices_of_complex_numbers(text: str) -> None:
    formula = parse_formula(text, XY)
    for point in ([NAN, 1.0], [NAN, NAN], *([[1.0, NAN]] if "y" in text else [])):
        assert np.isnan(formula.value(np.array(point, dtype=complex)))


# Random formulas, against Python's own parser and complex numbers.


class NoDerivativeError(Exception):
    """The formula leaves the real numbers, or is next to a kink."""


class Noisy:
    """A complex number that is read with random errors, of `noise` relative to each part.

    The real part is a value, the imaginary part (of order 1e-20) a derivative by the complex step.
    """

    noise = 0.0
    random = random.Random()

    def __init__(self, number: complex) -> None:
        if not (abs(number) < 1e6 and abs(number.imag) < 1e-12):
            raise NoDerivativeError
        self.number = complex(number)

    def read(self) -> complex:
        real, imag = (1 + self.noise * self.random.uniform(-1, 1) for _ in range(2))
        return complex(self.number.real * real, self.number.imag * imag)


def noisy(function: Callable[..., complex]) -> Callable[..., Noisy]:
    """A function of complex numbers as one of noisy numbers."""

    def act(*operands: Any) -> Noisy:
        try:
            return Noisy(function(*(it.read() if isinstance(it, Noisy) else it for it in operands)))
        except (ArithmeticError, ValueError):
            raise NoDerivativeError from None

    return act


def turned(function: Callable[..., complex]) -> Callable[..., complex]:
    return lambda a, b: function(b, a)


for method in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Noisy, f"__{method}__", noisy(getattr(operator, method)))
    setattr(Noisy, f"__r{method}__", noisy(turned(getattr(operator, method))))
setattr(Noisy, "__neg__", noisy(operator.neg))  # noqa: B010  # like the others


def larger(a: complex, b: complex) -> complex:
    lead = complex(a).real - complex(b).real
    if abs(lead) < 1e-6:
        raise NoDerivativeError
    return a if lead > 0 else b


NAMES: dict[str, Callable[..., complex]] = {
    "sqrt": cmath.sqrt,
    "exp": cmath.exp,
    "log": cmath.log,
    "log10": cmath.log10,
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "abs": lambda z: larger(z, -z),
    "min": lambda a, b: -larger(-a, -b),
    "max": lambda a, b: larger(a, b),
}
PYTHON: dict[str, Any] = {name: noisy(function) for name, function in NAMES.items()}
PYTHON |= {"pi": math.pi, "e": math.e}
STEP = 1e-20


def by_python(text: str, point: tuple[float, float], noise: float = 0.0) -> np.ndarray[Any, Any]:
    """Value and gradient, `(3,)`, by the complex step in Python's arithmetic."""
    Noisy.noise = noise
    found = []
    for j in range(2):
        x, y = (Noisy(complex(v, STEP * (i == j))) for i, v in enumerate(point))
        found.append(eval(text, {"__builtins__": {}}, PYTHON | {"x": x, "y": y}).read())
    return np.array([found[0].real, found[0].imag / STEP, found[1].imag / STEP])


LEAVES = st.sampled_from(["x", "y", "x", "y", "2", "0.5", "3", "1.7", "pi"])
TEXTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("({})**{}".format, inner, st.sampled_from(["2", "3", "4", "-1", "-2", "0.5", "1.5", "y"])),
        st.builds("-{}".format, inner),
        st.builds("{}({})".format, st.sampled_from([name for name in CLOSED]), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
    ),
    max_leaves=8,
).filter(lambda text: "x" in text or "y" in text)
COORDINATES = st.integers(-299, 299).map(lambda n: n / 100 + 0.00314159)  # on no kink of simple formulas


@settings(max_examples=400)
@given(TEXTS, st.tuples(COORDINATES, COORDINATES))
def test_random_formulas_against_python_and_the_complex_step(text: str, point: tuple[float, float]) -> None:
    """To what rounding can do, measured: errors of 1e-9 in every operand, scaled to those of rounding.

    The largest of four draws may be a quarter of the worst case, and an elementary function with its
    derivative takes up to some ten roundings of ε/2: 64 ε in all.
    """
    Noisy.random = random.Random(0)
    try:
        exact = by_python(text, point)
        draws = [by_python(text, point, noise=1e-9) for _ in range(4)]
    except (
        NoDerivativeError,
        ArithmeticError,
        AttributeError,
    ):  # the latter two of constants, as 2*pi or 0**-1
        assume(False)
    assume(np.isfinite(exact).all())
    sensitivity = np.max(np.abs(np.array(draws) - exact), axis=0) / 1e-9
    try:
        formula, x = parse_formula(text, XY), np.array(point)
    except ExpressionError as error:
        reasons = ("a constant base must be positive", "is not a real number")  # as (-2)**0.5 is not
        assume(not any(reason in str(error) for reason in reasons))
        raise
    found = np.array([formula.value(x), *formula.gradient(x)])
    np.testing.assert_array_less(np.abs(found - exact), 64 * EPSILON * (sensitivity + np.abs(exact)) + 1e-300)


@settings(max_examples=100)
@given(TEXTS, st.tuples(COORDINATES, COORDINATES))
def test_points_get_the_same_bits_alone_and_beside_others(text: str, point: tuple[float, float]) -> None:
    try:
        formula = parse_formula(text, XY)
    except ExpressionError:
        assume(False)
    generator = np.random.default_rng(0)
    x = np.asfortranarray(generator.uniform(-3, 3, (2, 37)))
    x[:, 17] = point
    with np.errstate(all="ignore"):
        value, gradient = formula.value(x), formula.gradient(x)
        contiguous = np.ascontiguousarray(x)
        np.testing.assert_array_equal(formula.value(contiguous), value)
        np.testing.assert_array_equal(formula.gradient(contiguous), gradient)
        for place in (0, 17, 36):
            for alone in (x[:, place].copy(), x[:, place : place + 1].copy()):
                np.testing.assert_array_equal(np.ravel(formula.value(alone)), value[place])
                np.testing.assert_array_equal(formula.gradient(alone).ravel(), gradient[:, place])


# Formulas that use everything, in every way that points come.

EVERYTHING = [
    "3",
    "x",
    "2*x - y",
    "x*y",
    "x**2/20 + y**2",
    "x**5 + x**y - 2**y + y**-3 + x**0.3",
    "sqrt(x)*exp(-y) + log(x + y) - log10(y)",
    "sin(x) * cos(y) + tan(x*y/9) - arctan(x)",
    "arcsin(x/4) - arccos(y/4)",
    "sinh(x) + cosh(y)*tanh(x - y)",
    "abs(x - y) * max(x, y, 1.5) - min(2*x, y)",
    "(x**2 + y**2)**0.5 + (x**2 + y**2)**0.3",
]
SHAPES = [(), (4,), (3, 4), (1, 1), (0,)]


def points(shape: tuple[int, ...], low: float = 0.2) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).uniform(low, 3, (2, *shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("text", EVERYTHING)
def test_shapes_and_arrays_of_the_standard(text: str, shape: tuple[int, ...]) -> None:
    formula, x = parse_formula(text, XY), points(shape)
    before, strict = x.copy(), array_api_strict.asarray(x)
    value, gradient = formula.value(x), formula.gradient(x)
    assert np.shape(value) == shape
    assert gradient.shape == (2, *shape)
    for found, expected in ((formula.value(strict), value), (formula.gradient(strict), gradient)):
        assert isinstance(found, type(strict))
        np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("text", EVERYTHING)
@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_the_type_of_the_numbers_stays(text: str, dtype: Any) -> None:
    """To the rounding of float32, with room for the condition of these formulas, below 100."""
    formula = parse_formula(text, XY)
    x = points((4,))
    for method in (formula.value, formula.gradient):
        found = method(x.astype(dtype))
        assert found.dtype == dtype
        expected = method(x.astype(dtype).real.astype(float))
        tolerance = 100 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        assert np.asarray(method(array_api_strict.asarray(x.astype(dtype)))).dtype == dtype


@pytest.mark.parametrize("text", EVERYTHING)
def test_the_gradient_is_the_complex_step_and_the_difference_quotient(text: str) -> None:
    """The complex step to rounding; differences (h = 1e-5) to ε|f|/h + h²|f‴|/6, |f‴| up to 1e4."""
    formula, x = parse_formula(text, XY), points((50,), low=0.5)
    gradient = formula.gradient(x)
    for j in range(2):
        unit = np.eye(2)[:, j, None]
        step = formula.value(x + 1e-20j * unit).imag / 1e-20
        np.testing.assert_allclose(gradient[j], step, rtol=1e-12, atol=1e-12)
        difference = (formula.value(x + 1e-5 * unit) - formula.value(x - 1e-5 * unit)) / 2e-5
        np.testing.assert_allclose(gradient[j], difference, rtol=0, atol=2e-7)


@pytest.mark.parametrize("text", [text for text in EVERYTHING if "abs" not in text])
def test_second_derivatives_by_the_complex_step_are_symmetric(text: str) -> None:
    """The gradient holds at complex points, too: Hessians are made of it."""
    formula, x = parse_formula(text, XY), points((50,))
    hessian = [formula.gradient(x + 1e-20j * np.eye(2)[:, j, None]).imag / 1e-20 for j in range(2)]
    np.testing.assert_allclose(hessian[0][1], hessian[1][0], rtol=1e-11, atol=1e-12)
    by_x = formula.gradient(x + np.array([[1e-5], [0]])) - formula.gradient(x - np.array([[1e-5], [0]]))
    np.testing.assert_allclose(hessian[0], by_x / 2e-5, rtol=1e-6, atol=1e-6)


def test_the_value_of_a_variable_is_no_view_of_the_points() -> None:
    x = points((4,))
    value = parse_formula("x", XY).value(x)
    kept = value.copy()
    x[:] = 0
    np.testing.assert_array_equal(value, kept)


def test_a_constant_is_finite_at_points_that_are_not() -> None:
    formula, x = parse_formula("3", XY), np.full((2, 4), NAN)
    np.testing.assert_array_equal(formula.value(x), np.full(4, 3.0))
    np.testing.assert_array_equal(formula.gradient(x), np.zeros((2, 4)))


def test_many_variables() -> None:
    """The product of a hundred variables: its gradient is the product of the others."""
    names = [f"v{i}" for i in range(100)]
    formula = parse_formula("*".join(names), names)
    x = np.random.default_rng(0).uniform(0.5, 1.5, (100, 3))
    np.testing.assert_allclose(formula.gradient(x), formula.value(x) / x, rtol=200 * EPSILON)

"""What is a formula and what is none, in what words, and under what limits."""

import copy
import pickle
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dnnexp.expression import ExpressionError, parse_formula, variable_faults
from dnnexp.expression._operations import FUNCTIONS

XY = ("x", "y")


def refused(text: str, variables: tuple[str, ...] = XY) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_formula(text, variables)
    return caught.value


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("x.real", "`x.real` is not allowed"),
        ("x.__class__", "`x.__class__` is not allowed"),
        ("x[0]", "`x[0]` is not allowed"),
        ("(x, y)", "a tuple is not allowed"),
        ("[x, y]", "a list is not allowed"),
        ("{x: y}", "a mapping written out is not allowed"),
        ("[v for v in x]", "a list comprehension is not allowed"),
        ("max(v for v in x)", "`max` has 1 arguments; allowed: two or more"),
        ("max(x, (v for v in x))", "a generator"),
        ("lambda: x", "a lambda is not allowed"),
        ("(lambda: x)()", "calling `lambda: x` is not allowed"),
        ("x(y)", "calling `x` is not allowed"),
        ("__import__('os')", "calling `__import__` is not allowed"),
        ("eval('x')", "calling `eval` is not allowed"),
        ("np.sin(x)", "calling `np.sin` is not allowed"),
        ("sin(x).real", "`sin(x).real` is not allowed"),
        ("sin(x)(y)", "calling `sin(x)` is not allowed"),
        ("len(x)", "calling `len` is not allowed"),
        ("sin(v=x)", "an argument by keyword is not allowed"),
        ("sin(x, out=y)", "an argument by keyword is not allowed"),
        ("sin(*x)", "a starred argument is not allowed"),
        ("sin()", "`sin` has 0 arguments; allowed: one"),
        ("sin(x, y)", "`sin` has 2 arguments; allowed: one"),
        ("'text'", "`'text'` is not allowed"),
        ("f'{x}'", "an f-string is not allowed"),
        ("b'x'", "a bytes constant is not allowed"),
        ("1j * x", "a complex number is not allowed"),
        ("True * x", "`True` is not allowed"),
        ("None", "`None` is not allowed"),
        ("...", "`...` is not allowed"),
        ("x % y", "`%` is not allowed"),
        ("x // y", "`//` is not allowed"),
        ("x @ y", "`x @ y` is not allowed"),
        ("x ^ 2", "`^` (a power is `**`) is not allowed"),
        ("x << 2", "`x << 2` is not allowed"),
        ("~x", "`~` is not allowed"),
        ("not x", "`not x` is not allowed"),
        ("x < y", "`x < y` is not allowed"),
        ("x and y", "`x and y` is not allowed"),
        ("x if y else 1", "a conditional (`x if y else z`) is not allowed"),
        ("(x := 1)", "an assignment (`:=`) is not allowed"),
        ("await x", "`await x` is not allowed"),
        ("", "is not an expression"),
        ("x +", "is not an expression"),
        ("x = 1", "is not an expression"),
        ("2x", "is not an expression"),
        ("import os", "is not an expression"),
        ("x\0", "null byte"),
    ],
)
def test_all_else_is_refused_by_name(text: str, construct: str) -> None:
    assert construct in str(refused(text))


@pytest.mark.parametrize("text", ["x.y", "x +", "ln(x)", "x if y else 1"])
def test_a_refusal_says_what_is_allowed(text: str) -> None:
    assert str(refused(text)).endswith(
        "allowed are the variables, numbers, pi and e, `+ - * / **`, parentheses, and the functions sqrt exp "
        "log log10 sin cos tan arcsin arccos arctan sinh cosh tanh abs min max"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x + z", "`z` is not a variable; the variables are x, y"),
        ("x * py", "`py` is not a variable; did you mean `y`? the variables are x, y"),
        ("2 * Pi * x", "`Pi` is not a variable; did you mean `pi`? the variables are x, y"),
        ("x + sin", "`sin` is a function, to be called with an argument; the variables are x, y"),
        ("__class__", "`__class__` is not a variable"),
        ("ln(x)", "calling `ln` is not allowed; did you mean `log`?"),
        ("asin(x)", "did you mean `arcsin`?"),
        ("arcsine(x)", "did you mean `arcsin`?"),
        ("maximum(x, y)", "did you mean `max`?"),
    ],
)
def test_unknown_names(text: str, message: str) -> None:
    assert message in str(refused(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1e400 * x", "`1e400` is not a finite number (up to 1.79e308)"),
        ("10**400 * x", "`10**400` is not a finite number"),
        ("9**9**9**9 * x", "`9**9**9` is not a finite number"),
        ("1" + "0" * 400, "is not a finite number"),
        ("1e300 * 1e300 * x", "`1e300 * 1e300` is not a finite number"),
        ("exp(1000) * x", "`exp(1000)` is not a finite number"),
        ("log(0) + x", "`log(0)` is not a finite number"),
        ("log(-1) + x", "`log(-1)` is not a real number"),
        ("(-8) ** (1/3) + x", "`(-8) ** (1/3)` is not a real number"),
        ("arcsin(2) + x", "`arcsin(2)` is not a real number"),
        ("1 / 0 + x", "division by zero in `1 / 0`"),
        ("x / (1 - 1)", "division by zero in `x / (1 - 1)`"),
        ("(-2) ** x", "`(-2) ** x` has no derivative; a constant base must be positive"),
        ("0 ** x", "`0 ** x` has no derivative"),
    ],
)
def test_constants_must_be_finite_real_numbers(text: str, message: str) -> None:
    started = time.perf_counter()
    assert message in str(refused(text))
    assert time.perf_counter() - started < 1  # 9**9**9**9 as an integer would never end


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("x + z", 5),
        ("x*y + sqr(x)", 7),
        ("  x + z", 7),
        ("\n x +\n z", 8),
        ("x + 1/0", 5),
        ("x +* y", 4),
        ("sin(x) + x.y", 10),
        ("x" * 1001, None),
    ],
)
def test_error_column(text: str, column: int | None) -> None:
    assert refused(text).column == column


def test_columns_count_characters_not_bytes() -> None:
    assert refused("ä + z", ("ä",)).column == 5


def test_limits_of_length_and_parts() -> None:
    assert "1001 characters is too long; allowed are 1000" in str(refused("x" * 1001))
    assert "too many parts; allowed are 200" in str(refused("+".join(["x"] * 101)))


def test_a_long_sum_is_not_deep() -> None:
    """Guards: a sum of more than 40 terms was nested too deeply."""
    assert parse_formula(" + ".join(["x"] * 100), XY)


@pytest.mark.parametrize(
    "text",
    ["-" * 199 + "x", "(" * 150 + "x" + ")" * 150, "sin(" * 60 + "x" + ")" * 60, "x**" * 60 + "x", "(" * 999],
)
def test_long_nests_are_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    try:
        parse_formula(text, XY)
    except ExpressionError:
        pass
    else:
        assert text.startswith("(((")  # parentheses alone are no parts
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("variables", "faults"),
    [
        (("x", "y", "theta_1", "X", "ä"), []),
        (("sin", "x"), [(0, "the variable 'sin' has the name of a function; choose another")]),
        (("x", "e"), [(1, "the variable 'e' has the name of a constant; choose another")]),
        (("x", "y", "x"), [(2, "the variable 'x' stands twice; each may stand once")]),
    ],
)
def test_variables(variables: tuple[str, ...], faults: list[tuple[int, str]]) -> None:
    assert list(variable_faults(variables)) == faults


@pytest.mark.parametrize(
    "name",
    ["", "1x", "a-b", "x y", "x.y", "lambda", "None", "in", "__class__", "__", " x", "x+1", "ﬁ", "\0", "x)"],
)
def test_what_a_formula_cannot_name_is_no_variable(name: str) -> None:
    ((index, message),) = variable_faults(("x", name))
    assert index == 1
    assert "cannot be named in formulas; allowed are letters, digits and _" in message
    with pytest.raises(ExpressionError, match="cannot be named in formulas"):
        parse_formula("x", ("x", name))


@pytest.mark.parametrize("name", [*FUNCTIONS, "pi", "e"])
def test_no_variable_hides_a_function_or_constant(name: str) -> None:
    assert "has the name of a" in str(refused("1", (name,)))


def test_a_formula_needs_a_variable() -> None:
    assert "needs a variable" in str(refused("1", ()))


def test_formulas_compare_by_text_and_variables() -> None:
    assert parse_formula("x*y", XY) == parse_formula("x*y", list(XY))
    assert parse_formula("x*y", XY) != parse_formula("x*y", ("y", "x"))
    assert len({parse_formula("x*y", XY), parse_formula("x*y", XY)}) == 1


def test_formulas_go_to_other_processes() -> None:
    formula = parse_formula("x*y", XY)
    assert pickle.loads(pickle.dumps(formula)) == copy.deepcopy(formula) == formula


PIECES = st.sampled_from(
    [
        *"()[]{}.,:;=<*/-+~!@#'\"\\\n\0\ud800é01xy",
        "**",
        "1e9",
        "1j",
        "x",
        "sin",
        "max",
        "abs(",
        "log",
        "lambda",
        "pi",
    ]
)


@given(st.text() | st.lists(PIECES, max_size=40).map(" ".join) | st.lists(PIECES).map("".join))
@example("\ud800")
@example("'\\x'")
@example("0777")
@example("1_")
def test_any_text_is_a_formula_or_an_expression_error(text: str) -> None:
    error = None
    try:
        assert parse_formula(text, XY).text == text
    except ExpressionError as raised:
        error = raised
    assert error is None or error.column is None or 1 <= error.column <= len(text) + 1

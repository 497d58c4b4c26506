"""A user's function is called at its points, in its way, and its results are read."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.experiments.gradcheck.targets.user_function import TargetError, resolve
from tests.experiments.user_plugins import GRADIENT, SQUARE, assert_right, enter, found


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test enters is gone after it."""
    monkeypatch.setattr(registry, "_plugins", {})


TWO = "def f(w, b=1.0):\n    return (w**2).sum() * b\ndef f_grad(w, b=1.0):\n    return 2 * w * b\n"
SEVERAL = """
def f(w, b): return (w @ b).sum()
def f_grad(w, b): return np.outer(np.ones(2), b), w.sum(0)
"""
BY_NAME = SEVERAL.replace("return np.outer(np.ones(2), b), w.sum(0)",
                          "return {'b': w.sum(0), 'w': np.outer(np.ones(2), b)}")  # fmt: skip
ONE_DICT = """
def f(p, scale=1.0): return (p['w'] @ p['b']).sum()
def f_grad(p): return {'w': np.outer(np.ones(2), p['b']), 'b': p['w'].sum(0)}
"""
ONE_TUPLE = """
def f(p): return (p[0] @ p[1]).sum()
def f_grad(p): return np.outer(np.ones(2), p[1]), p[0].sum(0)
"""
PARTS = (("w", (2, 3)), ("b", (3,)))
X0 = "np.arange(6.).reshape(2, 3), np.ones(3)"
D0 = "dict(w=np.arange(6.).reshape(2, 3), b=np.ones(3))"
STARTS: Mapping[str, tuple[str, Any, int]] = {
    "list": (f"{SQUARE}{GRADIENT}f_x0 = [1, 2]", (("x", (2,)),), 1),
    "tuple of numbers": (f"{SQUARE}{GRADIENT}f_x0 = (1, 2)", (("x", (2,)),), 1),
    "points": (f"{SQUARE}{GRADIENT}f_points = [[1, 2], [3, 4]]\nf_x0 = [1]", (("x", (2,)),), 2),
    "array of points": (f"{SQUARE}{GRADIENT}f_points = np.ones((4, 2))", (("x", (2,)),), 4),
    "any x0": (f"{SQUARE}{GRADIENT}x0 = np.ones(5)", (("x", (5,)),), 1),
    "matrix": (f"{TWO}f_point = np.ones((2, 3))", (("w", (2, 3)),), 1),
    "tuple": (f"{SEVERAL}f_x0 = {X0}", PARTS, 1),
    "several": (f"{SEVERAL}f_points = [({X0})] * 3", PARTS, 3),
    "dict": (f"{BY_NAME}f_x0 = {D0}", PARTS, 1),
    "one dict": (f"{ONE_DICT}f_x0 = {D0}", PARTS, 1),
    "one tuple": (f"{ONE_TUPLE}f_x0 = {X0}", (("p0", (2, 3)), ("p1", (3,))), 1),
    "numbers": ("def f(a, b): return math.sin(a) * b, (math.cos(a) * b, math.sin(a))\nx0 = (1.0, 2.0)",
                (("a", ()), ("b", ())), 1),
    "number": ("def f(x): return math.sin(x), math.cos(x)\nx0 = 0.5", (("x", (1,)),), 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts", "n"), STARTS.values(), ids=STARTS)
def test_points_of_the_plugin(text: str, parts: Any, n: int) -> None:
    enter(text)
    assert resolve("mine.f").indices == {name: len(shape) for name, shape in parts}
    f = found()
    assert (f.parts, f.points.shape[1]) == (parts, n)
    places = f.arguments.places
    assert [(name, shape) for name, _, shape in places] == list(parts)
    assert places[-1][1].stop == len(f.points)
    assert_right(f)


def test_points_of_the_config_come_before_those_of_the_plugin() -> None:
    enter(f"{SQUARE}{GRADIENT}f_x0 = [1, 2]")
    assert found(points=[[1, 2, 3]]).points.tolist() == [[1], [2], [3]]


def test_random_points_of_a_dimension() -> None:
    enter(SQUARE + GRADIENT)
    expected = np.random.default_rng(0).standard_normal((12, 3))
    assert (found(dimension=12).points == expected).all()
    assert (found().points == expected[:2]).all(), "the same as of the dimension that is guessed"


GUESSED = {
    "any": (SQUARE + GRADIENT, 2),
    "three": ("def f(x): return x[0] * x[2], np.array([x[2], 0 * x[1], x[0]])", 3),
    "one": ("def f(x): return x[0] ** 2, np.array([2 * x[0]])", 1),
    "seven": ("M = np.eye(7)\ndef f(x): return x @ M @ x, 2 * M @ x", 7),
    "power": ("def f(x): return x**2\ndef f_prime(x): return 2 * x", 1),
    "sine": ("f = math.sin\nf_prime = math.cos", 1),
    "annotated": ("def f(x: float) -> float: return x**2\ndef f_prime(x: float) -> float: return 2 * x", 1),
    "two numbers": ("def f(x, y): return x * y\ndef f_grad(x, y): return np.array([y, x])", 2),
}  # fmt: skip


@pytest.mark.parametrize(("text", "d"), GUESSED.values(), ids=GUESSED)
def test_the_dimension_is_guessed(text: str, d: int) -> None:
    enter(text)
    f = found()
    assert f.points.shape == (d, 3)
    assert list(resolve("mine.f").indices) == [name for name, _ in f.parts]
    assert_right(f)


@pytest.mark.parametrize("points", [[0.5, 2.0], [[0.5], [2.0]]], ids=["numbers", "lists"])
def test_a_function_of_a_float_gets_one(points: Any) -> None:
    module = enter("""
        def f(x: float) -> float:
            seen.append(type(x))
            return math.sin(x)
        def f_prime(x: float) -> float:
            return math.cos(x)
        seen = []
    """)
    f = found(points=points)
    assert (f.parts, f.points.tolist()) == ((("x", (1,)),), [[0.5, 2.0]])
    assert f.gradient(np.array([0.5])).tolist() == [math.cos(0.5)]
    assert set(module.seen) == {float}


RETURNED = ["3.0", "3", "np.float64(3)", "np.array(3.0)", "np.array([3.0])", "[3.0]", "np.array([[3]])"]


@pytest.mark.parametrize("value", RETURNED)
def test_values_are_numbers_of_many_kinds(value: str) -> None:
    enter(f"def f(x): return {value}\n{GRADIENT}")
    got = found(points=[[1, 2]]).value(np.ones(2))
    assert (type(got), got) == (float, 3.0)


@pytest.mark.parametrize(
    "slope", ["2 * x", "2 * x[None]", "2 * x[:, None]", "(2 * x).tolist()", "tuple(2 * x)"]
)
def test_gradients_are_vectors_of_many_kinds(slope: str) -> None:
    enter(f"{SQUARE}def f_grad(x): return {slope}")
    assert found(points=[[1, 2]]).gradient(np.array([1.0, 2])).tolist() == [2, 4]


WRONG: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "no dimension fits": ("def f(x): return x[10], x", {},
        r"mine\.f fits no dimension from 1 to 10 \(with d = 2: mine\.f: mine\.py:3: IndexError: .*\); give"),
    "infinite": ("def f(x): return np.inf, x", {}, "with d = 2: the value or the gradient is not finite"),
    "shape": (f"{SQUARE}def f_grad(x): return x[:1]", {"dimension": 3},
        r"mine\.f_grad: the gradient by x has shape \(1,\), expected \(3,\)"),
    "transposed": (f"{TWO}f_x0 = np.ones((1, 3))".replace("2 * w * b", "2 * w.T"), {},
        r"the gradient by w has shape \(3, 1\), expected \(1, 3\)"),
    "vector value": (f"def f(x): return x\n{GRADIENT}", {"dimension": 3},
        r"mine\.f: the value has shape \(3,\); only scalar functions"),
    "none": (f"def f(x): x @ x\n{GRADIENT}", {"dimension": 3},
        r"mine\.f: the value must be real numbers, but is None"),
    "text": (f"def f(x): return '1'\n{GRADIENT}", {"dimension": 3}, r"real .* a str of dtype <U1"),
    "complex": (f"def f(x): return 1j\n{GRADIENT}", {"dimension": 3}, r"a complex of dtype complex128"),
    "ragged": (f"{SQUARE}def f_grad(x): return [1, [2, 3]]", {"dimension": 2}, r"x is not an array"),
    "raises": (f"{SQUARE}def f_grad(x):\n    y = 1\n    return y / 0", {"dimension": 2},
        r"mine\.f_grad: mine\.py:7: ZeroDivisionError: division by zero"),
    "raises later": (f"{SQUARE}def f_grad(x): return 2 * x + 0 * math.sqrt(x[0])", {"points": [[1], [-2]]},
        r"mine\.py:5: ValueError: .*; at point 1, x = \[-2\]$"),
    "exits": ("def f(x):\n    raise SystemExit(3)", {"dimension": 2}, r"mine\.py:4: SystemExit: 3"),
    "dimension": (f"{SQUARE}{GRADIENT}f_x0 = [1, 2]", {"dimension": 3},
        r"dimension is 3, but mine\.f_x0 has 2 numbers"),
    "dimension of float": ("def f(x: float): return x, 1", {"dimension": 3},
        r"dimension is 3, but mine\.f takes one float"),
    "dimension of several": ("def f(x, y): return x, y", {"dimension": 3}, "takes 2 arguments: x, y"),
    "points of a matrix": (f"{TWO}f_x0 = np.ones((2, 3))", {"points": [[1, 2]]},
        r"points are for functions of one vector, but mine\.f_x0 has w \(2, 3\): give several as mine\.f_po"),
    "points of all lengths": (SQUARE + GRADIENT, {"points": [[1, 2], [1]]},
        r"points\[1\] has x \(1,\), but points\[0\] has x \(2,\): all points must be alike"),
    "no points": (SQUARE + GRADIENT, {"points": []}, "points must be a list of at least one point"),
    "point of text": (f"{SQUARE}{GRADIENT}f_x0 = 'a'", {}, r"mine\.f_x0 must be real numbers, but is a str"),
    "point of nan": (f"{SQUARE}{GRADIENT}f_x0 = [1, np.nan]", {}, r"mine\.f_x0 must be finite"),
    "empty point": (f"{SQUARE}{GRADIENT}f_x0 = []", {}, r"mine\.f_x0 is empty"),
    "no list of points": (f"{SQUARE}{GRADIENT}f_points = 3", {}, r"f_points must be a list of points, but"),
    "too many parts": (f"{SEVERAL}f_x0 = (1, 2, 3)", {}, r"mine\.f_x0 has 3 parts, but mine\.f takes w, b"),
    "wrong keys": (f"{SEVERAL}f_x0 = dict(w=1, c=1)", {}, r"f_x0 has the keys w, c, but mine\.f takes w, b"),
    "wrong keys of the gradient": (f"{BY_NAME}f_x0 = {D0}".replace("'b':", "'c':"), {},
        r"mine\.f_grad: the gradient has the keys c, w, expected w, b"),
    "too few gradients": (f"{SEVERAL}f_x0 = {X0}".replace(", w.sum(0)", ","), {},
        r"the gradient is a tuple of length 1, expected a tuple of 2: by w, b"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "given", "message"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_told(text: str, given: dict[str, Any], message: str) -> None:
    enter(text)
    with pytest.raises(TargetError, match=message) as caught:
        found(**given)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_error_below_a_wrapper_of_a_librarys_is_told_by_the_plugins_line() -> None:
    enter(f"@np.vectorize\ndef f(x):\n    return 1 / 0\n{GRADIENT}")
    with pytest.raises(TargetError, match=r"mine\.f: mine\.py:5: ZeroDivisionError: division by zero"):
        found(dimension=1)


@pytest.mark.parametrize("x", ["x", "x: float"])
def test_at_a_complex_point_the_value_may_be_complex(x: str) -> None:
    """Guards: it was refused, and the complex step was told to be wrong."""
    enter(f"def f({x}): return np.exp(1 * x).sum(), np.exp(x)\nx0 = 0.5")
    assert found().value(np.array([0.5 + 1e-20j])).imag == pytest.approx(1e-20 * math.exp(0.5), rel=1e-15)
    assert type(found().value(np.array([0.5]))) is float


@pytest.mark.parametrize("text", ["math.exp(x[0])", "float(np.exp(x[0]))", "np.exp(x[0]).astype(float)"])
def test_an_imaginary_part_is_not_lost_without_a_word(text: str) -> None:
    """It would look like a wrong gradient, which is not zero."""
    enter(f"def f(x): return {text}, np.exp(x)\nx0 = [0.5]")
    with pytest.raises(TargetError, match=r"mine\.f: mine\.py:3: ComplexWarning: "):
        found().value(np.array([0.5 + 1e-20j]))


def test_what_a_function_prints_is_kept_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is for the path of the run, or its metrics."""
    enter("def f(x):\n    print('at', x)\n    return x @ x, 2 * x")
    found(points=[[1, 2]])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "at [1. 2.]" in printed.err


def test_every_call_gets_a_copy_of_the_point() -> None:
    enter("def f(x):\n    x *= 2\n    return x @ x / 4, x")
    f = found(points=[[1, 2]])
    x = f.points[:, 0].copy()
    assert (f.value(x), f.gradient(x).tolist(), x.tolist(), f.points.tolist()) == (
        5,
        [2, 4],
        [1, 2],
        [[1], [2]],
    )

"""What is wrong with a user's function itself is found."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.core.differentiation import central_gradient
from dnnexp.experiments.gradcheck.targets.user_function import UserFunction
from dnnexp.experiments.gradcheck.targets.user_inspection import inspect_function
from tests.experiments.user_plugins import GRADIENT, SQUARE, assert_right, by_points, enter, found


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test enters is gone after it."""
    monkeypatch.setattr(registry, "_plugins", {})


def kinds(f: UserFunction) -> list[str]:
    return [finding.kind for finding in inspect_function(f)]


SMOOTH = "def f(x): return np.exp(np.sin(x)).sum()\ndef f_grad(x): return np.exp(np.sin(x)) * np.cos(x)\n"


@pytest.mark.parametrize("points", [None, [[0, 0]], [[1e-9, 1e9], [1, 1]]], ids=["random", "zero", "scales"])
@pytest.mark.parametrize("text", [SMOOTH, SQUARE + GRADIENT], ids=["smooth", "square"])
def test_nothing_is_found_in_a_right_function(text: str, points: Any) -> None:
    enter(text)
    assert kinds(found(points=points)) == []


def test_at_its_minimum_a_function_is_not_taken_for_one_in_single_precision() -> None:
    """Beside a minimum of 0 rounding of x makes up most of a value."""
    enter("""
        def f(x):
            return (1 - x[0])**2 + 100 * (x[1] - x[0]**2)**2
        def f_grad(x):
            return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0]**2), 200 * (x[1] - x[0]**2)])
    """)
    assert kinds(found(points=[[1, 1], [1 + 1e-8, 1]])) == []


def test_calls_that_differ_are_found() -> None:
    enter("""
        r = np.random.default_rng(0)
        def f(x):
            return x @ x + 1e-3 * r.standard_normal()
        def f_grad(x):
            return 2 * x + np.array([0, 1e-3 * r.standard_normal()])
    """)
    value, slope = inspect_function(found(dimension=2))
    assert (value.kind, value.where) == ("non_deterministic", "mine.f")
    assert (slope.kind, slope.where) == ("non_deterministic", "mine.f_grad")
    assert "two value calls at point " in value.evidence
    assert ", by x[1] gave " in slope.evidence


def test_a_changed_argument_is_found() -> None:
    enter("""
        def f(w, b):
            return (w**2).sum() + (b**2).sum()
        def f_grad(w, b):
            w *= 2
            b[0] *= 2
            return w, 2 * b
        f_x0 = np.ones((2, 3)), np.ones(4)
    """)
    first, second = inspect_function(found())
    assert (first.kind, first.where) == ("mutates_input", "mine.f_grad")
    assert first.evidence == "the gradient call changes 6 of the 6 entries of w, point 0"
    assert second.evidence == "the gradient call changes 1 of the 4 entries of b, point 0"


def test_a_gradient_that_the_next_call_changes_is_found() -> None:
    enter(f"{SQUARE}buffer = np.empty(3)\ndef f_grad(x): return np.multiply(2, x, out=buffer)")
    (finding,) = inspect_function(found(dimension=3))
    assert (finding.kind, finding.where) == ("aliased_result", "mine.f_grad")
    assert "changes 3 of 3 entries" in finding.evidence
    assert_right(found(dimension=3))


def test_a_buffer_is_no_hiding_place_for_noise() -> None:
    """Guards: two results in one buffer were equal because they were one."""
    enter(f"""{SQUARE}
buffer, calls = np.empty(3), []
def f_grad(x):
    calls.append(1)
    return np.multiply(2 + 1e-3 * len(calls), x, out=buffer)
""")
    assert kinds(found(points=[[1, 2, 3]])) == ["non_deterministic", "aliased_result"]


STALE = """
kept = {}
def f(x):
    kept["x"] = x.copy()
    return x @ x
def f_grad(x):
    return 2 * kept["x"]
"""


@pytest.mark.parametrize("points", [[[1, 2, 3]], [[1, 2, 3], [4, 5, 3]]], ids=["one", "two"])
def test_a_gradient_that_uses_what_the_last_call_left_is_found(points: Any) -> None:
    enter(STALE)
    (finding,) = inspect_function(found(points=points))
    assert (finding.kind, finding.where, finding.blocks) == ("stale_state", "mine.f_grad", True)
    changed = 2 if len(points) == 2 else 3
    assert f"changes {changed} of 3 entries of the gradient at x = [1, 2, 3]" in finding.evidence


def test_values_and_gradients_of_one_call_have_nothing_left_over() -> None:
    enter("kept = {}\ndef f(x):\n    kept['x'] = x\n    return x @ x, 2 * kept['x']")
    assert kinds(found(dimension=3)) == []


@pytest.mark.parametrize("slope", ["2 * x[None]", "2 * x[:, None]"], ids=["row", "column"])
def test_a_row_or_a_column_is_noted(slope: str) -> None:
    enter(f"{SQUARE}def f_grad(x): return {slope}")
    (finding,) = inspect_function(found(dimension=3))
    assert (finding.kind, finding.where, finding.blocks) == ("reshaped_gradient", "mine.f_grad", False)
    assert finding.evidence.endswith("taken as (3,)")
    assert kinds(found(dimension=1)) == []


SINGLE = {
    "value": SMOOTH.replace("np.exp(np.sin(x)).sum()", "np.exp(np.sin(x)).sum().astype(np.float32)"),
    "half": SMOOTH.replace("np.exp(np.sin(x)).sum()", "np.exp(np.sin(x)).sum().astype(np.float16)"),
    "gradient": SMOOTH.replace("* np.cos(x)", "* np.cos(x).astype(np.float32)")
    + "def f_grad(x, g=f_grad): return g(x).astype(np.float32)",
    "points": f"{SMOOTH}f_x0 = np.ones(3, np.float32)",
    "inside": SMOOTH.replace("np.sin(x)).sum()", "np.sin(x.astype(np.float32))).sum().item()"),
    "at the end": SMOOTH.replace("np.exp(np.sin(x)).sum()", "float(np.float32(np.exp(np.sin(x)).sum()))"),
    "a term": SMOOTH.replace("np.exp(np.sin(x)).sum()", "float(np.float32(np.exp(np.sin(x)).sum())) + x @ x"),
}


@pytest.mark.parametrize("text", SINGLE.values(), ids=SINGLE)
def test_single_precision_is_found(text: str) -> None:
    enter(text)
    assert kinds(found()) == ["single_precision"]


def test_coarser_noise_is_not_said_to_be_that_of_single_precision() -> None:
    enter(SMOOTH.replace("np.exp(np.sin(x)).sum()", "np.exp(np.sin(x)).sum() + 1e-4 * np.sin(1e12 * x[0])"))
    (finding,) = inspect_function(found())
    assert "less than single precision, or by an iteration that stops early" in finding.evidence


def test_what_is_not_finite_is_found() -> None:
    enter("def f(x): return np.log(x).sum()\ndef f_grad(x): return 1 / x")
    value, slope = inspect_function(found(points=[[1, 1], [2, -1], [0, 1]]))
    assert (value.kind, value.where, slope.where) == ("non_finite", "mine.f", "mine.f_grad")
    assert value.evidence == "the value is nan at point 1, x = [2, -1]"
    assert slope.evidence == "the gradient by x[0] is inf at point 2, x = [0, 1]"


def test_the_example_plugin_has_one_right_and_one_wrong_gradient() -> None:
    from dnnexp.config.shipped import directory

    enter(Path(directory() / "plugins" / "rosenbrock.py").read_text(encoding="utf-8"), "rosenbrock")
    assert_right(found("rosenbrock.rosen"))
    wrong = found("rosenbrock.rosen_wrong")
    assert kinds(wrong) == []
    ratio = [wrong.gradient(x) / central_gradient(lambda at: by_points(wrong, at), x) for x in wrong.points.T]
    assert (np.abs(np.array(ratio)[:, 0] - 1) > 0.1).all()
    np.testing.assert_allclose(np.array(ratio)[:, 1], 1, rtol=1e-6)

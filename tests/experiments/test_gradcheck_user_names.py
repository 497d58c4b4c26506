"""A user's function and its gradient are found by name."""

import numpy as np
import pytest

from dnnexp import registry
from dnnexp.experiments.gradcheck.targets.user_function import TargetError, resolve
from tests.experiments.user_plugins import GRADIENT, SQUARE, assert_right, enter, found


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test enters is gone after it."""
    monkeypatch.setattr(registry, "_plugins", {})


NAMES = [
    "f_gradient", "f_grad", "grad_f", "gradient_f", "f_jacobian", "f_jac", "f_prime", "f_der", "d_f"
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_is_found_by_each_convention(name: str) -> None:
    enter(SQUARE + GRADIENT.replace("f_gradient", name))
    f = found(points=[[1, 2, 3], [4, 5, 6]])
    assert (f.name, f.slope_name) == ("mine.f", f"mine.{name}")
    assert f.parts == (("x", (3,)),)
    assert f.points.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert f.value(np.array([1.0, 2, 3])) == 14
    assert f.gradient(np.array([1.0, 2, 3])).tolist() == [2, 4, 6]


@pytest.mark.parametrize("name", ["gradient", "grad"])
def test_a_gradient_may_be_an_attribute(name: str) -> None:
    enter(f"{SQUARE}f.{name} = lambda x: 2 * x")
    assert found(dimension=2).slope_name == f"mine.f.{name}"


def test_a_function_may_return_value_and_gradient() -> None:
    enter("def f(x):\n    return x @ x, 2 * x")
    f = found(dimension=4)
    assert (f.is_pair, f.slope_name, f.points.shape) == (True, "mine.f", (4, 3))
    assert_right(f)


def test_a_gradient_may_be_named() -> None:
    enter(f"{SQUARE}{GRADIENT}def mine_own(x):\n    return 3 * x")
    assert found(dimension=2, gradient="mine.mine_own").gradient(np.ones(2)).tolist() == [3, 3]
    assert found(dimension=2, gradient="mine_own").slope_name == "mine.mine_own"


def test_a_named_gradient_comes_before_that_of_a_pair() -> None:
    enter("def f(x):\n    return x @ x, 2 * x\ndef f_grad(x):\n    return 3 * x")
    assert found(dimension=2, gradient="mine.f_grad").gradient(np.ones(2)).tolist() == [3, 3]
    assert found(dimension=2, gradient="mine.f").gradient(np.ones(2)).tolist() == [2, 2]


def test_two_names_of_one_gradient_are_no_conflict() -> None:
    enter(f"{SQUARE}{GRADIENT}d_f = f.grad = f_gradient")
    assert found(dimension=2).slope_name == "mine.f_gradient"


def test_paths_of_attributes_lead_to_methods_of_objects() -> None:
    enter("""
        class Model:
            loss_x0 = np.ones((2, 2))
            def loss(self, w):
                return (w**2).sum()
            def loss_grad(self, w):
                return 2 * w
            @staticmethod
            def fixed(w):
                return w @ w, 2 * w
        model = Model()
    """)
    f = found("mine.model.loss")
    assert (f.slope_name, f.parts) == ("mine.model.loss_grad", (("w", (2, 2)),))
    assert_right(f)
    assert_right(found("mine.Model.fixed", dimension=2))
    with pytest.raises(
        TargetError, match=r"mine\.Model\.loss is a method, which needs an object: .*model\.loss"
    ):
        resolve("mine.Model.loss")


def test_a_plugin_need_not_be_named_if_it_is_the_only_one() -> None:
    enter(SQUARE + GRADIENT)
    assert resolve("f").name == "mine.f"
    enter(SQUARE, "other")
    with pytest.raises(TargetError, match=r"'f': several plugins .* mine\.f, other\.f"):
        resolve("f")


WRONG_NAMES = {
    "unknown": ("mine.g", None, "mine has no 'g'; allowed: f, keyword, "),
    "deep": ("mine.f.a.b", None, r"mine\.f has no 'a'"),
    "value": ("mine.number", None, r"mine\.number must be a function, but is a int"),
    "gradient": ("mine.f", "mine.g", "mine has no 'g'"),
    "two": ("mine.two", None, r"mine\.two has several gradients, mine\.two_grad and mine\.two_der: name one"),
    "no argument": ("mine.none", None, r"mine\.none takes no argument, expected one or more"),
    "keyword": ("mine.keyword", None, r"mine\.keyword needs the keyword argument 'a': give it a default"),
}


@pytest.mark.parametrize(("text", "gradient", "message"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_a_name_that_leads_nowhere(text: str, gradient: str | None, message: str) -> None:
    enter(f"""{SQUARE}
number = 1
def two(x): return x @ x
def two_grad(x): return x
def two_der(x): return x
def none(): return 1.0
def keyword(x, *, a): return 1.0
""")
    with pytest.raises(TargetError, match=message):
        resolve(text, gradient)


def test_without_a_plugin_nothing_is_found() -> None:
    with pytest.raises(TargetError, match=r"function 'mine\.f': no plugin is loaded; .* --plugin FILE\.py"):
        resolve("mine.f")


def test_two_files_of_one_name_are_told() -> None:
    enter(SQUARE)
    enter(SQUARE, folder="other/")
    with pytest.raises(TargetError, match="2 plugins are called 'mine'"):
        resolve("mine.f")


def test_no_gradient_at_all() -> None:
    enter(SQUARE)
    with pytest.raises(
        TargetError, match=r"mine\.f has no gradient: there is none of f_gradient, .*f\.grad, it"
    ):
        found(dimension=2)


def test_a_pair_beside_a_gradient_is_a_conflict() -> None:
    enter(f"def f(x):\n    return x @ x, 2 * x\n{GRADIENT}")
    with pytest.raises(
        TargetError, match=r"mine\.f has two gradients, mine\.f_gradient and the second of the"
    ):
        found(dimension=2)

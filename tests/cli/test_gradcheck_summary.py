"""What the summary of a gradient check says: points, what the verdict is about, advice that helps."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dnnexp.core.activations import Tanh
from dnnexp.core.objectives import ExpressionObjective
from dnnexp.experiments.base import Result
from dnnexp.experiments.gradcheck import summary as gradcheck
from dnnexp.experiments.gradcheck.checks import Derivatives, Doubt
from dnnexp.experiments.gradcheck.checks import verdict as compare
from dnnexp.experiments.gradcheck.config import CheckedNetwork, GradcheckConfig
from dnnexp.experiments.gradcheck.targets import ObjectiveTarget

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("_own_registry")

SQUARE = """\
import numpy as np
{points}
def f(x): return float(np.sum(x**2))
def f_grad(x): return {gradient}
"""


def said(ran: Any) -> str:
    """The summary in one line."""
    return " ".join(ran.err.split())


def metrics(ran: Any) -> Any:
    return json.loads((ran.folder / "metrics.json").read_text())["metrics"]


def square(cli: Run, points: str, gradient: str = "2 * x") -> Any:
    Path("mine.py").write_text(SQUARE.format(points=points, gradient=gradient))
    return cli("gradcheck", "--plugin", "mine.py", "target=function:mine.f", "--no-plots")


@pytest.mark.parametrize(
    ("target", "points"),
    [
        ("activation:relu", "at 56 points"),
        ("loss:linear", "at 4 points"),
        ("all", "at 4 to 56 points each"),
    ],
)
def test_the_verdict_says_at_how_many_points(cli: Run, target: str, points: str) -> None:
    """A gradient that is right at one point by chance passed, and nothing said that it was one point."""
    ran = cli("gradcheck", f"target={target}", "--no-plots")
    assert ran.code == 0
    assert f"correct: all methods agree on every tensor, {points}" in said(ran)


def test_one_point_is_not_enough(cli: Run) -> None:
    """2 x and 4 x - 2 are the same at 1."""
    ran = square(cli, "f_x0 = np.ones(2)", "4 * x - 2")
    assert "on every tensor, at 1 point only" in said(ran)
    assert "define a list f_points in the plugin" in said(ran)
    wrong = square(cli, "f_points = [[1.0, 1.0], [2.0, 3.0]]", "4 * x - 2")
    assert wrong.code == 1
    assert "wrong: analytic alone disagrees with all others; checked at 2 points" in said(wrong)
    right = square(cli, "f_points = [[1.0, 1.0], [2.0, 3.0]]")
    assert "at 2 points" in said(right)
    assert "give more" not in said(right)
    few = cli("gradcheck", "target=objective:sphere", "target.points=1", "--no-plots")
    assert "right at one point: raise target.points" in said(few)


OVERFLOW = """\
network: {layers: [3, 4, 4, 2], activation: identity}
initializer: {weights: {name: normal, std: 1e160}, biases: zeros}
"""


def test_a_network_that_overflows_has_no_wrong_derivative(cli: Run) -> None:
    """It was called wrong, W3 first, because two methods both gave nothing finite there."""
    Path("over.yaml").write_text(OVERFLOW)
    ran = cli("gradcheck", "over.yaml", "--no-plots")
    assert ran.code == 1
    text = said(ran)
    assert "inconclusive: not finite: z2[0, 0]: " in text
    assert "is the first number of the forward pass that is not finite, " in text
    for blame in ("look first", "wrong", "taken again", "below the round-off"):
        assert blame not in text
    found = metrics(ran)
    assert (found["passed"], found["culprit"], found["diagnosis"]) == (False, None, None)


KINKED = """\
from dataclasses import dataclass

import numpy as np

from dnnexp.core.activations import ReLU
from dnnexp.registry import register


@register("kinked")
@dataclass(frozen=True)
class Kinked(ReLU):
    \"\"\"Kinked: a ReLU that claims a slope of 2 at 0.\"\"\"

    def df(self, z):
        return np.where(z == 0, 2.0, np.asarray(super().df(z)))
"""


def test_a_wrong_slope_at_a_kink_is_wrong(cli: Run) -> None:
    """It was called inconclusive, and the sentence did not say why."""
    Path("parts.py").write_text(KINKED)
    ran = cli("gradcheck", "--plugin", "parts.py", "target=activation:kinked", "--no-plots")
    assert ran.code == 1
    assert "wrong: slope at kink: activation:kinked at 0; checked at 56 points" in said(ran)
    assert "look first at activation:kinked: at 0 the slope 2 is not between" in said(ran)
    assert (metrics(ran)["verdict"], metrics(ran)["culprit"]) == ("wrong", None)


def test_the_share_is_of_the_parameters(cli: Run) -> None:
    """Entries of dy/dx, all of which are compared, were counted among them."""
    Path("some.yaml").write_text("network: {layers: [5, 4, 3], activation: tanh}\nfraction: 0.2\n")
    assert " 8 of 39 parameters compared: a single wrong one is missed" in said(
        cli("gradcheck", "some.yaml", "--no-plots")
    )


def test_an_injected_fault_leaves_differences_alone(cli: Run) -> None:
    """Every difference disagrees with a wrong backward pass: the sentence said that all were taken again."""
    Path("bad.yaml").write_text(
        "network: {layers: [5, 4, 3], activation: tanh}\ninject: {name: sign, layer: 1}\n"
    )
    ran = cli("gradcheck", "bad.yaml", "--no-plots")
    assert "wrong: backward alone disagrees with all others" in said(ran)
    assert "taken again" not in said(ran)


def by_hand(config: GradcheckConfig, tensor: Derivatives, **facts: Any) -> Result:
    found = compare(config.tolerances, [tensor]).metrics | {"diagnosis": None, "findings": [], "rechecked": 0}
    found["kinks"] = {"checked": 1, "crossed": 0, "excluded": 0, "layers": []}
    found["coverage"] = {"fewest_points": None, "most_points": None}
    return Result(config, found | facts, passed=found["passed"])


def lines(result: Result) -> str:
    return "\n".join(map(str, gradcheck.verdict(result)))


NETWORK = CheckedNetwork(layers=(2, 2), activation=Tanh())


def hidden(*methods: str) -> Derivatives:
    """Differences that give no entry of W1 well enough; complex ones are at a kink, too."""
    doubts = {"central": Doubt(unsure=True, crossed="complex" in methods)}
    return Derivatives("W1", dict.fromkeys(methods, np.ones((1, 2))), np.full((1, 2), 1e-14), doubts)


def test_the_complex_step_is_advised_where_it_is_missing_only() -> None:
    """It was advised though it was among the methods, and where no part can take it."""
    without = GradcheckConfig(network=NETWORK, methods=("backward", "central"))
    told = lines(by_hand(without, hidden("backward", "central")))
    assert "W1: below the round-off of differences; add the complex step to the methods" in told
    among = GradcheckConfig(network=NETWORK, methods=("backward", "central", "complex"))
    told = lines(by_hand(among, hidden("backward", "central", "complex")))
    assert "W1: 2 entries left out (at kinks, or where rounding leaves no digits), more than" in told
    assert "add the complex step" not in told
    part = GradcheckConfig(target=ObjectiveTarget(ExpressionObjective.example()))
    assert "complex" not in lines(by_hand(part, hidden("analytic", "central")))


def test_one_is_singular() -> None:
    """It said "1 entries" and "1 central differences were"."""
    tensor = Derivatives("W1", dict.fromkeys(("backward", "forward"), np.ones((1, 1))), np.ones((1, 1)))
    kinks = {"checked": 1, "crossed": 1, "excluded": 1, "layers": [1]}
    told = lines(by_hand(GradcheckConfig(network=NETWORK), tensor, rechecked=1, kinks=kinks))
    assert "; 1 of 1 entry crossed a kink" in told
    assert "; 1 central difference was taken again" in told
    assert "; 1 entry was left out" in told

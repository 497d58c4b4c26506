"""A function, or a part, is checked by one line from an empty folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("_own_registry")

PLUGIN = '''\
import numpy as np


def rosen(x):
    """The valley of Rosenbrock."""
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def rosen_gradient(x):
    gap = x[1:] - x[:-1] ** 2
    found = np.zeros_like(x)
    found[:-1] = -400 * x[:-1] * gap - 2 * (1 - x[:-1])
    found[1:] += 200 * gap
    return found
'''
LINE = ("gradcheck", "--plugin", "mine.py", "target=function:mine.rosen", "--no-plots")


def document(ran: Any) -> Any:
    return json.loads((ran.folder / "metrics.json").read_text())


def metrics(ran: Any) -> Any:
    return document(ran)["metrics"]


def test_a_right_gradient_passes(cli: Run) -> None:
    Path("mine.py").write_text(PLUGIN)
    ran = cli(*LINE)
    assert ran.code == 0
    assert document(ran)["name"] == "function-mine-rosen"
    assert document(ran)["expectations"] == []  # the reference's are about its network
    found = metrics(ran)
    assert (found["passed"], found["verdict"]) == (True, "correct")
    assert {entry["tensor"] for entry in found["checks"]} == {"function:mine.rosen"}
    assert "correct: all methods agree" in ran.err
    again = cli("gradcheck", ran.folder / "config.yaml", "--plugin", "mine.py", "--no-plots", "-q")
    assert again.code == 0
    assert metrics(again) == found


def test_a_wrong_gradient_fails_and_is_shown(cli: Run) -> None:
    Path("mine.py").write_text(PLUGIN.replace("200 * gap", "210 * gap"))
    ran = cli(*LINE)
    assert ran.code == 1
    found = metrics(ran)
    assert (found["verdict"], found["culprit"]) == ("wrong", "analytic")
    assert found["diagnosis"]["tensor"] == "function:mine.rosen"
    assert "all of coordinate [1]" in found["diagnosis"]["evidence"]
    assert "look first at function:mine.rosen" in ran.err
    assert (ran.folder / "summary.txt").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.rosn", "mine has no 'rosn'; did you mean 'rosen'?"),
        ("mien.rosen", "target.function: "),
    ],
)
def test_an_unknown_function_is_refused(cli: Run, name: str, message: str) -> None:
    Path("mine.py").write_text(PLUGIN)
    ran = cli(*[f"target=function:{name}" if "target" in word else word for word in LINE])
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert not Path("outputs").exists()


def test_without_its_plugin_a_function_is_unknown(cli: Run) -> None:
    ran = cli("gradcheck", "target=function:mine.rosen")
    assert (ran.code, ran.out) == (2, "")
    assert "no plugin is loaded; name its file by --plugin FILE.py" in ran.err


@pytest.mark.parametrize("target", ["activation:tanh", "loss:linear", "objective:sphere"])
def test_a_part_is_checked_by_its_name(cli: Run, target: str) -> None:
    ran = cli("gradcheck", f"target={target}", "--no-plots", "-q")
    assert ran.code == 0
    assert {entry["tensor"] for entry in metrics(ran)["checks"]} == {target}


CALLED: list[tuple[tuple[str, ...], str]] = [
    (("target=activation:tanh",), "activation-tanh"),
    (("target={name: activation, activation: {name: elu, alpha: 2}}",), "activation-elu"),
    (("target={name: loss, loss: linear, batch: 2}",), "loss-linear"),
    (("target=all",), "all"),
    (("target=all", "target=objective:sphere"), "objective-sphere"),
    (("target=objective:sphere", "target.objective.dimension=3"), "objective-sphere"),
    (("target=all", "--name", "mine"), "mine"),
    (("name=mine", "target=all"), "mine"),
]


@pytest.mark.parametrize(("arguments", "name"), CALLED, ids=[" ".join(words) for words, _ in CALLED])
def test_a_run_without_a_config_is_called_after_its_target(
    cli: Run, arguments: tuple[str, ...], name: str
) -> None:
    ran = cli("gradcheck", *arguments, "--dry-run", "--json")
    assert ran.code == 0
    config = json.loads(ran.out)["config"]
    assert (config["name"], config["expect"]) == (name, [])


def test_claims_of_ones_own_are_kept(cli: Run) -> None:
    claim = {"claim": "right", "check": "passed"}
    ran = cli("gradcheck", "target=all", f"+expect={json.dumps(claim)}", "--dry-run", "--json")
    assert json.loads(ran.out)["config"]["expect"] == [claim]


@pytest.mark.parametrize("target", ["network", "{name: network}"])
def test_the_network_keeps_the_claims_about_it(cli: Run, target: str) -> None:
    config = json.loads(cli("gradcheck", f"target={target}", "--dry-run", "--json").out)["config"]
    assert config["name"] == "reference"
    assert len(config["expect"]) > 1


def test_the_claims_of_a_file_are_kept(cli: Run) -> None:
    Path("own.yaml").write_text("target: all\nexpect: [{claim: right, check: passed}]\n")
    ran = cli("gradcheck", "own.yaml", "target=activation:tanh", "--dry-run", "--json")
    config = json.loads(ran.out)["config"]
    assert (config["name"], len(config["expect"])) == ("own", 1)


PARTS = """\
from dataclasses import dataclass

import numpy as np

from dnnexp.core.activations import Activation
from dnnexp.registry import register


@register("bent")
@dataclass(frozen=True)
class Bent(Activation):
    \"\"\"Bent: z cubed.\"\"\"

    def f(self, z):
        return z**3

    def df(self, z):
        return DF
"""


@pytest.mark.parametrize(
    ("slope", "code", "message"),
    [
        ("3 * z**2", 0, "correct"),
        ("3 * z", 1, "look first at activation:bent"),
        ("np.ones(3)", 2, "activation:bent: the gradient has shape (3,) at points of shape (1, 56)"),
        ("{}['x']", 2, "activation:bent: parts.py:18: KeyError: 'x'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_plugins_part_is_told(cli: Run, slope: str, code: int, message: str) -> None:
    """A wrong shape, or an exception, ended in a traceback."""
    Path("parts.py").write_text(PARTS.replace("DF", slope))
    ran = cli("gradcheck", "--plugin", "parts.py", "target=activation:bent", "--no-plots")
    assert ran.code == code
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_misspelt_part_is_refused(cli: Run) -> None:
    ran = cli("gradcheck", "target=activation:tanhh")
    assert ran.code == 2
    assert "target.activation: unknown activation 'tanhh'; did you mean 'tanh'?" in ran.err


def test_targets_are_listed(cli: Run) -> None:
    ran = cli("list", "target")
    assert ran.code == 0
    for name in ("network", "function", "activation", "loss", "objective", "all"):
        assert f"\n  {name} " in ran.out
    one = cli("list", "target", "objective").out
    assert "objective: one of `dnnexp list objective`, required" in one
    assert "points: integer >= 1 and <= 1000, default 5" in one

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
LINE = ("gradcheck", "--plugin", "mine.py", "target=function:mine.rosen", "~expect", "--no-plots")


def metrics(ran: Any) -> Any:
    return json.loads((ran.folder / "metrics.json").read_text())["metrics"]


def test_a_right_gradient_passes(cli: Run) -> None:
    Path("mine.py").write_text(PLUGIN)
    ran = cli(*LINE)
    assert ran.code == 0
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
    ran = cli("gradcheck", "target=function:mine.rosen", "~expect")
    assert (ran.code, ran.out) == (2, "")
    assert "no plugin is loaded; name its file by --plugin FILE.py" in ran.err


@pytest.mark.parametrize("target", ["activation:tanh", "loss:linear", "objective:sphere"])
def test_a_part_is_checked_by_its_name(cli: Run, target: str) -> None:
    ran = cli("gradcheck", f"target={target}", "~expect", "--no-plots", "-q")
    assert ran.code == 0
    assert {entry["tensor"] for entry in metrics(ran)["checks"]} == {target}


def test_a_misspelt_part_is_refused(cli: Run) -> None:
    ran = cli("gradcheck", "target=activation:tanhh", "~expect")
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

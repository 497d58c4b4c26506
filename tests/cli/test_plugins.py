"""The user's own parts: used like any other, and their mistakes found."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnnexp import registry

Run = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("_own_registry")

PLUGIN = '''\
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dnnexp.core.activations import Activation
from dnnexp.core.optimizers import Optimizer
from dnnexp.registry import Positive, register


@register("sign_descent")
@dataclass(frozen=True)
class SignDescent(Optimizer):
    """Sign descent: x <- x - eta sign g."""

    learning_rate: Positive = 0.5

    def init(self, x: Any) -> None:
        """No state."""

    def update(self, gradient: Any, state: None, x: Any, step: int) -> Any:
        """-eta sign g."""
        return -self.learning_rate * ((gradient > 0) * 1.0 - (gradient < 0)), None


@register("wrong_square")
@dataclass(frozen=True)
class WrongSquare(Activation):
    """The square, with a derivative that is 1.5 times too large."""

    def f(self, z: Any) -> Any:
        """Squared."""
        return z * z

    def df(self, z: Any) -> Any:
        """It should be 2 z."""
        return 3 * z
'''
GRADCHECK = """\
network: {layers: [3, 4, 2], activation: wrong_square}
batch: 2
step_sweep: {per_decade: 1, directions: 2}
"""


def test_an_optimizer_of_a_plugin_is_like_any_other(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN)
    Path("x.yaml").write_text("starts: {points: [[3, 2]]}\nsteps: 4\noptimizers: [sign_descent]\n")
    ran = cli("optimize", "x.yaml", "optimizers.0.learning_rate=1", "--plugin", "rule.py", "-q", "--no-plots")
    assert (ran.code, ran.err) == (0, "")
    found = json.loads((ran.folder / "metrics.json").read_text())["metrics"]["optimizers"]["sign_descent"]
    assert found["hyperparameters"]["learning_rate"] == 1.0
    assert set(found["hyperparameters"]) > {"weight_decay", "schedule"}, "what all rules have"
    assert found["best"] == {
        "start": [3.0, 2.0],
        "point": [0.0, 0.0],
        "value": 0.0,
    }
    (record,) = json.loads((ran.folder / "run.json").read_text())["plugins"]
    assert record == {
        "path": str(Path("rule.py").resolve()),
        "sha256": hashlib.sha256(PLUGIN.encode()).hexdigest(),
    }
    again = cli("optimize", ran.folder / "config.yaml", "--dry-run")
    assert again.code == 0  # still registered in this process
    schema = json.loads(cli("schema", "optimize").out)
    assert "sign_descent" in schema["$defs"]


def test_a_wrong_derivative_is_found_and_shown(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN)
    Path("x.yaml").write_text(GRADCHECK)
    ran = cli("gradcheck", "x.yaml", "--plugin", "rule.py", "--no-plots")
    assert ran.code == 1
    document = json.loads((ran.folder / "metrics.json").read_text())
    assert (document["metrics"]["passed"], document["metrics"]["verdict"]) == (False, "wrong")
    failed = [check for check in document["metrics"]["checks"] if not check["passed"]]
    assert {check["pair"] for check in failed} == {
        "backward-central", "backward-complex", "forward-central", "forward-complex", "backward-richardson"
    }  # fmt: skip
    # the last layer's derivative is 1.5 times that of the numerical methods, which are right
    last = next(check for check in failed if (check["tensor"], check["pair"]) == ("W2", "backward-complex"))
    assert last["worst"]["left"] == pytest.approx(1.5 * last["worst"]["right"], rel=1e-12)
    shown = re.findall(r"^  (\S+)\[([\d, ]+)\]: (\w+) (\S+), (\w+) (\S+)$", ran.err, flags=re.MULTILINE)
    assert shown
    for (tensor, index, left, a, right, b), check in zip(shown, failed, strict=False):
        assert (tensor, f"{left}-{right}") == (check["tensor"], check["pair"])
        assert [int(i) for i in index.split(",")] == check["worst"]["index"]
        assert (float(a), float(b)) == (check["worst"]["left"], check["worst"]["right"])
    assert "wrong" in (ran.folder / "summary.txt").read_text()
    assert json.loads((ran.folder / "run.json").read_text())["status"] == "complete"


def test_the_right_derivative_passes(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN.replace("return 3 * z", "return 2 * z"))
    Path("x.yaml").write_text(GRADCHECK)
    assert cli("gradcheck", "x.yaml", "--plugin", "rule.py", "--no-plots", "-q").code == 0


def test_a_plugins_part_is_listed(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN)
    ran = cli("list", "optimizers", "sign_descent", "--plugin", "rule.py")
    assert ran.code == 0
    assert "Sign descent: x <- x - eta sign g." in ran.out
    assert "learning_rate: number > 0, default 0.5" in ran.out


def test_two_plugins_of_one_file_name_do_not_mix(cli: Run) -> None:
    """The second took the first one's place as a module, and the first one's type hints were lost."""
    for folder, name in (("a", "one"), ("b", "two")):
        Path(folder).mkdir()
        renamed = PLUGIN.replace("sign_descent", f"sign_{name}").replace("wrong_square", f"square_{name}")
        aliased = renamed.replace("import Positive, register", f"import Positive as {name.title()}, register")
        Path(folder, "rule.py").write_text(aliased.replace(": Positive", f": {name.title()}"))
    plugins = ["--plugin", "a/rule.py", "--plugin", "b/rule.py"]
    ran = cli("optimize", "--dry-run", *plugins, "optimizers=[sign_one, sign_two]", "~expect")
    assert (ran.code, ran.err) == (0, "")


def test_a_plugins_module_is_entered_under_its_files_stem(cli: Run) -> None:
    """A command knows its own plugins only."""
    Path("mine.py").write_text("def f(x):\n    return x @ x\n")
    Path("other.py").write_text("")
    assert cli("list", "--plugin", "mine.py", "--plugin", "other.py").code == 0
    assert registry.plugins() == ("mine", "other")
    assert registry.plugin("mine").f.__module__ == "dnnexp_plugin_1_mine"
    assert cli("list", "--plugin", "other.py").code == 0
    assert registry.plugins() == ("other",)
    assert cli("list").code == 0
    assert registry.plugins() == ()


NO_DOCSTRING = PLUGIN.replace('    """Sign descent: x <- x - eta sign g."""\n', "")
NO_UPDATE = re.sub(r"    def update.*?, None\n", "", PLUGIN, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (\n", "rule.py:1: SyntaxError: '(' was never closed"),
        ("x = 1\n\nraise KeyError('k')\n", "rule.py:3: KeyError: 'k'"),
        ("def f():\n    return 1 / 0\n\nf()\n", "rule.py:2: ZeroDivisionError: division by zero"),
        ("import nowhere_to_be_found\n", "rule.py:1: ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit(0)\n", "rule.py:2: SystemExit: 0"),
        ("import json\njson.loads('{')\n", "rule.py:2: JSONDecodeError: "),
        (PLUGIN.replace("sign_descent", "adam"), "rule.py:11: ValueError: the optimizer 'adam' of "),
        (PLUGIN.replace("(frozen=True)", "", 1), "cannot inherit non-frozen dataclass from a frozen one"),
        (NO_DOCSTRING, "needs a docstring"),
        (NO_UPDATE, "must define what its kind, optimizer, asks for: update"),
        ("\x00", "SyntaxError: source code"),
    ],
    ids=["syntax", "raises", "deep", "import", "exit", "elsewhere", "taken", "not frozen", "no docstring",
         "no update", "binary"],
)  # fmt: skip
def test_a_mistake_in_a_plugin_is_one_message(cli: Run, text: str, message: str) -> None:
    """The line of a plugin given by a relative path used to be missing."""
    Path("rule.py").write_text(text)
    for command in (["optimize", "--smoke"], ["list"], ["schema"]):
        ran = cli(*command, "--plugin", "rule.py")
        assert (ran.code, ran.out) == (2, "")
        assert "Invalid value for --plugin: rule.py" in ran.err
        assert message in ran.err
        assert "Traceback" not in ran.err
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.py", "File 'nowhere.py' does not exist"),
        (".", "File '.' is a directory"),
        ("rule.txt", "rule.txt: is not a Python file"),
    ],
)
def test_a_plugin_that_is_no_python_file(cli: Run, name: str, message: str) -> None:
    Path("rule.txt").write_text(PLUGIN)
    ran = cli("optimize", "--plugin", name)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert not Path("outputs").exists()


def test_a_plugin_given_twice_is_a_double_registration(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN)
    ran = cli("optimize", "--plugin", "rule.py", "--plugin", "rule.py")
    assert ran.code == 2
    assert "rule.py:11: ValueError: the optimizer 'sign_descent' of " in ran.err
    assert "already" in ran.err


def test_a_plugin_that_fails_in_the_run_is_a_bug(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN.replace("return -self.learning_rate", "return -self.lerning_rate"))
    ran = cli("optimize", "--smoke", "--plugin", "rule.py", "+optimizers=sign_descent")
    assert ran.code == 4
    assert "Traceback (most recent call last):" in ran.err
    assert "no attribute 'lerning_rate'" in ran.err


def test_no_config_can_name_code(cli: Run) -> None:
    Path("rule.py").write_text(PLUGIN)
    Path("x.yaml").write_text(f"plugin: rule.py\n{GRADCHECK}")
    assert "plugin: unknown key" in cli("gradcheck", "x.yaml").err
    Path("x.yaml").write_text("objective: rule.py\nstarts: {points: [[1, 2]]}\nsteps: 1\noptimizers: [adam]")
    assert "unknown objective 'rule.py'" in cli("optimize", "x.yaml").err

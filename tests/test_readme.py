"""The examples and numbers of the README and of the documentation are true."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnnexp.__main__ import main
from dnnexp.config.shipped import directory, reference

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
MAX_WORDS = 1800
_STEP = re.compile(r"\*\*(\d)\.\*\*.*?\n    (dnnexp .*?)\n\n```text\n(.*?)```", flags=re.DOTALL)
"""A step of the walk: its number, its command, and what it prints."""
WALK = {number: (command, shown) for number, command, shown in _STEP.findall(README)}


def block(text: str, language: str, begins: str = "") -> str:
    """The first code block of a language that begins like that."""
    found = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    return next(str(each) for each in found if each.startswith(begins))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Calls `dnnexp ARGUMENTS...` in an empty folder; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["dnnexp", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


def test_the_readme_is_short_and_has_two_set_up_commands() -> None:
    assert len(README.split()) <= MAX_WORDS
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[1].endswith("-m pytest")


def test_every_link_leads_to_a_file() -> None:
    for folder, text in ((ROOT, README), *((ROOT / "docs", page) for page in PAGES.values())):
        for target in re.findall(r"\]\(([^)#]+)", text):
            assert "://" in target or (folder / target).exists(), target


def test_every_shipped_config_is_described() -> None:
    for file in directory().glob("*/*.yaml"):
        page = PAGES["sweeps" if file.parent.name == "sweep" else file.parent.name]
        assert f"`{file.stem}`" in page, file


def shown_in_order(shown: str, printed: str) -> bool:
    """Whether the lines of an excerpt, those of `…` aside, are printed in this order."""
    lines = iter(" ".join(line.split()) for line in printed.splitlines())
    wanted = [" ".join(line.split()) for line in shown.splitlines() if line.strip() not in ("", "…")]
    return all(line in lines for line in wanted)


def prints_what_is_shown(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], step: str, code: int
) -> None:
    command, shown = WALK[step]
    assert run(*shlex.split(command)[1:], "--no-plots") == code
    out, err = capsys.readouterr()
    excerpt = re.sub(r"outputs/\S+", out.strip(), shown)
    assert shown_in_order(excerpt, out + err), out + err


@pytest.mark.slow
@pytest.mark.parametrize(("step", "code"), [("2", 0), ("4", 1)])
def test_the_walk_prints_what_is_shown(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], step: str, code: int
) -> None:
    prints_what_is_shown(run, capsys, step, code)


def test_the_first_step_and_the_homework_table_have_the_numbers_of_the_runs(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    prints_what_is_shown(run, capsys, "1", 0)
    assert run("activations", "--no-plots", "-q", "--strict", "--name", "all") == 0
    (first,), (second,) = (Path("outputs").glob(f"*-{e}-*/metrics.json") for e in ("optimize", "activations"))
    optimizers = json.loads(first.read_text())["metrics"]["optimizers"]

    def median(label: str) -> float:
        return float(optimizers[label]["final_value"]["median"])

    slow = [median(label) for label in ("gradient_descent", "momentum", "nesterov")]
    assert "median values {:.2f}, {:.2f} and {:.2f}".format(*slow) in README
    assert f"by far the slowest, median value {median('adagrad'):.0f}" in README
    assert f"ends at {median('rmsprop'):.1e}".replace("e-0", "e-") in README
    layer = json.loads(second.read_text())["metrics"]["cases"]["sigmoid/std_1"]["layers"][0]
    assert f"{layer['saturated_fraction']:.0%}".replace("%", " %") + " of layer 1 is saturated" in README


def test_the_config_runs_and_its_errors_are_those_shown(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    config = block(README, "yaml")
    Path("my_run.yaml").write_text(config)
    assert run("optimize", "my_run.yaml", "--strict", "--no-plots") == 0
    (line,) = re.findall(r"^    dnnexp (optimize my_run\.yaml .*)$", README, flags=re.MULTILINE)
    assert run(*shlex.split(line), "--no-plots", "-q") == 0
    wrong = config.replace("steps: 2000", "steps: -2000").replace(
        "learning_rate: 0.01}", "learning_rte: 0.01}"
    )
    Path("my_run.yaml").write_text(wrong)
    capsys.readouterr()
    assert run("optimize", "my_run.yaml") == 2
    shown = [line.strip() for line in README.splitlines() if line.startswith("    my_run.yaml:")]
    assert len(shown) == 2
    assert capsys.readouterr().err.splitlines()[: len(shown)] == shown


def test_the_other_commands_of_the_readme_run(run: Callable[..., int]) -> None:
    for line in re.findall(r"^    dnnexp (.* '?~expect'?)$", README, flags=re.MULTILINE):
        if "--name" not in line and "inject" not in line:
            assert run(*shlex.split(line), "--smoke", "--no-plots", "-q") == 0, line


PAGE_CONFIGS: dict[str, list[str]] = {
    "optimize": ["--smoke", "--strict", "--no-plots"],
    "activations": ["--smoke", "--no-plots"],
    "gradcheck": ["--smoke", "--no-plots"],
}


@pytest.mark.parametrize("page", PAGE_CONFIGS)
def test_the_config_of_a_page_runs(run: Callable[..., int], page: str) -> None:
    Path("mine.yaml").write_text(block(PAGES[page], "yaml"))
    assert run(page, "mine.yaml", *PAGE_CONFIGS[page], "-q") == 0


def test_the_line_that_trains_networks_runs(run: Callable[..., int]) -> None:
    Path("my_run.yaml").write_text(block(README, "yaml"))
    (line,) = re.findall(r"^    dnnexp (optimize my_run.yaml 'obj.*)$", PAGES["optimize"], flags=re.MULTILINE)
    assert run(*shlex.split(line), "--smoke", "--strict", "-q") == 0
    assert Path("outputs/latest/training.png").exists()


def test_the_sweep_is_valid(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    sweep = block(PAGES["sweeps"], "yaml", "experiment: sweep")
    Path("sweep.yaml").write_text(sweep.replace("../optimize/reference.yaml  ", f"{reference('optimize')}  "))
    assert run("sweep", "sweep.yaml", "--dry-run") == 0
    # 9 rates x 2 x 5 draws x 2 x 5 seeds, less those of the rate 1 with 100 steps
    assert capsys.readouterr().out.splitlines()[-1].startswith("850 jobs, 50 excluded")


def test_the_plugin_runs(run: Callable[..., int]) -> None:
    from dnnexp import registry

    Path("sign.py").write_text(block(PAGES["plugins"], "python"))
    parts: Any = registry._parts["optimizer"]
    try:
        assert (
            run("optimize", "--plugin", "sign.py", "+optimizers=sign_descent", "--smoke", "--no-plots") == 0
        )
    finally:
        parts.pop("sign_descent", None)

"""The README's examples work as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dnnexp.__main__ import main
from dnnexp.config.shipped import reference

README = (Path(__file__).parent.parent / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return [str(found) for found in re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)]


def block(language: str) -> str:
    return blocks(language)[0]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["dnnexp", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_there_are_two_set_up_commands() -> None:
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[1].endswith("-m pytest")


def test_the_config_runs_and_its_claim_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_run.yaml").write_text(block("yaml"))
    assert run(monkeypatch, "optimize", "my_run.yaml", "--strict", "--no-plots") == 0
    edits = ["steps=500", "optimizers.light.momentum=0.5", "+optimizers=rmsprop", "~seed"]
    assert run(monkeypatch, "optimize", "my_run.yaml", *edits, "--no-plots", "-q") == 0
    capsys.readouterr()
    assert run(monkeypatch, "optimize", "my_run.yaml", "steps=-2000") == 2
    assert "steps: must be at least 0, not -2000" in capsys.readouterr().err


def test_the_errors_shown_are_those_that_the_file_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = (
        block("yaml")
        .replace("steps: 2000", "steps: -2000")
        .replace("learning_rate: 0.01}", "learning_rte: 0.01}")
    )
    Path("my_run.yaml").write_text(wrong)
    assert run(monkeypatch, "optimize", "my_run.yaml") == 2
    shown = [line.strip() for line in README.splitlines() if line.startswith("    my_run.yaml:")]
    assert capsys.readouterr().err.splitlines()[: len(shown)] == shown


def test_the_comparison_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("honest.yaml").write_text(blocks("yaml")[1])
    assert run(monkeypatch, "optimize", "honest.yaml", "--smoke", "--strict") == 0
    plots = {path.name for path in tmp_path.glob("outputs/*-optimize-honest/*.png")}
    assert plots == {"convergence.png", "ecdf.png", "performance_profile.png"}


def test_the_line_that_trains_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_run.yaml").write_text(block("yaml"))
    (line,) = re.findall(r"^    dnnexp (optimize my_run.yaml 'objective=.*)$", README, flags=re.MULTILINE)
    assert run(monkeypatch, *shlex.split(line), "--smoke", "--strict") == 0
    assert (tmp_path / "outputs" / "latest" / "training.png").exists()


def test_every_shipped_config_of_optimize_is_told_of() -> None:
    files = (Path(__file__).parent.parent / "configs" / "optimize").glob("*.yaml")
    assert [file.stem for file in files if f"`{file.stem}`" not in README and file.stem != "reference"] == []


def test_the_plugin_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dnnexp import registry

    monkeypatch.chdir(tmp_path)
    Path("sign.py").write_text(block("python"))
    try:
        assert run(monkeypatch, "optimize", "--plugin", "sign.py", "+optimizers=sign_descent", "--smoke") == 0
    finally:
        registry._parts["optimizer"].pop("sign_descent", None)


def test_the_gradcheck_line_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (line,) = re.findall(r"^    dnnexp (gradcheck network.*)$", README, flags=re.MULTILINE)
    assert run(monkeypatch, *line.split(), "network.layers=[12,11,10]", "--no-plots") == 0


def test_the_sweep_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (sweep,) = (text for text in blocks("yaml") if text.startswith("experiment: sweep"))
    Path("sweep.yaml").write_text(sweep.replace("../optimize/reference.yaml  ", f"{reference('optimize')}  "))
    assert run(monkeypatch, "sweep", "sweep.yaml", "--dry-run") == 0
    # 9 rates x 2 x 5 draws x 2 x 5 seeds, less those of the rate 1 with 100 steps
    assert capsys.readouterr().out.splitlines()[-1] == "850 jobs, 50 excluded"

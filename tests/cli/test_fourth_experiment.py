"""An experiment that a plugin brings goes through every command: no other file knows experiments by name."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from dnnexp import experiments
from dnnexp.cli.app import cli as group
from tests.cli.conftest import Ran

PLUGIN = Path(__file__).parents[1] / "experiments" / "toy_plugin.py"
Run = Callable[..., Ran]
YES, NO = "limit=1", "limit=0"


@pytest.fixture
def toy(cli: Run, _own_registry: Callable[[], None], tmp_path: Path) -> Run:
    """Calls a command with the plugin; only the plugin knows the experiment."""
    plugin = shutil.copy(PLUGIN, tmp_path / "mine.py")

    def run(*arguments: str | Path, has_plugin: bool = True) -> Ran:
        _own_registry()
        assert "toy" not in experiments.names()
        return cli(*arguments, *(["--plugin", plugin] * has_plugin))

    return run


def test_a_run_that_says_yes(toy: Run) -> None:
    ran = toy("toy", YES)
    assert ran.code == 0
    assert {"config.yaml", "run.json", "metrics.json", "arrays.npz", "sums.png", "summary.txt"} <= {
        path.name for path in ran.folder.iterdir()
    }
    assert "the mean is 0." in ran.err
    assert json.loads((ran.folder / "metrics.json").read_text())["experiment"] == "toy"


def test_a_run_that_says_no_ends_with_1_and_why(toy: Run) -> None:
    ran = toy("toy", NO, "--quiet")
    assert ran.code == 1
    assert "the mean is not below 0" in ran.err
    assert (ran.folder / "metrics.json").is_file()


def test_expectations_and_strict(toy: Run, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("experiment: toy\nexpect: [{claim: a small mean, check: mean < 0.1}]\n")
    assert toy("toy", config).code == 0
    ran = toy("toy", config, "--strict", "--quiet")
    assert ran.code == 1
    assert "a small mean" in ran.err
    config.write_text("experiment: toy\nexpect: [{claim: no such metric, check: median < 0.1}]\n")
    assert toy("toy", config).code == 2


def test_smoke_dry_run_and_json(toy: Run) -> None:
    assert "draws: 3" in (toy("toy", "--smoke").folder / "config.yaml").read_text()
    assert "100 draws" in toy("toy", "--dry-run").out
    assert json.loads(toy("toy", "--json").out)["metrics"]["passed"] is True


@pytest.mark.parametrize(("limit", "failures"), [(YES, "0"), (NO, "1")])
def test_junit_has_its_cases(toy: Run, tmp_path: Path, limit: str, failures: str) -> None:
    toy("toy", limit, "--junit", tmp_path / "report.xml")
    root = ET.parse(tmp_path / "report.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == ["run", "limit"]
    assert root.get("failures") == failures


def test_annotations_say_why_not(toy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error title=dnnexp toy toy::the mean is not below 0" in toy("toy", NO).err


def test_a_sweep_and_its_table(toy: Run, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("experiment: toy\n")
    ran = toy("sweep", config, "limit=0,1", "seed=1,2", "--executor", "serial")
    assert ran.code == 0
    rows = json.loads((ran.folder / "results.json").read_text())["rows"]
    assert [(row["limit"], row["passed"]) for row in rows] == [(0, False), (0, False), (1, True), (1, True)]
    assert all(0 < row["mean"] < 1 for row in rows)
    assert (ran.folder / "metrics.png").is_file()
    assert toy("sweep", config, "limit=0,1", "--executor", "serial", "--strict").code == 1


def test_a_sweep_in_worker_processes(toy: Run, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("experiment: toy\n")
    ran = toy("sweep", config, "limit=1,2", "-j", "2", "--no-plots")
    assert (ran.code, len(list((ran.folder / "jobs").iterdir()))) == (0, 2)


def test_past_runs(toy: Run, tmp_path: Path) -> None:
    runs = [toy("toy", f"seed={seed}").folder for seed in range(2)]
    listed = toy("runs", "list", "--experiment", "toy", "--json", has_plugin=False)
    assert {entry["experiment"] for entry in json.loads(listed.out)} == {"toy"}
    assert "the mean is" in toy("runs", "show", runs[0], has_plugin=False).out
    compared = toy("runs", "compare", *runs)
    assert compared.code == 0
    assert Path("outputs/compare.png").is_file()
    without = toy("runs", "compare", *runs, has_plugin=False)
    assert without.code == 0
    assert "--plugin" in without.err
    assert "mean" in without.out
    reproduced = toy("runs", "reproduce", runs[0])
    assert reproduced.code == 0
    assert "identical" in reproduced.out
    assert toy("runs", "reproduce", runs[0], has_plugin=False).code == 2


def test_list_and_schema(toy: Run) -> None:
    assert "The mean of `draws` uniform numbers" in toy("list", "experiments").out
    assert "draws: integer" in toy("list", "experiment", "toy").out
    assert "limit" in json.loads(toy("schema", "toy").out)["properties"]
    assert "unknown experiment 'toy'" in toy("schema", "toy", has_plugin=False).err


def test_help_and_completion(toy: Run, tmp_path: Path) -> None:
    assert "Compare the mean of some draws with a limit." in toy("toy", "--help").out
    assert toy("toy", has_plugin=False).code == 2
    toy("list")
    words = completed(["toy", "--plugin", str(tmp_path / "mine.py")], "--sm")
    assert words == ["--smoke"]


def completed(arguments: list[str], incomplete: str) -> list[Any]:
    complete = ShellComplete(group, {}, "dnnexp", "_DNNEXP_COMPLETE")
    return [item.value for item in complete.get_completions(arguments, incomplete)]

"""runs reproduce: the config run again, and a verdict on every metric."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.shipped import directory
from tests.runs.written import write_run, write_sweep

Run = Callable[..., Any]
TINY = ("starts.points=[[1, 2], [3, 4]]", "~starts.uniform", "~expect", "steps=12", "optimizers=[adam]")


def made(cli: Run, *arguments: str) -> Path:
    """A run's folder."""
    ran = cli("optimize", *arguments, "--no-plots", "-q")
    assert ran.code == 0, ran.err
    folder: Path = ran.folder
    return folder


def edit(file: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document))


def test_a_run_reproduces_identically_in_a_folder_of_its_own(cli: Run) -> None:
    first = made(cli, *TINY, "seed=3", "name=tiny")
    ran = cli("runs", "reproduce", "latest", "--no-plots", "-q")
    assert (ran.code, ran.err) == (0, "")
    second, verdict = ran.out.splitlines()
    assert verdict.startswith("identical: ")
    assert Path(second).parent == Path("outputs")
    assert Path(second).name.partition("-")[2].startswith("optimize-tiny")
    assert (Path(second) / "metrics.json").read_bytes() == (first / "metrics.json").read_bytes()
    assert Path("outputs/latest").resolve() == Path(second).resolve()
    assert json.loads((Path(second) / "run.json").read_bytes())["reproduces"] == str(first.resolve())


def test_a_smoke_run_reproduces_as_one(cli: Run) -> None:
    """config.yaml holds the shrunk config; the expectations are skipped again."""
    first = made(cli, "--smoke")
    ran = cli("runs", "reproduce", first.name, "--no-plots", "-q", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert (found["verdict"], found["metrics"]) == ("identical", [])
    assert found["counts"]["identical"] > 100
    assert (Path(found["reproduction"]) / "metrics.json").read_bytes() == (
        first / "metrics.json"
    ).read_bytes()


@pytest.mark.parametrize(
    ("factor", "rtol", "code", "verdict"),
    [
        (1 + 1e-11, "1e-9", 0, "within tolerance"),
        (1 + 1e-7, "1e-9", 1, "different"),
        (1 + 1e-7, "1e-6", 0, "within tolerance"),
        (1 + 1e-11, "0", 1, "different"),
    ],
)
def test_what_is_not_identical_is_named(cli: Run, factor: float, rtol: str, code: int, verdict: str) -> None:
    first = made(cli, *TINY)

    def change(document: Any) -> None:
        document["metrics"]["optimizers"]["adam"]["final_value"]["median"] *= factor

    edit(first / "metrics.json", change)
    edit(first / "run.json", lambda record: record["versions"].update(numpy="1.9"))
    ran = cli("runs", "reproduce", "latest", "--no-plots", "-q", "--rtol", rtol)
    assert ran.code == code
    assert ran.out.splitlines()[1].startswith(f"{verdict}: ")
    assert "optimizers.adam.final_value.median" in ran.out
    assert "likely cause: the environment differs" in ran.out
    assert re.search(r"  versions.numpy +1\.9 ", ran.out)


def test_json_has_what_is_not_identical(cli: Run) -> None:
    first = made(cli, *TINY)
    edit(first / "metrics.json", lambda document: document["metrics"].update(ranking=["sgd"], more=None))
    ran = cli("runs", "reproduce", "latest", "--no-plots", "-q", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["verdict"], found["counts"]["different"]) == (1, "different", 2)
    assert {entry["key"]: (entry["before"], entry["now"], entry["absent"]) for entry in found["metrics"]} == {
        "ranking.0": ("sgd", "adam", []),
        "more": (None, None, ["now"]),
    }
    assert found["environment"] == []


def test_where_nothing_else_differs_that_is_said(cli: Run) -> None:
    first = made(cli, *TINY)
    edit(first / "metrics.json", lambda document: document["metrics"].update(ranking=["sgd"]))
    assert (
        "the recorded environment is the same" in cli("runs", "reproduce", "latest", "--no-plots", "-q").out
    )


@pytest.mark.usefixtures("_own_registry")
def test_a_plugin_is_used_only_if_it_is_given_again(cli: Run) -> None:
    plugin = str(directory() / "plugins" / "rosenbrock.py")
    arguments = ("target=function:rosenbrock.rosen", "--plugin", plugin, "--no-plots", "-q")
    assert cli("gradcheck", *arguments).code == 0
    assert f"to load it again, add --plugin {plugin}\n" in cli("runs", "reproduce", "latest", "-q").err
    ran = cli("runs", "reproduce", "latest", "--no-plots", "-q", "--plugin", plugin)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1].startswith("identical: ")


@pytest.mark.usefixtures("_own_registry")
def test_a_plugin_that_is_not_given_is_named(cli: Run) -> None:
    first = made(cli, *TINY)
    plugin = {"path": "/home/a/rules.py", "sha256": "0"}
    edit(first / "run.json", lambda record: record.update(plugins=[plugin]))
    (first / "config.yaml").write_text((first / "config.yaml").read_text().replace("valley", "no_such"))
    ran = cli("runs", "reproduce", "latest")
    assert (ran.code, ran.out) == (2, "")
    assert "the run used a plugin; to load it again, add --plugin /home/a/rules.py" in ran.err
    assert "unknown objective 'no_such'" in ran.err


def test_progress_is_shown_unless_it_is_quiet_and_plots_are_drawn(cli: Run) -> None:
    made(cli, *TINY)
    ran = cli("runs", "reproduce", "latest")
    assert ran.code == 0
    assert (Path(ran.out.splitlines()[0]) / "convergence.png").exists()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("20261122", "is failed: it has no metrics to compare with"),
        ("20261123", "is not the folder of a run; of a sweep, name the folder of a job"),
        ("20261124", "no run in outputs begins with"),
    ],
)
def test_what_cannot_be_reproduced(cli: Run, tmp_path: Path, run: str, message: str) -> None:
    write_run(tmp_path / "outputs/20261122T201531Z-optimize-x", status="failed")
    write_sweep(tmp_path / "outputs/20261123T000000Z-sweep-grid", {"a": True})
    ran = cli("runs", "reproduce", run)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_config_that_is_gone(cli: Run) -> None:
    (made(cli, *TINY) / "config.yaml").unlink()
    ran = cli("runs", "reproduce", "latest")
    assert (ran.code, ran.out) == (2, "")
    assert "config.yaml: there is no such file" in ran.err


def test_results_that_cannot_be_written(cli: Run) -> None:
    made(cli, *TINY)
    Path("file").touch()
    ran = cli("runs", "reproduce", str(Path("outputs/latest")), "-o", "file")
    assert ran.code == 3
    assert "file: is a file; run folders need a folder" in ran.err

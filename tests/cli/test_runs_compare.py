"""runs compare: what differs in config, environment and metrics, and the plot."""

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runs.written import write_run, write_sweep

Run = Callable[..., Any]
FIRST, SECOND = "20261122T201531Z-optimize-x", "20261123T000000Z-optimize-x"
TINY = {
    "optimize": ("starts.points=[[1, 2], [3, 4]]", "~starts.uniform", "~expect", "steps=12"),
    "activations": ("network.layers=[3, 4, 2]", "input.samples=20", "activations=[relu]", "~expect"),
    "gradcheck": ("network.layers=[3, 4, 2]", "batch=2", "~expect", "step_sweep.directions=1"),
}


@pytest.fixture
def _outputs(tmp_path: Path) -> None:
    """Two runs that differ in two settings, a version and three metrics."""
    config = "seed: {}\noptimizers: [{{name: adam, learning_rate: {}}}]\nsteps: 5\n"
    write_run(
        tmp_path / "outputs" / FIRST, config=config.format(0, 0.1), metrics={"a": 1.0, "b": 2, "c": None}
    )
    write_run(
        tmp_path / "outputs" / SECOND,
        config=config.format(1, 0.5),
        metrics={"a": 1.5, "b": 2, "c": 4, "d": "a text that is longer than a column can be"},
        versions={"dnnexp": "1.0", "numpy": "2.1"},
    )


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line]


@pytest.mark.usefixtures("_outputs")
def test_what_differs(cli: Run) -> None:
    ran = cli("runs", "compare", "20261122", "20261123", "--no-plots")
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == [
        ["runs"],
        ["a", FIRST, "complete"],
        ["b", SECOND, "complete"],
        ["config:", "2", "differ,", "2", "equal"],
        ["a", "b"],
        ["seed", "0", "1"],
        ["optimizers.adam.learning_rate", "0.1", "0.5"],
        ["environment:", "1", "differ,", "6", "equal"],
        ["a", "b"],
        ["versions.numpy", "2.0", "2.1"],
        ["metrics:", "3", "differ,", "1", "equal"],
        ["a", "b", "difference", "relative"],
        ["a", "1", "1.5", "0.5", "0.333"],
        ["c", "null", "4"],
        ["d"],
        ["a", "–"],
        ["b", "a", "text", "that", "is", "longer", "than", "a", "column", "can", "be"],
    ]


@pytest.mark.usefixtures("_outputs")
def test_all_lists_what_is_equal(cli: Run) -> None:
    out = rows(cli("runs", "compare", FIRST, SECOND, "--no-plots", "--all").out)
    assert ["b", "2", "2", "0", "0"] in out
    assert ["steps", "5", "5"] in out
    assert ["versions.dnnexp", "1.0", "1.0"] in out


@pytest.mark.usefixtures("_outputs")
def test_json(cli: Run) -> None:
    found = json.loads(cli("runs", "compare", FIRST, SECOND, "--no-plots", "--json").out)
    assert [run["run"] for run in found["runs"]] == [FIRST, SECOND]
    assert found["equal"] == {"config": 2, "environment": 6, "metrics": 1}
    assert found["config"][0] == {
        "key": "seed",
        "values": [0, 1],
        "absent": [],
        "difference": 1.0,
        "relative": 1.0,
    }
    assert [entry["key"] for entry in found["metrics"]] == ["a", "c", "d"]
    assert found["metrics"][2]["absent"] == [FIRST]
    every = json.loads(cli("runs", "compare", FIRST, SECOND, "--no-plots", "--json", "--all").out)
    assert [entry["key"] for entry in every["metrics"]] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("_outputs")
def test_three_runs(cli: Run, tmp_path: Path) -> None:
    write_run(tmp_path / "outputs/20261124T000000Z-optimize-x", metrics={"a": 0.5, "b": 2, "c": None})
    out = rows(cli("runs", "compare", FIRST, SECOND, "20261124", "--no-plots").out)
    assert ["a", "1", "1.5", "0.5", "1", "0.667"] in out


@pytest.mark.usefixtures("_outputs")
def test_an_incomplete_run_is_compared_in_what_it_has(cli: Run, tmp_path: Path) -> None:
    write_run(tmp_path / "outputs/20261124T000000Z-optimize-x", status="failed")
    ran = cli("runs", "compare", FIRST, "20261124")
    assert ran.code == 0
    assert "outputs/20261124T000000Z-optimize-x: is failed: it has no metrics" in ran.err
    assert "its arrays or metrics cannot be read" in ran.err
    assert not Path("outputs/compare.png").exists()


@pytest.mark.parametrize("experiment", TINY)
def test_the_curves_of_real_runs_are_drawn(cli: Run, experiment: str) -> None:
    for seed in (0, 1):
        ran = cli(experiment, *TINY[experiment], f"seed={seed}", "--no-plots", "-q", "-o", f"o{seed}")
        assert ran.code == 0, ran.err
    ran = cli("runs", "compare", "o0/latest", "o1/latest", "--plot", "new/c.png")
    assert (ran.code, ran.err) == (0, "plot: new/c.png\n")
    assert ["seed", "0", "1"] in rows(ran.out)
    content = Path("new/c.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert 400 < width < 3000
    assert 300 < height < 2000


@pytest.fixture
def _drawable(tmp_path: Path) -> None:
    """Two runs with a curve."""
    for number, name in enumerate((FIRST, SECOND)):
        metrics = {"minimum": 0.0, "optimizers": {"adam": {}}}
        folder = write_run(tmp_path / "outputs" / name, config=f"seed: {number}", metrics=metrics)
        values = np.array([[4.0, 5.0], [2.0, 1.0], [0.5, 0.25]])
        arrays: dict[str, Any] = {"evaluations": np.arange(3), "adam.value": values}
        np.savez(folder / "arrays.npz", **arrays)


@pytest.mark.usefixtures("_drawable")
def test_the_plot_lies_in_the_output_folder_by_default(cli: Run) -> None:
    for _ in range(2):  # and is replaced by the next
        ran = cli("runs", "compare", FIRST, SECOND)
        assert (ran.code, ran.err) == (0, "plot: outputs/compare.png\n")
    assert Path("outputs/compare.png").read_bytes().startswith(b"\x89PNG")
    assert len(json.loads(cli("runs", "list", "--json").out)) == 2, "the plot is no run"


@pytest.mark.usefixtures("_drawable")
def test_a_plot_that_cannot_be_written(cli: Run) -> None:
    Path("file").touch()
    ran = cli("runs", "compare", FIRST, SECOND, "--plot", "file/c.png")
    assert ran.code == 3
    assert ran.err == "dnnexp: file/c.png: cannot be written: File exists\n"
    assert "seed" in ran.out


@pytest.mark.usefixtures("_drawable")
@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100])
def test_arrays_that_are_torn_cost_the_plot_only(cli: Run, content: bytes) -> None:
    (Path("outputs") / FIRST / "arrays.npz").write_bytes(content)
    ran = cli("runs", "compare", FIRST, SECOND)
    assert ran.code == 0
    assert re.match(r"dnnexp: no plot: \S+: its arrays or metrics cannot be read\n", ran.err)
    assert "seed" in ran.out


@pytest.mark.usefixtures("_outputs")
def test_runs_of_different_experiments_have_no_plot(cli: Run, tmp_path: Path) -> None:
    write_run(tmp_path / "outputs/20261124T000000Z-gradcheck-x", experiment="gradcheck", metrics={})
    ran = cli("runs", "compare", FIRST, "20261124")
    assert (ran.code, ran.err) == (0, "dnnexp: no plot: the runs are of different experiments\n")


@pytest.mark.usefixtures("_outputs")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([FIRST], "name at least two runs to compare"),
        ([FIRST, f"outputs/{FIRST}"], "is given twice"),
        ([FIRST, "2027"], "no run in outputs begins with '2027'"),
        (
            [FIRST, "20261125"],
            "is a sweep; compare its jobs instead: outputs/20261125T000000Z-sweep-grid/jobs/...",
        ),
        ([FIRST, SECOND, "--plot", "x.pdf"], "x.pdf: must be a file name that ends in .png"),
    ],
)
def test_what_cannot_be_compared(cli: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    write_sweep(tmp_path / "outputs/20261125T000000Z-sweep-grid", {"a": True})
    ran = cli("runs", "compare", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())

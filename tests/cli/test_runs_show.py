"""runs show: what a run was and found, whatever of its folder is missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.written import write_run, write_sweep

Run = Callable[..., Any]
NAME = "20261122T201531Z-optimize-x"
CLAIM = "expect=[{claim: It gets there, check: 'optimizers.adam.runs == 2'}]"
TINY = ("starts.points=[[1, 2], [3, 4]]", "~starts.uniform", "steps=12", "optimizers=[adam]")


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_real_run(cli: Run) -> None:
    ran = cli("optimize", *TINY, CLAIM, "name=tiny", "seed=4", "--no-plots", "-q")
    assert ran.code == 0, ran.err
    shown = cli("runs", "show", "latest")
    assert (shown.code, shown.err) == (0, "")
    out = squeezed(shown.out)
    record = json.loads((ran.folder / "run.json").read_bytes())
    for text in (
        f"folder {ran.folder}",
        "experiment optimize name tiny seed 4 status complete start 20",
        "command dnnexp optimize",
        f"numpy {record['versions']['numpy']}",
        f"system {record['platform']['system']}",
        "threads.OPENBLAS_NUM_THREADS 1",
        "metrics.json (",
        squeezed((ran.folder / "summary.txt").read_text()),
    ):
        assert text in out
    assert "holds It gets there" in out
    assert (ran.folder / "summary.txt").read_text() in shown.out, "in the lines that it has"


def test_json(cli: Run) -> None:
    ran = cli("optimize", *TINY, CLAIM, "--no-plots", "-q")
    document = json.loads(cli("runs", "show", ran.folder.name, "--json").out)
    assert document["record"] == json.loads((ran.folder / "run.json").read_bytes())
    assert [entry["outcome"] for entry in document["expectations"]] == ["holds"]
    assert document["status"] == "complete"


def test_a_failed_run_says_why(cli: Run) -> None:
    write_run(Path("outputs") / NAME, status="failed", error="the disk\nis full\x1b[2J")
    out = cli("runs", "show", NAME).out
    assert "status failed error the disk is full" in squeezed(out)
    assert "\x1b" not in out


@pytest.mark.parametrize("status", ["running", "interrupted", "complete"])
def test_an_incomplete_run(cli: Run, status: str) -> None:
    write_run(Path("outputs") / NAME, status=status)
    told = {"complete": "torn"}.get(status, status)
    assert f"status {told} " in squeezed(cli("runs", "show", NAME).out)


def test_an_empty_folder(cli: Run) -> None:
    (Path("outputs") / NAME).mkdir(parents=True)
    out = squeezed(cli("runs", "show", "2026").out)
    assert "experiment optimize name x status torn start 2026-11-22 20:15:31 UTC files none" in out


def test_an_older_run_without_a_summary_shows_its_expectations(cli: Run) -> None:
    folder = write_run(Path("outputs") / NAME, metrics={})
    outcomes = [
        {"claim": "a is least", "check": "a < b", "outcome": "not_evaluable", "detail": "a = null"},
        {"claim": "b is most", "check": "a < b", "outcome": "fails", "detail": "b = 3"},
    ]
    (folder / "metrics.json").write_text(json.dumps({"metrics": {}, "expectations": outcomes}))
    out = squeezed(cli("runs", "show", NAME).out)
    assert "expectations not evaluable a is least a = null fails b is most b = 3" in out


@pytest.mark.parametrize("content", ['{"durations": 5, "command": 7, "versions": []}', "[", ""])
def test_a_record_of_other_types_is_no_error(cli: Run, content: str) -> None:
    folder = write_run(Path("outputs") / NAME, metrics={})
    (folder / "run.json").write_text(content)
    (folder / "metrics.json").write_text('{"expectations": [1, {}]}')
    ran = cli("runs", "show", NAME)
    assert (ran.code, ran.err) == (0, "")
    assert "status complete" in squeezed(ran.out)


def test_a_sweep_shows_its_counts_and_failures(cli: Run) -> None:
    events = [
        ("2026-11-22T20:00:00+00:00", "opened", {}),
        ("2026-11-22T20:00:01+00:00", "failed", {"job": "b" * 64, "error": "ValueError: no"}),
    ]
    ended = {"a" * 64: True, "b" * 64: False}
    write_sweep(Path("outputs/20261122T200000Z-sweep-grid"), ended, ["c" * 64], events)
    out = squeezed(cli("runs", "show", "2026").out)
    assert "experiment sweep name grid status interrupted: 1 of 3, 1 failed" in out
    assert "1 failed job bbbbbbbbbbbb seed=1 ValueError: no" in out
    document = json.loads(cli("runs", "show", "2026", "--json").out)
    assert document["failures"] == [{"job": "b" * 64, "swept": {"seed": 1}, "error": "ValueError: no"}]
    assert document["jobs"]["missing"] == 1


def test_a_sweep_with_many_failures_shows_the_first(cli: Run) -> None:
    write_sweep(Path("outputs/20261122T200000Z-sweep-grid"), {f"{i:064}": False for i in range(30)})
    out = cli("runs", "show", "2026").out
    assert "30 failed jobs" in out
    assert out.count("seed=") == 20
    assert "and 10 more" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latest", "no run in outputs is complete"),
        ("2026", "'2026' begins the names of 2 runs; give more of the name:"),
        ("2027", "no run in outputs begins with '2027'"),
        ("a/b", "a/b: there is no such folder"),
    ],
)
def test_no_such_run(cli: Run, name: str, message: str) -> None:
    for number in ("1", "2"):
        write_run(Path("outputs") / f"2026112{number}T201531Z-optimize-x")
    ran = cli("runs", "show", name)
    assert (ran.code, ran.out) == (2, "")
    assert message in squeezed(ran.err)

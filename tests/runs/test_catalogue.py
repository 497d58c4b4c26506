"""The catalogue: what a folder says of itself, newest first, and nothing torn that stops it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dnnexp.runs.catalogue import look, scan
from dnnexp.runs.record import Run
from tests.runs.written import RECORD, write_run, write_sweep

NAME = "20261122T201531Z-optimize-x"


def found(folder: Path) -> Run:
    run = look(folder)
    assert run is not None
    return run


def test_a_complete_run_is_known_by_its_record(tmp_path: Path) -> None:
    run = found(write_run(tmp_path / NAME, metrics={}))
    start = datetime(2026, 11, 22, 20, 15, 31, 250_000, tzinfo=UTC)
    assert run == Run(tmp_path / NAME, "optimize", "x", 7, "complete", start, 2.5)


@pytest.mark.parametrize(
    ("said", "has_metrics", "status"),
    [
        ("complete", True, "complete"),
        ("running", True, "complete"),  # metrics.json is written last
        ("running", False, "running"),
        ("failed", False, "failed"),
        ("interrupted", False, "interrupted"),
        ("complete", False, "torn"),  # killed between run.json and metrics.json
        ("dreaming", False, "torn"),
        (None, False, "torn"),
    ],
)
def test_the_status_of_a_run(tmp_path: Path, said: Any, has_metrics: bool, status: str) -> None:
    folder = write_run(tmp_path / NAME, metrics={} if has_metrics else None, status=said)
    assert found(folder).status == status


def test_a_folder_that_was_only_claimed_is_torn(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    run = found(tmp_path / NAME)
    assert (run.experiment, run.name, run.status) == ("optimize", "x", "torn")
    assert run.start == datetime(2026, 11, 22, 20, 15, 31, tzinfo=UTC)


@pytest.mark.parametrize("size", [0, 100_000])
def test_older_runs_are_known_by_their_metrics(tmp_path: Path, size: int) -> None:
    """run.json had no experiment, name and seed; of a long metrics.json only the head is read."""
    record = {key: value for key, value in RECORD.items() if key not in ("experiment", "name", "seed")}
    head = {"experiment": "gradcheck", "name": "a-2", "seed": 11}
    folder = write_run(tmp_path / "20261122T201531Z-gradcheck-a-2-3", record)
    document = {"schema_version": 1, **head, "metrics": {"checks": [0.5] * size}}
    (folder / "metrics.json").write_text(json.dumps(document, indent=2))
    run = found(folder)
    assert (run.experiment, run.name, run.seed) == ("gradcheck", "a-2", 11)


def test_an_older_run_that_is_not_complete_is_known_by_its_folder(tmp_path: Path) -> None:
    record = {key: value for key, value in RECORD.items() if key not in ("experiment", "name", "seed")}
    run = found(write_run(tmp_path / "20261122T201531Z-gradcheck-a-b", record, status="failed"))
    assert (run.experiment, run.name, run.seed, run.status) == ("gradcheck", "a-b", None, "failed")


def test_newest_first(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for hours in (5, 1, 9, 3):
        start = begin + timedelta(hours=hours)
        write_run(tmp_path / f"{start:%Y%m%dT%H%M%SZ}-optimize-x", start=start.isoformat(), seed=hours)
    assert [run.seed for run in scan(tmp_path)] == [9, 5, 3, 1]


def test_runs_of_the_same_second_are_in_the_order_of_their_starts(tmp_path: Path) -> None:
    write_run(tmp_path / NAME, seed=1)
    write_run(tmp_path / f"{NAME}-2", seed=2, start="2026-11-22T20:15:31.750+00:00")
    assert [run.seed for run in scan(tmp_path)] == [2, 1]


def test_links_files_and_other_folders_are_no_runs(tmp_path: Path) -> None:
    write_run(tmp_path / NAME)
    (tmp_path / "latest").symlink_to(NAME)
    (tmp_path / "compare.png").touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").touch()
    (tmp_path / "other" / "run.json").write_text('{"some": "tool"}')
    assert [run.path.name for run in scan(tmp_path)] == [NAME]


def test_a_run_is_found_under_any_name(tmp_path: Path) -> None:
    """The jobs of a sweep are named by their keys."""
    write_run(tmp_path / ("0f" * 32), metrics={})
    (run,) = scan(tmp_path)
    assert (run.experiment, run.status) == ("optimize", "complete")


def test_a_sweep_is_one_row(tmp_path: Path) -> None:
    write_sweep(tmp_path / "20261122T201531Z-sweep-grid", {"a": True, "b": False})
    (run,) = scan(tmp_path)
    assert (run.experiment, run.name, run.status) == ("sweep", "grid", "failed")


def write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


TORN: dict[str, Callable[[Path], object]] = {
    "empty": write(b""),
    "half": write(b'{"status": "compl'),
    "binary": write(bytes(range(256))),
    "list": write(b"[1, 2]"),
    "deep": write(b"[" * 100_000),
    "long integer": write(b'{"seed": ' + b"9" * 5000 + b"}"),
    "wrong types": write(b'{"status": [], "start": 5, "end": {}, "seed": true, "name": 1, "experiment": []}'),
    "no time": write(b'{"status": "failed", "start": "yesterday", "end": "2026-99-99"}'),
    "naive and aware": write(b'{"status": "failed", "start": "2026-01-01", "end": "2026-01-02T00:00+01:00"}'),
    "directory": Path.mkdir,
    "link to itself": lambda path: path.symlink_to(path.name),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("file", ["run.json", "metrics.json", "sweep.json", "journal.jsonl"])
def test_torn_files_never_stop_a_listing(tmp_path: Path, file: str, torn: str) -> None:
    write_run(tmp_path / "20261122T201532Z-optimize-whole", metrics={})
    folder = tmp_path / NAME
    folder.mkdir()
    if file == "journal.jsonl":
        (folder / "sweep.json").write_text('{"jobs": [{"job": "a"}, 5, {"job": {}}]}')
    TORN[torn](folder / file)
    runs = scan(tmp_path)
    assert {run.path.name for run in runs} == {"20261122T201532Z-optimize-whole", NAME}
    assert all(run.start is not None for run in runs)


@pytest.mark.parametrize("torn", TORN)
def test_torn_sweeps_within_a_sweep_never_stop_a_listing(tmp_path: Path, torn: str) -> None:
    folder = write_sweep(tmp_path / "20261122T201531Z-sweep-grid", {"a": True}, ["b", "c"])
    TORN[torn](folder / "jobs" / "b")
    (run,) = scan(tmp_path)
    assert run.jobs is not None
    assert (run.jobs["jobs"], run.jobs["complete"]) == (3, 1)


def test_a_time_that_does_not_exist_in_a_folders_name(tmp_path: Path) -> None:
    write_run(tmp_path / "20260231T000000Z-optimize-x")
    (tmp_path / "20260231T000000Z-optimize-y").mkdir()
    assert [run.path.name for run in scan(tmp_path)] == ["20260231T000000Z-optimize-x"]


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_run(tmp_path / NAME, metrics={})
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if os.fspath(path) == os.fspath(folder):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [run.status for run in scan(tmp_path)] == ["torn"]


def test_a_run_whose_process_was_killed_is_torn_and_one_elsewhere_is_not(tmp_path: Path) -> None:
    """It stayed `running` for ever."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    here = socket.gethostname()
    statuses = {
        "gone": ({"host": here, "id": process.pid}, "torn"),
        "alive": ({"host": here, "id": os.getpid()}, "running"),
        "elsewhere": ({"host": f"not-{here}", "id": process.pid}, "running"),
        "nonsense": ({"host": here, "id": "1"}, "running"),
    }
    for name, (process_record, status) in statuses.items():
        folder = write_run(tmp_path / name, status="running", end=None, process=process_record)
        assert found(folder).status == status, name

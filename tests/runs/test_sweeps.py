"""What the folder of a sweep says: counts from the folders of its jobs, the rest from its journal."""

import fcntl
import os
from pathlib import Path

import pytest

from dnnexp.runs.journal import Journal, is_held
from dnnexp.runs.sweeps import jobs, look
from tests.runs.written import write_sweep

AT = "2026-11-22T20:{:02}:{:02}.000+00:00"
SWEEP = "20261122T200000Z-sweep-grid"


@pytest.mark.parametrize(
    ("ended", "missing", "status"),
    [
        ({"a": True, "b": True}, (), "complete"),
        ({"a": True, "b": False}, (), "failed"),
        ({"a": True, "b": False}, ("c",), "interrupted"),
        ({}, ("a", "b"), "interrupted"),
        ({}, (), "torn"),
    ],
)
def test_status_and_counts(
    tmp_path: Path, ended: dict[str, bool], missing: tuple[str, ...], status: str
) -> None:
    run = look(write_sweep(tmp_path / SWEEP, ended, missing))
    assert (run.experiment, run.name, run.status) == ("sweep", "grid", status)
    assert run.jobs == {
        "jobs": len(ended) + len(missing),
        "complete": sum(ended.values()),
        "failed": len(ended) - sum(ended.values()),
        "missing": len(missing),
    }


def test_a_job_that_killed_its_worker_has_failed_though_it_has_no_folder(tmp_path: Path) -> None:
    events = [(AT.format(0, 1), "failed", {"job": "b", "error": "its worker was killed 3 times"})]
    folder = write_sweep(tmp_path / SWEEP, {"a": True}, ["b"], events)
    assert look(folder).status == "failed"
    assert [(job.key, job.status, job.error) for job in jobs(folder)] == [
        ("a", "complete", None),
        ("b", "failed", "its worker was killed 3 times"),
    ]


def test_a_job_that_failed_once_and_is_complete_now_is_complete(tmp_path: Path) -> None:
    events = [(AT.format(0, 1), "failed", {"job": "a", "error": "the disk was full"})]
    folder = write_sweep(tmp_path / SWEEP, {"a": True}, (), events)
    assert [(job.status, job.error) for job in jobs(folder)] == [("complete", None)]


def test_a_failed_job_that_is_done_again_is_no_longer_a_failure(tmp_path: Path) -> None:
    events = [
        (AT.format(0, 1), "failed", {"job": "a", "error": "?"}),
        (AT.format(1, 1), "started", {"job": "a"}),
    ]
    assert [job.status for job in jobs(write_sweep(tmp_path / SWEEP, {}, ["a"], events))] == ["missing"]


def test_seconds_are_those_it_was_worked_on(tmp_path: Path) -> None:
    """A sweep that is resumed the next day did not take a day."""
    events = [
        (AT.format(0, 0), "opened", {}),
        (AT.format(0, 30), "complete", {"job": "a"}),
        (AT.format(50, 0), "opened", {}),
        (AT.format(50, 5), "complete", {"job": "b"}),
    ]
    assert look(write_sweep(tmp_path / SWEEP, {"a": True, "b": True}, (), events)).seconds == 35


def test_it_is_running_while_its_journal_is_locked(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / SWEEP, {"a": True}, ["b"])
    assert not is_held(folder)
    with Journal(folder / "journal.jsonl"):
        assert is_held(folder)
        assert look(folder).status == "running"
    assert look(folder).status == "interrupted"


def test_to_ask_takes_no_lock(tmp_path: Path) -> None:
    folder = write_sweep(tmp_path / SWEEP, {}, ["a"])
    assert not is_held(folder)
    file = os.open(folder / "journal.jsonl", os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(file)
    assert not is_held(tmp_path / "nowhere")


def test_list_and_table_agree_on_what_is_complete(tmp_path: Path) -> None:
    """After `rm jobs/<key>/config.yaml` the list said 2 of 2 and the table 1 of 2."""
    from dnnexp.config.sweep import Job as PlannedJob
    from dnnexp.config.sweep import SweepConfig
    from dnnexp.execution.table import build

    folder = write_sweep(tmp_path / SWEEP, {"a": True, "b": True})
    for key in "ab":
        assert not (folder / "jobs" / key / "config.yaml").exists()
    planned = [
        PlannedJob(key, "optimize", "x", "b", {}, {"optimizers": [], "objectives": []}) for key in "ab"
    ]
    listed = look(folder).jobs
    assert listed is not None
    assert build(SweepConfig(base="b"), planned, folder).document["counts"] == listed

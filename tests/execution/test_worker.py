"""A worker: every job leaves a folder that says how it ended, and only the sweep's own code is run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.sweep import plan
from dnnexp.core.perturbation import THREADS
from dnnexp.execution import worker
from dnnexp.execution.code import Code, CodeError
from dnnexp.execution.run import RunOptions
from dnnexp.execution.worker import KILLED, KILLS, Task, WorkerSettings, ended_before, work
from dnnexp.runs.folder import WriteError
from dnnexp.runs.sweep_folder import SweepFolder
from dnnexp.runs.threads import THREAD_VARIABLES
from tests.cli.sweeping import write_config


@pytest.fixture
def sweep(tmp_path: Path) -> SweepFolder:
    (tmp_path / "sweep.json").touch()
    return SweepFolder(tmp_path)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    job = plan([write_config(tmp_path)], []).jobs[0]
    return Task(job.key, job.experiment, job.tree)


@pytest.fixture(autouse=True)
def _own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker sets in its process is taken back."""
    for name in (*THREAD_VARIABLES, THREADS):
        monkeypatch.setenv(name, "1")


def setting(sweep: SweepFolder, **changes: Any) -> WorkerSettings:
    return replace(WorkerSettings(sweep.path, RunOptions(plots=False)), **changes)


def test_a_job_is_done_once_in_a_call(sweep: SweepFolder, task: Task) -> None:
    """Dask calls again what it lost with a worker."""
    (ended,) = work(setting(sweep), "t", [task])
    assert (ended.key, ended.status, ended.error) == (task.key, "complete", None)
    before = (sweep.jobs / task.key / "run.json").read_bytes()
    (again,) = work(setting(sweep), "t", [task])
    assert again.status == "complete"
    assert (sweep.jobs / task.key / "run.json").read_bytes() == before


def test_a_config_that_this_worker_refuses_is_a_failed_job(sweep: SweepFolder, task: Task) -> None:
    """It was missing, without a message, as it failed before there was a record."""
    bad = Task(task.key, task.experiment, {**task.tree, "steps": -1})
    (ended,) = work(setting(sweep), "t", [bad])
    assert (ended.status, ended.error) == ("failed", "ValueError: steps: must be at least 0, not -1")
    record = sweep.record(task.key)
    assert (record["status"], record["error"], record["name"]) == ("failed", ended.error, "short")
    assert ended_before(sweep, task.key, "t") == replace_seconds(ended)
    assert ended_before(sweep, task.key, "u") is None


def replace_seconds(ended: worker.Ended) -> worker.Ended:
    return ended._replace(seconds=0.0)


def test_a_job_whose_record_cannot_be_written_has_failed(
    sweep: SweepFolder, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise WriteError("the disk is full")

    monkeypatch.setattr("dnnexp.runs.folder.RunFolder.write", refuse)
    (ended,) = work(setting(sweep), "t", [task])
    assert (ended.status, ended.error) == ("failed", "the disk is full")
    assert ended_before(sweep, task.key, "t") is None


def test_a_record_of_completion_without_metrics_is_no_end(sweep: SweepFolder, task: Task) -> None:
    work(setting(sweep), "t", [task])
    (sweep.jobs / task.key / "metrics.json").unlink()
    assert ended_before(sweep, task.key, "t") is None


def test_a_job_that_a_scheduler_has_tried_often_enough_is_given_up(sweep: SweepFolder, task: Task) -> None:
    """On a cluster of others a job killed a dozen workers: it was called again by their scheduler."""
    for _ in range(KILLS):
        sweep.begin(task.key, "t")
    (ended,) = work(setting(sweep), "t", [task])
    assert (ended.status, ended.error) == ("failed", KILLED)
    assert sweep.record(task.key)["error"] == KILLED
    assert sweep.attempts(task.key, "t") == 0


def test_a_worker_that_does_not_see_the_folder_says_so(tmp_path: Path, task: Task) -> None:
    (ended,) = work(setting(SweepFolder(tmp_path / "elsewhere")), "t", [task])
    assert ended.status == "failed"
    assert "every worker must see the sweep's folder" in (ended.error or "")


def test_another_version_is_not_worked_for(sweep: SweepFolder, task: Task) -> None:
    with pytest.raises(CodeError, match=r"the sweep uses dnnexp 99\.0, a worker has dnnexp"):
        work(setting(sweep, code=replace(Code.of([]), version="99.0")), "t", [task])


def test_other_plugins_are_not_worked_with(sweep: SweepFolder, task: Task, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("x = 1\n")
    code = Code.of([plugin])
    worker._load.cache_clear()
    work(setting(sweep, code=code), "t", [task])
    work(setting(sweep, code=code), "u", [task])
    plugin.write_text("x = 2\n")
    with pytest.raises(CodeError, match="a worker has other plugins than the sweep"):
        work(setting(sweep, code=code), "v", [task])
    with pytest.raises(CodeError, match="plugins of another sweep; restart the workers"):
        work(setting(sweep, code=Code.of([plugin])), "w", [task])
    plugin.unlink()
    with pytest.raises(CodeError, match="a worker cannot load the plugins: "):
        work(setting(sweep, code=code), "x", [task])
    worker._load.cache_clear()


def test_what_is_printed_is_in_the_log(
    sweep: SweepFolder, task: Task, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dnnexp.execution.progress.REPORT_SECONDS", 0.0)
    work(setting(sweep, options=RunOptions(plots=False, trace=10)), "t", [task])
    log = (sweep.jobs / task.key / "log.txt").read_text()
    assert "gradient_descent" in log
    assert capsys.readouterr().out == ""
    assert json.loads((sweep.jobs / task.key / "metrics.json").read_text())["name"] == "short"

"""What a sweep says while it runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from dnnexp.cli.sweep import progress
from dnnexp.cli.sweep.progress import SweepDisplay
from dnnexp.config.sweep import plan
from dnnexp.execution.worker import Ended, Task
from tests.cli.sweeping import write_config


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    monkeypatch.setattr("dnnexp.execution.progress.time", found)
    return found


def display(tmp_path: Path, stream: io.StringIO, quiet: bool = False) -> tuple[SweepDisplay, list[Task]]:
    planned = plan([write_config(tmp_path)], ["seed=range(0,8)"])
    tasks = [Task(job.key, job.experiment, job.tree) for job in planned.jobs]
    return SweepDisplay(Console(file=stream, width=80), planned, len(tasks), quiet), tasks


def test_a_line_every_few_seconds_says_how_far_it_is(tmp_path: Path, clock: Clock) -> None:
    stream = io.StringIO()
    shown, tasks = display(tmp_path, stream)
    with shown:
        shown.tick(2)
        clock.now += 4
        shown.tick(2)
        assert stream.getvalue() == ""
        clock.now += 1
        shown.tick(2)
        for task in tasks[:4]:
            shown.ended(Ended(task.key, "complete", None, 1.0))
        shown.ended(Ended(tasks[4].key, "failed", "it is [full]", 1.0))
        clock.now += 5
        shown.tick(2)
    assert stream.getvalue().splitlines() == [
        "short: 0 of 8 done, 2 running",
        "short: failed: seed=4: it is [full]",
        "short: 5 of 8 done, 2 running, 1 failed, 30/min, 6 s left",
    ]


def test_a_quiet_one_says_failures_and_repeats_only(tmp_path: Path, clock: Clock) -> None:
    stream = io.StringIO()
    shown, tasks = display(tmp_path, stream, quiet=True)
    with shown:
        clock.now += 60
        shown.tick(2)
        shown.again(tasks[1], "its worker was killed")
        shown.ended(Ended(tasks[1].key, "failed", "why", 1.0))
    assert stream.getvalue().splitlines() == [
        "short: repeated: seed=1: its worker was killed",
        "short: failed: seed=1: why",
    ]

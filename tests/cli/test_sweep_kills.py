"""A sweep whose processes are killed at random moments, and resumed: nothing is lost, torn or done twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.sweeping import assert_whole, command, metrics, run, write_config


class Moment(NamedTuple):
    """When to kill: so many seconds after the start, or after that many jobs are complete."""

    seconds: float
    jobs: int = 0


def killed_at(moment: Moment, arguments: list[str], cwd: Path) -> bool:
    """Run in a process group of its own and kill all of it at a moment; False if it ended before."""
    line = command(*arguments)
    begin = time.monotonic()
    with subprocess.Popen(
        line, cwd=cwd, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            if count_of(cwd) < moment.jobs:
                begin = time.monotonic()
            if time.monotonic() - begin > moment.seconds:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.002)
        assert process.returncode == 0
    return False


def folder_in(cwd: Path) -> Path | None:
    plan = next(cwd.glob("outputs/2*/sweep.json"), None)
    return plan.parent if plan else None


def count_of(cwd: Path) -> int:
    """The jobs that are complete."""
    return len(list(cwd.glob("outputs/2*/jobs/*/metrics.json")))


def disturbed(cwd: Path, start: list[str], go_on: list[str], jobs: int, kills: int) -> Path:
    """The folder of a sweep that was killed so often, then left alone.

    One kill in four comes at any moment from the start on, the others just after some job is complete.
    """
    moments = random.Random(0)
    among_jobs = 0
    for number in range(kills):
        folder = folder_in(cwd)
        arguments = ["--resume", str(folder), *go_on] if folder else [*start, *go_on]
        before, delay = count_of(cwd), moments.uniform(0.0, 1.5)
        goal = before + moments.randint(1, max(1, (jobs - before) // (kills - number)))
        is_any = number % 4 == 3
        was_killed = killed_at(Moment(delay) if is_any else Moment(delay / 30, goal), arguments, cwd)
        among_jobs += was_killed and not is_any
    folder = folder_in(cwd)
    assert folder is not None
    assert among_jobs >= kills // 2
    assert not killed_at(Moment(300), ["--resume", str(folder), *go_on], cwd)
    return folder


def check(tmp_path: Path, executor: list[str], jobs: int, kills: int, steps: int) -> None:
    write_config(tmp_path, steps)
    start = ["short.yaml", f"seed=range(0,{jobs})"]
    quiet = ["--no-plots", "--quiet"]
    folder = disturbed(tmp_path, start, [*executor, *quiet], jobs, kills)
    undisturbed = run(*start, *quiet, "--executor", "serial", "-o", "alone", cwd=tmp_path)
    assert len(metrics(folder)) == jobs
    assert metrics(folder) == metrics(undisturbed)
    assert_whole(folder)


def test_a_sweep_survives_four_kills(tmp_path: Path) -> None:
    check(tmp_path, ["--jobs", "2"], jobs=16, kills=4, steps=20_000)


@pytest.mark.slow
def test_a_sweep_survives_twenty_kills(tmp_path: Path) -> None:
    check(tmp_path, ["--jobs", "2"], jobs=60, kills=20, steps=50_000)


@pytest.mark.slow
def test_a_sweep_on_a_cluster_of_its_own_survives_twenty_kills(tmp_path: Path) -> None:
    check(tmp_path, ["--executor", "dask", "--jobs", "2"], jobs=60, kills=20, steps=50_000)


class Cluster:
    """A Dask scheduler and its workers, as processes that can be killed."""

    def __init__(self, cwd: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._cwd = cwd
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self._worker() for _ in range(2)]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        return subprocess.Popen(
            line, cwd=self._cwd, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def kill_worker(self, number: int) -> None:
        """Kill one, and start another in its place."""
        self._kill(self.workers[number])
        self.workers[number] = self._worker()

    def kill_scheduler(self) -> None:
        """Kill it, with the workers that then have none, and start all again."""
        for process in (self.scheduler, *self.workers):
            self._kill(process)
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self._worker() for _ in range(2)]

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for process in (self.scheduler, *self.workers):
            self._kill(process)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path)
    yield found
    found.close()


@pytest.mark.slow
def test_a_sweep_survives_the_deaths_of_a_clusters_workers_and_its_scheduler(
    tmp_path: Path, cluster: Cluster
) -> None:
    write_config(tmp_path, 400_000)
    moments = random.Random(1)
    start = ["short.yaml", "seed=range(0,60)"]
    go_on = ["--no-plots", "--quiet", "--executor", "dask", "--scheduler", cluster.address]
    arguments = [*start, *go_on]
    for number in range(10):
        with subprocess.Popen(
            command(*arguments), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as sweep:
            for _ in range(2):
                time.sleep(moments.uniform(0.5, 4.0))
                cluster.kill_worker(moments.randrange(2))
            time.sleep(moments.uniform(0.0, 2.0))
            if number % 2:
                cluster.kill_scheduler()
                with contextlib.suppress(subprocess.TimeoutExpired):  # one that only now connects goes on
                    assert sweep.wait(30) in (0, 1, 2)
            sweep.kill()
        if plan := next(tmp_path.glob("outputs/2*/sweep.json"), None):
            arguments = ["--resume", str(plan.parent), *go_on]
    folder = run(*arguments, cwd=tmp_path)
    undisturbed = run(*start, "--executor", "serial", "-q", "--no-plots", "-o", "alone", cwd=tmp_path)
    assert metrics(folder) == metrics(undisturbed)
    assert_whole(folder)

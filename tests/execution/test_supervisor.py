"""The supervisor: every job once, what dies with a worker again, who kills his workers is found."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dnnexp.execution.pools import PoolError
from dnnexp.execution.run import RunOptions
from dnnexp.execution.supervisor import MAX_LOSSES, Limits, Supervisor
from dnnexp.execution.worker import KILLS, Ended, Task, WorkerSettings
from dnnexp.runs.sweep_folder import SweepFolder


@dataclass
class Log:
    """A listener that keeps what it is told."""

    starts: list[str] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    repeats: list[tuple[str, str]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)

    def started(self, tasks: Sequence[Task]) -> None:
        self.starts += [task.key for task in tasks]
        self.calls.append(len(tasks))

    def ended(self, ended: Ended) -> None:
        self.ends.append(ended)

    def again(self, task: Task, why: str) -> None:
        self.repeats.append((task.key, why))

    def tick(self, running: int) -> None:
        assert running >= 0


class Death(Exception):
    """The worker dies."""


Job = Callable[[SweepFolder, str, str], Ended]


@dataclass
class Scripted:
    """A pool whose workers do what a script says of a job, and die where it raises Death."""

    script: Callable[[str], Job]
    slots: int = 2
    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)
    replaced: list[int] = field(default_factory=list)

    def submit(self, slot: int, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        setting, token, tasks = arguments
        future: Future[Any] = Future()
        sweep, found = SweepFolder(setting.folder), []
        try:
            for task in tasks:
                found.append(self.script(task.key)(sweep, task.key, token))
            future.set_result(found)
        except Death:
            future.set_exception(BrokenProcessPool("it died"))
        return future

    def replace(self, slot: int) -> None:
        self.replaced.append(slot)

    def check(self) -> None:
        """It is alive."""

    def close(self) -> None:
        raise AssertionError("the pool belongs to the caller")


def completes(sweep: SweepFolder, key: str, token: str) -> Ended:
    attempt = sweep.begin(key, token)
    durations = {"run": 0.001}
    record = {"status": "complete", "error": None, "attempt": token, "durations": durations}
    attempt.write_json("run.json", record)
    attempt.write("config.yaml", "a: 1\n")
    attempt.write_arrays({})
    attempt.write_json("metrics.json", {"metrics": {}})
    sweep.end(attempt, key)
    return Ended(key, "complete", None, 0.001)


def fails(sweep: SweepFolder, key: str, token: str) -> Ended:
    return Ended(key, "failed", "no", 0.001)


def kills(sweep: SweepFolder, key: str, token: str) -> Ended:
    sweep.begin(key, token)
    raise Death


def dies_before(sweep: SweepFolder, key: str, token: str) -> Ended:
    raise Death


def tasks(count: int) -> list[Task]:
    return [Task(f"{number:064x}", "optimize", {}) for number in range(count)]


def supervise(
    path: Path,
    jobs: Iterable[Task],
    script: Callable[[str], Job],
    limits: Limits | None = None,
    slots: int = 2,
) -> Log:
    (path / "sweep.json").touch()
    log = Log()
    pool = Scripted(script, slots)
    Supervisor(pool, WorkerSettings(path, RunOptions()), limits or Limits(), log).run(jobs)
    return log


def by_key(**scripts: Job) -> Callable[[str], Job]:
    """Of some jobs, by number: what they do; the others complete."""
    return lambda key: scripts.get(f"job_{int(key, 16)}", completes)


def test_every_job_is_done_once_and_short_ones_go_together(tmp_path: Path) -> None:
    log = supervise(tmp_path, tasks(500), by_key())
    assert sorted(ended.key for ended in log.ends) == [task.key for task in tasks(500)]
    assert log.starts == [task.key for task in tasks(500)]
    assert log.calls[:2] == [1, 1]  # how long they take is not yet known
    assert max(log.calls) > 50
    assert log.calls[-1] == 1  # at the end nobody waits for another
    assert log.repeats == []


def test_long_jobs_go_alone(tmp_path: Path) -> None:
    def slow(sweep: SweepFolder, key: str, token: str) -> Ended:
        return Ended(key, "complete", None, 10.0)

    assert set(supervise(tmp_path, tasks(20), lambda key: slow).calls) == {1}


def test_nothing_to_do_is_done(tmp_path: Path) -> None:
    assert supervise(tmp_path, [], by_key()).ends == []


def test_a_job_that_kills_its_worker_three_times_is_failed_alone(tmp_path: Path) -> None:
    log = supervise(tmp_path, tasks(60), by_key(job_30=kills))
    failed = [ended for ended in log.ends if ended.status == "failed"]
    assert [int(ended.key, 16) for ended in failed] == [30]
    assert "killed 3 times" in (failed[0].error or "")
    assert log.starts.count(failed[0].key) == KILLS
    record = SweepFolder(tmp_path).record(failed[0].key)
    assert (record["status"], record["error"]) == ("failed", failed[0].error)
    assert sorted(ended.key for ended in log.ends) == [task.key for task in tasks(60)]
    assert list((tmp_path / "attempts").iterdir()) == []


def test_what_ended_in_a_call_before_its_worker_died_is_not_done_again(tmp_path: Path) -> None:
    done: list[str] = []

    def counted(sweep: SweepFolder, key: str, token: str) -> Ended:
        done.append(key)
        return completes(sweep, key, token)

    def script(key: str) -> Job:
        return kills if int(key, 16) == 70 else counted

    log = supervise(tmp_path, tasks(200), script, slots=1)
    assert len(done) == len(set(done)) == 199
    assert len(log.ends) == 200


def test_a_worker_that_dies_once_costs_a_rerun(tmp_path: Path) -> None:
    left = [kills, kills]

    def script(key: str) -> Job:
        return left.pop() if int(key, 16) in (3, 4) and left else completes

    log = supervise(tmp_path, tasks(9), script)
    assert [ended.status for ended in log.ends] == ["complete"] * 9
    assert [why for _, why in log.repeats] == ["its worker was killed"] * 2


def test_who_had_not_begun_is_not_suspected(tmp_path: Path) -> None:
    """Dask counts the death of a worker against all that it had been sent."""
    left = [dies_before] * 2 * KILLS

    def script(key: str) -> Job:
        return left.pop() if int(key, 16) == 5 and left else completes

    log = supervise(tmp_path, tasks(9), script)
    assert [ended.status for ended in log.ends] == ["complete"] * 9


def test_workers_that_never_live_end_the_sweep(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match=f"died {MAX_LOSSES + 1} times in a row before they started a job"):
        supervise(tmp_path, tasks(3), lambda key: dies_before)


def test_losses_are_counted_in_a_row(tmp_path: Path) -> None:
    """A long sweep on machines that come and go ended after so many in all."""
    lost: set[str] = set()

    def script(key: str) -> Job:
        if int(key, 16) % 2 == 0 and key not in lost:
            lost.add(key)
            return dies_before
        return completes

    log = supervise(tmp_path, tasks(5 * MAX_LOSSES), script)
    assert len(lost) > 2 * MAX_LOSSES
    assert len(log.ends) == 5 * MAX_LOSSES


def test_attempts_that_a_scheduler_made_by_itself_count(tmp_path: Path) -> None:
    def kills_all(sweep: SweepFolder, key: str, token: str) -> Ended:
        for _ in range(KILLS):
            sweep.begin(key, token)
        raise Death

    log = supervise(tmp_path, tasks(3), by_key(job_1=kills_all))
    assert log.starts.count(tasks(3)[1].key) == 1
    assert [ended.status for ended in log.ends].count("failed") == 1


def test_what_ends_in_a_long_call_is_told_at_once(tmp_path: Path) -> None:
    """An error in the first of a hundred jobs was shown when all of them were done."""
    (tmp_path / "sweep.json").touch()

    class Slow(Scripted):
        """Of the calls of several jobs the first job ends at once, the others after a while."""

        def submit(self, slot: int, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
            setting, token, given = arguments
            if len(given) == 1:
                return super().submit(slot, function, *arguments)
            sweep = SweepFolder(setting.folder)
            first = completes(sweep, given[0].key, token)
            others = [Ended(task.key, "complete", None, 0.001) for task in given[1:]]
            future: Future[Any] = Future()
            threading.Timer(2.0, future.set_result, ([first, *others],)).start()
            waiting.append(future)
            return future

    class Watching(Log):
        def ended(self, ended: Ended) -> None:
            super().ended(ended)
            early.extend([ended.key] * any(not future.done() for future in waiting))

    waiting: list[Future[Any]] = []
    early: list[str] = []
    log = Watching()
    Supervisor(Slow(by_key(), slots=1), WorkerSettings(tmp_path, RunOptions()), Limits(), log).run(tasks(7))
    assert early == [log.ends[1].key]
    assert [ended.key for ended in log.ends] == [task.key for task in tasks(7)]


def test_a_job_is_retried_as_often_as_asked(tmp_path: Path) -> None:
    log = supervise(tmp_path, tasks(3), by_key(job_1=fails), Limits(retries=2))
    assert [key for key, _ in log.repeats] == [tasks(3)[1].key] * 2
    assert [ended.status for ended in log.ends].count("failed") == 1

    left = [fails, fails]
    log = supervise(tmp_path, tasks(1), lambda key: left.pop() if left else completes, Limits(retries=2))
    assert [ended.status for ended in log.ends] == ["complete"]


@pytest.mark.parametrize("limit", [1, 3])
def test_so_many_failures_stop_it_and_fewer_do_not(tmp_path: Path, limit: int) -> None:
    log = supervise(tmp_path, tasks(20), lambda key: fails, Limits(max_failures=limit), slots=1)
    assert len(log.ends) == limit
    log = supervise(tmp_path, tasks(5), by_key(job_1=fails), Limits(max_failures=2))
    assert len(log.ends) == 5


def test_a_scheduler_that_is_gone_ends_the_sweep(tmp_path: Path) -> None:
    class Gone(Scripted):
        def submit(self, slot: int, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
            future: Future[Any] = Future()
            future.set_exception(CancelledError())
            return future

    (tmp_path / "sweep.json").touch()
    supervisor = Supervisor(Gone(by_key()), WorkerSettings(tmp_path, RunOptions()), Limits(), Log())
    with pytest.raises(PoolError, match="scheduler is lost"):
        supervisor.run(tasks(1))


def test_an_error_of_the_worker_itself_is_no_loss(tmp_path: Path) -> None:
    def broken(sweep: SweepFolder, key: str, token: str) -> Ended:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        supervise(tmp_path, tasks(1), lambda key: broken)

"""The supervisor of a sweep: keeps all slots busy and repeats jobs that were lost with a worker."""

from __future__ import annotations

import secrets
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Protocol

from dnnexp.execution.code import CodeError
from dnnexp.execution.pools import Pool, PoolError
from dnnexp.execution.worker import KILLED, KILLS, Ended, Task, WorkerSettings, ended_before, work
from dnnexp.runs.sweep_folder import SweepFolder

MAX_LOSSES = 20
"""Workers that may die one after another before a job ends."""
CHUNK_SECONDS = 0.5
"""Short jobs are sent together, for about this long a call."""
_MAX_CHUNK_JOBS = 100
_TICK_SECONDS = 0.25


@dataclass(frozen=True)
class Limits:
    """How often a failed job is repeated, and after how many failures a sweep stops (None: never)."""

    retries: int = 0
    max_failures: int | None = None


class Listener(Protocol):
    """Receives the events of a sweep."""

    def started(self, tasks: Sequence[Task]) -> None:
        """These jobs were sent to a worker, which runs them one after another."""

    def ended(self, ended: Ended) -> None:
        """A job has ended for good."""

    def again(self, task: Task, why: str) -> None:
        """A job will be repeated."""

    def tick(self, running: int) -> None:
        """Called several times a second with the number of busy workers."""


@dataclass
class _Call:
    """A call to a slot: its jobs that are not known to have ended, and those to repeat."""

    slot: int
    token: str
    left: deque[Task]
    start: float
    again: list[Task] = field(default_factory=list)


@dataclass
class Supervisor:
    """Runs the jobs of a sweep in a pool."""

    pool: Pool
    settings: WorkerSettings
    limits: Limits
    listener: Listener
    failures: int = 0
    _losses: int = 0
    _kills: Counter[str] = field(default_factory=Counter)
    _tries: Counter[str] = field(default_factory=Counter)
    _seconds: float | None = None  # moving average of the time of a job
    _calls: dict[Future[list[Ended]], _Call] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sweep = SweepFolder(self.settings.folder)

    def run(self, tasks: Iterable[Task]) -> None:
        """Run the jobs until all have ended or too many have failed.

        Raises:
            PoolError: the pool is gone, or its workers have other code.
        """
        waiting = deque(tasks)
        free = deque[int]()
        slots = 0
        while self._calls or (waiting and not self._is_enough()):
            free.extend(range(slots, self.pool.slots))  # a cluster may grow
            slots = max(slots, self.pool.slots)
            while free and waiting and not self._is_enough():
                self._start(free.popleft(), self._chunk(waiting))
            if not self._calls:  # there is no worker
                time.sleep(_TICK_SECONDS)
            done, _ = wait(self._calls, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                call = self._calls.pop(future)
                self._end(future, call)
                waiting.extendleft(reversed([*call.again, *call.left]))
                free.append(call.slot)
            self._tick()

    def _tick(self) -> None:
        """Report jobs that ended inside long calls, and the number of busy workers."""
        self.pool.check()
        for call in self._calls.values():
            if time.monotonic() - call.start > 2 * CHUNK_SECONDS:
                self._take_ended(call)
        self.listener.tick(len(self._calls))

    def _is_enough(self) -> bool:
        return self.limits.max_failures is not None and self.failures >= self.limits.max_failures

    def _chunk(self, waiting: deque[Task]) -> list[Task]:
        """The next jobs for a slot: one at first, and one that may kill its worker."""
        size = 1
        if self._seconds is not None:
            # towards the end, no slot waits long for another
            share = len(waiting) // (2 * max(1, self.pool.slots))
            allowed = (self.limits.max_failures or _MAX_CHUNK_JOBS + self.failures) - self.failures
            size = max(1, min(int(CHUNK_SECONDS / max(self._seconds, 1e-6)), share, allowed, _MAX_CHUNK_JOBS))
        chunk = [waiting.popleft()]
        while len(chunk) < size and waiting and not self._kills[chunk[0].key] + self._kills[waiting[0].key]:
            chunk.append(waiting.popleft())
        return chunk

    def _start(self, slot: int, tasks: Sequence[Task]) -> None:
        call = _Call(slot, secrets.token_hex(4), deque(tasks), time.monotonic())
        self.listener.started(tasks)
        self._calls[self.pool.submit(slot, work, self.settings, call.token, tasks)] = call

    def _end(self, future: Future[list[Ended]], call: _Call) -> None:
        """Handle the result of a call."""
        try:
            found = future.result()
        except CancelledError:  # raised by Dask when its scheduler has gone
            raise PoolError("the connection to the scheduler is lost") from None
        except CodeError as error:
            raise PoolError(str(error)) from None
        except self.pool.lost:
            self.pool.replace(call.slot)
            self._after_loss(call)
        else:
            for ended in (
                found[-len(call.left) :] if call.left else ()
            ):  # the earlier ones are reported already
                self._take(ended, call)

    def _take(self, ended: Ended, call: _Call) -> None:
        """Count a job that has ended, or repeat it."""
        task = call.left.popleft()
        self._losses = 0
        self._seconds = ended.seconds if self._seconds is None else 0.8 * self._seconds + 0.2 * ended.seconds
        if ended.status == "failed" and self._tries[ended.key] < self.limits.retries:
            self._tries[ended.key] += 1
            self.listener.again(task, ended.error or "")
            call.again.append(task)
        else:
            self._finish(ended)

    def _take_ended(self, call: _Call) -> None:
        """Handle the jobs that have ended in a call that is running or was cut off."""
        while call.left and (ended := ended_before(self._sweep, call.left[0].key, call.token)):
            self._take(ended, call)

    def _finish(self, ended: Ended) -> None:
        self.failures += ended.status == "failed"
        self.listener.ended(ended)

    def _after_loss(self, call: _Call) -> None:
        """Handle a call whose worker died: ended jobs count, the running job is the suspect."""
        self._take_ended(call)
        attempts = self._sweep.attempts(call.left[0].key, call.token) if call.left else 0
        if attempts:
            self._suspect(call, attempts)
        else:
            self._losses += 1
        self._sweep.discard_attempts(call.token)
        if self._losses > MAX_LOSSES:
            raise PoolError(f"workers died {self._losses} times in a row before they started a job")

    def _suspect(self, call: _Call, attempts: int) -> None:
        """Repeat the suspect, or fail it if it has killed its worker too often."""
        suspect = call.left[0]
        self._kills[suspect.key] += attempts
        if self._kills[suspect.key] < KILLS:
            self.listener.again(suspect, "its worker was killed")
            return
        call.left.popleft()
        self._sweep.give_up(suspect.key, call.token, KILLED)
        self._finish(Ended(suspect.key, "failed", KILLED, 0.0))

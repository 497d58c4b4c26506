"""The supervisor of a sweep: keeps all slots busy, and does again what was lost with a worker."""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from dnnexp.execution.pools import Pool, PoolError
from dnnexp.execution.worker import Ended, Setting, Task, ended_before, work
from dnnexp.runs.sweep_folder import SweepFolder

KILLS = 3
"""A job that has killed its worker so often is failed."""
LOSSES = 20
"""So many workers may die while they do no job."""
CHUNK_SECONDS = 0.5
"""Short jobs are sent together, about so long a call."""
_CHUNK_JOBS = 100
_TICK = 0.25


@dataclass(frozen=True)
class Limits:
    """When to try again, and when to stop: after so many failed jobs (None: never)."""

    retries: int = 0
    max_failures: int | None = None


class Listener(Protocol):
    """Who is told of what happens."""

    def started(self, tasks: Sequence[Task]) -> None:
        """These were handed to a worker, which does them one after another."""

    def ended(self, ended: Ended) -> None:
        """A job has ended for good."""

    def again(self, task: Task, why: str) -> None:
        """A job will be done again."""

    def tick(self, running: int) -> None:
        """Time goes by, and so many jobs are under way."""


class _Call(NamedTuple):
    slot: int
    token: str
    tasks: Sequence[Task]


@dataclass
class Supervisor:
    """Does the jobs of a sweep in a pool."""

    pool: Pool
    setting: Setting
    limits: Limits
    listener: Listener
    failures: int = 0
    _losses: int = 0
    _kills: Counter[str] = field(default_factory=Counter)
    _tries: Counter[str] = field(default_factory=Counter)
    _seconds: float | None = None  # the mean of a job, the last ones counting most
    _calls: dict[Future[list[Ended]], _Call] = field(default_factory=dict)

    def run(self, tasks: Iterable[Task]) -> None:
        """Do the jobs, until all have ended or too many have failed.

        Raises:
            PoolError: the pool is gone. What a listener raises passes through.
        """
        waiting = deque(tasks)
        free = deque(range(self.pool.slots))
        while self._calls or (waiting and not self._is_enough()):
            while free and waiting and not self._is_enough():
                self._start(free.popleft(), self._chunk(waiting))
            done, _ = wait(self._calls, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                call = self._calls.pop(future)
                waiting.extendleft(reversed(self._end(future, call)))
                free.append(call.slot)
            self.listener.tick(sum(len(call.tasks) for call in self._calls.values()))

    def _is_enough(self) -> bool:
        return self.limits.max_failures is not None and self.failures >= self.limits.max_failures

    def _chunk(self, waiting: deque[Task]) -> list[Task]:
        """The next jobs for a slot: alone at first, and where one may kill its worker."""
        size = 1
        if self._seconds is not None:
            share = len(waiting) // (2 * self.pool.slots)  # towards the end no slot waits long for another
            allowed = (self.limits.max_failures or _CHUNK_JOBS + self.failures) - self.failures
            size = max(1, min(int(CHUNK_SECONDS / max(self._seconds, 1e-6)), share, allowed, _CHUNK_JOBS))
        chunk = [waiting.popleft()]
        while len(chunk) < size and waiting and not self._kills[chunk[0].key] + self._kills[waiting[0].key]:
            chunk.append(waiting.popleft())
        return chunk

    def _start(self, slot: int, tasks: Sequence[Task]) -> None:
        call = _Call(slot, secrets.token_hex(4), tasks)
        self.listener.started(tasks)
        self._calls[self.pool.submit(slot, work, self.setting, call.token, tasks)] = call

    def _end(self, future: Future[list[Ended]], call: _Call) -> list[Task]:
        """Take what a call has come to; returns the jobs to be done again."""
        try:
            found = future.result()
        except CancelledError:  # none of ours: Dask's, when its scheduler has gone
            raise PoolError("the connection to the scheduler is lost") from None
        except self.pool.lost:
            self.pool.replace(call.slot)
            return self._after_loss(call)
        by_key = {task.key: task for task in call.tasks}
        return [by_key[ended.key] for ended in found if self._is_to_retry(ended, by_key[ended.key])]

    def _is_to_retry(self, ended: Ended, task: Task) -> bool:
        self._seconds = ended.seconds if self._seconds is None else 0.8 * self._seconds + 0.2 * ended.seconds
        if ended.status == "failed" and self._tries[ended.key] < self.limits.retries:
            self._tries[ended.key] += 1
            self.listener.again(task, ended.error or "")
            return True
        self._finish(ended)
        return False

    def _finish(self, ended: Ended) -> None:
        self.failures += ended.status == "failed"
        self.listener.ended(ended)

    def _after_loss(self, call: _Call) -> list[Task]:
        """Of a call whose worker died: what had ended counts, what was under way is the suspect."""
        sweep = SweepFolder(self.setting.folder)
        left, again = deque(call.tasks), []
        while left and (ended := ended_before(sweep, left[0].key, call.token)):
            task = left.popleft()
            again += [task] * self._is_to_retry(ended, task)
        has_begun = bool(left) and sweep.has_begun(left[0].key, call.token)
        if has_begun and self._is_guilty(left[0], sweep, call.token):
            left.popleft()
        sweep.discard_attempts(call.token)
        self._losses += not has_begun
        if self._losses > LOSSES:
            raise PoolError(f"workers died {self._losses} times before they began a job")
        return [*again, *left]

    def _is_guilty(self, suspect: Task, sweep: SweepFolder, token: str) -> bool:
        """Whether a job has killed its worker too often; it is then failed, and no other."""
        self._kills[suspect.key] += 1
        if self._kills[suspect.key] < KILLS:
            self.listener.again(suspect, "its worker was killed")
            return False
        error = f"its worker was killed {KILLS} times while it ran (out of memory, perhaps)"
        sweep.give_up(suspect.key, token, error)
        self._finish(Ended(suspect.key, "failed", error, 0.0))
        return True

"""Where jobs run: in this process, in processes of this machine, on a Dask cluster.

A pool has slots, each of which has one call under way. What is lost when a worker dies is the call of its
slot, no other: each process is an executor of its own.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class PoolError(Exception):
    """The pool as a whole is gone, or there is none; the message says why."""


class Pool(Protocol):
    """Slots that calls are submitted to."""

    lost: tuple[type[Exception], ...]
    """What a future raises when its worker has died."""

    @property
    def slots(self) -> int:
        """How many calls at once; it may grow."""

    def submit(self, slot: int, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Start a call in a slot that is free.

        Raises:
            PoolError: nothing can be started any more.
        """

    def replace(self, slot: int) -> None:
        """Give the slot a new worker after its worker has died."""

    def check(self) -> None:
        """Raise PoolError where nothing that was submitted can end any more."""

    def close(self) -> None:
        """End the workers, at once, with what they are doing."""


class Serial:
    """In this process, one after another."""

    slots = 1
    lost: tuple[type[Exception], ...] = ()

    def submit(self, slot: int, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Call the function now."""
        future: Future[T] = Future()
        future.set_result(function(*arguments))
        return future

    def replace(self, slot: int) -> None:
        """Do nothing: this process is alive."""

    def check(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Processes:
    """Processes of this machine, one slot each."""

    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)

    def __init__(self, count: int, preload: Sequence[str]) -> None:
        """`count` processes, copies of a server that has imported the modules of `preload`."""
        self.slots = count
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._context: BaseContext = _forkserver(preload)
        else:  # Windows
            self._context = multiprocessing.get_context("spawn")
        self._executors: list[Executor] = [self._executor() for _ in range(count)]

    def _executor(self) -> Executor:
        return ProcessPoolExecutor(1, self._context, initializer=_begin)

    def submit(self, slot: int, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Start a call in the slot's process."""
        try:
            return self._executors[slot].submit(function, *arguments)
        except BrokenProcessPool:  # it died while it was idle
            self.replace(slot)
            return self._executors[slot].submit(function, *arguments)

    def replace(self, slot: int) -> None:
        """A new process for the slot."""
        self._executors[slot].shutdown(wait=False)
        self._executors[slot] = self._executor()

    def check(self) -> None:
        """Do nothing: the future of a dead process fails."""

    def close(self) -> None:
        """Kill the processes; a job that is cut off leaves nothing that looks complete."""
        for child in multiprocessing.active_children():
            child.kill()
        for executor in self._executors:
            executor.shutdown(cancel_futures=True)


def _forkserver(preload: Sequence[str]) -> BaseContext:
    """A context whose processes are copies of a server that has imported some modules.

    The server has neither threads nor locks: forking this process, which has both, may hang the child.
    """
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*preload])
    with ignore_sigint():
        forkserver.ensure_running()
    return context


@contextmanager
def ignore_sigint() -> Iterator[None]:
    """Let processes that are started inside ignore Ctrl-C: this process handles it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin() -> None:
    """Set up a worker: it prints to stderr, and ends when its parent process ends."""
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server may be older than `ignore_sigint`
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()

"""A Dask cluster as a pool: an existing one, or processes of this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

from dnnexp.execution.pools import PoolError, ignore_sigint

T = TypeVar("T")
_START_SECONDS = 30
"""Time limit for a scheduler and its first worker to appear."""
_COUNT_SECONDS = 2.0
"""Time between two counts of the workers."""
_MAX_EMPTY_SECONDS = 60.0
"""How long a cluster may have no worker."""


class Dask:
    """A slot for every worker of the cluster, but at most `jobs` slots."""

    def __init__(self, jobs: int | None, address: str | None, environment: dict[str, str]) -> None:
        """Connect to a scheduler; without an address, start one with `jobs` workers of one thread each.

        Raises:
            PoolError: there is no scheduler or no worker.
        """
        import dask
        from distributed import Client, KilledWorker, LocalCluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we report deaths ourselves
        self.lost: tuple[type[Exception], ...] = (KilledWorker,)
        self._jobs = jobs
        with ExitStack() as opened:
            try:
                if address is None:
                    # we find the job to blame ourselves, so the scheduler need not try again
                    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), ignore_sigint():
                        where: Any = LocalCluster(
                            n_workers=jobs,
                            threads_per_worker=1,
                            dashboard_address="127.0.0.1:0",
                            silence_logs=logging.CRITICAL,
                            env=environment,
                        )
                    opened.callback(where.close)
                self._client = Client(where if address is None else address, timeout=_START_SECONDS)
                opened.callback(self._client.close)
                self._client.wait_for_workers(1, timeout=_START_SECONDS)
            except (OSError, TimeoutError, ValueError) as error:
                raise PoolError(f"Dask scheduler {address or '(local)'}: {error}") from None
            self._opened = opened.pop_all()
        self._executor = self._client.get_executor(pure=False)
        self._workers = len(self._client.nthreads())
        self._seen = self._counted = time.monotonic()

    @property
    def slots(self) -> int:
        """The number of workers at the last count; each runs one job at a time."""
        return self._workers if self._jobs is None else min(self._jobs, self._workers)

    def submit(self, slot: int, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Start a call anywhere on the cluster.

        Raises:
            PoolError: the scheduler is gone.
        """
        if self._client.status != "running":
            raise PoolError("the connection to the Dask scheduler is lost")
        future: Future[T] = self._executor.submit(function, *arguments)
        return future

    def replace(self, slot: int) -> None:
        """Do nothing: the cluster starts new workers itself."""

    def check(self) -> None:
        """Count the workers now and then.

        Raises:
            PoolError: there has been none for a while.
        """
        now = time.monotonic()
        if now - self._counted < _COUNT_SECONDS or self._client.status != "running":
            return
        self._counted = now
        with suppress(OSError, TimeoutError):  # if the scheduler is gone, the futures will fail
            self._workers = len(self._client.nthreads())
        if self._workers:
            self._seen = now
        elif now - self._seen > _MAX_EMPTY_SECONDS:
            raise PoolError(f"the Dask cluster has had no worker for {_MAX_EMPTY_SECONDS:g} s")

    def close(self) -> None:
        """Disconnect from the cluster; stop it if we started it."""
        self._opened.close()

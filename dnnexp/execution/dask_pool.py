"""A Dask cluster as a pool: one that is there, or processes of this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

from dnnexp.execution.pools import PoolError, deaf

T = TypeVar("T")
_SECONDS = 30
"""How long a scheduler and its first worker are waited for."""
_INTERVAL = 2.0
"""How often its workers are counted."""
_PATIENCE = 60.0
"""How long a cluster may be without any worker."""


class Dask:
    """A slot for every worker of the cluster, or fewer if so many are asked for."""

    def __init__(self, jobs: int | None, address: str | None, environment: dict[str, str]) -> None:
        """Connect to a scheduler; without an address, start one with `jobs` workers of one thread each.

        Raises:
            PoolError: there is no scheduler or no worker.
        """
        import dask
        from distributed import Client, KilledWorker, LocalCluster

        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what dies is told by us
        self.lost: tuple[type[Exception], ...] = (KilledWorker,)
        self._jobs = jobs
        with ExitStack() as opened:
            try:
                if address is None:
                    # which job is to blame is found here, so that the scheduler need not try again
                    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), deaf():
                        where: Any = LocalCluster(
                            n_workers=jobs,
                            threads_per_worker=1,
                            dashboard_address="127.0.0.1:0",
                            silence_logs=logging.CRITICAL,
                            env=environment,
                        )
                    opened.callback(where.close)
                self._client = Client(where if address is None else address, timeout=_SECONDS)
                opened.callback(self._client.close)
                self._client.wait_for_workers(1, timeout=_SECONDS)
            except (OSError, TimeoutError, ValueError) as error:
                raise PoolError(f"Dask scheduler {address or '(local)'}: {error}") from None
            self._opened = opened.pop_all()
        self._executor = self._client.get_executor(pure=False)
        self._workers = len(self._client.nthreads())
        self._seen = self._counted = time.monotonic()

    @property
    def slots(self) -> int:
        """The workers that there were lately: each does one job at a time, however many threads it has."""
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
        """Nothing: the cluster's nannies start new workers."""

    def check(self) -> None:
        """Count the workers now and then; raise PoolError where there has been none for a while."""
        now = time.monotonic()
        if now - self._counted < _INTERVAL or self._client.status != "running":
            return
        self._counted = now
        with suppress(OSError, TimeoutError):  # the scheduler is going: futures will tell
            self._workers = len(self._client.nthreads())
        if self._workers:
            self._seen = now
        elif now - self._seen > _PATIENCE:
            raise PoolError(f"the Dask cluster has had no worker for {_PATIENCE:g} s")

    def close(self) -> None:
        """Leave the cluster; end it if it is ours."""
        self._opened.close()

"""A Dask cluster as a pool: one that is there, or processes of this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from dnnexp.execution.pools import PoolError

T = TypeVar("T")
_SECONDS = 30
"""How long a scheduler and its first worker are waited for."""


class Dask:
    """A slot for every thread of the cluster, or fewer if so many are asked for."""

    def __init__(self, jobs: int | None, address: str | None, environment: dict[str, str]) -> None:
        """Connect to a scheduler; without an address, start one with `jobs` workers of one thread each.

        Raises:
            PoolError: there is no scheduler or no worker.
        """
        import dask
        from distributed import Client, KilledWorker, LocalCluster

        logging.getLogger("distributed").setLevel(logging.ERROR)  # what dies is told by us
        self.lost: tuple[type[Exception], ...] = (KilledWorker,)
        self._cluster = None
        try:
            if address is None:
                # which job is to blame is found here, so that the scheduler need not try again
                with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
                    self._cluster = LocalCluster(
                        n_workers=jobs, threads_per_worker=1, dashboard_address="127.0.0.1:0", env=environment
                    )
            self._client = Client(self._cluster or address, timeout=_SECONDS)
            self._client.wait_for_workers(1, timeout=_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise PoolError(f"Dask scheduler {address or '(local)'}: {error}") from None
        threads = sum(self._client.nthreads().values()) if address else jobs or 1
        self.slots = min(jobs or threads, threads)
        self._executor = self._client.get_executor(pure=False)

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

    def close(self) -> None:
        """Leave the cluster; end it if it is ours."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

"""Pools: a worker that dies costs the call of its slot, and nothing outlives its pool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnnexp.execution.dask_pool import Dask
from dnnexp.execution.pools import PoolError, Processes, Serial
from dnnexp.runs.threads import THREAD_VARIABLES

ORPHAN = """
import os, time
from dnnexp.execution.pools import Processes

if __name__ == "__main__":
    pool = Processes(2, [])
    print(*[pool.submit(slot, os.getpid).result() for slot in range(2)], flush=True)
    pool.submit(0, time.sleep, 60)
    time.sleep(60)
"""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(processes: list[int], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while any(map(is_alive, processes)):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def pool() -> Iterator[Processes]:
    found = Processes(2, [])
    yield found
    found.close()


def test_a_death_costs_the_slots_own_call_and_no_other(pool: Processes) -> None:
    other = pool.submit(1, time.sleep, 0.5)
    lost = pool.submit(0, die)
    assert isinstance(lost.exception(), pool.lost)
    pool.replace(0)
    assert other.exception() is None
    assert pool.submit(0, abs, -3).result() == 3
    assert pool.submit(1, abs, -3).result() == 3


def test_a_worker_that_dies_while_it_has_nothing_to_do_is_replaced(pool: Processes) -> None:
    """Handing it a call raised instead of giving a future, and ended the sweep."""
    worker = pool.submit(0, os.getpid).result()
    os.kill(worker, signal.SIGKILL)
    assert gone([worker])
    time.sleep(0.2)  # until the executor knows
    assert pool.submit(0, abs, -3).result() == 3


def test_ctrl_c_is_not_for_workers(pool: Processes) -> None:
    assert pool.submit(0, signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_closing_ends_what_is_under_way() -> None:
    pool = Processes(2, [])
    workers = [pool.submit(slot, os.getpid).result() for slot in range(2)]
    sleeping = pool.submit(0, time.sleep, 60)
    pool.close()
    assert gone(workers)
    assert sleeping.done()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_workers_do_not_outlive_who_they_work_for(tmp_path: Path) -> None:
    """They would write into a sweep that has been resumed."""
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    assert gone(workers)


def test_one_after_another_in_this_process() -> None:
    pool = Serial()
    assert pool.submit(0, os.getpid).result() == os.getpid()
    pool.replace(0)
    pool.close()


def test_a_cluster_of_ones_own() -> None:
    pool = Dask(2, None, dict.fromkeys(THREAD_VARIABLES, "1") | {"DNNEXP_THREADS": "1"})
    try:
        assert pool.slots == 2
        assert pool.submit(0, os.getenv, "OPENBLAS_NUM_THREADS").result(30) == "1"
        assert pool.submit(0, os.getenv, "DNNEXP_THREADS").result(30) == "1"
        assert isinstance(pool.submit(0, die).exception(30), pool.lost)
        pool.replace(0)
        assert pool.submit(0, abs, -3).result(30) == 3
    finally:
        pool.close()
    with pytest.raises(PoolError, match="connection to the Dask scheduler is lost"):
        pool.submit(0, abs, -3)


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnnexp.execution.dask_pool._START_SECONDS", 1)
    with pytest.raises(PoolError, match=r"Dask scheduler tcp://127\.0\.0\.1:9: "):
        Dask(None, "tcp://127.0.0.1:9", {})
    with pytest.raises(PoolError, match="Dask scheduler nonsense://x: "):
        Dask(None, "nonsense://x", {})

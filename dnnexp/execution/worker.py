"""The work of a worker: jobs, one after another, each into a run folder of its own.

A worker is a process of ours or of a Dask cluster. Its input is passed in; its results are on disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import dnnexp
from dnnexp.config.schema import read
from dnnexp.core.perturbation import THREADS
from dnnexp.execution.code import Code, CodeError
from dnnexp.execution.progress import PeriodicLine, work_line
from dnnexp.execution.run import RunOptions, error_message, execute_run
from dnnexp.experiments import find
from dnnexp.experiments.base import Event, Line
from dnnexp.plugins import PluginError, load_plugins
from dnnexp.registry import dotted
from dnnexp.runs.folder import RunFolder
from dnnexp.runs.sweep_folder import SweepFolder
from dnnexp.runs.threads import THREAD_VARIABLES

KILLS = 3
"""A job that has killed this many workers has failed."""
KILLED = f"its worker was killed {KILLS} times while it ran (out of memory, or a crash)"
_one_at_a_time = threading.Lock()
"""A worker runs one job at a time even if it has several threads: they share stdout and matplotlib."""


class Task(NamedTuple):
    """A job for a worker: its key, its experiment and its config as a plain tree."""

    key: str
    experiment: str
    tree: dict[str, Any]


class Ended(NamedTuple):
    """How a job ended: `complete`, or `failed` with a message."""

    key: str
    status: str
    error: str | None
    seconds: float


@dataclass(frozen=True)
class WorkerSettings:
    """The settings that all jobs of a sweep share.

    Attributes:
        folder: the folder of the sweep.
        options: how to run.
        code: the code that the worker must have, and load; None in the process that has loaded it.
        threads: how many threads `gradcheck` may use in a worker.
        command: the command line of the sweep.
    """

    folder: Path
    options: RunOptions
    code: Code | None = None
    threads: int = 1
    command: tuple[str, ...] = ()


def work(settings: WorkerSettings, token: str, tasks: Sequence[Task]) -> list[Ended]:
    """Run the jobs; `token` marks their attempts.

    Raises:
        CodeError: the worker has other code than the sweep.
    """
    with _one_at_a_time:
        if settings.code is not None:
            os.environ[THREADS] = str(settings.threads)
            _use_one_blas_thread()
            _check(settings.code)
        return [_do(settings, token, task) for task in tasks]


def _do(settings: WorkerSettings, token: str, task: Task) -> Ended:
    start = time.perf_counter()
    sweep = SweepFolder(settings.folder)
    if ended := ended_before(sweep, task.key, token):  # Dask repeats a call that it lost
        return ended
    record = {"command": settings.command, "job": task.key, "attempt": token}
    status, error = "complete", None
    try:
        if sweep.attempts(task.key, token) >= KILLS:
            sweep.give_up(task.key, token, KILLED)
            return Ended(task.key, "failed", KILLED, 0.0)
        folder = sweep.begin(task.key, token)
        try:
            with (folder.path / "log.txt").open("w", buffering=1, encoding="utf-8") as log, _logged(log):
                _run(task, folder, settings.options, record, log)
        except (Exception, KeyboardInterrupt) as failure:
            if isinstance(failure, KeyboardInterrupt) and settings.code is None:
                raise  # Ctrl-C; other workers ignore it
            status, error = "failed", error_message(failure)
            _note_failure(task, folder, record, error)
        sweep.end(folder, task.key)
    except Exception as failure:  # its folder could not be kept
        status, error = "failed", error or error_message(failure)
    return Ended(task.key, status, error, time.perf_counter() - start)


def _note_failure(task: Task, folder: RunFolder, record: dict[str, Any], error: str) -> None:
    """Record a failure in `run.json` if the run itself could not."""
    known = {"experiment": task.experiment, "name": task.tree.get("name"), "seed": task.tree.get("seed")}
    durations: dict[str, float] = {}
    folder.update_json("run.json", {**known, "durations": durations, **record}, status="failed", error=error)


def ended_before(sweep: SweepFolder, key: str, token: str) -> Ended | None:
    """How a job ended in the call of that token; None if it has not ended."""
    record = sweep.record(key)
    if record.get("attempt") != token:
        return None
    if record["status"] == "complete" and not sweep.is_intact(key):
        return None
    return Ended(key, record["status"], record["error"], record["durations"].get("run", 0.0))


def _run(task: Task, folder: RunFolder, options: RunOptions, record: dict[str, Any], log: TextIO) -> None:
    config, errors = read(find(task.experiment).config_class, task.tree)
    if errors:
        raise ValueError("\n".join(f"{dotted(path)}: {what}" for path, what in errors))
    try:
        execute_run(task.experiment, config, folder, options, _Log(log), record)
    except Exception:
        traceback.print_exc(file=log)
        raise


class _Log:
    """Logs traces, and progress every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = PeriodicLine(lambda line: print(f"{datetime.now():%H:%M:%S} {line}", file=stream))

    def __call__(self, event: Event) -> None:
        if isinstance(event, Line):
            print(event.text, file=self._stream)
        else:
            self._line(functools.partial(work_line, event))


@contextlib.contextmanager
def _logged(log: TextIO) -> Iterator[None]:
    """Write what the run, its warnings and the user's code print to the log."""
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        yield


def _check(code: Code) -> None:
    """Load the plugins of a sweep, once.

    Raises:
        CodeError: the version or the plugins are not those of the sweep, or others are loaded.
    """
    if code.version != dnnexp.__version__:
        raise CodeError(f"the sweep uses dnnexp {code.version}, a worker has dnnexp {dnnexp.__version__}")
    if code.plugins:
        try:
            if Code.of(code.plugins) != code:
                raise CodeError("a worker has other plugins than the sweep")
            _load(code)
        except (OSError, PluginError) as error:
            raise CodeError(f"a worker cannot load the plugins: {error}") from None


@functools.cache
def _load(code: Code) -> None:
    if _load.cache_info().currsize:
        raise CodeError("a worker has loaded the plugins of another sweep; restart the workers")
    load_plugins(code.plugins)


@functools.cache
def _use_one_blas_thread() -> None:
    """Limit BLAS to one thread now, if the process was started without the limit."""
    if any(os.environ.get(name) != "1" for name in THREAD_VARIABLES):
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
        if "numpy" in sys.modules:
            from threadpoolctl import threadpool_limits

            threadpool_limits(1)

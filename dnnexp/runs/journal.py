"""The journal of a sweep: which jobs were started and how they ended, and the lock of the running process."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from dnnexp.runs.folder import reporting

_LOCK = "journal.lock"
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write \r\n
_LOCK_SECONDS = 0.2
"""How long a lock is waited for: a listing of sweeps holds it for a moment."""


class HeldError(Exception):
    """Another process is running the sweep; the message says which."""


class Journal:
    """`journal.jsonl`, open for appending, one line per event: `{"time", "event", ...}`.

    Each line is written by one call, so that a kill tears at most the last line, which readers skip. The
    lock is the operating system's: it is released when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock, open the journal and record this process.

        Raises:
            HeldError: another process has the lock.
            WriteError: the journal cannot be written.
        """
        self.path = path
        self._lock = FileLock(path.with_name(_LOCK))
        with reporting(path):
            try:
                self._lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_SECONDS / 20)
            except Timeout:
                raise HeldError(f"{path.parent}: {_holder(path)} is running this sweep") from None
            try:
                content = path.read_bytes() if path.exists() else b""
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
            except BaseException:
                self._lock.release()
                raise
        if content and not content.endswith(b"\n"):  # the line before was torn
            os.write(self._file, b"\n")
        self.record("opened", pid=os.getpid(), host=socket.gethostname(), command=sys.argv[1:])

    def record(self, event: str, **details: Any) -> None:
        """Append an event.

        Raises:
            WriteError: it cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps({"time": now, "event": event, **details}, ensure_ascii=False, allow_nan=False)
        line = f"{text}\n".encode(errors="backslashreplace")
        with reporting(self.path):
            if os.write(self._file, line) < len(line):
                raise OSError(0, "the disk is full")

    def close(self) -> None:
        """Close the journal and release the lock."""
        os.close(self._file)
        self._lock.release()

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the journal and release the lock."""
        self.close()


def is_held(folder: Path) -> bool:
    """Whether a process is running the sweep in a folder; False where that cannot be found out."""
    lock = folder / _LOCK
    if not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that may only be read, or a file system without locks
        return False


def events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal, less the lines that a kill has torn; none where there is no journal."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def _holder(path: Path) -> str:
    opened = [event for event in events(path) if event.get("event") == "opened"]
    if not opened:
        return "another process"
    return "process {pid} on {host} (since {time})".format(**opened[-1])

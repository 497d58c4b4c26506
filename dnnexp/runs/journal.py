"""The journal of a sweep: what was started and how it ended, and the lock of who is at work on it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from dnnexp.runs.folder import reporting

_PATIENCE = 0.2
"""The seconds that a lock is waited for: a listing of sweeps holds it for a moment."""


class HeldError(Exception):
    """Another process is at work on the sweep; the message says which."""


class Journal:
    """`journal.jsonl`, open for appending, one line an event: `{"time", "event", ...}`.

    A line is one write, so that a kill tears the last one at most, which readers skip. The file itself is
    locked (flock): the system takes the lock back when the process ends, however it ends.
    """

    def __init__(self, path: Path) -> None:
        """Open and lock it, and say who we are.

        Raises:
            HeldError: another process has it open.
            WriteError: it cannot be written.
        """
        self.path = path
        with reporting(path):
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                self._claim()
            except BaseException:
                os.close(self._file)
                raise

    def _claim(self) -> None:
        end = time.monotonic() + _PATIENCE
        while not self._is_locked():
            if time.monotonic() > end:
                raise HeldError(f"{self.path.parent}: {_holder(self.path)} is at work on this sweep")
            time.sleep(_PATIENCE / 20)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # the line before was torn
        self.record("opened", pid=os.getpid(), host=socket.gethostname(), command=sys.argv[1:])

    def _is_locked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

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
        """Give the lock back."""
        os.close(self._file)

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Give the lock back."""
        self.close()


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

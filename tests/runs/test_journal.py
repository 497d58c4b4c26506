"""The journal of a sweep: whole lines only, one process at a time, no lock that stays behind."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from dnnexp.runs.folder import WriteError
from dnnexp.runs.journal import HeldError, Journal, events, is_held

HOLD = """
import sys, time
from pathlib import Path
from dnnexp.runs.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def kinds(path: Path) -> list[str]:
    return [event["event"] for event in events(path)]


def test_events_are_appended_with_their_time(path: Path) -> None:
    with Journal(path) as journal:
        journal.record("started", job="a")
    with Journal(path) as journal:
        journal.record("failed", job="a", error="say\nwhy \udc80 \u2028")
    assert kinds(path) == ["opened", "started", "opened", "failed"]
    last = list(events(path))[-1]
    assert last["error"] == "say\nwhy \udc80 \u2028"
    assert last["time"].endswith("+00:00")
    assert path.read_bytes().count(b"\n") == 4


def test_a_torn_line_is_skipped_and_does_not_spoil_the_next(path: Path) -> None:
    with Journal(path) as journal:
        journal.record("started", job="a")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        before = kinds(path)
        with Journal(path) as journal:
            journal.record("complete", job="a")
        assert kinds(path) == [*before, "opened", "complete"]


def test_a_journal_that_is_not_there_has_no_events(path: Path) -> None:
    assert list(events(path)) == []


def test_what_is_no_event_is_skipped(path: Path) -> None:
    path.write_bytes(b'1\n[]\n{"event": "x"}\n\xff\n' + b"[" * 10**5 + b"\n")
    assert kinds(path) == ["x"]


def test_a_second_process_is_told_who_holds_it_and_a_kill_frees_it(path: Path) -> None:
    """A killed job used to block all later ones: a lock file that a person had to remove."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HeldError, match=f"process {holder.pid} on .* is running this sweep"):
            Journal(path)
        before = path.read_bytes()
        holder.send_signal(signal.SIGKILL)
    assert path.read_bytes() == before
    with Journal(path):
        assert json.loads(path.read_bytes().splitlines()[-1])["pid"] == os.getpid()


def test_a_second_opening_in_the_same_process_is_refused_too(path: Path) -> None:
    with Journal(path), pytest.raises(HeldError):
        Journal(path)
    Journal(path).close()


def test_one_who_only_looks_whether_it_is_held_is_waited_for(path: Path) -> None:
    looking = FileLock(path.with_name("journal.lock"), thread_local=False)
    looking.acquire()
    threading.Timer(0.05, looking.release).start()
    with Journal(path):
        assert kinds(path) == ["opened"]


def test_looking_at_a_sweep_neither_makes_a_lock_nor_keeps_it(path: Path) -> None:
    assert not is_held(path.parent)
    assert list(path.parent.iterdir()) == []
    with Journal(path):
        assert is_held(path.parent)
        assert is_held(path.parent)
    assert not is_held(path.parent)


def test_a_full_disk_is_an_error_that_names_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(path) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(WriteError, match=r"journal\.jsonl: cannot be written: No space left"):
            journal.record("started")


def test_a_line_that_is_cut_short_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    with Journal(path) as journal:
        monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:5]))
        with pytest.raises(WriteError, match="the disk is full"):
            journal.record("started")
    monkeypatch.undo()
    assert kinds(path) == ["opened"]


def test_a_folder_in_its_place_is_an_error(path: Path) -> None:
    path.mkdir()
    with pytest.raises(WriteError, match=r"journal\.jsonl: cannot be written: Is a directory"):
        Journal(path)

"""Run folders: no collisions, files whole or not at all, `latest`, strict JSON."""

import errno
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from dnnexp.runs import folder as module
from dnnexp.runs.folder import RunFolder, WriteError, metrics_document

STEM = "20261122T201531Z-optimize-x"


@pytest.fixture
def _one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 11, 22, 20, 15, 31, 999_999, tzinfo=tz)

    monkeypatch.setattr(module, "datetime", Clock)


@pytest.fixture
def run_folder(tmp_path: Path) -> RunFolder:
    return RunFolder.claim(tmp_path / "outputs", "optimize", "x")


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


# Claims


def test_a_folder_is_named_by_time_experiment_and_name(tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    path = RunFolder.claim(tmp_path / "a" / "b", "gradcheck", "my_run").path
    stamp, experiment, name = path.name.split("-")
    assert (path.parent, experiment, name) == (tmp_path / "a" / "b", "gradcheck", "my_run")
    assert before <= datetime.strptime(stamp, "%Y%m%dT%H%M%S%z") <= datetime.now(UTC)
    assert path.is_dir()


@pytest.mark.usefixtures("_one_second")
def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    claimed = [RunFolder.claim(tmp_path, "optimize", "x").path.name for _ in range(4)]
    assert claimed == [STEM, f"{STEM}-2", f"{STEM}-3", f"{STEM}-4"]
    assert RunFolder.claim(tmp_path, "optimize", "y").path.name == "20261122T201531Z-optimize-y"
    (tmp_path / f"{STEM}-5").touch()  # a file takes a name, too
    assert RunFolder.claim(tmp_path, "optimize", "x").path.name == f"{STEM}-6"


@pytest.mark.usefixtures("_one_second")
def test_threads_at_once_get_a_folder_each(tmp_path: Path) -> None:
    start = threading.Barrier(20)

    def claim(_: int) -> str:
        start.wait()
        return RunFolder.claim(tmp_path / "new" / "outputs", "optimize", "x").path.name

    with ThreadPoolExecutor(20) as pool:
        claimed = list(pool.map(claim, range(20)))
    assert sorted(claimed) == sorted([STEM, *(f"{STEM}-{number}" for number in range(2, 21))])
    assert names(tmp_path / "new" / "outputs") == sorted(claimed)


CLAIM = """
import datetime, multiprocessing
from pathlib import Path
from dnnexp.runs import folder

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 22, 20, 15, 31, tzinfo=tz)

def claim():
    barrier.wait()
    claimed = folder.RunFolder.claim(Path("outputs"), "optimize", "x")
    claimed.write("metrics.json", claimed.path.name)
    claimed.point_latest()

folder.datetime = Clock
context = multiprocessing.get_context("fork")
barrier = context.Barrier(100)
running = [context.Process(target=claim) for _ in range(100)]
for process in running:
    process.start()
for process in running:
    process.join()
print([process.exitcode for process in running])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
def test_a_hundred_processes_in_one_second_get_a_folder_each(tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", CLAIM], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (f"{[0] * 100}\n", "")
    outputs = tmp_path / "outputs"
    claimed = [STEM, *(f"{STEM}-{number}" for number in range(2, 101))]
    assert names(outputs) == sorted([*claimed, "latest"])
    assert [(outputs / name / "metrics.json").read_text() for name in claimed] == claimed
    assert os.readlink(outputs / "latest") in claimed


def test_a_file_where_the_output_folder_should_be_is_named(tmp_path: Path) -> None:
    """The message used to name the run folder and say that it exists."""
    (tmp_path / "outputs").write_text("mine")
    with pytest.raises(WriteError) as error:
        RunFolder.claim(tmp_path / "outputs", "optimize", "x")
    assert str(error.value) == f"{tmp_path / 'outputs'}: is a file; run folders need a folder"
    with pytest.raises(WriteError, match=r"outputs/deeper: cannot be written: Not a directory$"):
        RunFolder.claim(tmp_path / "outputs" / "deeper", "optimize", "x")
    assert (tmp_path / "outputs").read_text() == "mine"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(WriteError, match=f"cannot be written: {os.strerror(code)}$"):
        RunFolder.claim(tmp_path, "optimize", "x")
    assert names(tmp_path) == []


# Files


@pytest.mark.parametrize("content", ["", "text, é\n", b"\x00\xff", b"x" * 1_000_000])
def test_a_file_is_written(run_folder: RunFolder, content: str | bytes) -> None:
    run_folder.write("file", content)
    wanted = content.encode() if isinstance(content, str) else content
    assert (run_folder.path / "file").read_bytes() == wanted
    run_folder.write("file", "again")
    assert (run_folder.path / "file").read_text() == "again"
    assert names(run_folder.path) == ["file"]


class _FullStream:
    """A file of a disk that fails at one of the steps of writing."""

    def __init__(self, stream: Any, step: str, code: int) -> None:
        self.stream, self.step, self.code = stream, step, code

    def __enter__(self) -> "_FullStream":
        return self

    def __exit__(self, *error: object) -> None:
        self.stream.close()
        self.fail("close")

    def fail(self, step: str) -> None:
        if step == self.step:
            raise OSError(self.code, os.strerror(self.code))

    def write(self, data: bytes) -> None:
        self.stream.write(data[: len(data) // 2])
        self.fail("write")
        self.stream.write(data[len(data) // 2 :])

    def flush(self) -> None:
        self.stream.flush()
        self.fail("flush")

    def fileno(self) -> int:
        return int(self.stream.fileno())


@pytest.fixture(params=["open", "write", "flush", "fsync", "close", "replace"])
def step(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def code(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def _failing(monkeypatch: pytest.MonkeyPatch, step: str, code: int) -> Iterator[None]:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(code, os.strerror(code))

    opened = Path.open

    def open_full(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        stream = opened(self, mode, *rest, **options)
        return _FullStream(stream, step, code) if "b" in mode and mode != "rb" else stream

    with monkeypatch.context() as patch:
        if step == "open":
            patch.setattr(Path, "open", fail)
        elif step == "fsync":
            patch.setattr(os, "fsync", fail)
        elif step == "replace":
            patch.setattr(Path, "replace", fail)
        else:
            patch.setattr(Path, "open", open_full)
        yield


@pytest.mark.usefixtures("_failing")
def test_a_failed_write_leaves_nothing(run_folder: RunFolder, code: int) -> None:
    with pytest.raises(WriteError) as error:
        run_folder.write("metrics.json", "{" + "x" * 1000 + "}")
    path = run_folder.path / "metrics.json"
    assert str(error.value) == f"{path}: cannot be written: {os.strerror(code)}"
    assert names(run_folder.path) == []


@pytest.mark.usefixtures("_failing")
def test_a_failed_write_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with open(path, "w") as stream:  # Path.open is what fails
        stream.write("before")
    with pytest.raises(WriteError):
        RunFolder(tmp_path).write("run.json", "after" * 1000)
    assert names(tmp_path) == ["run.json"]
    with open(path) as stream:
        assert stream.read() == "before"


def test_ctrl_c_during_a_write_leaves_nothing(run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_folder.write("metrics.json", "{}")
    assert names(run_folder.path) == []


def test_a_folder_that_is_gone_says_so(run_folder: RunFolder) -> None:
    run_folder.path.rmdir()
    with pytest.raises(WriteError, match=r"metrics\.json: cannot be written: No such file or directory$"):
        run_folder.write("metrics.json", "{}")


@pytest.mark.skipif(sys.platform != "linux", reason="the file size limit and its signal are Linux's here")
def test_a_real_limit_of_the_system_leaves_nothing(tmp_path: Path) -> None:
    """The system's own EFBIG, where the tests above only pretend."""
    script = """
import resource, signal
from pathlib import Path
from dnnexp.runs.folder import RunFolder, WriteError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    RunFolder(Path(".")).write("metrics.json", "x" * 5000)
except WriteError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("metrics.json: cannot be written: File too large\n", "")
    assert names(tmp_path) == []


# JSON and arrays


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_non_finite_number_in_json_is_a_bug(run_folder: RunFolder, number: float) -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        run_folder.write_json("metrics.json", {"a": [{"b": number}]})
    assert names(run_folder.path) == []


def test_json_is_readable_and_ends_with_a_line_break(run_folder: RunFolder) -> None:
    document = {"b": [1, 0.1, 1e-300, None, True], "a": "é σ"}
    run_folder.write_json("metrics.json", document)
    text = (run_folder.path / "metrics.json").read_text()
    assert json.loads(text) == document
    assert "é σ" in text
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["b", "a"]


def test_a_path_that_is_no_text_can_be_recorded(run_folder: RunFolder) -> None:
    """`dnnexp optimize` of a file name with a byte that is not UTF-8 must end in no traceback."""
    path = os.fsdecode(b"\xff.yaml")
    run_folder.write_json("run.json", {"command": ["dnnexp", path]})
    assert json.loads((run_folder.path / "run.json").read_text())["command"][1] == path


def test_arrays_come_back_without_pickle(run_folder: RunFolder) -> None:
    arrays = {"a.value": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2]), "file.final": np.ones(1)}
    run_folder.write_arrays(arrays)
    with np.load(run_folder.path / "arrays.npz", allow_pickle=False) as found:
        assert sorted(found) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype


def test_the_document_of_the_metrics() -> None:
    class Config:
        name, seed = "x", 3

    outcome = {"claim": "c", "check": "True", "outcome": "holds", "detail": ""}
    document = metrics_document("optimize", Config(), {"a": 1}, [outcome])
    assert document == {
        "schema_version": 1,
        "experiment": "optimize",
        "name": "x",
        "seed": 3,
        "metrics": {"a": 1},
        "expectations": [outcome],
    }
    assert list(document) == ["schema_version", "experiment", "name", "seed", "metrics", "expectations"]


# latest


def test_latest_is_a_relative_link_to_the_newest(tmp_path: Path) -> None:
    for _ in range(3):
        newest = RunFolder.claim(tmp_path / "outputs", "optimize", "x")
        newest.point_latest()
        assert os.readlink(tmp_path / "outputs" / "latest") == newest.path.name
    moved = (tmp_path / "outputs").rename(tmp_path / "elsewhere")
    assert (moved / "latest").resolve() == moved.resolve() / newest.path.name
    assert len(names(moved)) == 4


def test_a_link_that_leads_nowhere_is_replaced(run_folder: RunFolder) -> None:
    latest = run_folder.path.parent / "latest"
    latest.symlink_to("gone")
    run_folder.point_latest()
    assert os.readlink(latest) == run_folder.path.name


@pytest.mark.parametrize("kind", ["file", "directory", "full directory"])
def test_what_is_no_link_is_left_alone(run_folder: RunFolder, kind: str) -> None:
    latest = run_folder.path.parent / "latest"
    if kind == "file":
        latest.write_text("mine")
    else:
        latest.mkdir()
    if kind == "full directory":
        (latest / "mine").touch()
    with pytest.raises(WriteError) as error:
        run_folder.point_latest()
    assert str(error.value) == f"{latest}: cannot be written: it exists and is not a link"
    assert not latest.is_symlink()
    assert latest.read_text() == "mine" if kind == "file" else latest.is_dir()
    assert kind != "full directory" or names(latest) == ["mine"]
    assert names(run_folder.path.parent) == sorted([run_folder.path.name, "latest"])


@pytest.mark.parametrize("step", ["symlink_to", "replace"])
def test_a_system_without_links_is_a_message(
    run_folder: RunFolder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises(WriteError, match=r"latest: cannot be written: Operation not permitted$"):
        run_folder.point_latest()
    assert names(run_folder.path.parent) == [run_folder.path.name]

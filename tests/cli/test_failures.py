"""Disks that are full, Ctrl-C, bugs: the exit code, what is said, and what is left."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dnnexp import experiments
from dnnexp.experiments.base import Result

Run = Callable[..., Any]

TINY = """\
starts: {points: [[1, 2]]}
steps: 5
optimizers: [adam]
"""
DNNEXP = str(Path(sys.executable).with_name("dnnexp"))


@pytest.fixture(autouse=True)
def _tiny(cli: Run) -> None:
    Path("x.yaml").write_text(TINY)


def folders() -> list[Path]:
    output = Path("outputs")
    return sorted(p for p in output.iterdir() if p.name != "latest") if output.is_dir() else []


def status(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())["status"]


# The disk


def test_an_output_folder_that_is_a_file(cli: Run) -> None:
    Path("outputs").write_text("mine")
    ran = cli("optimize", "x.yaml")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "dnnexp: outputs: is a file; run folders need a folder\n"
    assert Path("outputs").read_text() == "mine"


def test_an_output_folder_under_a_file(cli: Run) -> None:
    ran = cli("optimize", "x.yaml", "-o", "x.yaml/deeper")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "dnnexp: x.yaml/deeper: cannot be written: Not a directory\n"


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_an_output_folder_that_cannot_be_made(cli: Run, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", fail)
    ran = cli("optimize", "x.yaml")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"dnnexp: outputs: cannot be written: {os.strerror(code)}\n"
    assert folders() == []


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("config.yaml", set()),
        ("arrays.npz", {"config.yaml", "run.json"}),
        ("convergence.png", {"config.yaml", "run.json", "arrays.npz"}),
        ("summary.txt", {"config.yaml", "run.json", "arrays.npz", "convergence.png", "trajectories.png"}),
        ("metrics.json", {"config.yaml", "run.json", "arrays.npz", "convergence.png", "trajectories.png",
                          "summary.txt"}),
    ],
)  # fmt: skip
def test_a_disk_that_is_full_at_a_file(
    cli: Run, monkeypatch: pytest.MonkeyPatch, name: str, left: set[str]
) -> None:
    """A run whose metrics.json did not fit used to be `complete` by its run.json."""
    replaced = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    ran = cli("optimize", "x.yaml", "-q")
    (folder,) = folders()
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"dnnexp: {folder / name}: cannot be written: No space left on device\n"
    assert set(os.listdir(folder)) == left
    assert not left or status(folder) == "failed"
    assert not os.path.lexists("outputs/latest")


def test_a_disk_that_stays_full_is_said_once(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file that did not fit is named, not run.json, which then does not fit either."""
    is_full: list[str] = []
    replaced = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if is_full or target.name == "arrays.npz":
            is_full.append(target.name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    ran = cli("optimize", "x.yaml", "-q")
    (folder,) = folders()
    assert ran.code == 3
    assert ran.err == f"dnnexp: {folder}/arrays.npz: cannot be written: No space left on device\n"
    assert is_full == ["arrays.npz", "run.json"]
    assert status(folder) == "running"


def test_the_other_configs_run_when_one_could_not_be_written(
    cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("full.yaml").write_text(TINY)
    replaced = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if "optimize-full" in target.parent.name and target.name == "metrics.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    ran = cli("optimize", "full.yaml", "x.yaml", "-q", "--no-plots")
    assert ran.code == 3
    assert ran.folder.name.endswith("-optimize-x")
    assert [(folder / "metrics.json").exists() for folder in folders()] == [False, True]


def test_a_real_limit_on_files_is_exit_code_3() -> None:
    ran = subprocess.run(
        [DNNEXP, "optimize", "x.yaml", "record.spacing=every", "steps=1000", "--no-plots"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)),
    )
    (folder,) = folders()
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr == f"dnnexp: {folder}/arrays.npz: cannot be written: File too large\n"
    assert set(os.listdir(folder)) == {"config.yaml", "run.json"}
    assert status(folder) == "failed"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_stdout_is_exit_code_3() -> None:
    """It used to show a traceback."""
    with open("/dev/full", "w") as full:
        command = [DNNEXP, "optimize", "x.yaml", "-q", "--no-plots"]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 3
    assert ran.stderr == "dnnexp: standard output: cannot be written: No space left on device\n"


def test_a_reader_that_is_gone_is_no_bug() -> None:
    """`dnnexp optimize | head -0` used to show a traceback."""
    read, write = os.pipe()
    os.close(read)
    command = [DNNEXP, "optimize", "x.yaml", "-q", "--no-plots"]
    ran = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert (folders()[0] / "metrics.json").exists()


# Names that are no text


def test_paths_with_bytes_that_are_no_text() -> None:
    """A file or folder name that is not UTF-8 ends in no traceback, in run.json or on stdout."""
    config, output = os.fsdecode(b"\xff.yaml"), os.fsdecode(b"o\xfe")
    Path(config).write_text(TINY)
    ran = subprocess.run([DNNEXP, "optimize", config, "-o", output, "-q", "--no-plots"], capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")
    folder = Path(os.fsdecode(ran.stdout.rstrip(b"\n")))
    assert folder.parent.name == output
    assert config in json.loads((folder / "run.json").read_text())["command"]
    missing = subprocess.run([DNNEXP, "optimize", os.fsdecode(b"\xfd.yaml")], capture_output=True)
    assert missing.returncode == 2
    assert missing.stderr == b"\\udcfd.yaml: there is no such file\n"


def test_a_terminal_without_greek_lists_all_the_same() -> None:
    """`dnnexp list` to a file in a Latin-1 or Windows locale ended in a traceback."""
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    ran = subprocess.run([DNNEXP, "list"], capture_output=True, env=environment)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"\\u03c3(z)" in ran.stdout


# Signals


def interrupted(number: signal.Signals, *arguments: str) -> tuple[subprocess.Popen[str], str, str, float]:
    """Starts a long run, sends it the signal once it has begun, and waits for its end."""
    process = subprocess.Popen(
        [DNNEXP, "optimize", "x.yaml", "steps=10000000", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # where this process ignores Ctrl-C, as in the background of a shell, it would, too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        limit = time.monotonic() + 30
        while not any((folder / "run.json").exists() for folder in folders()):
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.02)
        time.sleep(0.2)
        start = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        return process, out, err, time.monotonic() - start
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_a_long_run_at_once(number: signal.Signals, code: int, word: str) -> None:
    process, out, err, seconds = interrupted(number)
    assert (process.returncode, out) == (code, "")
    assert err.strip() == f"dnnexp: {word}"
    assert seconds < 2  # a tenth; the slack is for a busy machine
    (folder,) = folders()
    assert set(os.listdir(folder)) == {"config.yaml", "run.json"}
    assert status(folder) == "interrupted"
    assert not os.path.lexists("outputs/latest")


def test_ctrl_c_stops_the_configs_after_it_too(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(config: Any, request: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments.find("optimize"), "run", interrupt)
    ran = cli("optimize", "x.yaml", "x.yaml")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.strip() == "dnnexp: interrupted"
    (folder,) = folders()
    assert status(folder) == "interrupted"


def test_ctrl_c_on_a_full_disk_is_still_ctrl_c(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure to note it in run.json must not take its place, nor let the next config run."""
    replaced = Path.replace
    is_full: list[str] = []

    def fail(self: Path, target: Path) -> Path:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replaced(self, target)

    def interrupt(config: Any, request: Any) -> NoReturn:
        is_full.append("now")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    monkeypatch.setattr(experiments.find("optimize"), "run", interrupt)
    ran = cli("optimize", "x.yaml", "x.yaml")
    assert (ran.code, ran.err.strip()) == (130, "dnnexp: interrupted")
    assert len(folders()) == 1


def test_ctrl_c_while_metrics_are_written_leaves_none(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Path.replace

    def interrupt(self: Path, target: Path) -> Path:
        if target.name == "metrics.json":
            raise KeyboardInterrupt
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", interrupt)
    ran = cli("optimize", "x.yaml", "--no-plots")
    (folder,) = folders()
    assert ran.code == 130
    assert set(os.listdir(folder)) == {"config.yaml", "run.json", "arrays.npz", "summary.txt"}
    assert status(folder) == "interrupted"


def test_ctrl_c_before_the_command_is_found_is_the_same(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("dnnexp.__main__._run", interrupt)
    ran = cli("optimize", "x.yaml")
    assert (ran.code, ran.err) == (130, "dnnexp: interrupted\n")


# Bugs


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError("a bug"), RecursionError("a bug")])
def test_a_bug_shows_its_traceback_and_the_other_configs_run(
    cli: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    module = experiments.find("optimize")
    works = module.run

    def run(config: Any, request: Any) -> Any:
        if config.name == "buggy":
            raise error
        return works(config, request)

    monkeypatch.setattr(module, "run", run)
    Path("buggy.yaml").write_text(TINY)
    ran = cli("optimize", "buggy.yaml", "x.yaml", "-q", "--no-plots")
    assert ran.code == 4
    assert ran.err.startswith("Traceback (most recent call last):")
    assert ran.err.endswith(f"{type(error).__name__}: a bug\n")
    assert ran.folder.name.endswith("-optimize-x")
    buggy = next(folder for folder in folders() if folder.name.endswith("-buggy"))
    assert set(os.listdir(buggy)) == {"config.yaml", "run.json"}
    assert status(buggy) == "failed"


def test_too_little_memory_is_said_in_a_line(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(config: Any, request: Any) -> Any:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr(experiments.find("optimize"), "run", run)
    ran = cli("optimize", "x.yaml", "-q", "--no-plots")
    assert (ran.code, ran.err) == (4, "dnnexp: x: not enough memory: Unable to allocate 9 TiB\n")
    assert status(folders()[0]) == "failed"


def test_a_metric_that_is_not_finite_is_a_bug(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real = experiments.find("optimize").run

    def run(config: Any, request: Any) -> Any:
        found = real(config, request)
        return Result(config, found.metrics | {"x": float("nan")}, found.arrays)

    monkeypatch.setattr(experiments.find("optimize"), "run", run)
    ran = cli("optimize", "x.yaml", "-q", "--no-plots")
    (folder,) = folders()
    assert ran.code == 4
    assert "not JSON compliant" in ran.err
    assert not (folder / "metrics.json").exists()
    assert status(folder) == "failed"


def test_a_plot_that_fails_leaves_no_metrics(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import dnnexp.figures

    def fail(*args: Any) -> NoReturn:
        raise RuntimeError("a bug in a plot")

    monkeypatch.setattr(dnnexp.figures, "render", fail)
    ran = cli("optimize", "x.yaml", "-q")
    (folder,) = folders()
    assert (ran.code, status(folder)) == (4, "failed")
    assert "RuntimeError: a bug in a plot" in ran.err
    assert not (folder / "metrics.json").exists()

"""Jobs that fail, and jobs that kill their workers: no other is harmed, and each is told of."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dnnexp.runs.journal import events
from tests.cli.conftest import Ran
from tests.cli.sweeping import assert_whole, command, metrics, rows, write_config

Run = Callable[..., Ran]
KILLER = """
import os, signal, sys
from dataclasses import dataclass
import numpy as np
from dnnexp.core.optimizers import Optimizer
from dnnexp.registry import Positive, register

@register("killer")
@dataclass(frozen=True)
class Killer(Optimizer):
    \"\"\"Kills its process where the rate is 3, raises where it is 2, ends the program where it is 5.\"\"\"

    learning_rate: Positive = 1.0

    def init(self, x):
        if np.all(self.learning_rate == 3):
            os.kill(os.getpid(), signal.SIGKILL)
        if np.all(self.learning_rate == 2):
            print("about to fail")
            raise ValueError("two is\\nno \x1brate")
        if np.all(self.learning_rate == 5):
            sys.exit()
        if np.all(self.learning_rate == 6):
            raise KeyboardInterrupt
        if np.all(self.learning_rate == 7):
            os.write(1, b"by the way")

    def update(self, gradient, state, x, step):
        return -self.learning_rate * gradient, None
"""


@pytest.fixture
def killer(tmp_path: Path) -> Path:
    (tmp_path / "killer.py").write_text(KILLER)
    short_text = write_config(tmp_path).read_text()
    path = tmp_path / "killer.yaml"
    path.write_text(short_text.replace("gradient_descent", "killer").replace("name: short", "name: killer"))
    return Path("killer.yaml")


def run_killer(*arguments: str | Path, code: int) -> subprocess.CompletedProcess[str]:
    line = command(*arguments, "--plugin", "killer.py", "--no-plots")
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr
    return ran


def rates(*values: str) -> str:
    return f"optimizers.killer.learning_rate={','.join(values)}"


def kinds(folder: Path) -> list[str]:
    return [event["event"] for event in events(folder / "journal.jsonl")]


def test_what_kills_its_worker_or_fails_stops_no_other(cli: Run, killer: Path) -> None:
    """One failure used to stop the rest; a killed job took innocent ones with it."""
    swept = rates("3", "0.1", "2", "0.2", "0.3", "0.4", "0.5", "0.6")
    ran = run_killer(killer, swept, "--jobs", "2", code=1)
    folder = Path(ran.stdout.strip())
    status = {row["optimizers.killer.learning_rate"]: row["status"] for row in rows(folder)}
    assert {rate for rate, found in status.items() if found == "failed"} == {"2", "3"}
    assert list(status.values()).count("complete") == 6
    assert "failed: optimizers.killer.learning_rate=2: ValueError: two is\\nno \\x1brate" in ran.stderr
    assert "failed: optimizers.killer.learning_rate=3: its worker was killed 3 times" in ran.stderr
    assert f"to resume: dnnexp sweep --resume {folder} --jobs 2 --no-plots --plugin killer.py" in ran.stderr
    found = kinds(folder)
    assert (found.count("failed"), found.count("complete"), found.count("again")) == (2, 6, 2)
    log = next(path for path in folder.glob("jobs/*/log.txt") if path.read_text())
    assert "about to fail" in log.read_text()
    assert "ValueError: two is" in log.read_text()


def test_what_wants_to_end_the_program_is_a_failed_job(cli: Run, killer: Path) -> None:
    """The whole sweep ended with 0 and said nothing; output that is not Python's was taken for the answer."""
    for executor in ("serial", "processes"):
        swept = rates("5", "0.1", *(["6", "7"] if executor == "processes" else []))
        ran = run_killer(killer, swept, "--executor", executor, "-o", executor, code=1)
        folder = Path(ran.stdout.strip())
        status = {row["optimizers.killer.learning_rate"]: row["status"] for row in rows(folder)}
        assert {status.pop(rate, "complete") for rate in ("0.1", "7")} == {"complete"}
        assert set(status.values()) == {"failed"}
        assert "learning_rate=5: RuntimeError: the code ended the program: SystemExit" in ran.stderr
        assert folder.parent == Path(executor)


def test_it_stops_at_the_first_failure_if_asked(cli: Run, killer: Path) -> None:
    swept = rates("2", "0.1", "0.2", "0.3", "0.4", "0.5")
    ran = run_killer(killer, swept, "--executor", "serial", "--fail-fast", code=1)
    assert [row["status"] for row in rows(Path(ran.stdout.strip()))] == ["failed"] + ["missing"] * 5
    assert "1 failed, 5 not done" in ran.stderr


def test_a_failed_job_is_done_again_on_resume(cli: Run, killer: Path, tmp_path: Path) -> None:
    ran = run_killer(killer, rates("2", "0.1"), "--executor", "serial", "--retries", "2", code=1)
    folder = Path(ran.stdout.strip())
    assert kinds(folder).count("again") == 2
    (tmp_path / "killer.py").write_text(KILLER.replace("== 2", "== 4"))
    resume = ("--resume", folder, "--executor", "serial")
    refused = run_killer(*resume, code=2)
    assert "the plugins are not the ones that the sweep was made with; --other-code accepts" in refused.stderr
    run_killer(*resume, "--other-code", code=0)
    assert_whole(folder)
    assert len(metrics(folder)) == 2


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_standard_stream_that_is_closed_lends_its_number_to_no_file(
    cli: Run, killer: Path, closed: str
) -> None:
    """What a job printed stood in the journal."""
    line = command(killer, rates("7"), "--plugin", "killer.py", "--no-plots", "-q", "--executor", "serial")
    subprocess.run(f"{shlex.join(line)} {closed}", shell=True, check=False, capture_output=True)
    (journal,) = Path("outputs").glob("2*-sweep-*/journal.jsonl")
    assert "by the way" not in journal.read_text()
    assert kinds(journal.parent).count("complete") == 1
